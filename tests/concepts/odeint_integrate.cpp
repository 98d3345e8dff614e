#include "models.hpp"

#include <lodestep/odeint.hpp>

#include <boost/mpl/list.hpp>
#include <boost/numeric/odeint.hpp>
#include <boost/numeric/odeint/iterator/n_step_iterator.hpp>
#include <boost/numeric/odeint/iterator/times_time_iterator.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <vector>

// After Odeint's own suites (integrate, integrate_times, const/adaptive/n_step iterators, stepper with multistep
// methods). The corrector makes RK4 exact for oscillators, and its fallback, 500 sub-steps for each step, is exact to
// 1e-12 as well: any wrong time, state or step size shows.

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using lodestep::test::Oscillators;

namespace {

constexpr double dt = 0.25;
using Array = std::array<double, 2>;
using Vector = std::vector<double>;
using States = boost::mpl::list<Array, Vector>;
template <class State> using Stepper = odeint::corrector<bno::runge_kutta4<State>>;

template <class State> Stepper<State> make_stepper() {
  auto model = test::exact_corrector(1, "rk4", dt);
  std::get<CorrectorModel>(model.method).fallback_substeps = 500;
  return Stepper<State>(test::share(model));
}

template <class State> struct Record {
  std::vector<State> states;
  std::vector<double> times;
  void operator()(const State& x, double t) {
    states.push_back(x);
    times.push_back(t);
  }
};

template <class State> State start() {
  return {1.0, -0.5};
}

template <class State>
void check(const Record<State>& record, const std::vector<double>& times, double origin, double tolerance = 1e-12) {
  BOOST_REQUIRE(record.times.size() == times.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    BOOST_TEST(std::abs(record.times[i] - times[i]) <= 1e-14);
    const auto expected = Oscillators::exact(start<State>(), times[i] - origin);
    BOOST_TEST(std::abs(record.states[i][0] - expected[0]) <= tolerance);
    BOOST_TEST(std::abs(record.states[i][1] - expected[1]) <= tolerance);
  }
}

std::vector<double> grid(double t0, double step, std::size_t count) {
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) times.push_back(t0 + static_cast<double>(i) * step);
  return times;
}

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(integrate_const_on_the_grid_learns_every_step, State, States) {
  auto stepper = make_stepper<State>();
  State x = start<State>();
  Record<State> record;
  const auto steps = bno::integrate_const(stepper, Oscillators(), x, 1.0, 6.0, dt, std::ref(record));
  BOOST_TEST(steps == 20u);
  check(record, grid(1.0, dt, 21), 1.0);
  BOOST_TEST(stepper.counters().learned() == 20u); // taken by the copy integrate_const made, counted here
  BOOST_TEST(stepper.counters().fallen_back() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integrate_n_steps_learns_every_step, State, States) {
  auto stepper = make_stepper<State>();
  State x = start<State>();
  Record<State> record;
  const double end = bno::integrate_n_steps(std::ref(stepper), Oscillators(), x, 0.0, dt, 7, std::ref(record));
  BOOST_TEST(end == 7 * dt);
  check(record, grid(0.0, dt, 8), 0.0);
  BOOST_TEST(stepper.counters().learned() == 7u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integrate_adaptive_takes_its_last_short_step_by_the_base, State, States) {
  auto stepper = make_stepper<State>();
  State x = start<State>();
  Record<State> record;
  bno::integrate_adaptive(stepper, Oscillators(), x, 0.0, 1.1, dt, std::ref(record));
  check(record, {0.0, 0.25, 0.5, 0.75, 1.0, 1.1}, 0.0);
  BOOST_TEST(stepper.counters().learned() == 4u);
  BOOST_TEST(stepper.counters()[Verdict::step_size] == 1u);
  BOOST_TEST(stepper.counters().total() == 5u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integrate_times_steps_off_the_grid_by_the_base, State, States) {
  auto stepper = make_stepper<State>();
  State x = start<State>();
  Record<State> record;
  const std::vector<double> times{0.0, 0.25, 0.6, 0.85, 2.0};
  bno::integrate_times(stepper, Oscillators(), x, times, dt, std::ref(record));
  check(record, times, 0.0);
  // 0.25 | 0.25, 0.1 | 0.25 | 4 x 0.25, 0.15
  BOOST_TEST(stepper.counters().learned() == 7u);
  BOOST_TEST(stepper.counters()[Verdict::step_size] == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(integration_backwards_in_time_is_the_base_schemes, State, States) {
  auto stepper = make_stepper<State>();
  State x = start<State>();
  Record<State> record;
  bno::integrate_const(stepper, Oscillators(), x, 2.0, 1.0, -dt, std::ref(record));
  check(record, grid(2.0, -dt, 5), 2.0);
  BOOST_TEST(stepper.counters()[Verdict::step_size] == 4u);
  BOOST_TEST(stepper.counters().learned() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_grid_far_from_zero_is_still_the_grid, State, States) {
  // t0 + (n + 1) dt - (t0 + n dt) is not dt to the last bit; the guard must not take that for another step.
  auto model = test::exact_corrector(1, "rk4", 0.1);
  odeint::corrector<bno::runge_kutta4<State>> stepper(test::share(model));
  State x = start<State>();
  std::vector<double> times;
  for (int n = 0; n <= 100; ++n) times.push_back(1000.0 + n * 0.1);
  for (std::size_t n = 1; n < times.size(); ++n) {
    stepper.do_step(Oscillators(), x, times[n - 1], times[n] - times[n - 1]);
  }
  BOOST_TEST(stepper.counters().learned() == 100u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(iterators_walk_the_solution, State, States) {
  auto stepper = make_stepper<State>();
  {
    State x = start<State>();
    std::size_t n = 0;
    for (auto [state, t] :
         boost::make_iterator_range(bno::make_const_step_time_range(stepper, Oscillators(), x, 0.0, 1.0, dt))) {
      BOOST_TEST(std::abs(state[0] - Oscillators::exact(start<State>(), t)[0]) <= 1e-13);
      BOOST_TEST(std::abs(t - dt * static_cast<double>(n++)) <= 1e-14);
    }
    BOOST_TEST(n == 5u);
  }
  {
    State x = start<State>();
    const std::vector<double> times{0.0, 0.25, 0.6, 1.1};
    std::size_t n = 0;
    for (auto [state, t] : boost::make_iterator_range(
             bno::make_times_time_range(stepper, Oscillators(), x, times.begin(), times.end(), dt))) {
      BOOST_TEST(std::abs(state[0] - Oscillators::exact(start<State>(), t)[0]) <= 1e-12);
      BOOST_TEST(t == times[n++]);
    }
    BOOST_TEST(n == 4u);
  }
  {
    State x = start<State>();
    std::size_t n = 0;
    for (const State& state :
         boost::make_iterator_range(bno::make_n_step_range(stepper, Oscillators(), x, 0.0, dt, 3))) {
      const auto expected = Oscillators::exact(start<State>(), dt * static_cast<double>(n++));
      BOOST_TEST(std::abs(state[1] - expected[1]) <= 1e-13);
    }
    BOOST_TEST(n == 4u);
  }
  BOOST_TEST(stepper.counters()[Verdict::step_size] == 1u); // 0.1 after 0.5; the others are multiples of dt
}

BOOST_AUTO_TEST_CASE(starts_a_multi_step_method) {
  auto stepper = make_stepper<Array>();
  bno::adams_bashforth<4, Array> multi_step;
  Array x = start<Array>();
  double t = 0.0;
  multi_step.initialize(std::ref(stepper), Oscillators(), x, t, dt);
  BOOST_TEST(t == 3 * dt);
  BOOST_TEST(std::abs(x[0] - Oscillators::exact(start<Array>(), t)[0]) <= 1e-14);
  BOOST_TEST(stepper.counters().learned() == 3u);
}
