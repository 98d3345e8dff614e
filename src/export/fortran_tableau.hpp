#pragma once

#include <lodestep/model.hpp>

#include <string>

namespace lodestep::source {

/// A learned tableau as a Fortran module: its coefficients (of the step size and parameters, where they depend on
/// them), the range it may be used in, and the classical tableau outside it. `model` is sound and a tableau.
std::string fortran_tableau(const Model& model, const std::string& name);

} // namespace lodestep::source
