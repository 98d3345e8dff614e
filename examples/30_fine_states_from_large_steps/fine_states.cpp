// A nonlinear system with a slow manifold, solved by steps of 10.24 that a flow map takes at once, and observed every
// 0.01: RK4 fills in between, all segments of a window together. (HiTS, Liu et al. 2022, Algorithm 2.)

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

using state = std::array<double, 2>;

int main(int argc, char** argv) {
  lodestep::odeint::hierarchy<state> stepper(argc > 1 ? argv[1] : "hyperbolic.safetensors");

  // Many states in one call, variable after variable: a plain loop, which the compiler vectorises. An ordinary Odeint
  // system, f(x, dxdt, t), works as well.
  const auto system = lodestep::odeint::batched([](double /*t*/, const double* u, double* dudt, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) {
      const double x = u[k], y = u[n + k];
      dudt[k] = -0.05 * x;
      dudt[n + k] = -(y - x * x);
    }
  });

  std::size_t count = 0;
  double largest_error = 0.0;
  state x{0.8, -0.5};
  const auto observe = [&](const state& u, double t) {
    ++count;
    const double a = std::exp(-0.05 * t), b = std::exp(-t);
    const double y = -0.5 * b + (a * a - b) / 0.9 * 0.64;
    largest_error = std::fmax(largest_error, std::fmax(std::fabs(u[0] - 0.8 * a), std::fabs(u[1] - y)));
  };
  boost::numeric::odeint::integrate_const(stepper, system, x, 0.0, 51.2, 0.01, observe);

  const auto counters = stepper.counters();
  std::printf("%zu states, largest error %.1e\n", count, largest_error);
  std::printf("%llu steps of the flow map, %llu of them taken by RK4 instead\n",
              static_cast<unsigned long long>(counters.total()),
              static_cast<unsigned long long>(counters.fallen_back()));
  return largest_error < 1e-9 ? 0 : 1;
}
