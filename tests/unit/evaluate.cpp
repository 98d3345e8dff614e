#include "oscillator.hpp"
#include "report/roll_out.hpp"
#include "zero_model.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace lodestep;

namespace {

using test::oscillator;

Evaluation evaluate_with(const Model& model, std::size_t trajectories = 7, double horizon = 0.0) {
  EvaluateOptions options;
  options.trajectories = trajectories;
  options.horizon = horizon;
  return evaluate(model, oscillator(), options);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_zero_corrector_is_its_base_scheme) {
  for (const auto& tableau : classical_tableaux()) {
    const Evaluation e = evaluate_with(zero_model(oscillator(), tableau.name, 0.1));
    BOOST_TEST(e.problem == "oscillator");
    BOOST_TEST(e.kind == "corrector");
    BOOST_TEST(e.dt == 0.1);
    BOOST_TEST(e.horizon == 2.0, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(e.trajectories == 7u);
    BOOST_TEST(e.mse_mean > 0.0);
    BOOST_TEST(e.mse_mean == e.base_mse_mean);
    BOOST_TEST(e.mse_median <= e.mse_max);
    BOOST_TEST(e.fallback_fraction == 0.0);
    BOOST_TEST(e.rhs_evaluations_per_time == static_cast<double>(tableau.stages()) / 0.1,
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(e.microseconds_per_trajectory > 0.0);
  }
}

BOOST_AUTO_TEST_CASE(the_error_is_that_of_the_scheme_against_the_exact_solution) {
  // One Euler step of u'' = -u from (a, 0): (a, -a dt) against (a cos dt, -a sin dt).
  const double dt = 0.1;
  const Evaluation e = evaluate_with(zero_model(oscillator(), "euler", dt), 1, dt);
  Random random(0, static_cast<std::uint64_t>(Split::test), 0);
  double u0[2];
  oscillator().sample(random, u0);
  const double ex = u0[0] * (1.0 - std::cos(dt));
  const double ev = u0[0] * (dt - std::sin(dt));
  // The only output time is dt: the given initial state does not dilute the mean.
  BOOST_TEST(e.mse_mean == 0.5 * (ex * ex + ev * ev), boost::test_tools::tolerance(1e-8));
  BOOST_TEST(e.mse_median == e.mse_mean);
  BOOST_TEST(e.mse_max == e.mse_mean);
}

BOOST_AUTO_TEST_CASE(halving_the_step_of_rk4_divides_the_mse_by_two_to_the_eighth) {
  const double coarse = evaluate_with(zero_model(oscillator(), "rk4", 0.1)).mse_mean;
  const double fine = evaluate_with(zero_model(oscillator(), "rk4", 0.05)).mse_mean;
  BOOST_TEST(std::log2(coarse / fine) == 8.0, boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(steps_outside_the_domain_are_counted_and_paid_for) {
  // No state is inside: every step is four sub-steps of rk4.
  const Evaluation e = evaluate_with(zero_model(oscillator(), "rk4", 0.1, 1e-9));
  BOOST_TEST(e.fallback_fraction == 1.0);
  BOOST_TEST(e.rhs_evaluations_per_time == 160.0, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(e.mse_mean < 1e-3 * e.base_mse_mean);
}

BOOST_AUTO_TEST_CASE(bad_requests_say_what_is_wrong) {
  const auto says = [](const char* what) {
    return [what](const InvalidArgument& error) { return std::string(error.what()).find(what) != std::string::npos; };
  };
  const Model model = zero_model(oscillator(), "rk4", 0.1);
  BOOST_CHECK_EXCEPTION(evaluate_with(model, 0), InvalidArgument, says("at least 1"));
  BOOST_CHECK_THROW(evaluate_with(model, 1, 0.25), InvalidArgument);
  Problem other = oscillator();
  other.variables.push_back({"z", ""});
  BOOST_CHECK_EXCEPTION(evaluate(model, other, {}), InvalidArgument, says("2 variables (x, v)"));
  Problem renamed = oscillator();
  renamed.variables[1].name = "momentum";
  BOOST_CHECK_EXCEPTION(evaluate(model, renamed, {}), InvalidArgument, says("momentum"));
}

// Every step would be the fallback's, and its error be called the model's.
BOOST_AUTO_TEST_CASE(a_step_that_the_model_does_not_take_is_refused) {
  Model model = zero_model(oscillator(), "rk4", 0.1);
  const auto refused = [&](double dt) {
    EvaluateOptions options;
    options.dt = dt;
    BOOST_CHECK_EXCEPTION(evaluate(model, oscillator(), options), InvalidArgument, [&](const InvalidArgument& error) {
      const std::string what = error.what();
      return what.find("0.1") != std::string::npos && what.find("--dt-range") != std::string::npos;
    });
  };
  refused(0.2);
  refused(0.05);
  auto& corrector = std::get<CorrectorModel>(model.method);
  corrector.shortest_dt = 0.05;
  corrector.approximator = ApproximatorSpec::zero(3, 2); // the increment and dt
  refused(0.2);
  EvaluateOptions options;
  options.dt = 0.025; // shorter than any of training: the scheme keeps its order as dt -> 0
  options.trajectories = 1;
  BOOST_TEST(evaluate(model, oscillator(), options).fallback_fraction == 0.0);
}

BOOST_AUTO_TEST_CASE(a_problem_at_other_parameters_is_refused) {
  Model model = zero_model(oscillator(), "rk4", 0.1);
  Problem stiffer = oscillator();
  stiffer.parameters = {{"k", 2.0}};
  model.provenance.problem = stiffer.name;
  model.provenance.parameters = {{"k", 1.0}};
  BOOST_CHECK_EXCEPTION(evaluate(model, stiffer, {}), InvalidArgument, [](const InvalidArgument& error) {
    const std::string what = error.what();
    return what.find("k = 1") != std::string::npos && what.find("k = 2") != std::string::npos &&
           what.find("--parameter k=") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_diverged_trajectory_has_an_infinite_error) {
  Trajectories reference;
  reference.trajectories = 1;
  reference.times = 3;
  reference.dimension = 1;
  reference.states = {1.0, 2.0, 3.0};
  const double infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST(report::mean_squared_error(reference, 0, std::vector<double>{1.0, 2.5, 3.0}.data()) == 0.125);
  for (double bad : {std::nan(""), infinity, 1e200}) {
    BOOST_TEST(report::mean_squared_error(reference, 0, std::vector<double>{1.0, 2.5, bad}.data()) == infinity);
  }
  const auto summary = report::summarise({1.0, 4.0, 2.0, infinity});
  BOOST_TEST(summary.mean == infinity);
  BOOST_TEST(summary.median == 3.0);
  BOOST_TEST(summary.max == infinity);
}
