#pragma once

#include "problem/definition.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// A damped oscillator whose restoring forces are cubic, HiTS (Liu et al. 2022), Fig. 5:
///
///     x' = -a x^3 + b y^3,   y' = -b x^3 - a y^3.
///
/// It turns slower the smaller it swings: over a long step, states that start at different distances from the origin
/// wind up into a spiral.
struct CubicOscillator {
  static constexpr std::size_t dimension = 2;
  double a = 0.1;
  double b = 2.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T y = u[1];
    const T x3 = x * x * x;
    const T y3 = y * y * y;
    dudt[0] = T(b) * y3 - T(a) * x3;
    dudt[1] = -(T(b) * x3) - T(a) * y3;
  }
};

/// Region and horizon: HiTS, Table 2 and appendix A.1.
struct CubicOscillatorDefinition {
  static constexpr const char* name = "cubic_oscillator";
  static constexpr const char* description = "a damped oscillator with cubic forces (HiTS, Fig. 5)";
  using FixedRhs = std::tuple<CubicOscillator>;

  static Aliases aliases() { return {{"cubic", {}}}; }
  static std::vector<Parameter> parameters() { return {{"a", 0.1}, {"b", 2.0}}; }

  static void define(Problem& problem) {
    problem.variables = {{"x", ""}, {"y", ""}};
    problem.horizon = 51.2;
    problem.dt = 0.16;
    problem.fine_dt = 0.01;
    problem.region = {{-1.0, 1.0}, {-1.0, 1.0}};
    set_rhs(problem, CubicOscillator{value(problem, "a"), value(problem, "b")});
    sample_region(problem);
  }
};

} // namespace lodestep::problem
