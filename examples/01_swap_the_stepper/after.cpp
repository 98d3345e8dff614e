// A mass on a spring that swings in a plane. before.cpp and after.cpp differ in an include and in the stepper.

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint.hpp>

#include <array>
#include <cmath>
#include <cstdio>

using namespace boost::numeric::odeint;
using state = std::array<double, 4>; // angle and length of the spring, and their velocities

void pendulum(const state& x, state& dxdt, double /*t*/) {
  const auto [theta, r, theta_dot, r_dot] = x;
  const double g = 9.81, k = 40.0, m = 1.0, l0 = 10.0;
  dxdt[0] = theta_dot;
  dxdt[1] = r_dot;
  dxdt[2] = -(g * std::sin(theta) + 2.0 * theta_dot * r_dot) / r;
  dxdt[3] = r * theta_dot * theta_dot - k / m * (r - l0) + g * std::cos(theta);
}

int main() {
  lodestep::odeint::corrector<runge_kutta4<state>> stepper("pendulum.safetensors");

  state x{0.3, 10.0, 0.0, 0.0};
  const double dt = 0.1;
  for (int t = 0; t <= 50; t += 5) {
    std::printf("%4d %14.8f %14.8f %14.8f %14.8f\n", t, x[0], x[1], x[2], x[3]);
    integrate_const(stepper, pendulum, x, double(t), double(t + 5), dt);
  }
}
