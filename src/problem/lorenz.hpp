#pragma once

#include "problem/definition.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// Lorenz's system: x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z. Chaotic.
struct Lorenz {
  static constexpr std::size_t dimension = 3;
  double sigma = 10.0;
  double rho = 28.0;
  double beta = 8.0 / 3.0;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const T x = u[0];
    const T y = u[1];
    const T z = u[2];
    dudt[0] = T(sigma) * (y - x);
    dudt[1] = x * (T(rho) - z) - y;
    dudt[2] = x * y - T(beta) * z;
  }
};

/// Initial states on the attractor, as HiTS (Liu et al. 2022), appendix A.1, has them: points of long trajectories that
/// start in [-0.1, 0.1]^3 and whose first 5 time units are cut off. Each is taken from a trajectory of its own, at a
/// time drawn uniformly from the 20 units that follow.
struct LorenzDefinition {
  static constexpr const char* name = "lorenz";
  static constexpr const char* description = "Lorenz's chaotic system, started on its attractor (HiTS, Fig. 5)";
  using FixedRhs = std::tuple<Lorenz>;

  static Aliases aliases() { return {{"lorenz63", {}}}; }
  static std::vector<Parameter> parameters() { return {{"sigma", 10.0}, {"rho", 28.0}, {"beta", 8.0 / 3.0}}; }

  /// A state near the attractor: any will do, so that a plain step of fourth order is good enough to get there.
  template <class R> static void sample(const Lorenz& rhs, R& random, double* u0) {
    for (std::size_t i = 0; i < 3; ++i) u0[i] = random.uniform(-0.1, 0.1);
    const double time = 5.0 + random.uniform(0.0, 20.0);
    constexpr std::size_t steps = 2500;
    for (std::size_t n = 0; n < steps; ++n) classical_step(rhs, u0, time / steps);
  }

  static void define(Problem& problem) {
    problem.variables = {{"x", ""}, {"y", ""}, {"z", ""}};
    problem.horizon = 2.56;
    problem.dt = 0.032;
    problem.fine_dt = 0.0005;
    const Lorenz rhs{value(problem, "sigma"), value(problem, "rho"), value(problem, "beta")};
    set_rhs(problem, rhs);
    problem.sample = [rhs](Random& random, double* u0) { sample(rhs, random, u0); };
  }

private:
  static void classical_step(const Lorenz& rhs, double* u, double dt) {
    double k[4][3], at[3];
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const double c = stage == 0 ? 0.0 : stage == 3 ? dt : 0.5 * dt;
      for (std::size_t i = 0; i < 3; ++i) at[i] = u[i] + (stage == 0 ? 0.0 : c * k[stage - 1][i]);
      rhs(at, k[stage], 0.0);
    }
    for (std::size_t i = 0; i < 3; ++i) u[i] += dt / 6.0 * (k[0][i] + 2.0 * (k[1][i] + k[2][i]) + k[3][i]);
  }
};

} // namespace lodestep::problem
