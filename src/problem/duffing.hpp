#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <string>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// A damped oscillator with a cubic spring, driven periodically:
///
///     x'' = -delta x' - alpha x - beta x^3 + gamma cos(omega t),   u = (x, x').
///
/// The right-hand side depends on t, with period 2 pi / omega.
struct Duffing {
  static constexpr std::size_t dimension = 2;
  double delta = 0.2;
  double alpha = 1.0;
  double beta = 1.0;
  double gamma = 0.3;
  double omega = 1.2;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time t) const {
    using std::cos;
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T v = u[1];
    dudt[0] = v;
    dudt[1] = T(gamma) * T(cos(Time(omega) * t)) - T(delta) * v - (T(alpha) + T(beta) * x * x) * x;
  }
};

struct DuffingDefinition {
  static constexpr const char* name = "duffing";
  static constexpr const char* description = "a damped oscillator with a cubic spring, driven with period 2 pi / omega";
  using FixedRhs = std::tuple<Duffing>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() {
    return {{"delta", 0.2}, {"alpha", 1.0}, {"beta", 1.0}, {"gamma", 0.3}, {"omega", 1.2}};
  }

  static void define(Problem& problem) {
    const Duffing rhs{value(problem, "delta"), value(problem, "alpha"), value(problem, "beta"), value(problem, "gamma"),
                      positive(problem, "omega")};
    problem.variables = {{"x", ""}, {"x_dot", ""}};
    problem.horizon = 20.0;
    problem.dt = 0.1;
    problem.period = 2.0 * pi / rhs.omega;
    set_rhs(problem, rhs);
    problem.initial = "wide";
    problem.sample = [](Random& random, double* u0) {
      u0[0] = random.uniform(-1.0, 1.0);
      u0[1] = random.uniform(-1.0, 1.0);
    };
  }
};

} // namespace lodestep::problem
