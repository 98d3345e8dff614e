#include "flow_maps.hpp"

#include <lodestep/odeint.hpp>

#include <boost/numeric/odeint.hpp>
#include <boost/numeric/odeint/iterator/n_step_iterator.hpp>
#include <boost/numeric/odeint/iterator/times_time_iterator.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

// As Odeint's own suites test dense-output steppers. The flow map is exact and the fine steps of 0.01 are so to 1e-9:
// any wrong time or state shows.

namespace bno = boost::numeric::odeint;
using namespace lodestep;

namespace {

using State = std::array<double, 2>;
using Stepper = odeint::hierarchy<State>;
constexpr double segment = 0.8;
constexpr double tight = 2e-9;

Stepper make_stepper() {
  return Stepper(test::shared(test::oscillator_hierarchy({segment}, 0.01)));
}

struct Oscillator {
  template <class X> void operator()(const X& x, X& dxdt, double /*t*/) const {
    dxdt[0] = x[1];
    dxdt[1] = -x[0];
  }
};

bool near(const State& x, double t, double tolerance = tight) {
  return std::abs(x[0] - std::cos(t)) <= tolerance && std::abs(x[1] + std::sin(t)) <= tolerance;
}

struct Record {
  std::vector<State> states;
  std::vector<double> times;
  void operator()(const State& x, double t) {
    states.push_back(x);
    times.push_back(t);
  }
  void check(double tolerance = tight) const {
    for (std::size_t i = 0; i < times.size(); ++i) {
      BOOST_TEST(near(states[i], times[i], tolerance), "t = " << times[i] << ": " << states[i][0]);
    }
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(integrate_const_observes_fine_states) {
  for (const double end : {0.005, 0.3, 0.8, 5.0, 20.1}) {
    for (const double dt : {0.01, 0.05, 0.3, 2.5}) {
      // Odeint asks for the state at the end of a single interval without having taken a step, of any stepper.
      if (end < 2.0 * dt && end >= dt) continue;
      Record record;
      State x{1.0, 0.0};
      bno::integrate_const(make_stepper(), Oscillator{}, x, 0.0, end, dt, std::ref(record));
      const auto expected = static_cast<std::size_t>(std::floor(end / dt + 1e-9)) + 1;
      BOOST_TEST(record.times.size() == expected);
      record.check();
    }
  }
  // By reference, and with a system that evaluates many states at once.
  Record record;
  State x{1.0, 0.0};
  auto stepper = make_stepper();
  const auto system = odeint::batched(test::ManyOscillators{});
  bno::integrate_const(std::ref(stepper), system, x, 0.0, 50.0, 0.01, std::ref(record));
  BOOST_TEST(record.times.size() == 5001u);
  record.check();
  BOOST_TEST(stepper.counters().fallen_back() == 0u);
  BOOST_TEST(stepper.counters().learned() >= 62u);
}

BOOST_AUTO_TEST_CASE(integrate_adaptive_and_n_steps_end_where_they_should) {
  for (const double end : {0.123, 0.8, 7.77}) {
    Record record;
    State x{1.0, 0.0};
    bno::integrate_adaptive(make_stepper(), Oscillator{}, x, 0.0, end, 0.1, std::ref(record));
    BOOST_TEST(near(x, end));
    BOOST_TEST(record.times.back() == end, boost::test_tools::tolerance(1e-14));
    record.check();
  }
  Record record;
  State x{1.0, 0.0};
  const double end = bno::integrate_n_steps(make_stepper(), Oscillator{}, x, 0.0, 0.07, 100, std::ref(record));
  BOOST_TEST(end == 7.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(record.times.size() == 101u);
  record.check();
}

BOOST_AUTO_TEST_CASE(integrate_times_and_iterators_serve_any_time) {
  const std::vector<double> times{0.0, 0.003, 0.0171, 0.8, 0.9999, 3.2, 3.21, 11.111};
  Record record;
  State x{1.0, 0.0};
  bno::integrate_times(make_stepper(), Oscillator{}, x, times.begin(), times.end(), 0.1, std::ref(record));
  BOOST_TEST(record.times == times, boost::test_tools::per_element());
  record.check(1e-8); // between fine states, the cubic through four of them: 3/128 h^4

  auto stepper = make_stepper();
  x = {1.0, 0.0};
  std::size_t count = 0;
  for (auto [it, end] = std::pair(bno::make_const_step_time_iterator_begin(stepper, Oscillator{}, x, 0.0, 4.0, 0.05),
                                  bno::make_const_step_time_iterator_end(stepper, Oscillator{}, x));
       it != end; ++it, ++count) {
    BOOST_TEST(near(it->first, it->second));
  }
  BOOST_TEST(count == 81u);
  x = {1.0, 0.0};
  count = 0;
  for (auto [it, end] =
           std::pair(bno::make_adaptive_time_iterator_begin(make_stepper(), Oscillator{}, x, 0.0, 4.1, 0.05),
                     bno::make_adaptive_time_iterator_end(make_stepper(), Oscillator{}, x));
       it != end; ++it, ++count) {
    BOOST_TEST(near(it->first, it->second));
  }
  BOOST_TEST(count >= 6u);
}

BOOST_AUTO_TEST_CASE(steps_are_the_flow_maps) {
  auto stepper = make_stepper();
  State x{1.0, 0.0};
  BOOST_CHECK_THROW(stepper.do_step(Oscillator{}), InvalidArgument);
  stepper.initialize(x, 0.0, 0.01);
  BOOST_TEST(stepper.current_time_step() == segment);
  for (int n = 0; n < 100; ++n) {
    const auto [from, to] = stepper.do_step(Oscillator{});
    BOOST_TEST(from == n * segment, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(to == (n + 1) * segment, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(near(stepper.current_state(), to, 1e-12)); // placed, not filled in
    BOOST_TEST(near(stepper.previous_state(), from, 1e-12));
    for (const double t : {from, from + 0.01, from + 0.4, from + 0.777, to}) {
      stepper.calc_state(t, x);
      BOOST_TEST(near(x, t, 1e-8));
    }
  }
}

// What was solved ahead must not show once the caller goes on from elsewhere.
BOOST_AUTO_TEST_CASE(a_window_ahead_is_dropped_when_the_state_changes) {
  auto stepper = make_stepper();
  stepper.initialize(State{1.0, 0.0}, 0.0, 0.01);
  stepper.do_step(Oscillator{});
  stepper.do_step(Oscillator{});
  const double t = stepper.current_time();
  // Its own state: the window is kept, and no flow map is evaluated again until it is used up.
  const auto before = stepper.counters().total();
  stepper.initialize(stepper.current_state(), t, segment);
  stepper.do_step(Oscillator{});
  BOOST_TEST(stepper.counters().total() == before);
  BOOST_TEST(near(stepper.current_state(), t + segment, 1e-12));
  // Another state: a kick, as an event would give.
  stepper.initialize(State{0.0, 2.0}, stepper.current_time(), 0.01);
  const double t0 = stepper.current_time();
  stepper.do_step(Oscillator{});
  BOOST_TEST(stepper.counters().total() > before);
  BOOST_TEST(std::abs(stepper.current_state()[0] - 2.0 * std::sin(segment)) < 1e-12);
  State x;
  stepper.calc_state(t0 + 0.3, x);
  BOOST_TEST(std::abs(x[0] - 2.0 * std::sin(0.3)) < tight);
  // Another time.
  stepper.initialize(stepper.current_state(), 100.0, 0.01);
  stepper.do_step(Oscillator{});
  BOOST_TEST(stepper.current_time() == 100.0 + segment);
  BOOST_TEST(std::abs(stepper.current_state()[0] - 2.0 * std::sin(2 * segment)) < 1e-12);
  // A shorter step, as Odeint asks for before the end, and on from there.
  const double end = stepper.current_time() + 0.255;
  stepper.initialize(stepper.current_state(), stepper.current_time(), 0.255);
  stepper.do_step(Oscillator{});
  BOOST_TEST(stepper.current_time() == end);
  BOOST_TEST(std::abs(stepper.current_state()[0] - 2.0 * std::sin(2 * segment + 0.255)) < tight);
  stepper.do_step(Oscillator{});
  BOOST_TEST(std::abs(stepper.current_state()[0] - 2.0 * std::sin(3 * segment + 0.255)) < tight);
}

BOOST_AUTO_TEST_CASE(copies_go_on_by_themselves) {
  auto stepper = make_stepper();
  stepper.initialize(State{1.0, 0.0}, 0.0, 0.01);
  stepper.do_step(Oscillator{});
  auto copy = stepper;
  for (int n = 0; n < 10; ++n) copy.do_step(Oscillator{});
  BOOST_TEST(near(copy.current_state(), 11 * segment, 1e-12));
  BOOST_TEST(stepper.current_time() == segment);
  stepper.do_step(Oscillator{});
  BOOST_TEST(near(stepper.current_state(), 2 * segment, 1e-12));
}

BOOST_AUTO_TEST_CASE(backwards_in_time_the_fine_scheme_steps) {
  Record record;
  State x{1.0, 0.0};
  bno::integrate_const(make_stepper(), Oscillator{}, x, 0.0, -3.0, -0.1, std::ref(record));
  BOOST_TEST(record.times.size() == 31u);
  record.check();
}

BOOST_AUTO_TEST_CASE(threads_share_a_window) {
  ThreadTeam team(2);
  const auto shared = std::make_shared<const Hierarchy>(test::shared(test::oscillator_hierarchy({0.16}, 0.01)));
  odeint::hierarchy<std::vector<double>> alone(shared), together(shared, &team);
  const auto system = odeint::batched(test::ManyOscillators{});
  std::vector<double> x{1.0, 0.0}, a(2), b(2);
  alone.initialize(x, 0.0, 0.01);
  together.initialize(x, 0.0, 0.01);
  for (int n = 0; n < 300; ++n) {
    alone.do_step(system);
    together.do_step(system);
    alone.calc_state(0.16 * n + 0.05, a);
    together.calc_state(0.16 * n + 0.05, b);
    BOOST_TEST(a == b);
  }
}

BOOST_AUTO_TEST_CASE(exceptions_leave_the_stepper_where_it_was) {
  auto stepper = make_stepper();
  stepper.initialize(State{1.0, 0.0}, 0.0, 0.01);
  stepper.do_step(Oscillator{});
  for (int n = 1; n < 4; ++n) stepper.do_step(Oscillator{}); // to the end of the first window
  const double t = stepper.current_time();
  const auto failing = [](const State&, State&, double) { throw std::domain_error("no"); };
  BOOST_CHECK_THROW(stepper.do_step(failing), std::domain_error);
  BOOST_TEST(stepper.current_time() == t);
  BOOST_TEST(near(stepper.current_state(), t, 1e-12));
  stepper.do_step(Oscillator{});
  BOOST_TEST(near(stepper.current_state(), t + segment, 1e-12));
  BOOST_CHECK_THROW(odeint::hierarchy<std::vector<double>>(test::shared(test::oscillator_hierarchy({0.1}, 0.1)))
                        .initialize(std::vector<double>(3), 0.0, 0.1),
                    InvalidArgument);
}
