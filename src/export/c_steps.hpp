#pragma once

#include <lodestep/tableau.hpp>

#include <string>

/// How generated C takes steps.
namespace lodestep::source {

/// What is written of one Runge-Kutta step.
struct CStep {
  std::string prefix;    ///< of the public names: PREFIX_rhs is the type of the right-hand side
  std::string function;  ///< its name
  std::string comment;   ///< what it is
  std::string attribute; ///< "" or a macro before it, with a blank after it
  /// Coefficients are taken from arguments `const double *a, *b, *c`; those that are 0 in the tableau are never used.
  bool coefficients_given = false;
  /// Stages that only the next step and the estimate need are left out where they are not needed.
  bool all_stages = true;
  /// With the argument `double *error`: where it is not null, it receives dt sum (b_i - b*_i) k_i.
  bool estimates_error = false;
};

/// static int FUNCTION(rhs, user, t, u, dt, next, k): one step of `tableau` from u; k, of [stages][DIMENSION], receives
/// the stage derivatives. next may be u. Sums are in the order of RungeKutta::step, whose bits these are.
std::string c_step(const ButcherTableau& tableau, const CStep& step);

/// The body of a function that advances u from *t to t_end in steps of `size`, an expression, and where the interval is
/// no multiple of it a last shorter one. `arguments` stand between the stepping function's `user` and its time.
std::string c_evolve(const std::string& prefix, const std::string& size, const std::string& arguments,
                     const std::string& arguments_after_size);

} // namespace lodestep::source
