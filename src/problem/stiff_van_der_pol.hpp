#pragma once

#include "problem/van_der_pol.hpp"

namespace lodestep::problem {

/// The same in Lienard's coordinates, which stay of order one however stiff it is: u = (x, w),
///
///     x' = mu (w + x - x^3 / 3),   w' = -x / mu.
struct LienardVanDerPol {
  static constexpr std::size_t dimension = 2;
  double mu = 100.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T w = u[1];
    dudt[0] = T(mu) * (w + x - T(1.0 / 3.0) * x * x * x);
    dudt[1] = -(x * T(1.0 / mu));
  }
};

/// Relaxation oscillations of period (3 - 2 ln 2) mu and a little more: slow drifts along two branches, between which
/// it jumps within 1 / mu. In the coordinates (x, x') of van_der_pol, x' runs up to 134 during a jump and decays at the
/// rate 3 mu after it. Initial states lie off the branches, at up to the distance of a jump.
struct StiffVanDerPolDefinition {
  static constexpr const char* name = "stiff_van_der_pol";
  static constexpr const char* description = "Van der Pol's oscillator, mu = 100, in Lienard's coordinates: stiff";
  using FixedRhs = std::tuple<LienardVanDerPol>;

  static Aliases aliases() { return {{"van_der_pol_stiff", {}}}; }
  static std::vector<Parameter> parameters() { return {{"mu", 100.0}}; }

  static void define(Problem& problem) {
    problem.variables = {{"x", ""}, {"w", ""}};
    problem.horizon = 204.8;
    problem.dt = 1.28;
    problem.fine_dt = 0.005; // RK4 is stable up to 2.78 / (3 mu)
    problem.region = {{-2.0, 2.0}, {-0.65, 0.65}};
    set_rhs(problem, LienardVanDerPol{positive(problem, "mu")});
    sample_region(problem);
  }
};

} // namespace lodestep::problem
