#pragma once

#include <lodestep/approximator.hpp>

#include <string>

namespace lodestep::source {

/// An approximator in C: its weights as tables, its helpers, and
///
///     static void correction(const double *restrict x, double *restrict q)
///
/// of x, [FEATURES], to q, [DIMENSION], two constants the code before it must define.
std::string c_approximator(const ApproximatorSpec& spec);

} // namespace lodestep::source
