#pragma once

#include <lodestep/tableau.hpp>

#include <string>

/// How generated Fortran takes steps.
namespace lodestep::source {

/// What is written of one Runge-Kutta step.
struct FortranStep {
  std::string prefix;   ///< of the public names: PREFIX_rhs is the interface of the right-hand side
  std::string function; ///< its name
  std::string comment;  ///< what it is
  /// Coefficients are taken from arguments a(stages, stages), b(stages), c(stages), a(j, i) being a_ij; those that are
  /// 0 in the tableau are never used.
  bool coefficients_given = false;
  /// Stages that only the next step and the estimate need are left out where they are not needed.
  bool all_stages = true;
  /// With the argument `error`, optional, which receives dt sum (b_i - b*_i) k_i.
  bool estimates_error = false;
};

/// subroutine FUNCTION(rhs, t, u, dt, next, k): one step of `tableau` from u; k(d, stages) receives the stage
/// derivatives.
std::string fortran_step(const ButcherTableau& tableau, const FortranStep& step);

/// The statements of a subroutine that advances y from t to t_end in steps of `size`, an expression, and where the
/// interval is no multiple of it a last shorter one. `arguments` follow the stepping subroutine's step size.
std::string fortran_evolve(const std::string& prefix, const std::string& size, const std::string& arguments);

} // namespace lodestep::source
