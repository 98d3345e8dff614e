#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// x' = omega y, y' = -omega x: HiTS (Liu et al. 2022), eq. 5.
struct HarmonicOscillator {
  static constexpr std::size_t dimension = 2;
  double omega = 1.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    dudt[0] = T(omega) * u[1];
    dudt[1] = -(T(omega) * u[0]);
  }
};

/// Initial states uniform in the unit disc: HiTS, section 2.1, whose largest step of 1.024 the horizon is a multiple
/// of.
struct HarmonicOscillatorDefinition {
  static constexpr const char* name = "harmonic_oscillator";
  static constexpr const char* description = "the harmonic oscillator (HiTS, eq. 5)";
  using FixedRhs = std::tuple<HarmonicOscillator>;

  static Aliases aliases() { return {}; }
  static std::vector<Parameter> parameters() { return {{"omega", 1.0}}; }

  /// Uniform in the unit circle.
  template <class R> static void sample(R& random, double* u0) {
    do {
      u0[0] = random.uniform(-1.0, 1.0);
      u0[1] = random.uniform(-1.0, 1.0);
    } while (u0[0] * u0[0] + u0[1] * u0[1] > 1.0);
  }

  static void define(Problem& problem) {
    const double omega = value(problem, "omega");
    problem.variables = {{"x", ""}, {"y", ""}};
    problem.horizon = 20.48;
    problem.dt = 0.128;
    problem.fine_dt = 0.008;
    problem.region = {{-1.0, 1.0}, {-1.0, 1.0}};
    set_rhs(problem, HarmonicOscillator{omega});
    problem.sample = [](Random& random, double* u0) { sample(random, u0); };
    problem.exact = [omega](const double* u0, double t, double* u) {
      const long double angle = static_cast<long double>(omega) * t;
      const long double c = std::cos(angle), s = std::sin(angle);
      u[0] = static_cast<double>(c * u0[0] + s * u0[1]);
      u[1] = static_cast<double>(c * u0[1] - s * u0[0]);
    };
  }
};

} // namespace lodestep::problem
