// Hierarchies of flow maps through the C library: against the core's own schemes, and against exact solutions.
#include "c_handles.hpp"
#include "flow_maps.hpp"

#include <lodestep/hybrid.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;
using State = std::array<double, 2>;

namespace {

constexpr double coarse_dt = 0.8;
constexpr double fine_dt = 0.05;
constexpr std::size_t segment = 16; // fine steps

int oscillator(double, const double *u, double *dudt, void *) {
  dudt[0] = u[1];
  dudt[1] = -u[0];
  return 0;
}
int oscillators(double t, size_t n, const double *u, double *dudt, void *user) {
  for (size_t k = 0; k < n; ++k) oscillator(t, u + 2 * k, dudt + 2 * k, user);
  return 0;
}
State exact(const State &u, double t) {
  return {u[0] * std::cos(t) + u[1] * std::sin(t), u[1] * std::cos(t) - u[0] * std::sin(t)};
}
double distance(const State &a, const State &b) {
  return std::max(std::abs(a[0] - b[0]), std::abs(a[1] - b[1]));
}

Model model(double error = 0.0) {
  return oscillator_hierarchy({fine_dt, 0.2, coarse_dt}, fine_dt, error);
}
StepperHandle stepper_of(const Model &m, lodestep_rhs rhs = oscillator, void *user = nullptr) {
  return make(load(m), rhs, user);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_hierarchy_says_what_it_is) {
  const auto handle = load(model());
  BOOST_TEST(std::string(lodestep_model_kind(handle.get())) == "hierarchy");
  BOOST_TEST(lodestep_model_dimension(handle.get()) == 2u);
  BOOST_TEST(lodestep_model_dt(handle.get()) == coarse_dt);
  BOOST_TEST(lodestep_model_shortest_dt(handle.get()) == coarse_dt);
  BOOST_TEST(lodestep_model_fine_dt(handle.get()) == fine_dt);
  BOOST_TEST(std::string(lodestep_model_base(handle.get())) == "rk4");
  BOOST_TEST(std::string(lodestep_model_unit(handle.get(), 1)) == "m/s");
  double lower[2], upper[2];
  BOOST_TEST(lodestep_model_domain(handle.get(), lower, upper) == LODESTEP_SUCCESS);
  BOOST_TEST(lower[1] == -10.0);
  BOOST_TEST(upper[0] == 10.0);
}

BOOST_AUTO_TEST_CASE(a_step_is_the_flow_map_s_and_any_other_the_fine_scheme_s) {
  const Model m = model();
  const auto stepper = stepper_of(m);
  FlowMap map(std::make_shared<const Hierarchy>(shared(m)), 2);
  auto forms = rhs_forms(OneOscillator(), ManyOscillators());
  const State start{1.0, -0.4};
  State u = start, core = start;
  for (int n = 0; n < 20; ++n) {
    BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), coarse_dt * n, u.data(), coarse_dt), LODESTEP_SUCCESS);
    map.step(forms, coarse_dt * n, core.data(), core.data());
    BOOST_REQUIRE(u == core);
  }
  BOOST_TEST(distance(u, exact(start, 20 * coarse_dt)) < 1e-13);
  BOOST_TEST(counters(stepper).learned == 20u);
  BOOST_TEST(counters(stepper).rhs_evaluations == 0u); // a flow map asks for none

  // Neither backwards nor by another length does the map know anything.
  for (const double dt : {-0.3, 0.33, 2.0}) {
    State v = u;
    BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, v.data(), dt), LODESTEP_SUCCESS);
    // RK4 on the oscillator is off by h^4 t / 120.
    BOOST_TEST(distance(v, exact(u, dt)) < 1.2e-7);
    BOOST_TEST(distance(v, exact(u, dt)) > 0.0);
  }
  BOOST_TEST(counters(stepper).step_size == 3u);
  // Outside of the box the fine scheme takes the step.
  State outside{11.0, 0.0};
  BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, outside.data(), coarse_dt), LODESTEP_SUCCESS);
  BOOST_TEST(distance(outside, exact({11.0, 0.0}, coarse_dt)) < 1e-6);
  BOOST_TEST(counters(stepper).domain == 1u);
  BOOST_TEST(counters(stepper).learned == 20u);
}

BOOST_AUTO_TEST_CASE(states_at_times_and_the_end_of_an_interval) {
  const auto stepper = stepper_of(model());
  const State start{1.0, -0.4};
  State u = start;
  double t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, u.data(), 10.0), LODESTEP_SUCCESS);
  BOOST_TEST(t == 10.0);
  BOOST_TEST(counters(stepper).learned == 12u);
  BOOST_TEST(counters(stepper).step_size == 1u);
  BOOST_TEST(distance(u, exact(start, 10.0)) < 1e-7);

  std::vector<double> times;
  for (int i = 0; i < 400; ++i) times.push_back(0.013 * i);
  std::vector<State> states(times.size());
  u = start;
  t = 0.0;
  lodestep_reset_counters(stepper.get());
  BOOST_REQUIRE_EQUAL(lodestep_states_at(stepper.get(), &t, u.data(), times.size(), times.data(), states[0].data()),
                      LODESTEP_SUCCESS);
  for (std::size_t i = 0; i < times.size(); ++i) BOOST_TEST(distance(states[i], exact(start, times[i])) < 1e-7);
  BOOST_TEST(std::abs(t - 6 * coarse_dt) < 1e-14);
  BOOST_TEST(counters(stepper).learned == 6u);
  // A fine step serves all that lie behind it: 4 evaluations for each of 104 fine steps, and for each time in between.
  BOOST_TEST(counters(stepper).rhs_evaluations <= 4u * (104u + 400u));
}

BOOST_AUTO_TEST_CASE(fine_states_are_the_hybrid_scheme_s_whatever_the_threads) {
  const Model m = model(1e-4);
  constexpr std::size_t steps = 40 * segment + 5;
  std::vector<State> expected(steps + 1), states(steps + 1);
  expected[0] = {1.0, -0.4};
  Hybrid hybrid(std::make_shared<const Hierarchy>(shared(m)));
  hybrid.solve(rhs_forms(OneOscillator(), ManyOscillators()), 0.0, steps, expected[0].data());
  for (const bool batched : {false, true}) {
    for (const unsigned threads : {1u, 3u}) {
      const auto stepper = stepper_of(m);
      if (batched) lodestep_stepper_set_rhs_batch(stepper.get(), oscillators);
      BOOST_REQUIRE_EQUAL(lodestep_stepper_set_threads(stepper.get(), threads), LODESTEP_SUCCESS);
      State u = expected[0];
      double t = 3.0;
      BOOST_REQUIRE_EQUAL(lodestep_fine_states(stepper.get(), &t, u.data(), steps, states[0].data()), LODESTEP_SUCCESS);
      BOOST_TEST((states == expected));
      BOOST_TEST((u == expected.back()));
      BOOST_TEST(std::abs(t - (3.0 + steps * fine_dt)) < 1e-12);
      BOOST_TEST(counters(stepper).learned == 40u);
      BOOST_TEST(counters(stepper).rhs_evaluations == 4u * steps);
    }
  }
}

BOOST_AUTO_TEST_CASE(parareal_takes_a_bad_flow_map_to_the_fine_scheme_s_own_solution) {
  const Model m = model(1e-3);
  const auto stepper = stepper_of(m);
  lodestep_stepper_set_rhs_batch(stepper.get(), oscillators);
  constexpr std::size_t steps = 30 * segment;
  std::vector<State> states(steps + 1);
  const State start{1.0, -0.4};
  State serial = start;
  RungeKutta rk4(classical_tableau("rk4"), 2);
  for (std::size_t n = 0; n < steps; ++n) {
    rk4.step(OneOscillator(), 0.0, serial.data(), fine_dt, serial.data());
  }
  double before = 0.0;
  for (const unsigned sweeps : {0u, 1u, 2u, 20u}) {
    State u = start;
    double t = 0.0;
    lodestep_parareal_result result;
    BOOST_REQUIRE_EQUAL(lodestep_parareal_states(stepper.get(), &t, u.data(), steps, states[0].data(), sweeps, &result),
                        LODESTEP_SUCCESS);
    const double error = distance(u, serial);
    if (sweeps > 0) BOOST_TEST(error < 0.1 * before);
    before = error;
    BOOST_TEST(result.sweeps <= sweeps);
    BOOST_TEST((result.converged != 0) == (sweeps == 20));
    if (sweeps == 20) BOOST_TEST(error < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(an_ensemble_of_hierarchies_is_its_members) {
  const Model m = model(1e-4);
  const auto one = stepper_of(m), many = stepper_of(m);
  std::vector<State> together;
  for (int k = 0; k < 150; ++k) together.push_back({0.1 * k - 6.0, 0.3});
  auto alone = together;
  double t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_evolve_ensemble(many.get(), &t, together[0].data(), together.size(), 2.0),
                      LODESTEP_SUCCESS);
  for (auto &u : alone) {
    t = 0.0;
    BOOST_REQUIRE_EQUAL(lodestep_evolve(one.get(), &t, u.data(), 2.0), LODESTEP_SUCCESS);
  }
  for (std::size_t k = 0; k < alone.size(); ++k) BOOST_TEST(distance(together[k], alone[k]) < 1e-14);
  BOOST_TEST(counters(many).learned == counters(one).learned);
  BOOST_TEST(counters(many).domain == counters(one).domain);
  BOOST_TEST(counters(many).step_size == counters(one).step_size);
  BOOST_TEST(counters(many).rhs_evaluations == counters(one).rhs_evaluations);
}

namespace {

struct Failing {
  int after;
  int result;
  bool throws;
};
int failing(double t, const double *u, double *dudt, void *user) {
  auto &f = *static_cast<Failing *>(user);
  if (--f.after < 0) {
    if (f.throws) throw std::runtime_error("no such phase");
    return f.result;
  }
  return oscillator(t, u, dudt, nullptr);
}
int not_a_number(double, const double *, double *dudt, void *) {
  dudt[0] = dudt[1] = std::nan("");
  return 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(failures_keep_their_meaning_and_the_state) {
  const Model m = model();
  constexpr std::size_t steps = 8 * segment;
  std::vector<State> states(steps + 1);
  const State start{1.0, -0.4};
  for (const int after : {0, 7, 60}) {
    for (const int result : {3, -2}) {
      Failing f{after, result, false};
      const auto stepper = stepper_of(m, failing, &f);
      State u = start;
      double t = 0.5;
      BOOST_TEST(lodestep_fine_states(stepper.get(), &t, u.data(), steps, states[0].data()) ==
                 (result > 0 ? LODESTEP_RHS_RECOVERABLE : LODESTEP_RHS_FATAL));
      BOOST_TEST(lodestep_last_rhs_result(stepper.get()) == result);
      BOOST_TEST((u == start));
      BOOST_TEST(t == 0.5);
      f.after = 100000; // and it is good for more
      BOOST_TEST(lodestep_fine_states(stepper.get(), &t, u.data(), steps, states[0].data()) == LODESTEP_SUCCESS);
    }
  }
  Failing f{5, 0, true};
  const auto throwing = stepper_of(m, failing, &f);
  State u = start;
  double t = 0.0;
  BOOST_TEST(lodestep_fine_states(throwing.get(), &t, u.data(), steps, states[0].data()) == LODESTEP_RHS_THREW);
  BOOST_TEST(std::string(lodestep_last_error()).find("no such phase") != std::string::npos);
  f = {2, 7, false};
  BOOST_TEST(lodestep_step(throwing.get(), 0.0, u.data(), 0.3) == LODESTEP_RHS_RECOVERABLE);
  BOOST_TEST((u == start));
  const auto nan = stepper_of(m, not_a_number);
  BOOST_TEST(lodestep_fine_states(nan.get(), &t, u.data(), steps, states[0].data()) == LODESTEP_NOT_FINITE);
  BOOST_TEST(lodestep_step(nan.get(), 0.0, u.data(), 0.3) == LODESTEP_NOT_FINITE);
  BOOST_TEST((u == start));
  BOOST_TEST(lodestep_stepper_set_threads(nan.get(), 0) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_stepper_set_parameter(nan.get(), "k", 1.0) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_fine_states(nan.get(), &t, u.data(), steps, nullptr) == LODESTEP_INVALID_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(eight_threads_share_a_hierarchy_and_give_the_bits_of_one) {
  const auto handle = load(model(1e-4));
  constexpr std::size_t steps = 20 * segment;
  const auto run = [&](State &u) {
    // NOTE: no check of Boost.Test's here: those keep a log of their own, which threads may not share.
    lodestep_stepper *stepper = nullptr;
    if (lodestep_stepper_create(handle.get(), oscillator, nullptr, &stepper) != LODESTEP_SUCCESS) return;
    std::vector<State> states(steps + 1);
    double t = 0.0;
    lodestep_fine_states(stepper, &t, u.data(), steps, states[0].data());
    lodestep_evolve(stepper, &t, u.data(), t + 10.0);
    lodestep_stepper_free(stepper);
  };
  std::vector<State> serial, parallel;
  for (int k = 0; k < 8; ++k) serial.push_back({0.2 * k, 1.0 - 0.1 * k});
  const auto starts = parallel = serial;
  for (auto &u : serial) run(u);
  std::vector<std::thread> threads;
  for (auto &u : parallel) threads.emplace_back([&] { run(u); });
  for (auto &thread : threads) thread.join();
  BOOST_TEST((parallel == serial));
  BOOST_TEST((parallel != starts));
}
