#include "count_allocations.hpp"
#include "models.hpp"

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

// What every step guarantees: no silent extrapolation, no allocation after the first step, the same bits in any thread.

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using lodestep::test::Oscillators;

namespace {

constexpr double dt = 0.25;
constexpr unsigned substeps = 20;
using Array = std::array<double, 4>;
using Rk4 = bno::runge_kutta4<Array>;
using Stepper = odeint::corrector<Rk4>;

Model guarded_model(CorrectorInput input = CorrectorInput::increment) {
  auto model = test::exact_corrector(2, "rk4", dt, input);
  std::get<CorrectorModel>(model.method).fallback_substeps = substeps;
  return model;
}

/// The step the contract promises where a model may not be used: `count` equal base steps.
Array base_steps(const Array& from, double t, double step, unsigned count) {
  Rk4 base;
  Array x = from;
  for (unsigned i = 0; i < count; ++i) base.do_step(Oscillators(), x, t + i * (step / count), step / count);
  return x;
}

/// All four ways to take a step from `x` give `expected` and count `verdict`.
void check_fallback(const Model& model, const Array& x, double step, unsigned count, Verdict verdict) {
  Stepper stepper(test::share(model));
  const Array expected = base_steps(x, 1.0, step, count);
  Array dxdt{};
  Oscillators()(x, dxdt, 1.0);
  const auto same = [&](const Array& actual) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      BOOST_TEST((actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]))));
    }
  };
  Array y = x;
  stepper.do_step(Oscillators(), y, 1.0, step);
  same(y);
  y = x;
  stepper.do_step(Oscillators(), y, dxdt, 1.0, step);
  same(y);
  y = {};
  stepper.do_step(Oscillators(), x, 1.0, y, step);
  same(y);
  y = {};
  stepper.do_step(Oscillators(), x, dxdt, 1.0, y, step);
  same(y);
  BOOST_TEST(stepper.counters()[verdict] == 4u);
  BOOST_TEST(stepper.counters().total() == 4u);
}

const Array inside{1.0, -0.5, 0.25, 0.75};

} // namespace

BOOST_AUTO_TEST_CASE(another_step_size_is_taken_by_the_base) {
  check_fallback(guarded_model(), inside, -dt, substeps, Verdict::step_size);
  check_fallback(guarded_model(), inside, 2 * dt, 2 * substeps, Verdict::step_size);
  check_fallback(guarded_model(), inside, 0.1 * dt, 2, Verdict::step_size);
  check_fallback(guarded_model(), inside, 1e-6 * dt, 1, Verdict::step_size);
  check_fallback(guarded_model(), inside, 0.0, 1, Verdict::step_size);
  check_fallback(guarded_model(), inside, std::numeric_limits<double>::quiet_NaN(), 1, Verdict::step_size);
}

BOOST_AUTO_TEST_CASE(a_state_outside_the_domain_is_taken_by_the_base) {
  for (std::size_t i = 0; i < inside.size(); ++i) {
    auto model = guarded_model();
    auto& interval = std::get<CorrectorModel>(model.method).domain.state[i];
    interval = {inside[i] + 1e-9, 10.0};
    check_fallback(model, inside, dt, substeps, Verdict::domain);
    interval = {-10.0, inside[i] - 1e-9};
    check_fallback(model, inside, dt, substeps, Verdict::domain);
    Array x = inside;
    x[i] = std::numeric_limits<double>::quiet_NaN();
    check_fallback(guarded_model(), x, dt, substeps, Verdict::domain);
    x[i] = std::numeric_limits<double>::infinity();
    check_fallback(guarded_model(), x, dt, substeps, Verdict::domain);
  }
}

BOOST_AUTO_TEST_CASE(too_large_a_correction_is_not_applied) {
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    for (std::size_t i = 0; i < inside.size(); ++i) {
      auto model = guarded_model(input);
      std::get<CorrectorModel>(model.method).domain.correction_limit[i] = 1e-9; // the corrections are of 1e-6
      check_fallback(model, inside, dt, substeps, Verdict::correction);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_correction_that_is_not_finite_is_not_applied) {
  // A polynomial overflows where an affine map would not.
  auto model = guarded_model();
  auto& corrector = std::get<CorrectorModel>(model.method);
  corrector.domain.correction_limit.assign(4, std::numeric_limits<double>::max());
  PolynomialTerm term;
  term.degree = 3;
  term.coefficient.assign(4 * monomial_count(4, 3), 1e308);
  corrector.approximator.input_scale.assign(4, 1e-9);
  corrector.approximator.term = term;
  check_fallback(model, inside, dt, substeps, Verdict::correction);
}

BOOST_AUTO_TEST_CASE(a_fallen_back_step_keeps_the_accuracy_of_the_model) {
  auto model = guarded_model();
  std::get<CorrectorModel>(model.method).domain.state.assign(4, {5.0, 6.0});
  Stepper stepper(test::share(model));
  Array x = inside;
  bno::integrate_const(stepper, Oscillators(), x, 0.0, 10.0, dt);
  const Array expected = Oscillators::exact(inside, 10.0);
  // Global error of RK4 on w' = i w at h = dt / 20: t h^4 / 120.
  const double bound = 1.1 * 10.0 * std::pow(dt / substeps, 4) / 120 * std::hypot(1.0, 0.5);
  for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(std::abs(x[i] - expected[i]) <= bound);
  BOOST_TEST(stepper.counters()[Verdict::domain] == 40u);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_after_the_first_step) {
  const auto check = [](auto x, CorrectorInput input) {
    using State = decltype(x);
    using Number = std::decay_t<decltype(x[0])>;
    odeint::corrector<bno::runge_kutta4<State, Number>> stepper(test::share(guarded_model(input)));
    const auto h = static_cast<Number>(dt);
    auto dxdt = x, out = x;
    Oscillators()(x, dxdt, 0.0);
    const auto steps = [&] {
      for (const Number step : {h, -h, h / 2}) {
        stepper.do_step(Oscillators(), x, Number(0), step);
        stepper.do_step(Oscillators(), x, dxdt, Number(0), step);
        stepper.do_step(Oscillators(), x, Number(0), out, step);
        stepper.do_step(Oscillators(), x, dxdt, Number(0), out, step);
      }
    };
    stepper.do_step(Oscillators(), x, Number(0), h);
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) steps();
    const std::size_t after = allocations;
    BOOST_TEST(after - before == 0u);
    BOOST_TEST(stepper.counters().learned() == 401u);
    BOOST_TEST(stepper.counters().fallen_back() == 800u);
  };
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    check(inside, input);
    check(std::vector<double>(inside.begin(), inside.end()), input);
    check(std::vector<float>(inside.begin(), inside.end()), input);
  }
  BOOST_TEST(allocations > 0u); // the count does count
}

BOOST_AUTO_TEST_CASE(copies_in_eight_threads_give_the_bits_of_one) {
  // A polynomial beside the affine map, so that scratch is used in earnest.
  auto model = guarded_model();
  auto& approximator = std::get<CorrectorModel>(model.method).approximator;
  PolynomialTerm term;
  term.degree = 3;
  term.coefficient.resize(4 * monomial_count(4, 3));
  for (std::size_t i = 0; i < term.coefficient.size(); ++i) term.coefficient[i] = 1e-4 * std::sin(double(i));
  approximator.term = term;
  const Stepper prototype(test::share(model));

  constexpr std::size_t trajectories = 64, steps = 200;
  const auto run = [&](Stepper& stepper, std::size_t trajectory) {
    Array x = inside;
    x[0] += 0.01 * static_cast<double>(trajectory);
    // Every tenth step is off the grid.
    for (std::size_t n = 0; n < steps; ++n) stepper.do_step(Oscillators(), x, 0.0, n % 10 == 9 ? dt / 3 : dt);
    return x;
  };
  std::vector<Array> serial(trajectories), parallel(trajectories);
  {
    Stepper stepper(prototype);
    for (std::size_t i = 0; i < trajectories; ++i) serial[i] = run(stepper, i);
  }
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < 8; ++worker) {
    threads.emplace_back([&, worker] {
      Stepper stepper(prototype);
      for (std::size_t i = worker; i < trajectories; i += 8) parallel[i] = run(stepper, i);
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST((serial == parallel));
  BOOST_TEST(prototype.counters().learned() == 2 * trajectories * steps * 9 / 10);
  BOOST_TEST(prototype.counters()[Verdict::step_size] == 2 * trajectories * steps / 10);
}
