#pragma once

#include <array>
#include <cmath>

namespace lodestep::benchmarks {

using Pendulum = std::array<double, 4>;

/// Elastic pendulum, (theta, r, theta', r') with unit mass, k = 40, l0 = 10, g = 9.8.
inline void elastic_pendulum(const Pendulum& u, Pendulum& dudt, double) {
  const double s = std::sin(u[0]);
  const double c = std::cos(u[0]);
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = (-9.8 * s - 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.8 * c;
}

} // namespace lodestep::benchmarks
