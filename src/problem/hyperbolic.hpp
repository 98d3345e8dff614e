#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// A nonlinear system with a hyperbolic fixed point and a slow manifold, HiTS (Liu et al. 2022), Fig. 5:
///
///     x' = mu x,   y' = lambda (y - x^2).
struct Hyperbolic {
  static constexpr std::size_t dimension = 2;
  double mu = -0.05;
  double lambda = -1.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T y = u[1];
    dudt[0] = T(mu) * x;
    dudt[1] = T(lambda) * (y - x * x);
  }
};

/// Region and horizon: HiTS, Table 2 and appendix A.1. The flow map of any step is exactly quadratic:
///
///     x(t) = a x0,   y(t) = b y0 + c x0^2,   a = e^(mu t), b = e^(lambda t), c = lambda (a^2 - b) / (lambda - 2 mu).
struct HyperbolicDefinition {
  static constexpr const char* name = "hyperbolic";
  static constexpr const char* description = "a hyperbolic fixed point with a slow manifold (HiTS, Fig. 5)";
  using FixedRhs = std::tuple<Hyperbolic>;

  static Aliases aliases() { return {{"hyperbolic_fixed_point", {}}}; }
  static std::vector<Parameter> parameters() { return {{"mu", -0.05}, {"lambda", -1.0}}; }

  static void define(Problem& problem) {
    const double mu = value(problem, "mu");
    const double lambda = value(problem, "lambda");
    if (lambda == 2.0 * mu) throw InvalidArgument("hyperbolic: lambda must not be 2 mu, a resonance");
    problem.variables = {{"x", ""}, {"y", ""}};
    problem.horizon = 51.2;
    problem.dt = 0.64;
    problem.fine_dt = 0.01;
    problem.region = {{-1.0, 1.0}, {-1.0, 1.0}};
    set_rhs(problem, Hyperbolic{mu, lambda});
    sample_region(problem);
    problem.exact = [mu, lambda](const double* u0, double t, double* u) {
      const long double m = mu, l = lambda;
      const long double a = std::exp(m * t), b = std::exp(l * t);
      u[0] = static_cast<double>(a * u0[0]);
      u[1] = static_cast<double>(b * u0[1] + l / (l - 2 * m) * (a * a - b) * u0[0] * u0[0]);
    };
  }
};

} // namespace lodestep::problem
