#include "problem/trajectory_file.hpp"

#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/train_hits.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace lodestep;

namespace {

const HierarchyModel& hierarchy_of(const HitsResult& result) {
  return std::get<HierarchyModel>(result.model.method);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TrajectorySet data_of(const char* name, std::size_t trajectories, double dt, double horizon) {
  const auto problem = make_problem(name);
  GenerateOptions generate;
  generate.trajectories = trajectories;
  generate.dt = dt;
  generate.horizon = horizon;
  return trajectory_set(problem, generate, generate_trajectories(problem, generate));
}

std::string message_of(const TrajectorySet& data, const HitsOptions& options) {
  try {
    train_hits(data, options, "measured.h5");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

/// Small networks and few iterations: what is tested is the road, not how far it leads.
HitsOptions quick() {
  HitsOptions options;
  options.hidden = {6};
  options.iterations = 15;
  options.pairs = 600;
  return options;
}

} // namespace

// The flow map of the hyperbolic system is quadratic: the tool finds that out, and large steps cost nothing.
BOOST_AUTO_TEST_CASE(a_flow_map_that_is_a_polynomial_is_found_exactly) {
  const auto problem = make_problem("hyperbolic");
  const auto result = train_hits(problem, {});
  const auto& hierarchy = hierarchy_of(result);
  for (const auto& map : hierarchy.maps) {
    BOOST_TEST(map.approximator.description() == "polynomial of degree 2, 2-2");
    BOOST_TEST(map.step_rms < 1e-14);
  }
  BOOST_TEST(hierarchy.maps[hierarchy.placing].dt == 10.24);
  HierarchyEvaluateOptions options;
  options.trajectories = 5;
  const auto evaluation = evaluate_hierarchy(result.model, problem, options);
  BOOST_TEST(evaluation.mse_mean < 1e-28);
  BOOST_TEST(evaluation.fine_mse_mean < 1e-20);
  BOOST_TEST(evaluation.fallback_fraction == 0.0);
  BOOST_TEST(evaluation.dt == 10.24);
  options.mode = HierarchyMode::multiscale;
  BOOST_TEST(evaluate_hierarchy(result.model, problem, options).mse_mean < 1e-28);
}

BOOST_AUTO_TEST_CASE(maps_of_few_variables_are_polynomials_on_a_grid) {
  const auto problem = make_problem("van_der_pol");
  HitsOptions options;
  options.tolerance = 1e-5;
  const auto result = train_hits(problem, options);
  const auto& hierarchy = hierarchy_of(result);
  BOOST_REQUIRE(hierarchy.maps.size() == 3u);
  const double steps[] = {0.64, 1.28, 2.56};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto& map = hierarchy.maps[k];
    BOOST_TEST(map.dt == steps[k], boost::test_tools::tolerance(1e-12));
    BOOST_TEST(map.base.empty());
    BOOST_TEST(std::holds_alternative<PiecewiseTerm>(map.approximator.term));
    // Of one step, on pairs from elsewhere: 1e-5 of the box is 5e-5 in x and 2e-4 in y.
    BOOST_TEST(map.step_rms < 1e-4);
    BOOST_TEST(map.step_rms > 1e-7);
  }
  HierarchyEvaluateOptions of;
  of.trajectories = 8;
  of.mode = HierarchyMode::parareal;
  of.sweeps = 1;
  const auto evaluation = evaluate_hierarchy(result.model, problem, of);
  BOOST_TEST(evaluation.fallback_fraction < 0.02);
  BOOST_TEST(evaluation.fine_mse_mean < 1.1 * evaluation.base_mse_mean);
  BOOST_TEST((serialize_model(train_hits(problem, options).model) == serialize_model(result.model)));
}

BOOST_AUTO_TEST_CASE(a_dense_map_gives_the_states_of_smaller_steps) {
  const auto problem = make_problem("van_der_pol");
  HitsOptions options;
  options.tolerance = 1e-4;
  options.levels = Levels{5, 7}; // 0.32, 0.64, 1.28
  options.dense = true;
  const auto result = train_hits(problem, options);
  const auto& hierarchy = hierarchy_of(result);
  BOOST_REQUIRE(hierarchy.maps.size() == 1u);
  BOOST_TEST(hierarchy.maps[0].dt == 1.28, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(hierarchy.maps[0].states == 4u);
  HierarchyEvaluateOptions of;
  of.trajectories = 8;
  const auto evaluation = evaluate_hierarchy(result.model, problem, of);
  BOOST_TEST(evaluation.dt == 0.32, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(evaluation.mse_mean < 1e-4);
}

BOOST_AUTO_TEST_CASE(options_that_contradict_are_refused) {
  const auto refused = [](const char* name, auto change) -> std::string {
    HitsOptions options;
    change(options);
    try {
      train_hits(make_problem(name), options);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "accepted";
  };
  BOOST_TEST(contains(refused("elastic_pendulum", [](auto& o) { o.kind = FlowMapKind::piecewise; }),
                      "up to 3 variables, elastic_pendulum has 4"));
  BOOST_TEST(contains(refused("van_der_pol", [](auto& o) { o.hidden = {6}, o.dense = true; }), "dense, tolerance"));
  BOOST_TEST(contains(refused("van_der_pol", [](auto& o) { o.tolerance = 0.1; }), "tolerance: expected 1e-12 to 1e-4"));
  BOOST_CHECK_THROW(flow_map_kind_from("grid"), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_corrected_map_and_a_bare_one_are_learned) {
  const auto problem = make_problem("van_der_pol");
  auto options = quick();
  const auto result = train_hits(problem, options);
  const auto& hierarchy = hierarchy_of(result);
  BOOST_REQUIRE(hierarchy.maps.size() == 2u);
  BOOST_TEST(hierarchy.maps[0].base == "rk4");
  BOOST_TEST(hierarchy.maps[0].dt == 0.16);
  BOOST_TEST(hierarchy.maps[1].base == "");
  BOOST_TEST(hierarchy.placing == 0u);
  HierarchyEvaluateOptions of;
  of.trajectories = 8;
  of.mode = HierarchyMode::parareal;
  of.sweeps = 1;
  const auto evaluation = evaluate_hierarchy(result.model, problem, of);
  // One sweep on corrected coarse steps ends at the fine scheme's own error.
  BOOST_TEST(evaluation.fine_mse_mean < 2.0 * evaluation.base_mse_mean);
  BOOST_TEST(evaluation.classical_fine_mse_mean > evaluation.fine_mse_mean);
  // The same seed, the same bytes; another seed, others.
  BOOST_TEST((serialize_model(train_hits(problem, options).model) == serialize_model(result.model)));
  options.seed = 1;
  BOOST_TEST((serialize_model(train_hits(problem, options).model) != serialize_model(result.model)));
}

// A slow variable, and one that relaxes to its square a hundred times faster: two RK4 steps a time of 0.5 grow a
// deviation a hundred million times.
BOOST_AUTO_TEST_CASE(classical_steps_that_diverge_are_not_corrected) {
  Problem problem;
  problem.name = "relaxation";
  problem.variables = {{"x", ""}, {"y", ""}};
  problem.horizon = 4.0;
  problem.dt = 0.5;
  problem.fine_dt = 0.01;
  problem.region = {{-0.5, 1.0}, {0.0, 1.0}};
  problem.rhs = [](double, const double* u, double* dudt) {
    dudt[0] = u[0] - u[0] * u[0] * u[0];
    dudt[1] = -100.0 * (u[1] - u[0] * u[0]);
  };
  problem.sample = [](Random& random, double* u0) {
    u0[0] = random.uniform(-0.5, 1.0);
    u0[1] = random.uniform(0.0, 1.0);
  };
  const auto result = train_hits(problem, quick());
  BOOST_REQUIRE(!result.maps.empty());
  for (const auto& map : result.maps) BOOST_TEST(map.base == "");
}

BOOST_AUTO_TEST_CASE(any_classical_scheme_fills_in) {
  const auto problem = make_problem("hyperbolic");
  HitsOptions options;
  HierarchyEvaluateOptions of;
  of.trajectories = 4;
  options.fine = "rk3";
  const auto third = train_hits(problem, options);
  BOOST_TEST(hierarchy_of(third).fine == "rk3");
  options.fine = "cash_karp";
  const auto fifth = train_hits(problem, options);
  BOOST_TEST(evaluate_hierarchy(fifth.model, problem, of).base_mse_mean <
             1e-3 * evaluate_hierarchy(third.model, problem, of).base_mse_mean);
  options.fine = "rk5000";
  BOOST_CHECK_THROW(train_hits(problem, options), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(levels_are_what_is_asked_for) {
  const auto problem = make_problem("harmonic_oscillator");
  HitsOptions options;
  options.levels = Levels{1, 4};
  options.base_dt = 0.016;
  const auto result = train_hits(problem, options);
  BOOST_REQUIRE(result.maps.size() == 4u);
  for (std::size_t k = 0; k < 4; ++k) {
    BOOST_TEST(result.maps[k].dt == 0.032 * std::pow(2.0, k), boost::test_tools::tolerance(1e-12));
    BOOST_TEST(result.maps[k].description == "affine, 2-2"); // a linear system
  }
  options.levels = Levels{0, 11}; // 0.016 2^11 = 32.8 is beyond the horizon of 20.48
  BOOST_CHECK_THROW(train_hits(problem, options), InvalidArgument);
  options.levels = Levels{3, 2};
  BOOST_CHECK_THROW(train_hits(problem, options), InvalidArgument);
}

// From trajectories alone: the linear map exactly, by any ratio of levels; nothing is known between the states.
BOOST_AUTO_TEST_CASE(trajectories_are_enough) {
  const auto data = data_of("harmonic_oscillator", 10, 0.1, 20.0);
  HitsOptions options;
  options.ratio = 5;
  options.levels = Levels{0, 2};
  const auto result = train_hits(data, options, "measured.h5");
  const auto& hierarchy = hierarchy_of(result);
  BOOST_REQUIRE(hierarchy.maps.size() == 3u);
  BOOST_TEST(hierarchy.maps[2].dt == 2.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(hierarchy.fine_dt == 0.1);
  for (const auto& map : hierarchy.maps) BOOST_TEST(map.step_rms < 1e-13);
  BOOST_TEST(result.model.error.horizon_rms < 1e-12);
  BOOST_TEST(result.model.error.trajectories == 2u); // every fifth is held out
  BOOST_TEST(result.model.provenance.training_trajectories == 8u);
}

BOOST_AUTO_TEST_CASE(data_that_will_not_do_is_refused_with_the_reason) {
  auto data = data_of("harmonic_oscillator", 6, 0.1, 2.0);
  auto options = quick();
  options.levels = Levels{0, 5};
  BOOST_TEST(contains(message_of(data, options), "level 5, a step of 3.2, leaves the horizon: the trajectories end "
                                                 "after 2"));
  auto few = data_of("harmonic_oscillator", 1, 0.1, 1.0);
  options.levels = Levels{1, 1};
  const auto message = message_of(few, options);
  BOOST_TEST(message == "accepted"); // 9 pairs, just enough for an affine map
  options.levels = Levels{2, 2};
  BOOST_TEST(contains(message_of(few, options),
                      "has too few samples: 1 trajectories of 11 times hold 7 pairs of states, "
                      "at least 9"));
  data.trajectories.states[2 * (21 * 3 + 7) + 1] = std::numeric_limits<double>::quiet_NaN();
  const auto located = message_of(data, quick());
  BOOST_TEST(contains(located, "measured.h5"));
  BOOST_TEST(contains(located, "trajectory 3, time 7"));
  options = quick();
  options.fine_dt = 0.05;
  options.levels = Levels{0, 1};
  BOOST_TEST(contains(message_of(few, options), "trajectories alone know"));
  options = quick();
  options.base_dt = 0.15;
  BOOST_TEST(contains(message_of(few, options), "no multiple"));
  options = quick();
  options.jacobian = true;
  BOOST_TEST(contains(message_of(few, options), "jacobian: neighbours of a state need a right-hand side"));
}
