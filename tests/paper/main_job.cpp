// The accuracy of the main job against what the AttNS paper prints (Huang et al. 2024, Table 1: 5.41e-7 for the elastic
// pendulum, 4.26e-9 for the 2-link pendulum, 2.58e-6 for the spring-mass system), on 200 held-out initial states.
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace lodestep;

namespace {

double held_out_mse(const std::string& name, const std::string& base, double error, double seconds_allowed) {
  const Problem problem = make_problem(name);
  AttnsOptions options;
  options.base = base;
  options.error = error;
  options.time_limit = seconds_allowed;
  const auto result = train_attns(problem, options);
  const auto evaluation = evaluate(result.model, problem, {});
  BOOST_TEST_MESSAGE(name << " on " << base << ": mse " << evaluation.mse_mean << " after " << result.seconds
                          << " s, fallbacks " << evaluation.fallback_fraction);
  BOOST_TEST(evaluation.trajectories == 200u);
  BOOST_TEST(evaluation.fallback_fraction < 1e-3);
  return evaluation.mse_mean;
}

} // namespace

BOOST_AUTO_TEST_CASE(elastic_pendulum) {
  BOOST_TEST(held_out_mse("elastic_pendulum", "rk4", 5e-7, 30.0) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(two_link_pendulum) {
  BOOST_TEST(held_out_mse("two_link_pendulum", "rk4", 0.0, 60.0) <= 1e-11);
}

BOOST_AUTO_TEST_CASE(spring_mass_of_20) {
  BOOST_TEST(held_out_mse("spring_mass", "rk4", 0.0, 60.0) <= 1e-20);
  BOOST_TEST(held_out_mse("spring_mass", "euler", 0.0, 60.0) <= 1e-20);
}
