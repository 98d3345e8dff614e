#pragma once

#include <lodestep/approximator.hpp>

#include <string>

namespace lodestep::source {

/// An approximator in Fortran, for a module that defines the kind `dp` and the sizes `d` and `features`.
struct FortranApproximator {
  std::string tables;     ///< for its head: the weights
  std::string procedures; ///< for its body: subroutine correction(x, q), of x(features) to q(d), and its helpers
};
FortranApproximator fortran_approximator(const ApproximatorSpec& spec);

} // namespace lodestep::source
