// Ensembles against the same systems stepped one by one.
#include "random_approximator.hpp"

#include <lodestep/ensemble.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/vector_math.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

namespace {

constexpr std::size_t dimension = 3;

/// A damped oscillator with a clock, one member and many: the same operations in the same order.
void rhs_one(double t, const double* u, double* dudt) {
  dudt[0] = u[1];
  dudt[1] = -u[0] - 0.1 * u[1] * u[2];
  dudt[2] = 0.5 - 0.01 * t * u[2];
}
void rhs_many(double t, const double* u, double* dudt, std::size_t n) {
  for (std::size_t k = 0; k < n; ++k) {
    dudt[k] = u[n + k];
    dudt[n + k] = -u[k] - 0.1 * u[n + k] * u[2 * n + k];
    dudt[2 * n + k] = 0.5 - 0.01 * t * u[2 * n + k];
  }
}

/// Everything beyond a plain corrector that a model may have at once.
void add_everything(CorrectorModel& corrector) {
  corrector.shortest_dt = 0.1;
  corrector.time = TimeInput::phase;
  corrector.period = 3.0;
  corrector.parameters = {{"k", 1.5, {1.0, 2.0}}};
}

/// A density that a good part of the states are outside of.
Density narrow_density(std::size_t inputs) {
  Density density{ApproximatorSpec::zero(inputs, 4), 0.25};
  density.projection.affine.weight[0] = 1.0; // inside where the first variable is within 0.5
  return density;
}

std::shared_ptr<const Corrector> make_corrector(const char* base, CorrectorInput input, bool everything = false,
                                                CorrectorForm form = CorrectorForm::additive, bool dense = false) {
  Engine engine(11);
  auto model = std::make_shared<Model>();
  model->variables.resize(dimension);
  for (std::size_t i = 0; i < dimension; ++i) model->variables[i].name = "u" + std::to_string(i);
  CorrectorModel corrector;
  corrector.base = base;
  corrector.dt = 0.25;
  corrector.input = input;
  const std::size_t stages = classical_tableau(base).stages();
  corrector.form = form;
  if (everything) add_everything(corrector);
  const CorrectorFeatures features(corrector, dimension, stages);
  corrector.approximator = random_mlp(engine, Precision::f64, Activation::tanh, features.count(), {24}, dimension);
  if (dense) corrector.domain.density = narrow_density(features.density_count());
  corrector.domain.state.assign(dimension, {-4.0, 4.0});
  corrector.domain.correction_limit.assign(dimension, 1.0);
  corrector.fallback_substeps = 3;
  model->method = corrector;
  return std::make_shared<const Corrector>(model);
}

void check_close(const std::vector<double>& actual, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(actual.size() == expected.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    if (!(error <= worst)) worst = error;
  }
  BOOST_TEST(worst < 1e-13);
}

} // namespace

BOOST_AUTO_TEST_CASE(classical_ensembles_agree_with_single_runs) {
  for (const auto& tableau : classical_tableaux()) {
    for (std::size_t members : {1, 2, 63, 64, 65, 200}) {
      Engine engine(1);
      auto x = uniform(engine, dimension * members, -1.0, 1.0);
      auto expected = x;
      EnsembleRungeKutta ensemble(tableau, dimension);
      RungeKutta single(tableau, dimension);
      for (int step = 0; step < 5; ++step) {
        BOOST_TEST(ensemble.step(rhs_many, 0.1 * step, x.data(), 0.1, members) == 0);
        for (std::size_t j = 0; j < members; ++j) {
          double* u = expected.data() + j * dimension;
          single.step(rhs_one, 0.1 * step, u, 0.1, u);
        }
      }
      check_close(x, expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(learned_ensembles_agree_with_single_runs) {
  for (const char* base : {"euler", "rk4"}) {
    for (CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
      const auto corrector = make_corrector(base, input);
      for (std::size_t members : {1, 3, 64, 130}) {
        Engine engine(2);
        auto x = uniform(engine, dimension * members, -1.0, 1.0);
        auto expected = x;
        EnsembleCorrected ensemble(corrector);
        CorrectedRungeKutta single(corrector);
        for (int step = 0; step < 4; ++step) {
          // The third step is not the trained one: everybody falls back.
          const double dt = step == 2 ? 0.1 : 0.25;
          BOOST_TEST(ensemble.step(rhs_many, 0.25 * step, x.data(), dt, members) == 0);
          for (std::size_t j = 0; j < members; ++j) {
            single.step(rhs_one, 0.25 * step, expected.data() + j * dimension, dt);
          }
        }
        check_close(x, expected);
        BOOST_TEST((ensemble.counters().steps == single.counters().steps));
        BOOST_TEST(ensemble.counters()[Verdict::step_size] == members);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_kind_of_learned_ensemble_agrees_with_single_runs) {
  for (const CorrectorForm form : {CorrectorForm::additive, CorrectorForm::multiplicative}) {
    for (CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
      const auto corrector = make_corrector("heun", input, true, form, true);
      constexpr std::size_t members = 130;
      Engine engine(4);
      auto x = uniform(engine, dimension * members, -1.0, 1.0);
      auto expected = x;
      auto whole = x;
      EnsembleCorrected ensemble(corrector);
      EnsembleCorrected at_once(corrector);
      CorrectedRungeKutta single(corrector);
      ensemble.set_parameter("k", 1.25);
      at_once.set_parameter("k", 1.25);
      single.set_parameter("k", 1.25);
      const auto rhs_whole = [](double t, const double* u, double* dudt) {
        for (std::size_t j = 0; j < members; ++j) rhs_one(t, u + j * dimension, dudt + j * dimension);
      };
      double t = 0.0;
      for (const double dt : {0.25, 0.2, 0.07, 0.25}) {
        BOOST_TEST(ensemble.step(rhs_many, t, x.data(), dt, members) == 0);
        BOOST_TEST(at_once.step_whole(rhs_whole, t, whole.data(), dt, members) == 0);
        for (std::size_t j = 0; j < members; ++j) single.step(rhs_one, t, expected.data() + j * dimension, dt);
        t += dt;
      }
      check_close(x, expected);
      check_close(whole, expected);
      BOOST_TEST((ensemble.counters().steps == single.counters().steps));
      BOOST_TEST((at_once.counters().steps == single.counters().steps));
      BOOST_TEST(single.counters().learned() > 50u);
      BOOST_TEST(single.counters()[Verdict::domain] > 50u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_bad_member_falls_back_alone) {
  const auto corrector = make_corrector("rk4", CorrectorInput::increment);
  constexpr std::size_t members = 150;
  Engine engine(3);
  const auto start = uniform(engine, dimension * members, -1.0, 1.0);
  auto healthy = start;
  EnsembleCorrected all_good(corrector);
  all_good.step(rhs_many, 0.0, healthy.data(), 0.25, members);
  BOOST_TEST(all_good.counters().learned() == members);

  auto x = start;
  x[7 * dimension] = 5.0;                                           // outside the box
  x[64 * dimension + 1] = std::numeric_limits<double>::quiet_NaN(); // the first of a block
  x[149 * dimension + 2] = std::numeric_limits<double>::infinity(); // the last of all
  auto alone = std::vector<double>(x.begin() + 7 * dimension, x.begin() + 8 * dimension);
  EnsembleCorrected ensemble(corrector);
  std::size_t largest = 0;
  bool refused_seen = false;
  int calls = 0;
  const auto watching = [&](double t, const double* u, double* dudt, std::size_t n) {
    rhs_many(t, u, dudt, n);
    largest = std::max(largest, n);
    ++calls;
    if (n > 3) {
      for (std::size_t i = 0; i < dimension * n; ++i) refused_seen |= !std::isfinite(u[i]) || std::abs(u[i]) > 4.5;
    }
  };
  BOOST_TEST(ensemble.step(watching, 0.0, x.data(), 0.25, members) == 0);
  BOOST_TEST(ensemble.counters().learned() == members - 3);
  BOOST_TEST(ensemble.counters()[Verdict::domain] == 3u);
  BOOST_TEST(largest <= ensemble_block);
  BOOST_TEST(!refused_seen);
  // Three blocks of four stages, and one block of the three that fell back: 3 sub-steps of four stages.
  BOOST_TEST(calls == 3 * 4 + 3 * 4);
  for (std::size_t j = 0; j < members; ++j) {
    if (j == 7 || j == 64 || j == 149) continue;
    for (std::size_t i = 0; i < dimension; ++i) BOOST_TEST(x[j * dimension + i] == healthy[j * dimension + i]);
  }
  CorrectedRungeKutta single(corrector);
  single.step(rhs_one, 0.0, alone.data(), 0.25);
  for (std::size_t i = 0; i < dimension; ++i) BOOST_TEST(std::abs(x[7 * dimension + i] - alone[i]) < 1e-14);
  BOOST_TEST(std::isnan(x[64 * dimension + 1]));
}

BOOST_AUTO_TEST_CASE(a_failing_right_hand_side_changes_nothing) {
  const auto corrector = make_corrector("rk4", CorrectorInput::increment);
  constexpr std::size_t members = 100;
  Engine engine(4);
  const auto start = uniform(engine, dimension * members, -1.0, 1.0);
  int calls = 0;
  const auto failing = [&](double t, const double* u, double* dudt, std::size_t n) {
    rhs_many(t, u, dudt, n);
    return ++calls == 6 ? 42 : 0; // in the second block
  };
  auto x = start;
  EnsembleCorrected learned(corrector);
  BOOST_TEST(learned.step(failing, 0.0, x.data(), 0.25, members) == 42);
  BOOST_TEST(x == start, boost::test_tools::per_element());
  BOOST_TEST(learned.counters().total() == 0u);
  calls = 0;
  EnsembleRungeKutta classical(classical_tableau("rk4"), dimension);
  BOOST_TEST(classical.step(failing, 0.0, x.data(), 0.25, members) == 42);
  BOOST_TEST(x == start, boost::test_tools::per_element());
  const auto throwing = [](double, const double*, double*, std::size_t) { throw std::runtime_error("no"); };
  BOOST_CHECK_THROW(learned.step(throwing, 0.0, x.data(), 0.25, members), std::runtime_error);
  BOOST_TEST(x == start, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sine_and_cosine_of_many) {
  Engine engine(5);
  for (std::size_t n : {1, 3, 8, 64, 1001}) {
    auto x = uniform(engine, n, -100.0, 100.0);
    x[0] = 0.0;
    std::vector<double> s(n);
    std::vector<double> c(n);
    sine_cosine(x.data(), s.data(), c.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      BOOST_TEST(std::abs(s[i] - std::sin(x[i])) < 1e-15);
      BOOST_TEST(std::abs(c[i] - std::cos(x[i])) < 1e-15);
    }
  }
  // The stated bound, where it is hardest: over the whole range, and next to the zeros.
  const auto ulps = [](double actual, long double truth) {
    const double size = std::abs(static_cast<double>(truth));
    return static_cast<double>(std::abs(actual - truth) / (std::nextafter(size, 2.0) - size));
  };
  auto many = uniform(engine, 100000, -1e4, 1e4);
  for (int n = -6366; n <= 6366; ++n) many.push_back(n * 1.5707963267948966);
  std::vector<double> sines(many.size());
  std::vector<double> cosines(many.size());
  sine_cosine(many.data(), sines.data(), cosines.data(), many.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < many.size(); ++i) {
    const long double x = many[i];
    if (x == 0.0L) continue;
    worst = std::max({worst, ulps(sines[i], std::sin(x)), ulps(cosines[i], std::cos(x))});
  }
  BOOST_TEST_MESSAGE("sine and cosine, largest error in ulp: " << worst);
  BOOST_TEST(worst <= 4.0);
  const double bad = std::numeric_limits<double>::quiet_NaN();
  double s = 0.0;
  double c = 0.0;
  sine_cosine(&bad, &s, &c, 1);
  BOOST_TEST(std::isnan(s));
  BOOST_TEST(std::isnan(c));
}
