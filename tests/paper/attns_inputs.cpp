// One model for every value of a parameter, for every phase of a drive, and for initial states that vary in every
// variable. Every figure is printed beside its bar.
#include <lodestep/problem.hpp>
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

using namespace lodestep;

namespace {

constexpr double bar = 1e-9; // mean squared error over T = 20
constexpr double error = 3e-5;

double held_out_mse(const AttnsResult& result, const Problem& problem, const std::string& what) {
  EvaluateOptions options;
  options.trajectories = 100;
  options.horizon = 20.0;
  options.seed = 9;
  const Evaluation e = evaluate(result.model, problem, options);
  std::printf("%s, dt %g: mse %.2e (bar %.0e), largest %.2e; base alone %.1e; %.4f%% fell back; %.1f s of training\n",
              what.c_str(), e.dt, e.mse_mean, bar, e.mse_max, e.base_mse_mean, 100.0 * e.fallback_fraction,
              result.seconds);
  BOOST_TEST(e.fallback_fraction < 1e-3);
  return e.mse_mean;
}

} // namespace

BOOST_AUTO_TEST_CASE(one_model_for_springs_of_30_to_50) {
  Problem problem = make_problem("elastic_pendulum");
  AttnsOptions options;
  options.parameters = {{"k", {30.0, 50.0}}};
  options.dt = 0.1;
  options.horizon = 20.0;
  options.error = error;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(result.reached);
  // The ends too, where a fit knows neighbours on one side only.
  for (const double k : {30.0, 31.0, 35.0, 40.0, 45.0, 49.0, 50.0}) {
    const Problem spring = with_parameters(problem, {{"k", k}});
    BOOST_TEST(held_out_mse(result, spring, "elastic pendulum, k = " + std::to_string(k)) <= bar);
  }
}

BOOST_AUTO_TEST_CASE(one_model_for_a_driven_oscillator) {
  const Problem problem = make_problem("duffing");
  AttnsOptions options;
  options.dt = 0.1;
  options.error = error;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(result.reached);
  BOOST_TEST(held_out_mse(result, problem, "driven Duffing oscillator") <= bar);
}

BOOST_AUTO_TEST_CASE(wide_initial_states_at_a_searched_step) {
  Problem problem = make_problem("elastic_pendulum");
  use_initial(problem, "wide");
  AttnsOptions options;
  options.search_dt = true;
  options.error = error;
  options.time_limit = 120.0;
  const AttnsResult result = train_attns(problem, options);
  BOOST_TEST(result.reached);
  BOOST_TEST(held_out_mse(result, problem, "elastic pendulum, wide") <= bar);
}
