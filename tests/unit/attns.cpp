// Training, end to end, on problems small enough to take a moment.
#include <lodestep/error.hpp>
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace lodestep;

namespace {

/// A pendulum of small swings: nonlinear, two variables, cheap.
Problem swing() {
  Problem problem;
  problem.name = "swing";
  problem.variables = {{"theta", "rad"}, {"omega", "rad/s"}};
  problem.horizon = 5.0;
  problem.dt = 0.25;
  problem.rhs_cost_ns = 10.0;
  problem.rhs = [](double, const double* u, double* dudt) {
    dudt[0] = u[1];
    dudt[1] = -std::sin(u[0]);
  };
  problem.sample = [](Random& random, double* u0) {
    u0[0] = random.uniform(-1.0, 1.0);
    u0[1] = random.uniform(-0.5, 0.5);
  };
  return problem;
}

AttnsOptions options_for(double error) {
  AttnsOptions options;
  options.error = error;
  options.trajectories = 20;
  options.seed = 3;
  return options;
}

const CorrectorModel& corrector_of(const AttnsResult& result) {
  return std::get<CorrectorModel>(result.model.method);
}

bool says(const std::exception& error, const std::string& words) {
  return std::string(error.what()).find(words) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_cheapest_candidate_that_reaches_the_error_is_kept) {
  const auto loose = train_attns(swing(), options_for(1e-3));
  const auto tight = train_attns(swing(), options_for(1e-7));
  for (const auto* result : {&loose, &tight}) {
    BOOST_TEST(result->reached);
    BOOST_TEST(!result->timed_out);
    // Held-out states agree with the ones that decided.
    const double asked = result == &loose ? 1e-3 : 1e-7;
    BOOST_TEST(result->model.error.horizon_rms < asked);
    // Costs rise along the list, and nobody before the last had reached the error.
    for (std::size_t i = 0; i + 1 < result->candidates.size(); ++i) {
      BOOST_TEST(result->candidates[i].cost_ns <= result->candidates[i + 1].cost_ns);
      BOOST_TEST(result->candidates[i].validation_rms > 0.7 * asked);
    }
    BOOST_TEST(result->candidates.back().validation_rms <= 0.7 * asked);
  }
  BOOST_TEST(tight.candidates.back().cost_ns > loose.candidates.back().cost_ns);
}

BOOST_AUTO_TEST_CASE(a_trained_model_does_on_held_out_states_what_it_says) {
  const Problem problem = swing();
  const auto result = train_attns(problem, options_for(1e-6));
  EvaluateOptions options;
  options.trajectories = 50;
  options.seed = 77;
  const auto evaluation = evaluate(result.model, problem, options);
  BOOST_TEST(std::sqrt(evaluation.mse_mean) < 1e-6);
  BOOST_TEST(evaluation.fallback_fraction < 1e-2);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bytes) {
  const auto once = serialize_model(train_attns(swing(), options_for(1e-5)).model);
  const auto again = serialize_model(train_attns(swing(), options_for(1e-5)).model);
  BOOST_TEST(once == again);
  auto other = options_for(1e-5);
  other.seed = 4;
  BOOST_TEST(once != serialize_model(train_attns(swing(), other).model));
}

BOOST_AUTO_TEST_CASE(a_linear_problem_is_learned_exactly_by_an_affine_map) {
  const Problem problem = make_problem("spring_mass:d=3");
  for (const char* base : {"euler", "heun", "rk3", "rk4"}) {
    auto options = options_for(0.0);
    options.base = base;
    const auto result = train_attns(problem, options);
    BOOST_TEST(result.model.error.horizon_rms < 1e-11);
    BOOST_TEST(std::holds_alternative<std::monostate>(corrector_of(result).approximator.term));
  }
}

BOOST_AUTO_TEST_CASE(the_fallback_is_as_accurate_as_the_model) {
  const Problem problem = swing();
  auto options = options_for(1e-6);
  options.base = "euler";
  const auto result = train_attns(problem, options);
  BOOST_TEST(corrector_of(result).fallback == "rk4");
  // Every step falls back when the horizon is taken in steps the model was not trained for.
  Model shrunk = result.model;
  for (auto& interval : std::get<CorrectorModel>(shrunk.method).domain.state) interval = {1e6, 2e6};
  EvaluateOptions held_out;
  held_out.trajectories = 20;
  const auto evaluation = evaluate(shrunk, problem, held_out);
  BOOST_TEST(evaluation.fallback_fraction == 1.0);
  BOOST_TEST(std::sqrt(evaluation.mse_mean) < 1e-6);
}

BOOST_AUTO_TEST_CASE(an_interrupted_search_keeps_the_best_so_far) {
  auto options = options_for(1e-14); // out of reach
  int reports = 0;
  options.progress = [&](double, const std::string& what) {
    return !(what.find("polynomial") != std::string::npos && ++reports == 2);
  };
  const auto result = train_attns(swing(), options);
  BOOST_TEST(result.interrupted);
  BOOST_TEST(!result.reached);
  BOOST_TEST(std::isfinite(result.model.error.horizon_rms));
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_with_what_to_do) {
  const auto refused = [](AttnsOptions options, const std::string& words) {
    BOOST_CHECK_EXCEPTION(train_attns(swing(), options), InvalidArgument,
                          [&](const InvalidArgument& error) { return says(error, words); });
  };
  auto options = options_for(1e-4);
  options.base = "rk5";
  refused(options, "euler, heun, rk3, rk4");
  options = options_for(-1.0);
  refused(options, "error");
  options = options_for(std::numeric_limits<double>::quiet_NaN());
  refused(options, "error");
  options = options_for(1e-4);
  options.dt = -0.1;
  refused(options, "dt");
  options = options_for(1e-4);
  options.dt = 0.3;
  refused(options, "multiple");
  options = options_for(1e-4);
  options.time_limit = 0.0;
  refused(options, "time limit");
}

// A thousand steps of one state are one step: rank-deficient, whatever is fitted.
BOOST_AUTO_TEST_CASE(states_that_are_all_the_same_are_too_few) {
  auto problem = swing();
  problem.sample = [](Random&, double* u0) { u0[0] = u0[1] = 0.0; };
  BOOST_CHECK_EXCEPTION(train_attns(problem, options_for(1e-4)), InvalidData, [](const InvalidData& error) {
    return says(error, "1 distinct steps") && says(error, "5 more") && says(error, "differ");
  });
}

BOOST_AUTO_TEST_CASE(a_right_hand_side_that_fails_is_reported) {
  auto problem = swing();
  problem.rhs = [](double, const double* u, double* dudt) {
    dudt[0] = u[1];
    dudt[1] = std::sqrt(0.5 - u[0] * u[0]); // NaN once the swing is wide
  };
  BOOST_CHECK_EXCEPTION(train_attns(problem, options_for(1e-4)), InvalidData, [](const InvalidData& error) {
    return says(error, "trajectory 0") && says(error, "diverges in omega") && says(error, "t = ");
  });
}
