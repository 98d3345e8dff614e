#pragma once

#include "problem/definition.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// HIRES, the "high irradiance response" of a plant's photomorphogenesis: eight reactants, stiff. Schaefer 1975, as in
/// Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.10.
struct Hires {
  static constexpr std::size_t dimension = 8;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T y1 = u[0], y2 = u[1], y3 = u[2], y4 = u[3], y5 = u[4], y6 = u[5], y7 = u[6], y8 = u[7];
    const T bound = T(280.0) * y6 * y8;
    dudt[0] = T(0.43) * y2 + T(8.32) * y3 + T(0.0007) - T(1.71) * y1;
    dudt[1] = T(1.71) * y1 - T(8.75) * y2;
    dudt[2] = T(0.43) * y4 + T(0.035) * y5 - T(10.03) * y3;
    dudt[3] = T(8.32) * y2 + T(1.71) * y3 - T(1.12) * y4;
    dudt[4] = T(0.43) * y6 + T(0.43) * y7 - T(1.745) * y5;
    dudt[5] = T(0.69) * y4 + T(1.71) * y5 + T(0.69) * y7 - T(0.43) * y6 - bound;
    dudt[6] = bound - T(1.81) * y7;
    dudt[7] = T(1.81) * y7 - bound;
  }
};

/// The field's test starts at (1, 0, .., 0, 0.0057) and ends at 321.8122; here the first and the last reactant vary
/// around that, and the horizon is the nearest multiple of the step.
struct HiresDefinition {
  static constexpr const char* name = "hires";
  static constexpr const char* description = "HIRES: eight reactants of plant physiology, stiff";
  using FixedRhs = std::tuple<Hires>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() { return {}; }

  static void define(Problem& problem) {
    for (int i = 1; i <= 8; ++i) problem.variables.push_back({"y_" + std::to_string(i), ""});
    problem.horizon = 320.0;
    problem.dt = 2.56;
    problem.fine_dt = 0.01;
    set_rhs(problem, Hires{});
    problem.sample = [](Random& random, double* u0) {
      for (std::size_t i = 0; i < 8; ++i) u0[i] = 0.0;
      u0[0] = random.uniform(0.8, 1.2);
      u0[7] = random.uniform(0.0052, 0.0062);
    };
  }
};

} // namespace lodestep::problem
