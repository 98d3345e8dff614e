#pragma once

#include "problem/definition.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// Van der Pol's oscillator, x'' = mu (1 - x^2) x' - x, as u = (x, x'): stiff where mu is large.
struct VanDerPol {
  static constexpr std::size_t dimension = 2;
  double mu = 2.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T y = u[1];
    dudt[0] = y;
    dudt[1] = T(mu) * (T(1.0) - x * x) * y - x;
  }
};

/// Region and horizon: HiTS (Liu et al. 2022), Table 2 and appendix A.1.
struct VanDerPolDefinition {
  static constexpr const char* name = "van_der_pol";
  static constexpr const char* description = "Van der Pol's oscillator, mu = 2 (HiTS, Fig. 5)";
  using FixedRhs = std::tuple<VanDerPol>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() { return {{"mu", 2.0}}; }

  static void define(Problem& problem) {
    problem.variables = {{"x", ""}, {"y", ""}};
    problem.horizon = 51.2;
    problem.dt = 0.16;
    problem.fine_dt = 0.01;
    problem.region = {{-2.0, 2.0}, {-4.0, 4.0}};
    set_rhs(problem, VanDerPol{value(problem, "mu")});
    sample_region(problem);
  }
};

} // namespace lodestep::problem
