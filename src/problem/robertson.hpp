#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// Robertson's autocatalytic reaction (1966), as in Hairer and Wanner, Solving Ordinary Differential Equations II,
/// section IV.10, in the logarithms of its three concentrations, u_i = ln y_i, which keeps them positive and of order
/// one although y_2 is of order 1e-5:
///
///     y1' = -k1 y1 + k3 y2 y3,   y2' = k1 y1 - k3 y2 y3 - k2 y2^2,   y3' = k2 y2^2.
struct Robertson {
  static constexpr std::size_t dimension = 3;
  static constexpr double k1 = 0.04, k2 = 3e7, k3 = 1e4;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using std::exp;
    using T = std::decay_t<decltype(u[0])>;
    const T y1 = exp(u[0]), y2 = exp(u[1]), y3 = exp(u[2]);
    const T second = T(k2) * y2;
    const T third = T(k3) * y3;
    dudt[0] = third * y2 / y1 - T(k1);
    dudt[1] = T(k1) * y1 / y2 - third - second;
    dudt[2] = second * y2 / y3;
  }
};

/// The field's test starts at (1, 0, 0), where logarithms end, and runs to 40: here the third concentration starts
/// between 1e-3 and 1e-1, the first is what it leaves of 1, and the second is up to a factor of 2 off its slow
/// manifold.
struct RobertsonDefinition {
  static constexpr const char* name = "robertson";
  static constexpr const char* description = "Robertson's reaction in logarithms of its concentrations: stiff";
  using FixedRhs = std::tuple<Robertson>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() { return {}; }

  template <class R> static void sample(R& random, double* u0) {
    u0[2] = random.uniform(std::log(1e-3), std::log(1e-1));
    const double y1 = 1.0 - std::exp(u0[2]);
    u0[0] = std::log(y1);
    // The slow manifold: k2 y2^2 + k3 y3 y2 = k1 y1.
    const double half = Robertson::k3 * std::exp(u0[2]) / (2.0 * Robertson::k2);
    const double slow = std::sqrt(half * half + Robertson::k1 * y1 / Robertson::k2) - half;
    u0[1] = std::log(slow) + random.uniform(-std::log(2.0), std::log(2.0));
  }

  static void define(Problem& problem) {
    problem.variables = {{"ln_y_1", ""}, {"ln_y_2", ""}, {"ln_y_3", ""}};
    problem.horizon = 40.96;
    problem.dt = 0.512;
    problem.fine_dt = 0.0005; // RK4 is stable up to 2.78 / 5000
    set_rhs(problem, Robertson{});
    problem.sample = [](Random& random, double* u0) { sample(random, u0); };
  }
};

} // namespace lodestep::problem
