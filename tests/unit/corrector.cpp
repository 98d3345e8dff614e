// The judge of when a step may be learned, alone and on an ensemble.
#include <lodestep/corrector.hpp>
#include <lodestep/ensemble.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

using namespace lodestep;

namespace {

/// x' = -x with a corrector of constant output, fed with what `input` says; the box is [-1, 1].
std::shared_ptr<const Corrector> constant_corrector(CorrectorInput input, double output, double limit) {
  Model model;
  model.variables = {{"x", ""}};
  CorrectorModel corrector;
  corrector.base = "euler";
  corrector.dt = 0.5;
  corrector.input = input;
  corrector.approximator = ApproximatorSpec::zero(1, 1);
  corrector.approximator.affine.bias[0] = output;
  corrector.domain.state = {{-1.0, 1.0}};
  corrector.domain.correction_limit = {limit};
  corrector.fallback = "rk4";
  corrector.fallback_substeps = 4;
  model.method = corrector;
  return std::make_shared<const Corrector>(std::make_shared<const Model>(model));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_right_hand_side_that_is_not_finite_is_never_a_learned_step) {
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      const auto corrector = constant_corrector(input, 0.01, 0.1);
      CorrectedRungeKutta alone(corrector);
      double x = 0.5;
      alone.step([bad](double, const double*, double* dxdt) { dxdt[0] = bad; }, 0.0, &x, 0.5);
      BOOST_TEST(alone.counters()[Verdict::correction] == 1u);
      BOOST_TEST(alone.counters().learned() == 0u);

      EnsembleCorrected together(corrector);
      std::vector<double> members(11, 0.5);
      members[3] = -0.5; // the one whose right-hand side fails
      const auto rhs = [bad](double, const double* u, double* dudt, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) dudt[i] = u[i] < 0.0 ? bad : -u[i];
      };
      together.step(rhs, 0.0, members.data(), 0.5, members.size());
      BOOST_TEST(together.counters()[Verdict::correction] == 1u);
      BOOST_TEST(together.counters().learned() == 10u);
      BOOST_TEST(std::isfinite(members[0]));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_low_order_base_falls_back_on_rk4) {
  const auto corrector = constant_corrector(CorrectorInput::increment, 1.0, 0.1); // larger than its limit
  BOOST_TEST(corrector->fallback() == "rk4");
  CorrectedRungeKutta stepper(corrector);
  double x = 0.5;
  const auto rhs = [](double, const double* u, double* dudt) { dudt[0] = -u[0]; };
  stepper.step(rhs, 0.0, &x, 0.5);
  RungeKutta rk4(classical_tableau("rk4"), 1);
  double expected = 0.5;
  for (int i = 0; i < 4; ++i) rk4.step(rhs, 0.125 * i, &expected, 0.125, &expected);
  BOOST_TEST(x == expected);
  BOOST_TEST(stepper.counters()[Verdict::correction] == 1u);
  // One Euler step that was not good enough, and four of RK4.
  BOOST_TEST(stepper.rhs_evaluations() == 17u);
}

BOOST_AUTO_TEST_CASE(off_grid_steps_take_as_many_sub_steps_as_they_need) {
  const auto corrector = constant_corrector(CorrectorInput::increment, 0.0, 0.1);
  BOOST_TEST(corrector->substeps(0.5) == 4u);
  BOOST_TEST(corrector->substeps(0.3) == 3u);
  BOOST_TEST(corrector->substeps(-0.5) == 4u);
  BOOST_TEST(corrector->substeps(1e-9) == 1u);
  const Corrector::Scratch scratch(*corrector);
  const double inside = 0.0;
  const double outside = 1.5;
  BOOST_CHECK(corrector->admits(0.0, 0.5, &inside, scratch) == Verdict::learned);
  BOOST_CHECK(corrector->admits(0.0, 0.3, &inside, scratch) == Verdict::step_size);
  BOOST_CHECK(corrector->admits(0.0, -0.5, &inside, scratch) == Verdict::step_size);
  BOOST_CHECK(corrector->admits(0.0, 0.5, &outside, scratch) == Verdict::domain);
}
