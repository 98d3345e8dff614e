#include "report/work_precision.hpp"

#include "flow_maps.hpp"
#include "oscillator.hpp"
#include "report/core_contender.hpp"
#include "report/plot.hpp"
#include "report/stiff_contenders.hpp"
#include "report/sweep.hpp"
#include "report/verdict.hpp"
#include "zero_model.hpp"

#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <set>

using namespace lodestep;
using namespace lodestep::report;

namespace {

const double infinity = std::numeric_limits<double>::infinity();

WorkPrecisionPoint classical(const char* name, double mse, double us) {
  return {name, Family::classical, Setting::tolerance, 1e-6, mse, us, 100.0};
}
WorkPrecisionPoint learned(const char* name, double mse, double us) {
  return {name, Family::learned, Setting::dt, 0.1, mse, us, 100.0};
}

} // namespace

BOOST_AUTO_TEST_CASE(speedup_is_the_time_of_the_fastest_classical_point_no_worse_over_the_models) {
  const std::vector<WorkPrecisionPoint> points{
      learned("wins", 1e-9, 10.0),        learned("loses", 1e-3, 10.0),      learned("diverged", infinity, 1.0),
      learned("unmatched", 1e-20, 99.0),  classical("too wrong", 2e-9, 1.0), classical("equal", 1e-9, 45.0),
      classical("more exact", 1e-12, 40), classical("loose", 1e-3, 5.0),     classical("nan", std::nan(""), 0.1)};
  const auto speedups = speedup_at_equal_error(points);
  BOOST_REQUIRE(speedups.size() == 4u);
  BOOST_TEST(speedups[0].first == "wins");
  BOOST_TEST(*speedups[0].second == 4.0);
  BOOST_TEST(*speedups[1].second == 0.1); // by the point that is more exact than needed, and faster
  BOOST_TEST(!speedups[2].second.has_value());
  BOOST_TEST(!speedups[3].second.has_value());
}

BOOST_AUTO_TEST_CASE(the_verdict_names_the_winner_whoever_it_is) {
  WorkPrecision result;
  result.reference_error = 1e-13;
  result.points = {learned("wins", 1e-9, 10.0),          learned("loses", 1e-3, 10.0),
                   learned("ties", 1e-9, 39.9),          learned("diverged", infinity, 1.0),
                   classical("fehlberg78", 1e-12, 40.0), classical("dopri5", 1e-3, 5.0)};
  const auto words = verdict(result);
  BOOST_REQUIRE(words.size() == 4u);
  const auto says = [&](std::size_t i, const char* what) { return words[i].find(what) != std::string::npos; };
  BOOST_TEST(says(0, "4.00 times faster than the best classical choice, fehlberg78"));
  BOOST_TEST(!says(0, "does not pay"));
  BOOST_TEST(says(1, "the cheapest is classical: dopri5"));
  BOOST_TEST(says(1, "2.00 times faster"));
  BOOST_TEST(says(1, "does not pay"));
  BOOST_TEST(says(2, "draw"));
  BOOST_TEST(says(3, "diverged"));
}

BOOST_AUTO_TEST_CASE(json_has_the_shape_scripts_rely_on) {
  WorkPrecision result;
  result.points = {learned("m.safetensors", 1e-9, 10.0), classical("rk4", 1e-10, 40.0), learned("bad", infinity, 1.0)};
  const auto document = nlohmann::json::parse(to_json(result).dump());
  BOOST_TEST(document["speedup_at_equal_error"]["m.safetensors"].get<double>() == 4.0);
  BOOST_TEST(document["speedup_at_equal_error"]["bad"].is_null());
  BOOST_TEST(document["points"].size() == 3u);
  const std::set<std::string> expected{"stepper",        "family", "parameter", "mse", "microseconds_per_trajectory",
                                       "rhs_evaluations"};
  for (const auto& point : document["points"]) {
    std::set<std::string> keys;
    for (const auto& entry : point.items()) keys.insert(entry.key());
    BOOST_TEST(keys == expected, boost::test_tools::per_element());
  }
  BOOST_TEST(document["points"][0]["family"] == "learned");
  BOOST_TEST(document["points"][1]["family"] == "classical");
}

BOOST_AUTO_TEST_CASE(a_tolerance_sweep_is_fine_around_the_target_and_measures_nothing_twice) {
  // mse = tolerance^2, time falls by a tenth of a decade per decade of tolerance.
  std::map<double, int> calls;
  const Measure measure = [&](double tolerance) {
    ++calls[tolerance];
    return SweepPoint{tolerance, tolerance * tolerance, std::pow(tolerance, -0.1), std::pow(tolerance, -0.1)};
  };
  SweepOptions options;
  options.targets = {3e-9};
  const auto kept = sweep_tolerances(options, measure);
  for (const auto& [tolerance, count] : calls) BOOST_TEST(count == 1);
  double loosest_that_meets = 0.0;
  for (double tolerance : kept)
    if (tolerance * tolerance <= 3e-9) loosest_that_meets = std::max(loosest_that_meets, tolerance);
  // Within a sixteenth of a decade of the best tolerance there is, sqrt(3e-9).
  BOOST_TEST(loosest_that_meets > std::sqrt(3e-9) * std::pow(10.0, -1.0 / 16.0));
  // Drawn to a tenth of the target in rms, not to the end of the range.
  BOOST_TEST(*std::min_element(kept.begin(), kept.end()) > 1e-7);
}

BOOST_AUTO_TEST_CASE(a_sweep_of_steps_finds_the_smallest_count_that_meets_the_target) {
  for (int needed : {1, 2, 3, 5, 7, 11, 100, 131}) {
    const double at_needed = std::pow(1.0 / needed, 8.0);
    const Measure measure = [&](double dt) { return SweepPoint{dt, std::pow(dt, 8.0), 1.0 / dt, 1.0 / dt}; };
    SweepOptions options;
    options.targets = {at_needed * (1.0 + 1e-9)};
    const auto kept = sweep_steps(1.0, options, measure);
    BOOST_TEST(std::count(kept.begin(), kept.end(), 1.0 / needed) == 1);
  }
}

BOOST_AUTO_TEST_CASE(tolerances_too_loose_to_matter_do_not_end_a_sweep) {
  // Down to 1e-8 every step ends on an output anyway: the same steps, the same error, the same work.
  const Measure measure = [](double tolerance) {
    const double effective = std::min(tolerance, 1e-8);
    return SweepPoint{tolerance, effective * effective, 1.0, std::pow(effective, -0.2)};
  };
  const auto kept = sweep_tolerances({}, measure);
  BOOST_TEST(*std::min_element(kept.begin(), kept.end()) < 1e-11);
}

// One of many trajectories runs away at loose tolerances, and takes long to do so: the stepper still competes.
BOOST_AUTO_TEST_CASE(slow_divergence_at_loose_tolerances_does_not_end_a_sweep) {
  std::size_t measured = 0;
  const auto measure = [&](double tolerance) -> SweepPoint {
    ++measured;
    if (tolerance > 2e-3) return {tolerance, std::numeric_limits<double>::infinity(), 1e6, 1e6};
    return {tolerance, tolerance * tolerance, 10.0, 1.0 / tolerance};
  };
  SweepOptions options;
  options.targets = {1e-8};
  options.longest_microseconds = 100.0;
  const auto kept = sweep_tolerances(options, measure);
  BOOST_REQUIRE(!kept.empty());
  BOOST_TEST(kept.front() <= 2e-3);
  BOOST_TEST(kept.back() <= 1e-4);
  // One that never does anything else is given up.
  measured = 0;
  const auto always = [&](double tolerance) -> SweepPoint {
    ++measured;
    return {tolerance, std::numeric_limits<double>::infinity(), 1e6, 1e6};
  };
  BOOST_TEST(sweep_tolerances(options, always).empty());
  BOOST_TEST(measured == 8u);
}

BOOST_AUTO_TEST_CASE(sweeps_end_at_rounding_at_divergence_and_at_the_time_limit) {
  int calls = 0;
  const Measure rounding = [&](double tolerance) {
    ++calls;
    return SweepPoint{tolerance, std::max(tolerance * tolerance, 1e-18), 1.0, 1.0 / tolerance};
  };
  sweep_tolerances({}, rounding);
  BOOST_TEST(calls < 24); // of 27: nine decades by halves, and patience
  const Measure diverges = [](double tolerance) { return SweepPoint{tolerance, infinity, 1.0, 1.0}; };
  BOOST_TEST(sweep_tolerances({}, diverges).empty());
  SweepOptions limited;
  limited.longest_microseconds = 100.0;
  const Measure slow = [](double dt) { return SweepPoint{dt, dt, 30.0 / dt, 1.0 / dt}; };
  const auto kept = sweep_steps(1.0, limited, slow);
  BOOST_TEST(*std::min_element(kept.begin(), kept.end()) == 0.25);
}

BOOST_AUTO_TEST_CASE(classical_steppers_are_as_exact_as_theory_says) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto model = std::make_shared<const Model>(zero_model(problem, "rk4", 0.1));
  WorkPrecisionOptions options;
  options.trajectories = 2;
  options.horizon = 5.0;
  options.seconds = 0.1;
  const auto result = work_precision(problem, {{"zero", model}}, options);
  BOOST_TEST(result.state_type == "std::array<double, 4>");
  BOOST_TEST(result.output_dt == 0.1);
  const auto at = [&](const char* stepper, double parameter) {
    const auto found = std::find_if(result.points.begin(), result.points.end(), [&](const auto& point) {
      return point.stepper == stepper && std::abs(point.parameter / parameter - 1.0) < 1e-12;
    });
    BOOST_REQUIRE_MESSAGE(found != result.points.end(), stepper << " at " << parameter << " was not measured");
    return *found;
  };
  const auto rk4 = at("rk4", 0.1);
  // The learned stepper with nothing learned is rk4, to the bit, with the same evaluations: 4 x 50 steps.
  BOOST_TEST(at("zero", 0.1).mse == rk4.mse);
  BOOST_TEST(rk4.rhs_evaluations == 200.0);
  BOOST_TEST(at("zero", 0.1).rhs_evaluations == 200.0);
  // Fixed steps converge at their order: mse by 2^(2 order).
  BOOST_TEST(std::log2(rk4.mse / at("rk4", 0.05).mse) == 8.0, boost::test_tools::tolerance(0.15));
  // Every stepper reaches the error of rk4 at 0.1 and a hundredth of it, and none of them diverged on the way there.
  for (const char* stepper : {"rk4", "dopri5 fixed", "fehlberg78 fixed", "adams_bashforth_moulton8",
                              "cash_karp54 controlled", "dopri5 controlled", "dopri5 dense", "fehlberg78 controlled",
                              "bulirsch_stoer controlled", "bulirsch_stoer dense"}) {
    double best = infinity;
    for (const auto& point : result.points) {
      if (point.stepper != stepper) continue;
      best = std::min(best, point.mse);
      BOOST_TEST(point.microseconds_per_trajectory > 0.0);
      BOOST_TEST(point.rhs_evaluations >= 100.0);
    }
    BOOST_TEST(best <= 1e-2 * rk4.mse, stepper << " came no closer than " << best);
  }
  // A corrector that does nothing cannot be faster than the stepper it wraps by more than the clock's noise, nor than
  // the best of them.
  BOOST_REQUIRE(speedup_at_equal_error(result.points).front().second.has_value());
  BOOST_TEST(*speedup_at_equal_error(result.points).front().second < 1.5);
}

BOOST_AUTO_TEST_CASE(a_problem_of_unknown_size_runs_on_vectors) {
  const Problem problem = test::oscillator(0.25, 1.0);
  WorkPrecisionOptions options;
  options.trajectories = 2;
  options.seconds = 0.1;
  std::vector<NamedModel> models;
  for (const char* base : {"euler", "heun", "rk3", "rk4"}) {
    models.push_back({base, std::make_shared<const Model>(zero_model(problem, base, 0.125))});
  }
  options.output_dt = 0.25;
  const auto result = work_precision(problem, models, options);
  BOOST_TEST(result.state_type == "std::vector<double>");
  const auto& points = result.points;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto stages = static_cast<double>(classical_tableau(models[i].name).stages());
    BOOST_TEST(points[i].rhs_evaluations == 8.0 * stages);
    BOOST_TEST(points[i].mse > 0.0);
  }
}

// What of the problem's horizon the outputs cover, unless a length is asked for, which must be a multiple.
BOOST_AUTO_TEST_CASE(the_horizon_ends_with_an_output) {
  const Problem problem = test::oscillator(0.25, 1.0);
  const std::vector<NamedModel> models{{"rk4", std::make_shared<const Model>(zero_model(problem, "rk4", 0.125))}};
  WorkPrecisionOptions options;
  options.trajectories = 1;
  options.seconds = 0.01;
  options.output_dt = 0.375;
  BOOST_TEST(work_precision(problem, models, options).horizon == 0.75);
  options.horizon = 1.0;
  BOOST_CHECK_THROW(work_precision(problem, models, options), InvalidArgument);
}

// A hierarchy enters with every map that gives such outputs: alone where its step divides them, otherwise filled in.
BOOST_AUTO_TEST_CASE(flow_maps_are_compared_too) {
  Problem problem = test::oscillator(0.4, 4.0);
  WorkPrecisionOptions options;
  options.trajectories = 2;
  options.seconds = 0.1;
  const auto model = test::shared(test::oscillator_hierarchy({0.1, 0.4}, 0.01, 1e-6));
  const auto named = [&](double output_dt) {
    options.output_dt = output_dt;
    std::map<std::string, WorkPrecisionPoint> points;
    for (const auto& point : work_precision(problem, {{"m", model}}, options).points) points[point.stepper] = point;
    return points;
  };
  auto points = named(0.4);
  BOOST_REQUIRE(points.count("m: flow map dt 0.1") == 1u);
  BOOST_REQUIRE(points.count("m: flow map dt 0.4") == 1u);
  BOOST_TEST(points["m: flow map dt 0.4"].rhs_evaluations == 0.0);
  BOOST_TEST(points["m: flow map dt 0.4"].mse < 1e-10);
  BOOST_TEST(points["m: flow map dt 0.4"].mse > 1e-14); // turns 1e-6 too far
  points = named(0.2);
  BOOST_REQUIRE(points.count("m: flow map dt 0.1") == 1u);
  BOOST_REQUIRE(points.count("m: hybrid, flow map dt 0.4") == 1u);
  BOOST_REQUIRE(points.count("m: parareal 1, flow map dt 0.4") == 1u);
  BOOST_TEST(points["m: hybrid, flow map dt 0.4"].rhs_evaluations == 1600.0); // 400 steps of RK4
  BOOST_TEST(points["m: parareal 1, flow map dt 0.4"].mse < 1e-18);           // RK4's own error
  BOOST_CHECK_EXCEPTION(named(0.025), InvalidArgument, [](const auto& error) {
    return std::string(error.what()).find("no multiple of the spacing of the fine states, 0.01") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(stiff_problems_are_known_and_met_by_an_implicit_stepper) {
  for (const char* name : {"hires", "robertson", "stiff_van_der_pol"}) BOOST_TEST(is_stiff(make_problem(name)));
  for (const char* name :
       {"elastic_pendulum", "k_link_pendulum", "van_der_pol", "lorenz", "hopf", "cubic_oscillator"}) {
    BOOST_TEST(!is_stiff(make_problem(name)), name);
  }
  const Problem problem = make_problem("robertson");
  const auto contenders = stiff_contenders(problem);
  BOOST_REQUIRE(contenders.size() == 1u);
  std::vector<double> u0(3), truth(3 * 5), states(3 * 5);
  Random random(0, static_cast<std::uint64_t>(Split::test), 0);
  problem.sample(random, u0.data());
  reference_solution(problem, u0.data(), 0.0, 1.024, 5, truth.data(), false);
  const std::size_t evaluations = contenders[0].run(1e-8, u0.data(), 5, 1.024, states.data());
  BOOST_TEST(evaluations < 5000u); // an explicit stepper takes 8000 steps
  for (std::size_t i = 0; i < truth.size(); ++i) BOOST_TEST(std::abs(states[i] - truth[i]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(outputs_finer_than_a_models_step_are_refused) {
  const Problem problem = make_problem("elastic_pendulum");
  const auto model = std::make_shared<const Model>(zero_model(problem, "rk4", 0.1));
  WorkPrecisionOptions options;
  options.trajectories = 1;
  options.horizon = 1.5;
  for (double output_dt : {0.05, 0.15}) {
    options.output_dt = output_dt;
    BOOST_CHECK_EXCEPTION(work_precision(problem, {{"m", model}}, options), InvalidArgument, [](const auto& error) {
      return std::string(error.what()).find("no multiple of the step of model 'm'") != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(a_plot_always_leaves_its_data) {
  WorkPrecision result;
  result.problem = "it's a \"test\"";
  result.output_dt = 0.1;
  result.horizon = 1.0;
  result.points = {learned("dir/o'model.safetensors", 1e-9, 10.0), classical("rk4", 1e-8, 40.0),
                   classical("rk4", 1e-10, 80.0), classical("diverged", infinity, 1.0)};
  const auto directory = std::filesystem::temp_directory_path() / "lodestep o'plot test";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  const std::string prefix = (directory / "p").string();
  const Plot with = plot(result, prefix);
  BOOST_TEST(std::filesystem::file_size(prefix + ".dat") > 100u);
  if (with.note.empty()) {
    for (const auto& file : plot_files(prefix)) BOOST_TEST(std::filesystem::file_size(file) > 100u, file);
  } else {
    BOOST_TEST(with.note.find("gnuplot is not installed") != std::string::npos, with.note);
  }
  // Without gnuplot on the path: a note, data and script, no exception.
  const char* path = std::getenv("PATH");
  const std::string kept = path ? path : "";
  ::setenv("PATH", directory.c_str(), 1);
  const Plot without = plot(result, prefix + "2");
  ::setenv("PATH", kept.c_str(), 1);
  BOOST_TEST(without.note.find("gnuplot is not installed") != std::string::npos, without.note);
  BOOST_TEST(without.files.size() == 2u);
  for (const auto& file : without.files) BOOST_TEST(std::filesystem::exists(file), file);
  BOOST_CHECK_THROW(plot(result, prefix + "/missing/p"), IoError);
  std::filesystem::remove_all(directory);
}

// Base schemes that Odeint's learned steppers are not compiled for run through the core: the zero corrector is its
// base.
BOOST_AUTO_TEST_CASE(a_corrector_of_any_base_scheme_can_be_measured) {
  const Problem problem = make_problem("elastic_pendulum");
  for (const char* base : {"cash_karp", "dormand_prince", "fehlberg78"}) {
    BOOST_TEST(!corrected_in_odeint(base));
    const auto model = std::make_shared<const Model>(zero_model(problem, base, 0.1));
    const Contender contender = core_contender(std::make_shared<const Corrector>(model), problem);
    const double u0[4] = {0.3, 10.0, 0.0, 0.0};
    std::vector<double> states(3 * 4);
    const std::size_t evaluations = contender.run(0.1, u0, 3, 0.5, states.data());
    const ButcherTableau& tableau = classical_tableau(base);
    BOOST_TEST(evaluations == 10 * tableau.stages());
    RungeKutta alone(tableau, 4);
    std::vector<double> u(u0, u0 + 4);
    for (int n = 0; n < 10; ++n) alone.step(problem.rhs, 0.1 * n, u.data(), 0.1, u.data());
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(states[8 + i] == u[i], boost::test_tools::tolerance(1e-13));
  }
}

// Where the classical steppers have the right-hand side compiled in, too.
BOOST_AUTO_TEST_CASE(flow_maps_of_problems_on_arrays_are_compared) {
  const Problem problem = make_problem("van_der_pol");
  WorkPrecisionOptions options;
  options.trajectories = 2;
  options.seconds = 0.1;
  options.output_dt = 0.64;
  Model model = test::oscillator_hierarchy({0.64}, 0.01); // of another system, but a flow map
  model.variables = problem.variables;
  std::set<std::string> names;
  for (const auto& point : work_precision(problem, {{"m", test::shared(model)}}, options).points) {
    names.insert(point.stepper);
  }
  BOOST_TEST(names.count("m: flow map dt 0.64") == 1u);
  BOOST_TEST(names.size() > 3u);
}
