#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// The normal form of a Hopf bifurcation with its parameter as a variable, HiTS (Liu et al. 2022), Fig. 5:
/// u = (mu, x, y), r^2 = x^2 + y^2,
///
///     mu' = 0,   x' = mu x + omega y - A x r^2,   y' = -omega x + mu y - A y r^2.
struct Hopf {
  static constexpr std::size_t dimension = 3;
  double omega = 1.0;
  double a = 1.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T mu = u[0];
    const T x = u[1];
    const T y = u[2];
    const T growth = mu - T(a) * (x * x + y * y);
    dudt[0] = T(0.0);
    dudt[1] = growth * x + T(omega) * y;
    dudt[2] = growth * y - T(omega) * x;
  }
};

/// Region and horizon: HiTS, Table 2 and appendix A.1. In polar coordinates it is solved exactly: the angle turns by
/// -omega t and r'= mu r - A r^3 is Bernoulli's equation.
struct HopfDefinition {
  static constexpr const char* name = "hopf";
  static constexpr const char* description = "the normal form of a Hopf bifurcation (HiTS, Fig. 5)";
  using FixedRhs = std::tuple<Hopf>;

  static Aliases aliases() { return {{"hopf_bifurcation", {}}, {"hopf_normal_form", {}}}; }
  static std::vector<Parameter> parameters() { return {{"omega", 1.0}, {"A", 1.0}}; }

  static void define(Problem& problem) {
    const double omega = value(problem, "omega");
    const double a = value(problem, "A");
    problem.variables = {{"mu", ""}, {"x", ""}, {"y", ""}};
    problem.horizon = 51.2;
    problem.dt = 0.16;
    problem.fine_dt = 0.01;
    problem.region = {{-0.2, 0.6}, {-1.0, 2.0}, {-1.0, 1.0}};
    set_rhs(problem, Hopf{omega, a});
    sample_region(problem);
    problem.exact = [omega, a](const double* u0, double t, double* u) {
      const long double mu = u0[0], x = u0[1], y = u0[2], time = t;
      // (r0 / r(t))^2 e^(2 mu t) = 1 + A r0^2 (e^(2 mu t) - 1) / mu
      const long double exponent = 2 * mu * time;
      const long double growth = exponent == 0 ? 2 * time : std::expm1(exponent) / mu;
      const long double scale = std::exp(mu * time) / std::sqrt(1 + a * (x * x + y * y) * growth);
      const long double c = std::cos(omega * time), s = std::sin(omega * time);
      u[0] = u0[0];
      u[1] = static_cast<double>(scale * (c * x + s * y));
      u[2] = static_cast<double>(scale * (c * y - s * x));
    };
  }
};

} // namespace lodestep::problem
