#pragma once

#include <lodestep/problem.hpp>

namespace lodestep::test {

/// u'' = -u, whose solution is known, from rest at 0.5 to 1.5: so that nothing rests on another part's accuracy.
inline Problem oscillator(double dt = 0.1, double horizon = 2.0) {
  Problem problem;
  problem.name = "oscillator";
  problem.variables = {{"x", "m"}, {"v", "m/s"}};
  problem.horizon = horizon;
  problem.dt = dt;
  problem.rhs = [](double, const double* u, double* dudt) {
    dudt[0] = u[1];
    dudt[1] = -u[0];
  };
  problem.sample = [](Random& random, double* u0) {
    u0[0] = random.uniform(0.5, 1.5);
    u0[1] = 0.0;
  };
  return problem;
}

} // namespace lodestep::test
