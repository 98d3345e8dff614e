// Correctors of every kind, and learned tableaux, through the C library.
#include "c_handles.hpp"
#include "pendulum_models.hpp"

#include <lodestep/learned_tableau.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;
using State = std::array<double, 4>;

namespace {

/// The elastic pendulum, its pivot shaken: it depends on t.
int pendulum(double t, const double *u, double *dudt, void *) {
  const double g = 9.81 + 0.3 * std::cos(3.14159265358979323846 * t);
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(g * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + g * std::cos(u[0]);
  return 0;
}
constexpr auto core_rhs = [](double t, const double *u, double *dudt) { return pendulum(t, u, dudt, nullptr); };

struct Case {
  std::string name;
  PendulumOptions options;
};

std::vector<Case> cases() {
  std::vector<Case> list;
  const auto add = [&](std::string name, auto &&change) {
    Case c{std::move(name), {}};
    c.options.hidden = {12};
    change(c.options);
    list.push_back(std::move(c));
  };
  add("a fallback of its own", [](auto &o) { o.base = "euler", o.fallback = "rk4"; });
  add("dt-aware", [](auto &o) { o.shortest_dt = 0.02, o.estimate = true; });
  add("multiplicative", [](auto &o) { o.form = CorrectorForm::multiplicative; });
  add("phase", [](auto &o) { o.time = TimeInput::phase, o.density = true; });
  add("elapsed", [](auto &o) { o.time = TimeInput::elapsed; });
  add("parameters", [](auto &o) { o.parameters = {"g", "k"}, o.density = true, o.estimate = true; });
  add("everything", [](auto &o) {
    o.shortest_dt = 0.02, o.form = CorrectorForm::multiplicative, o.time = TimeInput::phase;
    o.parameters = {"g", "k"}, o.input = CorrectorInput::stages, o.density = true, o.estimate = true;
  });
  return list;
}

} // namespace

BOOST_AUTO_TEST_CASE(correctors_of_every_kind_have_the_bits_of_the_core) {
  for (const auto &[name, options] : cases()) {
    BOOST_TEST_CONTEXT(name) {
      const auto model = std::make_shared<const Model>(pendulum_model(options));
      const auto handle = load(*model);
      const auto stepper = make(handle, pendulum);
      CorrectedRungeKutta core(std::make_shared<const Corrector>(model));
      SmallRandom random(3);
      std::vector<State> ensemble;
      for (int n = 0; n < 300; ++n) {
        if (n == 100 && !options.parameters.empty()) {
          BOOST_TEST(lodestep_stepper_set_parameter(stepper.get(), "k", 1.3) == LODESTEP_SUCCESS);
          core.set_parameter("k", 1.3);
        }
        State u;
        pendulum_state(random, u.data());
        const double dt = n % 7 == 3 ? 0.05 : n % 7 == 4 ? 0.12 : 0.1;
        const double t = 0.1 * (n % 60);
        State expected = u, error, core_error;
        BOOST_REQUIRE_EQUAL(lodestep_step_error(stepper.get(), t, u.data(), dt, error.data()), LODESTEP_SUCCESS);
        BOOST_REQUIRE_EQUAL(core.step(core_rhs, t, expected.data(), dt), 0);
        core.error_estimate(dt, core_error.data());
        BOOST_REQUIRE(u == expected);
        BOOST_REQUIRE(error == core_error);
        BOOST_REQUIRE(error[0] > 0.0);
      }
      const auto c = counters(stepper);
      const auto expected = core.counters();
      BOOST_TEST(c.learned == expected[Verdict::learned]);
      BOOST_TEST(c.step_size == expected[Verdict::step_size]);
      BOOST_TEST(c.domain == expected[Verdict::domain]);
      BOOST_TEST(c.learned > 10u);
      BOOST_TEST(c.learned < 300u);

      // An ensemble, made after a parameter was set, knows of it.
      std::vector<State> many(70), alone;
      for (auto &u : many) pendulum_state(random, u.data());
      alone = many;
      BOOST_REQUIRE_EQUAL(lodestep_step_ensemble(stepper.get(), 0.3, many[0].data(), many.size(), 0.1),
                          LODESTEP_SUCCESS);
      for (std::size_t k = 0; k < many.size(); ++k) {
        BOOST_REQUIRE_EQUAL(core.step(core_rhs, 0.3, alone[k].data(), 0.1), 0);
        for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(many[k][i] - alone[k][i]) < 1e-13);
      }
      BOOST_TEST(counters(stepper).learned == core.counters()[Verdict::learned]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_model_says_what_it_takes) {
  PendulumOptions options;
  options.parameters = {"g", "k"};
  options.dense_points = 3;
  const auto handle = load(pendulum_model(options));
  BOOST_TEST(std::string(lodestep_model_kind(handle.get())) == "corrector");
  BOOST_TEST(lodestep_model_shortest_dt(handle.get()) == 0.1);
  BOOST_TEST(lodestep_model_dt(handle.get()) == 0.1);
  BOOST_TEST(lodestep_model_fine_dt(handle.get()) == 0.025);
  BOOST_TEST(lodestep_model_parameters(handle.get()) == 2u);
  double lower = 0.0, upper = 0.0;
  BOOST_TEST(std::string(lodestep_model_parameter(handle.get(), 1, &lower, &upper)) == "k");
  BOOST_TEST(lower == 0.5);
  BOOST_TEST(upper == 1.5);
  BOOST_TEST(lodestep_model_parameter(handle.get(), 2, nullptr, nullptr) == nullptr);
  BOOST_TEST(lodestep_model_kind(nullptr) == nullptr);
  BOOST_TEST(lodestep_model_parameters(nullptr) == 0u);
  PendulumOptions any_dt;
  any_dt.shortest_dt = 0.02;
  BOOST_TEST(lodestep_model_shortest_dt(load(pendulum_model(any_dt)).get()) == 0.0);
  const auto stepper = make(handle, pendulum);
  BOOST_TEST(lodestep_stepper_set_parameter(stepper.get(), "m", 1.0) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(std::string(lodestep_last_error()).find("g, k") != std::string::npos);
  // Outside of the trained interval nothing is learned.
  BOOST_TEST(lodestep_stepper_set_parameter(stepper.get(), "g", 2.0) == LODESTEP_SUCCESS);
  State u{0.2, 10.2, 0.0, 0.3};
  BOOST_TEST(lodestep_step(stepper.get(), 0.0, u.data(), 0.1) == LODESTEP_SUCCESS);
  BOOST_TEST(counters(stepper).domain == 1u);
}

BOOST_AUTO_TEST_CASE(learned_states_within_a_step_are_given_where_there_are_any) {
  PendulumOptions options;
  options.dense_points = 4;
  const auto model = std::make_shared<const Model>(pendulum_model(options));
  const auto handle = load(*model);
  const auto stepper = make(handle, pendulum);
  const auto corrector = std::make_shared<const Corrector>(model);
  CorrectedRungeKutta core(corrector);
  constexpr std::size_t count = 23; // the last step is cut short
  const State start{0.2, 10.2, 0.0, 0.3};
  std::vector<State> states(count + 1), expected{start};
  State u = start;
  double t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_fine_states(stepper.get(), &t, u.data(), count, states[0].data()), LODESTEP_SUCCESS);
  BOOST_TEST(std::abs(t - count * 0.02) < 1e-15);
  State at = start;
  while (expected.size() <= count) {
    std::array<State, 4> within;
    const double time = 0.1 * static_cast<double>((expected.size() - 1) / 5);
    BOOST_REQUIRE_EQUAL(core.attempt(core_rhs, time, at.data(), 0.1), 0);
    BOOST_REQUIRE(core.dense_states(at.data(), within[0].data()));
    expected.insert(expected.end(), within.begin(), within.end());
    core.accept(at.data());
    expected.push_back(at);
  }
  expected.resize(count + 1);
  BOOST_TEST((states == expected));
  BOOST_TEST((u == expected.back()));
  BOOST_TEST(counters(stepper).learned == 5u);

  // The same states at the same times, however they are asked for, and those between them near by.
  std::vector<double> times;
  for (std::size_t n = 0; n <= 20; ++n) times.push_back(0.02 * static_cast<double>(n));
  times.push_back(0.407);
  std::vector<State> asked(times.size());
  u = start;
  t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_states_at(stepper.get(), &t, u.data(), times.size(), times.data(), asked[0].data()),
                      LODESTEP_SUCCESS);
  for (std::size_t n = 0; n <= 20; ++n) {
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(asked[n][i] - expected[n][i]) < 1e-14);
  }
  BOOST_TEST(std::abs(asked[21][0] - expected[20][0]) < 0.01);
  BOOST_TEST((asked[21] != expected[20]));

  // Where a step may not be learned, the fallback's own states.
  State outside{0.9, 10.2, 0.0, 0.3};
  const State from = outside;
  t = 0.0;
  BOOST_REQUIRE_EQUAL(lodestep_fine_states(stepper.get(), &t, outside.data(), 5, states[0].data()), LODESTEP_SUCCESS);
  RungeKutta fine(classical_tableau("rk4"), 4);
  State exact = from;
  for (int n = 0; n < 1000; ++n) fine.step(core_rhs, 1e-4 * n, exact.data(), 1e-4, exact.data());
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(std::abs(outside[i] - exact[i]) < 1e-6);
  BOOST_TEST(counters(stepper).domain == 1u);

  const auto without = make(load(pendulum_model()), pendulum);
  BOOST_TEST(lodestep_fine_states(without.get(), &t, u.data(), 5, states[0].data()) == LODESTEP_INVALID_ARGUMENT);
  BOOST_TEST(std::string(lodestep_last_error()).find("no states within its steps") != std::string::npos);
  BOOST_TEST(lodestep_parareal_states(stepper.get(), &t, u.data(), 5, states[0].data(), 1, nullptr) ==
             LODESTEP_INVALID_ARGUMENT);
}

namespace {

/// Heun's method, its coefficients bent by the step and, if asked for, by a parameter.
Model tableau_model(bool of_parameter) {
  TableauModel tableau;
  tableau.tableau = classical_tableau("heun");
  tableau.tableau.name = "learned";
  tableau.tableau.order = 1;
  tableau.family = "oscillators";
  tableau.classical = "rk4";
  tableau.trained_dt = {0.01, 0.2};
  tableau.dt = {0.02, 0.1};
  tableau.parameters = {{"omega", {0.5, 2.0}, {0.5, 2.0}}};
  TableauTerm term;
  term.powers = {1, 0};
  term.a = {0.0, 0.0, 0.1, 0.0};
  term.b = {0.05, -0.05};
  tableau.terms.push_back(term);
  if (of_parameter) {
    term.powers = {0, 1};
    tableau.terms.push_back(term);
  }
  tableau.state = {{-2.0, 2.0}, {-2.0, 2.0}};
  Model model;
  model.variables = {{"x", ""}, {"v", ""}};
  model.provenance.problem = "oscillators";
  model.error.step_rms = 1e-3;
  model.error.base_step_rms = 1e-2;
  model.method = tableau;
  return model;
}
int oscillator(double, const double *u, double *dudt, void *) {
  dudt[0] = u[1];
  dudt[1] = -u[0];
  return 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(learned_tableaux_take_steps_too) {
  for (const bool of_parameter : {false, true}) {
    const auto model = std::make_shared<const Model>(tableau_model(of_parameter));
    const auto handle = load(*model);
    BOOST_TEST(std::string(lodestep_model_kind(handle.get())) == "tableau");
    BOOST_TEST(lodestep_model_dt(handle.get()) == 0.1);
    BOOST_TEST(lodestep_model_shortest_dt(handle.get()) == 0.02);
    BOOST_TEST(std::string(lodestep_model_base(handle.get())) == "rk4");
    const auto stepper = make(handle, oscillator);
    std::array<double, 2> u{1.0, -0.3}, v = u, error;
    if (of_parameter) { // unknown as yet: classical
      BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, u.data(), 0.05), LODESTEP_SUCCESS);
      RungeKutta(classical_tableau("rk4"), 2)
          .step([](double t, const double *x, double *y) { return oscillator(t, x, y, nullptr); }, 0.0, v.data(), 0.05,
                v.data());
      BOOST_TEST((u == v));
      BOOST_TEST(counters(stepper).step_size == 1u);
      BOOST_REQUIRE_EQUAL(lodestep_stepper_set_parameter(stepper.get(), "omega", 1.4), LODESTEP_SUCCESS);
    }
    const LearnedTableau learned(model, of_parameter ? std::vector<double>{1.4} : std::vector<double>{});
    for (const double dt : {0.05, 0.1, 0.03, 0.05}) {
      RungeKutta core(learned.at(dt), 2);
      v = u;
      BOOST_REQUIRE_EQUAL(lodestep_step_error(stepper.get(), 0.0, u.data(), dt, error.data()), LODESTEP_SUCCESS);
      core.step([](double t, const double *x, double *y) { return oscillator(t, x, y, nullptr); }, 0.0, v.data(), dt,
                v.data());
      BOOST_TEST((u == v));
      BOOST_TEST(error[1] == 1e-3);
    }
    BOOST_TEST(counters(stepper).learned == 4u);
    BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, u.data(), 0.3), LODESTEP_SUCCESS);
    BOOST_TEST(counters(stepper).step_size == (of_parameter ? 2u : 1u));
    std::array<double, 2> outside{3.0, 0.0};
    BOOST_REQUIRE_EQUAL(lodestep_step(stepper.get(), 0.0, outside.data(), 0.05), LODESTEP_SUCCESS);
    BOOST_TEST(counters(stepper).domain == 1u);
    std::vector<std::array<double, 2>> many(9, {0.4, 0.1});
    double t = 0.0;
    BOOST_REQUIRE_EQUAL(lodestep_evolve_ensemble(stepper.get(), &t, many[0].data(), many.size(), 1.05),
                        LODESTEP_SUCCESS);
    std::array<double, 2> one{0.4, 0.1};
    t = 0.0;
    BOOST_REQUIRE_EQUAL(lodestep_evolve(stepper.get(), &t, one.data(), 1.05), LODESTEP_SUCCESS);
    BOOST_TEST((many[8] == one));
    BOOST_TEST(lodestep_stepper_set_parameter(stepper.get(), "mu", 1.0) == LODESTEP_INVALID_ARGUMENT);
  }
}
