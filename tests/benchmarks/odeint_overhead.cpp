// What the learned stepper's guard costs: a corrector of zero correction against the bare Odeint stepper, on the
// elastic pendulum, std::array<double, 4>. Prints the ratio of times; fails above 1.10. Times themselves are never
// judged.

#include "models.hpp"

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

namespace {

using State = std::array<double, 4>;
using Rk4 = boost::numeric::odeint::runge_kutta4<State>;

struct ElasticPendulum {
  void operator()(const State& u, State& dudt, double) const {
    dudt[0] = u[2];
    dudt[1] = u[3];
    dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
    dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  }
};

constexpr double dt = 0.01;
double last_state = 0.0; // keeps the work from being optimised away

/// Seconds a step.
template <class Stepper> double time_of(Stepper& stepper) {
  constexpr int steps = 5000;
  State x{0.3, 10.0, 0.0, 0.0};
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < steps; ++n) stepper.do_step(ElasticPendulum(), x, dt * n, dt);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  last_state += x[0];
  return elapsed.count() / steps;
}

} // namespace

int main() {
  auto model = lodestep::test::zero_corrector(4, "rk4", dt);
  std::get<lodestep::CorrectorModel>(model.method).domain.state.assign(4, {-100.0, 100.0});
  lodestep::odeint::corrector<Rk4> learned(lodestep::test::share(model));
  Rk4 base;
  constexpr double bar = 1.10;
  double best_base = std::numeric_limits<double>::infinity(), best_learned = best_base, ratio = best_base;
  // Interleaved, and the least of each: what another process takes only ever adds. More rounds on a busy machine.
  for (int round = 0; round < 10 && !(ratio <= bar); ++round) {
    for (int repetition = 0; repetition < 100; ++repetition) {
      best_base = std::min(best_base, time_of(base));
      best_learned = std::min(best_learned, time_of(learned));
    }
    ratio = best_learned / best_base;
  }
  std::printf("rk4 %.1f ns, corrected by zero %.1f ns: ratio %.3f (bar %.2f)\n", best_base * 1e9, best_learned * 1e9,
              ratio, bar);
  if (learned.counters().fallen_back() != 0 || !std::isfinite(last_state)) return 1;
  return ratio <= bar ? 0 : 1;
}
