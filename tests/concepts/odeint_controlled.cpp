#include "models.hpp"

#include <lodestep/odeint.hpp>

#include <boost/mpl/list.hpp>
#include <boost/numeric/odeint.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

// Error-controlled and dense-output correctors, as Odeint's own controlled and dense-output steppers are used.

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using lodestep::test::Oscillators;

namespace {

constexpr double longest = 0.25;
using Array = std::array<double, 2>;
using Vector = std::vector<double>;
using States = boost::mpl::list<Array, Vector>;
template <class State> using Base = bno::runge_kutta4<State>;
template <class State> using Stepper = odeint::error_corrector<Base<State>>;

/// x'' = -x: RK4 plus the next term of the Taylor series, h^5 A^5 / 120 u with A^5 u = A u: of order 5 at any step. Its
/// local error is h^6 / 720 |u| to leading order.
Model taylor_model() {
  Model model;
  model.variables = {{"q", ""}, {"p", ""}};
  CorrectorModel corrector;
  corrector.base = "rk4";
  corrector.dt = longest;
  corrector.shortest_dt = 0.01;
  corrector.input = CorrectorInput::state;
  corrector.approximator = ApproximatorSpec::zero(3, 2);
  const double c = std::pow(longest, 5) / 120.0;
  corrector.approximator.affine.weight = {0.0, c, 0.0, -c, 0.0, 0.0};
  corrector.domain.state = {{-3.0, 3.0}, {-3.0, 3.0}};
  corrector.domain.correction_limit = {1.0, 1.0};
  corrector.estimate.scale.assign(2, std::pow(longest, 6) / 720.0);
  corrector.fallback_substeps = 16;
  model.method = corrector;
  return model;
}

template <class State> Stepper<State> make_stepper() {
  return Stepper<State>(test::share(taylor_model()));
}

template <class State> State start() {
  return {1.0, -0.5};
}

void oscillate(const Array& x, Array& dxdt, double) {
  dxdt[0] = x[1];
  dxdt[1] = -x[0];
}
void oscillate_vector(const Vector& x, Vector& dxdt, double) {
  dxdt[0] = x[1];
  dxdt[1] = -x[0];
}
template <class State> auto system_of() {
  if constexpr (std::is_same_v<State, Array>) {
    return &oscillate;
  } else {
    return &oscillate_vector;
  }
}

template <class State> double error_at(const State& x, double t) {
  const auto expected = Oscillators::exact(start<State>(), t);
  return std::max(std::abs(x[0] - expected[0]), std::abs(x[1] - expected[1]));
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(the_order_of_the_corrected_scheme_is_fitted, State, States) {
  // Steps of any size, off every grid: a dt-aware model takes them all.
  std::vector<double> logs;
  for (const double dt : {0.2, 0.1, 0.05, 0.025}) {
    auto stepper = make_stepper<State>().stepper();
    State x = start<State>();
    const auto steps = static_cast<std::size_t>(std::lround(4.0 / dt));
    for (std::size_t n = 0; n < steps; ++n) stepper.do_step(system_of<State>(), x, static_cast<double>(n) * dt, dt);
    logs.push_back(std::log2(error_at(x, 4.0)));
    BOOST_TEST(stepper.counters().fallen_back() == 0u);
  }
  const double slope = (3.0 * (logs[0] - logs[3]) + (logs[1] - logs[2])) / 10.0;
  BOOST_TEST(slope > 4.9);
  BOOST_TEST(slope < 5.1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_controlled_corrector_meets_its_tolerance, State, States) {
  double previous = 1.0;
  for (const double tolerance : {1e-6, 1e-8, 1e-10}) {
    auto controlled = bno::make_controlled(tolerance, tolerance, make_stepper<State>());
    State x = start<State>();
    const std::size_t steps = bno::integrate_adaptive(std::ref(controlled), system_of<State>(), x, 0.0, 10.0, 0.1);
    const double error = error_at(x, 10.0);
    BOOST_TEST(error < 100.0 * tolerance);
    BOOST_TEST(error < previous);
    BOOST_TEST(steps >= 40u); // none longer than the model's
    BOOST_TEST(controlled.counters().fallen_back() == 0u);
    previous = error;
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(controlled_correctors_serve_the_integrate_functions, State, States) {
  const auto check = [](std::size_t expected, auto&& run) {
    std::size_t seen = 0;
    run([&](const State& x, double t) {
      BOOST_TEST(error_at(x, t) < 1e-6);
      ++seen;
    });
    if (expected != 0) BOOST_TEST(seen == expected);
  };
  const auto controlled = bno::make_controlled(1e-9, 1e-9, make_stepper<State>());
  check(101, [&](auto observe) {
    State x = start<State>();
    bno::integrate_const(controlled, system_of<State>(), x, 0.0, 10.0, 0.1, observe);
  });
  check(4, [&](auto observe) {
    State x = start<State>();
    const std::vector<double> times{0.0, 0.03, 1.7, 6.123};
    bno::integrate_times(controlled, system_of<State>(), x, times, 0.1, observe);
  });
  check(0, [&](auto observe) {
    State x = start<State>();
    bno::integrate_adaptive(controlled, system_of<State>(), x, 0.0, 10.0, 0.1, observe);
  });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(dense_output_serves_the_integrate_functions, State, States) {
  // Cubic Hermite interpolation over 0.25 of a solution of amplitude 1.12: 1.12 / 384 * 0.25^4 = 1.1e-5.
  const double interpolation = 1.2e-5;
  const auto dense = bno::make_dense_output(1e-9, 1e-9, make_stepper<State>());
  std::size_t seen = 0;
  const auto observe = [&](const State& x, double t) {
    BOOST_TEST(error_at(x, t) < interpolation);
    ++seen;
  };
  State x = start<State>();
  bno::integrate_const(dense, system_of<State>(), x, 0.0, 10.0, 0.01, observe);
  BOOST_TEST(seen == 1001u);
  seen = 0;
  x = start<State>();
  bno::integrate_times(dense, system_of<State>(), x, std::vector<double>{0.0, 0.03, 1.7, 6.123}, 0.1, observe);
  BOOST_TEST(seen == 4u);
  seen = 0;
  x = start<State>();
  bno::integrate_adaptive(dense, system_of<State>(), x, 0.0, 10.0, 0.1, observe);
  BOOST_TEST(seen >= 41u);
  BOOST_TEST(error_at(x, 10.0) < 1e-7);
}

BOOST_AUTO_TEST_CASE(dense_output_of_a_plain_corrector_takes_the_models_steps) {
  odeint::dense_output_corrector<Base<Array>> dense(make_stepper<Array>().stepper());
  std::size_t evaluations = 0;
  const auto counting = [&](const Array& x, Array& dxdt, double t) {
    ++evaluations;
    oscillate(x, dxdt, t);
  };
  dense.initialize(start<Array>(), 0.0, longest);
  for (int n = 0; n < 40; ++n) {
    const auto [from, to] = dense.do_step(std::ref(counting));
    BOOST_TEST(std::abs(from - longest * n) < 1e-14);
    BOOST_TEST(std::abs(to - longest * (n + 1)) < 1e-14);
    Array x{};
    dense.calc_state(to, x);
    BOOST_TEST((x == dense.current_state()));
    dense.calc_state(from, x);
    BOOST_TEST(std::abs(x[0] - dense.previous_state()[0]) < 1e-15);
  }
  BOOST_TEST(evaluations == 161u);                          // four a step: the last one's is the next one's first
  BOOST_TEST(error_at(dense.current_state(), 10.0) < 2e-5); // 10 h^5 / 720 |u| = 1.5e-5
  // Re-initialised with its own state, as Odeint does.
  dense.initialize(dense.current_state(), dense.current_time(), 0.1);
  dense.do_step(std::ref(counting));
  BOOST_TEST(std::abs(dense.current_time() - 10.1) < 1e-13);
  BOOST_TEST(error_at(dense.current_state(), 10.1) < 2e-5);
}

BOOST_AUTO_TEST_CASE(a_step_that_is_not_finite_is_rejected) {
  // Not defined after t = 0.1, for the fallback neither: Odeint's own controller would accept the NaN.
  const auto ending = [](const Array& x, Array& dxdt, double t) {
    dxdt[0] = x[1];
    dxdt[1] = t > 0.1 ? std::numeric_limits<double>::quiet_NaN() : -x[0];
  };
  auto controlled = bno::make_controlled(1e-6, 1e-6, make_stepper<Array>());
  Array x{0.99, 0.2};
  double t = 0.0;
  double dt = 0.25;
  BOOST_CHECK(controlled.try_step(ending, x, t, dt) == bno::fail);
  BOOST_TEST(x[0] == 0.99);
  BOOST_TEST(t == 0.0);
  BOOST_TEST(dt < 0.25);
  for (int n = 0; n < 100 && t < 0.09; ++n) controlled.try_step(ending, x, t, dt);
  BOOST_TEST(std::isfinite(x[0]));
  BOOST_TEST(t >= 0.09);
  BOOST_TEST(t <= 0.1);
}

BOOST_AUTO_TEST_CASE(backwards_in_time_is_the_fallbacks) {
  auto controlled = bno::make_controlled(1e-8, 1e-8, make_stepper<Array>());
  Array x = start<Array>();
  bno::integrate_adaptive(std::ref(controlled), &oscillate, x, 0.0, -2.0, -0.1);
  BOOST_TEST(error_at(x, -2.0) < 1e-6);
  BOOST_TEST(controlled.counters().learned() == 0u);
}

BOOST_AUTO_TEST_CASE(bad_tolerances_are_refused) {
  const auto stepper = make_stepper<Array>();
  BOOST_CHECK_THROW(bno::make_controlled(0.0, 0.0, stepper), InvalidArgument);
  BOOST_CHECK_THROW(bno::make_controlled(-1e-6, 1e-6, stepper), InvalidArgument);
  BOOST_CHECK_THROW(bno::make_controlled(std::nan(""), 1e-6, stepper), InvalidArgument);
}
