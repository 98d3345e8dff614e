// What a user must be able to trust: the guard outside the training states, long runs, any step, and error control.
// Elastic pendulum, the paper's initial states. Every figure is printed; the bars are asserted.
#include <lodestep/corrector.hpp>
#include <lodestep/odeint.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/train.hpp>

#include <boost/numeric/odeint.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

using namespace lodestep;
namespace bno = boost::numeric::odeint;

namespace {

using State = std::array<double, 4>;
constexpr double pi = 3.14159265358979323846;

std::shared_ptr<const Model> trained(const AttnsOptions& options, const std::string& initial = "paper") {
  Problem problem = make_problem("elastic_pendulum");
  use_initial(problem, initial);
  return std::make_shared<const Model>(train_attns(problem, options).model);
}

std::shared_ptr<const Model> fast_model() {
  static const auto model = [] {
    AttnsOptions options;
    options.error = 3e-5;
    options.search_dt = true;
    return trained(options);
  }();
  return model;
}

/// At the problem's own step, 0.1.
std::shared_ptr<const Model> own_dt_model() {
  static const auto model = [] {
    AttnsOptions options;
    options.error = 3e-5;
    return trained(options);
  }();
  return model;
}

std::shared_ptr<const Model> any_dt_model() {
  static const auto model = [] {
    AttnsOptions options;
    options.dt_range = {0.02, 0.2};
    return trained(options);
  }();
  return model;
}

/// Energy of the elastic pendulum per mass.
double energy(const double* u) {
  const double spring = u[1] - 10.0;
  return 0.5 * (u[3] * u[3] + u[1] * u[1] * u[2] * u[2]) - 9.81 * u[1] * std::cos(u[0]) + 20.0 * spring * spring;
}

double rms_error(const std::vector<double>& states, const std::vector<double>& reference) {
  double sum = 0.0;
  for (std::size_t i = 0; i < states.size(); ++i) sum += (states[i] - reference[i]) * (states[i] - reference[i]);
  return std::sqrt(sum / static_cast<double>(states.size()));
}

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

// Trained on theta_0 in [0, pi/8]; run from [pi/4, pi] at rest, and thrown with rates up to 2.
void run_outside(const std::shared_ptr<const Model>& model) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto corrector = std::make_shared<const Corrector>(model);
  const double dt = corrector->dt();
  const double horizon = 6.0; // beyond, the wildest of these have forgotten their initial states
  const auto steps = static_cast<std::size_t>(std::lround(horizon / dt));
  const double fallback_dt = dt / static_cast<double>(corrector->substeps(dt));
  RungeKutta alone(classical_tableau(corrector->fallback()), 4);
  for (const bool thrown : {false, true}) {
    std::vector<double> ratios;
    std::size_t learned = 0, total = 0;
    for (std::size_t i = 0; i < 200; ++i) {
      Random random(1, 99, i);
      State u{random.uniform(pi / 4, pi), 10.0, 0.0, 0.0};
      if (thrown) u = {random.uniform(0.0, pi / 8), 10.0, random.uniform(0.5, 2.0), 0.0};
      std::vector<double> reference((steps + 1) * 4), states(steps * 4), base(steps * 4);
      reference_solution(problem, u.data(), 0.0, dt, steps + 1, reference.data(), false);
      reference.erase(reference.begin(), reference.begin() + 4);
      CorrectedRungeKutta stepper(corrector);
      State x = u, y = u;
      for (std::size_t n = 0; n < steps; ++n) {
        const double t = static_cast<double>(n) * dt;
        stepper.step(problem.rhs, t, x.data(), dt);
        for (std::size_t k = 0; k < corrector->substeps(dt); ++k)
          alone.step(problem.rhs, t, y.data(), fallback_dt, y.data());
        std::copy(x.begin(), x.end(), states.begin() + static_cast<std::ptrdiff_t>(4 * n));
        std::copy(y.begin(), y.end(), base.begin() + static_cast<std::ptrdiff_t>(4 * n));
      }
      // An error at the floor of rounding is no error.
      ratios.push_back(rms_error(states, reference) / std::max(rms_error(base, reference), 1e-12));
      learned += stepper.counters().learned();
      total += stepper.counters().total();
    }
    std::printf(
        "dt %g, %s: error with the guard over that of the fallback scheme alone, at its step: median %.3f, 99%% %.3f, "
        "largest %.3f; %.1f%% of the steps learned\n",
        dt, thrown ? "thrown" : "from [pi/4, pi]", percentile(ratios, 0.5), percentile(ratios, 0.99),
        percentile(ratios, 1.0), 100.0 * static_cast<double>(learned) / static_cast<double>(total));
    BOOST_TEST(percentile(ratios, 1.0) <= 1.5);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(the_guard_outside_the_training_states) {
  for (const auto& model : {fast_model(), own_dt_model()}) run_outside(model);
}

BOOST_AUTO_TEST_CASE(ten_thousand_wild_trajectories_stay_finite) {
  const Problem problem = make_problem("elastic_pendulum");
  for (const auto& model : {fast_model(), own_dt_model()}) {
    const auto corrector = std::make_shared<const Corrector>(model);
    std::size_t bad = 0;
    CorrectedRungeKutta stepper(corrector);
    for (std::size_t i = 0; i < 10000; ++i) {
      Random random(2, 99, i);
      State u{random.uniform(-pi, pi), random.uniform(9.5, 10.8), random.uniform(-2.0, 2.0), random.uniform(-3.0, 3.0)};
      for (int n = 0; n < 10; ++n) stepper.step(problem.rhs, 0.0, u.data(), corrector->dt());
      for (double value : u) bad += !std::isfinite(value);
    }
    std::printf(
        "dt %g: 10000 wild trajectories, %zu numbers not finite; %.1f%% of the steps learned\n", corrector->dt(), bad,
        100.0 * static_cast<double>(stepper.counters().learned()) / static_cast<double>(stepper.counters().total()));
    BOOST_TEST(bad == 0u);
  }
}

BOOST_AUTO_TEST_CASE(fallbacks_inside_the_distribution_are_rare) {
  for (const auto& model : {fast_model(), own_dt_model(), any_dt_model()}) {
    EvaluateOptions options;
    options.trajectories = 500;
    options.seed = 5;
    const Evaluation e = evaluate(*model, make_problem("elastic_pendulum"), options);
    std::printf("dt %g: %.4f%% of the steps fell back, mse %.2e\n", e.dt, 100.0 * e.fallback_fraction, e.mse_mean);
    BOOST_TEST(e.fallback_fraction < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(twenty_horizons_without_blowing_up) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto corrector = std::make_shared<const Corrector>(fast_model());
  const double dt = corrector->dt();
  const auto steps = static_cast<std::size_t>(std::lround(20.0 * problem.horizon / dt));
  CorrectedRungeKutta stepper(corrector);
  RungeKutta rk4(classical_tableau("rk4"), 4);
  std::vector<double> drift, rk4_drift;
  constexpr double rk4_dt = 0.025;
  for (std::size_t i = 0; i < 1000; ++i) {
    Random random(3, 99, i);
    State u{};
    problem.sample(random, u.data());
    const double before = energy(u.data());
    if (i < 20) {
      State v = u;
      const auto fine = static_cast<std::size_t>(std::lround(20.0 * problem.horizon / rk4_dt));
      for (std::size_t n = 0; n < fine; ++n) rk4.step(problem.rhs, 0.0, v.data(), rk4_dt, v.data());
      rk4_drift.push_back(std::abs(energy(v.data()) / before - 1.0));
    }
    for (std::size_t n = 0; n < steps; ++n) stepper.step(problem.rhs, 0.0, u.data(), dt);
    drift.push_back(std::abs(energy(u.data()) / before - 1.0));
  }
  std::printf(
      "T = %g: relative energy drift, median %.2e, largest %.2e (rk4 at %g: median %.2e); %.3f%% of the steps "
      "fell back\n",
      20.0 * problem.horizon, percentile(drift, 0.5), percentile(drift, 1.0), rk4_dt, percentile(rk4_drift, 0.5),
      100.0 * static_cast<double>(stepper.counters().fallen_back()) / static_cast<double>(stepper.counters().total()));
  BOOST_TEST(percentile(drift, 1.0) < 0.1); // nothing blows up
}

BOOST_AUTO_TEST_CASE(one_model_for_any_step) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto model = any_dt_model();
  for (const double dt : {0.02, 0.025, 0.04, 0.05, 0.0625, 0.08, 0.1, 0.125, 0.16, 0.2}) {
    EvaluateOptions options;
    options.trajectories = 30;
    options.dt = dt;
    options.horizon = 8.0;
    const Evaluation e = evaluate(*model, problem, options);
    const double ratio = std::sqrt(e.mse_mean / e.base_mse_mean);
    std::printf("dt %-7g error %.2e, rk4's %.2e: %.1e of it, %.2f%% fell back\n", dt, std::sqrt(e.mse_mean),
                std::sqrt(e.base_mse_mean), ratio, 100.0 * e.fallback_fraction);
    BOOST_TEST(ratio <= 1e-3);
  }
}

// A good model's error is lost in rounding long before the step is small; a poor one's shows the order.
BOOST_AUTO_TEST_CASE(the_order_of_the_base_is_kept_as_the_step_vanishes) {
  const Problem problem = make_problem("elastic_pendulum");
  AttnsOptions poor;
  poor.base = "rk4";
  poor.dt_range = {0.02, 0.2};
  poor.error = 1.0;
  const auto corrector = std::make_shared<const Corrector>(trained(poor));
  std::vector<double> logs;
  const std::vector<double> steps{0.005, 0.0025, 0.00125, 0.000625};
  for (const double dt : steps) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 10; ++i) {
      Random random(4, 99, i);
      State u{};
      problem.sample(random, u.data());
      std::vector<double> reference(8);
      reference_solution(problem, u.data(), 0.0, 2.0, 2, reference.data(), false);
      CorrectedRungeKutta stepper(corrector);
      const auto count = static_cast<std::size_t>(std::lround(2.0 / dt));
      for (std::size_t n = 0; n < count; ++n) stepper.step(problem.rhs, 0.0, u.data(), dt);
      for (std::size_t v = 0; v < 4; ++v) sum += (u[v] - reference[4 + v]) * (u[v] - reference[4 + v]);
      BOOST_TEST(stepper.counters().fallen_back() == 0u);
    }
    logs.push_back(0.5 * std::log2(sum));
  }
  const double slope = (3.0 * (logs[0] - logs[3]) + (logs[1] - logs[2])) / 10.0;
  std::printf("fitted order as dt -> 0 (0.005 .. 0.000625): %.2f\n", slope);
  BOOST_TEST(slope >= 3.9);
}

BOOST_AUTO_TEST_CASE(controlled_against_dopri5_at_the_same_tolerance) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto model = any_dt_model();
  using Base = bno::runge_kutta4<State>;
  const double horizon = 20.0;
  for (const double tolerance : {1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9}) {
    double learned_sum = 0.0, classical_sum = 0.0;
    std::size_t learned_calls = 0, classical_calls = 0;
    for (std::size_t i = 0; i < 30; ++i) {
      Random random(6, 99, i);
      State u{};
      problem.sample(random, u.data());
      std::vector<double> reference(8);
      reference_solution(problem, u.data(), 0.0, horizon, 2, reference.data(), false);
      const auto run = [&](auto controlled, std::size_t& calls) {
        State x = u;
        const auto system = [&](const State& s, State& d, double t) {
          ++calls;
          problem.rhs(t, s.data(), d.data());
        };
        bno::integrate_adaptive(std::ref(controlled), system, x, 0.0, horizon, 0.01);
        double sum = 0.0;
        for (std::size_t v = 0; v < 4; ++v) sum += (x[v] - reference[4 + v]) * (x[v] - reference[4 + v]);
        return sum;
      };
      learned_sum +=
          run(bno::make_controlled(tolerance, tolerance, odeint::error_corrector<Base>(model)), learned_calls);
      classical_sum +=
          run(bno::make_controlled(tolerance, tolerance, bno::runge_kutta_dopri5<State>()), classical_calls);
    }
    const double ratio = std::sqrt(learned_sum / classical_sum);
    std::printf("tolerance %.0e: error %.2e with %zu evaluations, dopri5 %.2e with %zu: %.2f times the error, %.2f of "
                "the evaluations\n",
                tolerance, std::sqrt(learned_sum / 120.0), learned_calls / 30, std::sqrt(classical_sum / 120.0),
                classical_calls / 30, ratio, static_cast<double>(learned_calls) / static_cast<double>(classical_calls));
    BOOST_TEST(ratio <= 10.0);
    BOOST_TEST(learned_calls < classical_calls);
  }
}
