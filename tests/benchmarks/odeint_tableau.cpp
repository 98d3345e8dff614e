// What a tableau known only at run time costs: tableau_stepper against Odeint's own steppers of the same coefficients,
// on the elastic pendulum, std::array<double, 4>, and on a chain of 1000 numbers, std::vector<double>. Prints the
// ratios of times; fails above 1.05. Times themselves are never judged. Beside them, not judged: four variables whose
// right-hand side is a handful of products, where Odeint's step with its constants disappears in the caller's loop.

#include "elastic_pendulum.hpp"

#include <lodestep/odeint/tableau.hpp>

#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <vector>

namespace {

namespace bno = boost::numeric::odeint;
using Array = std::array<double, 4>;
using Vector = std::vector<double>;

struct Pendulum { // a functor, not a function: it can be inlined
  void operator()(const Array& u, Array& dudt, double t) const { lodestep::benchmarks::elastic_pendulum(u, dudt, t); }
};

struct Oscillators {
  void operator()(const Array& u, Array& dudt, double) const {
    dudt[0] = u[1];
    dudt[1] = 0.5 * (1.0 - u[0] * u[0]) * u[1] - u[0] + 0.1 * u[2];
    dudt[2] = u[3];
    dudt[3] = -2.0 * u[2] - 0.1 * u[0];
  }
};

struct Chain {
  void operator()(const Vector& u, Vector& dudt, double) const {
    const std::size_t last = u.size() - 1;
    dudt[0] = u[1] - 2.0 * u[0];
    for (std::size_t i = 1; i < last; ++i) dudt[i] = u[i - 1] - 2.0 * u[i] + u[i + 1];
    dudt[last] = u[last - 1] - 2.0 * u[last];
  }
};

double last_state = 0.0; // keeps the work from being optimised away

/// Seconds a step.
template <class Stepper, class System, class State>
double time_of(Stepper& stepper, System system, State x, int steps) {
  constexpr double dt = 0.01;
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < steps; ++n) stepper.do_step(system, x, dt * n, dt);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  last_state += x[0];
  return elapsed.count() / steps;
}

template <class Own, class Ours, class System, class State>
bool compare(const char* name, Own own, Ours ours, System system, const State& x, int steps) {
  constexpr double bar = 1.05;
  double best_own = std::numeric_limits<double>::infinity(), best_ours = best_own, ratio = best_own;
  // Interleaved, and the least of each: what another process takes only ever adds. More rounds on a busy machine.
  for (int round = 0; round < 10 && !(ratio <= bar); ++round) {
    for (int repetition = 0; repetition < 200; ++repetition) {
      best_own = std::min(best_own, time_of(own, system, x, steps));
      best_ours = std::min(best_ours, time_of(ours, system, x, steps));
    }
    ratio = best_ours / best_own;
  }
  std::printf("%-24s Odeint's own %7.1f ns, ours %7.1f ns: ratio %.3f (bar %.2f)\n", name, best_own * 1e9,
              best_ours * 1e9, ratio, bar);
  return ratio <= bar;
}

} // namespace

int main() {
  using namespace lodestep;
  const Array pendulum{0.3, 10.0, 0.0, 0.0};
  Vector chain(1000, 0.1);
  chain[500] = 1.0;
  const auto& rk4 = classical_tableau("rk4");
  const auto& dopri5 = classical_tableau("dormand_prince");
  bool good = true;
  good &= compare("rk4, array of 4", bno::runge_kutta4<Array>(), odeint::tableau_stepper<Array>(rk4), Pendulum(),
                  pendulum, 2000);
  good &= compare("dopri5, array of 4", bno::runge_kutta_dopri5<Array>(), odeint::tableau_fsal_stepper<Array>(dopri5),
                  Pendulum(), pendulum, 2000);
  const Array oscillators{0.3, 0.1, 0.2, 0.0};
  compare("rk4, products", bno::runge_kutta4<Array>(), odeint::tableau_stepper<Array>(rk4), Oscillators(), oscillators,
          2000);
  compare("dopri5, products", bno::runge_kutta_dopri5<Array>(), odeint::tableau_fsal_stepper<Array>(dopri5),
          Oscillators(), oscillators, 2000);
  good &= compare("rk4, vector of 1000", bno::runge_kutta4<Vector>(), odeint::tableau_stepper<Vector>(rk4), Chain(),
                  chain, 50);
  good &= compare("dopri5, vector of 1000", bno::runge_kutta_dopri5<Vector>(),
                  odeint::tableau_fsal_stepper<Vector>(dopri5), Chain(), chain, 50);
  return good && std::isfinite(last_state) ? 0 : 1;
}
