#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// A mass on a spring that swings in a plane. u = (theta, r, theta', r'), theta from the vertical, r from the pivot:
///
///     theta'' = (-g sin theta - 2 theta' r') / r,
///     r''     = r theta'^2 - (k / m) (r - l0) + g cos theta.
///
/// AttNS (Huang et al. 2024), eq. 12, where the factor 2 of the Coriolis term is missing by a slip of the press:
/// without it the energy m/2 (r'^2 + r^2 theta'^2) + k/2 (r - l0)^2 - m g r cos theta is not conserved.
struct ElasticPendulum {
  static constexpr std::size_t dimension = 4;
  double g = 9.81;
  double k = 40.0;
  double m = 1.0;
  double l0 = 10.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T theta = u[0];
    const T r = u[1];
    const T theta_dot = u[2];
    const T r_dot = u[3];
    const T gravity(g);
    const auto [sin_theta, cos_theta] = sine_and_cosine(theta);
    dudt[0] = theta_dot;
    dudt[1] = r_dot;
    dudt[2] = -(gravity * sin_theta + T(2.0) * theta_dot * r_dot) / r;
    dudt[3] = r * theta_dot * theta_dot - T(k / m) * (r - T(l0)) + gravity * cos_theta;
  }
};

/// Initial states and horizon: AttNS, Tables 3 and 4. The spring starts unstretched.
struct ElasticPendulumDefinition {
  static constexpr const char* name = "elastic_pendulum";
  static constexpr const char* description = "a mass on a spring, swinging in a plane (AttNS, eq. 12)";
  using FixedRhs = std::tuple<ElasticPendulum>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() { return {{"g", 9.81}, {"k", 40.0}, {"m", 1.0}, {"l0", 10.0}}; }

  static void define(Problem& problem) {
    const ElasticPendulum rhs{value(problem, "g"), positive(problem, "k"), positive(problem, "m"),
                              positive(problem, "l0")};
    problem.variables = {{"theta", "rad"}, {"r", "m"}, {"theta_dot", "rad/s"}, {"r_dot", "m/s"}};
    problem.horizon = 50.0;
    problem.dt = 0.1;
    set_rhs(problem, rhs);
    problem.sample = [l0 = rhs.l0](Random& random, double* u0) {
      u0[0] = random.uniform(0.0, pi / 8);
      u0[1] = l0;
      u0[2] = 0.0;
      u0[3] = 0.0;
    };
    problem.distributions.push_back({"wide",
                                     "all four variables: theta +-0.4, r -0.2 .. 1.2 beyond l0, rates +-0.25, +-2",
                                     20.0, [l0 = rhs.l0](Random& random, double* u0) {
                                       u0[0] = random.uniform(-0.4, 0.4);
                                       u0[1] = l0 + random.uniform(-0.2, 1.2);
                                       u0[2] = random.uniform(-0.25, 0.25);
                                       u0[3] = random.uniform(-2.0, 2.0);
                                     }});
  }
};

} // namespace lodestep::problem
