// The kinds of correctors beyond the plain one, each against its equation written out by hand.
#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <memory>

using namespace lodestep;

namespace {

constexpr double lambda = -0.7;

void decay(double, const double* u, double* dudt) {
  dudt[0] = lambda * u[0];
}

/// One variable, Euler's step of 0.5, an affine approximator of `inputs` inputs with weights 1, 2, 3, ... / 100 and
/// bias 0.05.
CorrectorModel affine_corrector(std::size_t inputs) {
  CorrectorModel corrector;
  corrector.base = "euler";
  corrector.dt = 0.5;
  corrector.approximator = ApproximatorSpec::zero(inputs, 1);
  for (std::size_t i = 0; i < inputs; ++i) {
    corrector.approximator.affine.weight[i] = 0.01 * static_cast<double>(i + 1);
  }
  corrector.approximator.affine.bias[0] = 0.05;
  corrector.domain.state = {{-10.0, 10.0}};
  corrector.domain.correction_limit = {10.0};
  corrector.fallback = "rk4";
  return corrector;
}

std::shared_ptr<const Corrector> share(CorrectorModel corrector) {
  Model model;
  model.variables = {{"x", ""}};
  model.method = std::move(corrector);
  return std::make_shared<const Corrector>(std::make_shared<const Model>(std::move(model)));
}

double one_step(CorrectedRungeKutta& stepper, double t, double x, double dt) {
  stepper.step(decay, t, &x, dt);
  return x;
}

void check_near(double actual, double expected) {
  BOOST_TEST(std::abs(actual - expected) <= 1e-15 * std::max(1.0, std::abs(expected)));
}

} // namespace

BOOST_AUTO_TEST_CASE(the_multiplicative_form_scales_the_increment) {
  CorrectorModel model = affine_corrector(1);
  model.form = CorrectorForm::multiplicative;
  CorrectedRungeKutta stepper(share(model));
  const double x = 0.8;
  const double increment = 0.5 * lambda * x;
  check_near(one_step(stepper, 0.0, x, 0.5), x + increment + increment * (0.05 + 0.01 * increment));
  BOOST_TEST(stepper.counters().learned() == 1u);
}

BOOST_AUTO_TEST_CASE(the_correction_of_a_dt_aware_model_vanishes_with_the_order_of_the_base) {
  for (const CorrectorForm form : {CorrectorForm::additive, CorrectorForm::multiplicative}) {
    CorrectorModel model = affine_corrector(2);
    model.form = form;
    model.shortest_dt = 0.1;
    CorrectedRungeKutta stepper(share(model));
    const double x = 0.8;
    for (const double h : {0.5, 0.3, 0.1, 0.01, 1e-5}) {
      const double increment = h * lambda * x;
      // Fed with the increment a step of dt would have, and with no step shorter than any of training.
      const double q = 0.05 + 0.01 * increment * 0.5 / h + 0.02 * std::max(h, 0.1);
      const double c = form == CorrectorForm::additive ? (h / 0.5) * (h / 0.5) : increment * (h / 0.5);
      check_near(one_step(stepper, 0.0, x, h), x + increment + c * q);
    }
    BOOST_TEST(stepper.counters().learned() == 5u);
    one_step(stepper, 0.0, x, 0.6);
    one_step(stepper, 0.0, x, -0.2);
    BOOST_TEST(stepper.counters()[Verdict::step_size] == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_phase_enters_as_its_cosine_and_sine) {
  CorrectorModel model = affine_corrector(3);
  model.input = CorrectorInput::state;
  model.time = TimeInput::phase;
  model.period = 3.0;
  CorrectedRungeKutta stepper(share(model));
  const double pi = std::acos(-1.0);
  for (const double t : {0.0, 0.4, 2.9, 1e3}) {
    const double x = 0.8;
    const double q = 0.05 + 0.01 * x + 0.02 * std::cos(2 * pi / 3 * t) + 0.03 * std::sin(2 * pi / 3 * t);
    const double actual = one_step(stepper, t, x, 0.5);
    BOOST_TEST(std::abs(actual - (x + 0.5 * lambda * x + q)) < 1e-13);
  }
  BOOST_TEST(stepper.counters().learned() == 4u);
}

BOOST_AUTO_TEST_CASE(elapsed_time_is_part_of_the_domain) {
  CorrectorModel model = affine_corrector(2);
  model.time = TimeInput::elapsed;
  model.time_range = {0.0, 10.0};
  CorrectedRungeKutta stepper(share(model));
  const double x = 0.8;
  const double increment = 0.5 * lambda * x;
  check_near(one_step(stepper, 9.5, x, 0.5), x + increment + 0.05 + 0.01 * increment + 0.02 * 9.5);
  one_step(stepper, 9.6, x, 0.5);
  one_step(stepper, -0.1, x, 0.5);
  BOOST_TEST(stepper.counters().learned() == 1u);
  BOOST_TEST(stepper.counters()[Verdict::domain] == 2u);
}

BOOST_AUTO_TEST_CASE(a_parameter_is_set_on_the_stepper_and_part_of_the_domain) {
  CorrectorModel model = affine_corrector(2);
  model.parameters = {{"k", 40.0, {30.0, 50.0}}};
  CorrectedRungeKutta stepper(share(model));
  const double x = 0.8;
  const double increment = 0.5 * lambda * x;
  const auto expected = [&](double k) { return x + increment + 0.05 + 0.01 * increment + 0.02 * k; };
  auto large = model;
  check_near(one_step(stepper, 0.0, x, 0.5), expected(40.0));
  stepper.set_parameter("k", 31.0);
  check_near(one_step(stepper, 0.0, x, 0.5), expected(31.0));
  const CorrectedRungeKutta copy = stepper;
  check_near(one_step(*std::make_unique<CorrectedRungeKutta>(copy), 0.0, x, 0.5), expected(31.0));
  stepper.set_parameter("k", 51.0);
  one_step(stepper, 0.0, x, 0.5);
  BOOST_TEST(stepper.counters()[Verdict::domain] == 1u);
  stepper.set_parameter("k", 50.0); // back again
  check_near(one_step(stepper, 0.0, x, 0.5), expected(50.0));
  BOOST_CHECK_THROW(stepper.set_parameter("m", 1.0), InvalidArgument);
  BOOST_CHECK_THROW(stepper.set_parameter("k", std::numeric_limits<double>::quiet_NaN()), InvalidArgument);
  check_near(one_step(stepper, 0.0, x, 0.5), expected(50.0)); // as it was
  CorrectedRungeKutta plain(share(affine_corrector(1)));
  BOOST_CHECK_THROW(plain.set_parameter("k", 1.0), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_state_outside_the_density_falls_back_and_comes_back) {
  CorrectorModel model = affine_corrector(1);
  Density density{ApproximatorSpec::zero(1, 2), 2.0};
  density.projection.affine.weight = {1.0, 1.0}; // |y|^2 = 2 x^2: inside for |x| <= 1, though the box reaches to 10
  model.domain.density = density;
  CorrectedRungeKutta stepper(share(model));
  one_step(stepper, 0.0, 0.99, 0.5);
  BOOST_TEST(stepper.counters().learned() == 1u);
  const double fallen = one_step(stepper, 0.0, 1.01, 0.5);
  BOOST_TEST(stepper.counters()[Verdict::domain] == 1u);
  RungeKutta rk4(classical_tableau("rk4"), 1);
  double expected = 1.01;
  rk4.step(decay, 0.0, &expected, 0.5, &expected);
  BOOST_TEST(fallen == expected);
  // A trajectory that starts outside and decays into the domain is handed to the model.
  double x = 3.0;
  stepper.reset_counters();
  for (int n = 0; n < 20; ++n) x = one_step(stepper, 0.0, x, 0.5);
  BOOST_TEST(stepper.counters()[Verdict::domain] >= 3u);
  BOOST_TEST(stepper.counters().learned() >= 10u);
  x = std::numeric_limits<double>::quiet_NaN();
  one_step(stepper, 0.0, x, 0.5);
  BOOST_TEST(stepper.counters().total() == 21u);
}

BOOST_AUTO_TEST_CASE(the_error_estimate_grows_with_the_leverage_and_shrinks_with_the_step) {
  CorrectorModel model = affine_corrector(2);
  model.shortest_dt = 0.1;
  Density density{ApproximatorSpec::zero(1, 1), 4.0};
  density.projection.affine.weight = {1.0};
  model.domain.density = density;
  model.estimate.scale = {1e-3};
  model.estimate.growth = 8.0;
  CorrectedRungeKutta stepper(share(model));
  double error = 0.0;
  one_step(stepper, 0.0, 1.0, 0.5);
  stepper.error_estimate(0.5, &error);
  check_near(error, 1e-3 * std::sqrt(1.0 + 8.0 * 1.0 / 4.0));
  one_step(stepper, 0.0, 0.0, 0.25);
  stepper.error_estimate(0.25, &error);
  check_near(error, 1e-3 / 4.0);
}
