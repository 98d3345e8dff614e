#include "c_handles.hpp"
#include "pendulum_models.hpp"

#include <lodestep/model.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep.h>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;
using State = std::array<double, 4>;

namespace {

int pendulum(double, const double *u, double *dudt, void *) {
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
  return 0;
}

int pendulum_batch(double t, size_t n, const double *u, double *dudt, void *user) {
  if (user) ++*static_cast<int *>(user);
  for (size_t i = 0; i < n; ++i) pendulum(t, u + 4 * i, dudt + 4 * i, user);
  return 0;
}

auto core_rhs() {
  return [](double t, const double *u, double *dudt) { return pendulum(t, u, dudt, nullptr); };
}

std::vector<State> random_states(std::size_t n) {
  test::SmallRandom random(5);
  std::vector<State> states(n);
  for (auto &state : states) test::pendulum_state(random, state.data());
  return states;
}

} // namespace

BOOST_AUTO_TEST_CASE(steps_have_the_bits_of_the_core) {
  for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    test::PendulumOptions options;
    options.input = input;
    const auto model = std::make_shared<const Model>(test::pendulum_model(options));
    const auto handle = load(*model);
    const auto stepper = make(handle, pendulum);
    CorrectedRungeKutta core(std::make_shared<const Corrector>(model));
    for (const State &start : random_states(50)) {
      State a = start, b = start;
      for (int n = 0; n < 20; ++n) { // some of them outside the domain
        BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.1 * n, a.data(), 0.1), LODESTEP_SUCCESS);
        BOOST_REQUIRE_EQUAL(core.step(core_rhs(), 0.1 * n, b.data(), 0.1), 0);
        BOOST_REQUIRE(a == b);
      }
    }
    const auto c = counters(stepper);
    const auto expected = core.counters();
    BOOST_TEST(c.learned == expected[Verdict::learned]);
    BOOST_TEST(c.domain == expected[Verdict::domain]);
    BOOST_TEST(c.learned + c.domain == 1000u);
    BOOST_TEST(c.learned > 0u);
    BOOST_TEST(c.domain > 0u);
    BOOST_TEST(c.rhs_evaluations == 4 * c.learned + 16 * c.domain);
  }
}

BOOST_AUTO_TEST_CASE(an_ensemble_is_its_states_alone_to_rounding) {
  for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::stages}) {
    test::PendulumOptions options;
    options.input = input;
    const auto handle = load(test::pendulum_model(options));
    auto states = random_states(37);
    states[3][0] = 0.9; // outside
    states[20][1] = 20.0;
    auto alone = states;
    const auto one = make(handle, pendulum);
    for (auto &state : alone) {
      double t = 0.0;
      BOOST_REQUIRE_EQUAL(lodestep_evolve(one.get(), &t, state.data(), 1.05), LODESTEP_SUCCESS);
      BOOST_TEST(t == 1.05);
    }
    int calls = 0;
    for (const bool batched : {false, true}) {
      const auto many = make(handle, pendulum, &calls);
      if (batched) lodestep_stepper_set_rhs_batch(many.get(), pendulum_batch);
      auto together = states;
      double t = 0.0;
      BOOST_REQUIRE_EQUAL(lodestep_evolve_ensemble(many.get(), &t, together[0].data(), together.size(), 1.05),
                          LODESTEP_SUCCESS);
      for (std::size_t n = 0; n < alone.size(); ++n) {
        // Sums of a batch are in another order, and ten steps carry it on.
        for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(together[n][i] - alone[n][i]) < 1e-13);
      }
      const auto a = counters(one), b = counters(many);
      BOOST_TEST(a.learned == b.learned);
      BOOST_TEST(a.domain == b.domain);
      BOOST_TEST(a.step_size == b.step_size);
      // In the place of a state that falls back goes another, so that the batch is whole.
      BOOST_TEST(b.rhs_evaluations >= a.rhs_evaluations);
      BOOST_TEST(b.rhs_evaluations <= a.rhs_evaluations + 4 * a.domain);
    }
    BOOST_TEST(calls > 0);
    BOOST_TEST(calls < 37 * 4 * 11);
  }
}

BOOST_AUTO_TEST_CASE(states_at_times_lie_on_the_trajectory_whatever_the_times) {
  const auto handle = load(test::pendulum_model());
  const auto stepper = make(handle, pendulum);
  const State start{0.2, 10.2, 0.0, 0.3};

  // Where the times are on the grid, the states are the steps', to the bit.
  State u = start;
  double t = 0.0;
  std::vector<double> times{0.0, 0.1, 0.2, 0.3, 0.4};
  std::vector<State> states(times.size());
  BOOST_REQUIRE_EQUAL(lodestep_states_at(stepper.get(), &t, u.data(), times.size(), times.data(), states[0].data()),
                      LODESTEP_SUCCESS);
  State walked = start;
  for (std::size_t n = 0; n < times.size(); ++n) {
    BOOST_TEST((states[n] == walked));
    lodestep_step(stepper.get(), 0.1 * static_cast<double>(n), walked.data(), 0.1);
  }

  // Between, they are the exact solution from the last step, as far as four sub-steps of RK4 go.
  u = start;
  t = 0.0;
  times = {0.05, 0.07, 0.26, 0.26, 0.45};
  std::vector<State> between(times.size());
  BOOST_REQUIRE_EQUAL(lodestep_states_at(stepper.get(), &t, u.data(), times.size(), times.data(), between[0].data()),
                      LODESTEP_SUCCESS);
  BOOST_TEST(t == 0.4);
  BOOST_TEST((u == states[4]));
  BOOST_TEST((between[2] == between[3]));
  RungeKutta fine(classical_tableau("rk4"), 4);
  const double from[] = {0.0, 0.0, 0.2, 0.2, 0.4};
  const State *of[] = {&start, &start, &states[2], &states[2], &states[4]};
  for (std::size_t n = 0; n < times.size(); ++n) {
    State exact = *of[n];
    const double h = (times[n] - from[n]) / 200;
    for (int k = 0; k < 200; ++k) fine.step(core_rhs(), 0.0, exact.data(), h, exact.data());
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(between[n][i] - exact[i]) < 2e-6);
  }

  // A time before the present, or out of order, is an error that says which.
  times = {0.6, 0.5};
  const State before = u;
  BOOST_TEST(lodestep_states_at(stepper.get(), &t, u.data(), 2, times.data(), between[0].data()) ==
             LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(std::string(lodestep_last_error()).find("times[1] = 0.5") != std::string::npos);
  BOOST_TEST((u == before));
  times = {0.3};
  BOOST_TEST(lodestep_states_at(stepper.get(), &t, u.data(), 1, times.data(), between[0].data()) ==
             LODESTEP_INVALID_ARGUMENT);
}

BOOST_AUTO_TEST_CASE(evolve_ends_exactly_where_it_was_asked_to) {
  const auto handle = load(test::pendulum_model());
  const auto stepper = make(handle, pendulum);
  State u{0.2, 10.2, 0.0, 0.3};
  double t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, u.data(), 1.0), LODESTEP_SUCCESS);
  BOOST_TEST(t == 1.0);
  BOOST_TEST(counters(stepper).learned == 10u);
  BOOST_TEST(counters(stepper).step_size == 0u);
  BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, u.data(), 1.25), LODESTEP_SUCCESS);
  BOOST_TEST(t == 1.25);
  BOOST_TEST(counters(stepper).learned == 12u);
  BOOST_TEST(counters(stepper).step_size == 1u);
  BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, u.data(), 1.25), LODESTEP_SUCCESS); // nowhere to go
  BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, u.data(), 1.0), LODESTEP_SUCCESS);  // backwards
  BOOST_TEST(t == 1.0);
  BOOST_TEST(counters(stepper).learned == 12u);
  BOOST_REQUIRE_EQUAL(lodestep_reset_counters(stepper.get()), LODESTEP_SUCCESS);
  BOOST_TEST(counters(stepper).learned + counters(stepper).step_size + counters(stepper).rhs_evaluations == 0u);

  const double infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST(lodestep_evolve(stepper.get(), &t, u.data(), infinity) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_evolve(stepper.get(), &t, u.data(), std::nan("")) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_evolve(stepper.get(), &t, u.data(), 1e300) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(t == 1.0);
}

BOOST_AUTO_TEST_CASE(error_estimate_is_the_distance_to_a_finer_solution) {
  const auto handle = load(test::pendulum_model());
  const auto stepper = make(handle, pendulum);
  const State u{0.2, 10.2, 0.1, 0.3};
  State estimate{};
  BOOST_REQUIRE_EQUAL(lodestep_estimate_error(stepper.get(), 0.0, u.data(), 0.1, estimate.data()), LODESTEP_SUCCESS);
  State learned = u, exact = u;
  BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, learned.data(), 0.1), LODESTEP_SUCCESS);
  RungeKutta fine(classical_tableau("rk4"), 4);
  for (int k = 0; k < 1000; ++k) fine.step(core_rhs(), 0.0, exact.data(), 1e-4, exact.data());
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(std::abs(estimate[i] - (learned[i] - exact[i])) < 1e-6);
    BOOST_TEST(std::abs(estimate[i]) > 1e-6);
  }
  BOOST_TEST(counters(stepper).learned == 1u);
}

namespace {

struct Failing {
  int result = 0;
  int after = 0; ///< good calls
  bool throws = false;
  double value = 0.0;
};

int failing(double t, const double *u, double *dudt, void *user) {
  auto &f = *static_cast<Failing *>(user);
  pendulum(t, u, dudt, nullptr);
  if (f.after-- > 0) return 0;
  if (f.throws) throw std::runtime_error("no pressure below the triple point");
  dudt[0] += f.value;
  return f.result;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_failing_right_hand_side_keeps_its_meaning_and_the_state) {
  const auto handle = load(test::pendulum_model());
  const State start{0.2, 10.2, 0.0, 0.3};
  const State outside{0.9, 10.2, 0.0, 0.3};
  for (const State &u0 : {start, outside}) {
    for (int good = 0; good < 4; ++good) {
      for (int result : {3, -7}) {
        Failing f{result, good, false, 0.0};
        const auto stepper = make(handle, failing, &f);
        State u = u0;
        BOOST_TEST(lodestep_step(stepper.get(), 1.5, u.data(), 0.1) ==
                   (result > 0 ? LODESTEP_RHS_RECOVERABLE : LODESTEP_RHS_FATAL));
        BOOST_TEST((u == u0));
        BOOST_TEST(lodestep_last_rhs_result(stepper.get()) == result);
        BOOST_TEST(std::string(lodestep_last_error()).find("returned " + std::to_string(result)) != std::string::npos);
        f.after = 1000; // and the stepper is still good
        BOOST_TEST(lodestep_step(stepper.get(), 1.5, u.data(), 0.1) == LODESTEP_SUCCESS);
      }
    }
  }
  Failing f{0, 2, true, 0.0};
  const auto stepper = make(handle, failing, &f);
  State u = start;
  BOOST_TEST(lodestep_step(stepper.get(), 0.0, u.data(), 0.1) == LODESTEP_RHS_THREW);
  BOOST_TEST(std::string(lodestep_last_error()).find("triple point") != std::string::npos);
  BOOST_TEST((u == start));

  // NaN: not learned, and not passed on.
  f = {0, 0, false, std::nan("")};
  BOOST_TEST(lodestep_step(stepper.get(), 0.0, u.data(), 0.1) == LODESTEP_NOT_FINITE);
  BOOST_TEST((u == start));

  // In an ensemble one state's failure leaves all as they were; evolve stops at the last good step.
  f = {-1, 10, false, 0.0};
  std::vector<State> states(5, start);
  BOOST_TEST(lodestep_step_ensemble(stepper.get(), 0.0, states[0].data(), 5, 0.1) == LODESTEP_RHS_FATAL);
  for (const auto &state : states) BOOST_TEST((state == start));
  f = {1, 4 * 3 + 2, false, 0.0};
  double t = 0.0;
  BOOST_TEST(lodestep_evolve(stepper.get(), &t, u.data(), 1.0) == LODESTEP_RHS_RECOVERABLE);
  BOOST_TEST(t == 3 * 0.1);
  f.after = 1000;
  State walked = start;
  for (int n = 0; n < 3; ++n) lodestep_step(stepper.get(), n * 0.1, walked.data(), 0.1);
  BOOST_TEST((u == walked));
}

BOOST_AUTO_TEST_CASE(eight_threads_share_a_model_and_give_the_bits_of_one) {
  const auto handle = load(test::pendulum_model());
  const auto starts = random_states(8);
  std::vector<State> serial = starts, parallel = starts;
  const auto run = [&](State &u) {
    lodestep_stepper *stepper = nullptr;
    if (lodestep_stepper_create(handle.get(), pendulum, nullptr, &stepper) != LODESTEP_SUCCESS) return;
    double t = 0.0;
    lodestep_evolve(stepper, &t, u.data(), 50.0);
    lodestep_step(stepper, 0.0, nullptr, 0.1); // each thread has its own last error
    lodestep_stepper_free(stepper);
  };
  for (auto &u : serial) run(u);
  std::vector<std::thread> threads;
  for (auto &u : parallel) threads.emplace_back([&] { run(u); });
  for (auto &thread : threads) thread.join();
  BOOST_TEST((parallel == serial));
  BOOST_TEST((parallel != starts));
}

BOOST_AUTO_TEST_CASE(bad_calls_are_errors_that_say_what_was_wrong) {
  lodestep_model *model = nullptr;
  BOOST_TEST(lodestep_model_load("no/such/model.safetensors", &model) == LODESTEP_IO_ERROR);
  BOOST_TEST(model == nullptr);
  BOOST_TEST(std::string(lodestep_last_error()).find("no/such/model.safetensors") != std::string::npos);
  const char rubbish[] = "rubbish";
  BOOST_TEST(lodestep_model_load_memory(rubbish, sizeof rubbish, "here", &model) == LODESTEP_INVALID_MODEL);
  BOOST_TEST(std::string(lodestep_last_error()).find("here") != std::string::npos);
  BOOST_TEST(lodestep_model_load(nullptr, &model) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_model_load("x", nullptr) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_model_dimension(nullptr) == 0u);
  BOOST_TEST(lodestep_model_base(nullptr) == nullptr);
  lodestep_model_free(nullptr);
  lodestep_stepper_free(nullptr);

  const auto handle = load(test::pendulum_model());
  BOOST_TEST(lodestep_model_variable(handle.get(), 4) == nullptr);
  lodestep_stepper *stepper = nullptr;
  BOOST_TEST(lodestep_stepper_create(handle.get(), nullptr, nullptr, &stepper) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(std::string(lodestep_last_error()) == "lodestep_stepper_create: rhs is a null pointer");
  const auto good = make(handle, pendulum);
  State u{0.2, 10.2, 0.0, 0.3};
  BOOST_TEST(lodestep_step(good.get(), 0.0, u.data(), std::nan("")) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(lodestep_step(nullptr, 0.0, u.data(), 0.1) == LODESTEP_INVALID_ARGUMENT);
}
