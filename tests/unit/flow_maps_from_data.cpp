// Flow maps from trajectories alone: many variables by principal components, noise, and models judged by data.
#include "problem/trajectory_file.hpp"
#include "train/reduced_coordinates.hpp"
#include "train/smoothing.hpp"

#include <lodestep/error.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/train_hits.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

/// Waves of two lengths that travel and slowly grow and shrink: 40 variables, 4 principal components.
TrajectorySet waves(std::size_t times) {
  TrajectorySet set;
  auto& t = set.trajectories;
  t.dt = 0.5;
  t.trajectories = 1;
  t.times = times;
  t.dimension = 40;
  for (std::size_t n = 0; n < times; ++n) {
    const double time = 0.5 * static_cast<double>(n);
    for (std::size_t i = 0; i < t.dimension; ++i) {
      const double x = 2 * std::acos(-1.0) * static_cast<double>(i) / 40.0;
      t.states.push_back(1.0 + (1.0 + 0.3 * std::cos(0.1 * time)) * std::sin(x - 0.05 * time) +
                         0.4 * std::sin(2.0 * x + 0.11 * time));
    }
  }
  for (std::size_t i = 1; i <= t.dimension; ++i) set.variables.push_back({"u_" + std::to_string(i), ""});
  return set;
}

TrajectorySet oscillations(std::size_t trajectories, double noise, Split split = Split::train) {
  const auto problem = make_problem("harmonic_oscillator");
  GenerateOptions generate;
  generate.trajectories = trajectories;
  generate.dt = 0.05;
  generate.horizon = 20.0;
  generate.split = split;
  auto set = trajectory_set(problem, generate, generate_trajectories(problem, generate));
  Random random(9, 1, 0);
  for (double& u : set.trajectories.states) u += noise * random.normal();
  return set;
}

HitsOptions quick() {
  HitsOptions options;
  options.iterate = false;
  options.levels = Levels{2, 4};
  return options;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(principal_components_are_as_few_as_can_be) {
  const auto set = waves(200);
  const auto reduced = detail::principal_components(set.trajectories, 1e-10, 30);
  BOOST_TEST(reduced.count() == 4u);
  // There and back again loses nothing, and the components are uncorrelated.
  const auto z = detail::reduce(reduced, set.trajectories);
  BOOST_TEST(z.dimension == 4u);
  double worst = 0.0, correlation = 0.0;
  for (std::size_t n = 0; n < 200; ++n) {
    for (std::size_t i = 0; i < 40; ++i) {
      double x = reduced.mean[i];
      for (std::size_t r = 0; r < 4; ++r) x += z.state(0, n)[r] * reduced.modes[r * 40 + i];
      worst = std::max(worst, std::abs(x - set.trajectories.state(0, n)[i]));
    }
    correlation += z.state(0, n)[0] * z.state(0, n)[1] / 200.0;
  }
  BOOST_TEST(worst < 1e-10);
  BOOST_TEST(std::abs(correlation) < 1e-10);
  // Fewer snapshots than variables: the other way round.
  const auto short_set = waves(12);
  const auto few = detail::principal_components(short_set.trajectories, 1e-12, 30);
  BOOST_TEST(few.count() <= 5u);
  const auto back = detail::reduce(few, short_set.trajectories);
  for (std::size_t i = 0; i < 40; ++i) {
    double x = few.mean[i];
    for (std::size_t r = 0; r < few.count(); ++r) x += back.state(0, 7)[r] * few.modes[r * 40 + i];
    BOOST_TEST(std::abs(x - short_set.trajectories.state(0, 7)[i]) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(a_sequence_is_learned_and_generated_again) {
  const auto set = waves(600);
  HitsOptions options;
  options.hidden = {100};
  const auto result = train_hits(set, options, "waves.npy");
  const auto& hierarchy = std::get<HierarchyModel>(result.model.method);
  BOOST_REQUIRE(hierarchy.reduced.has_value());
  BOOST_TEST(hierarchy.reduced->count() == 4u);
  BOOST_TEST(hierarchy.maps.size() >= 3u);
  BOOST_TEST(hierarchy.maps[1].dt == 6.0 * hierarchy.maps[0].dt); // the paper's ratio
  HierarchyEvaluateOptions of;
  of.mode = HierarchyMode::multiscale;
  const auto evaluation = evaluate_hierarchy(result.model, set, of, "waves.npy");
  BOOST_TEST(evaluation.left_domain == 0u);
  BOOST_TEST(evaluation.fine_mse_mean < 1e-4); // of a variance of 0.6
  BOOST_TEST(evaluation.fine_mse_mean == std::pow(result.model.error.horizon_rms, 2),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(contains(result.model.provenance.recipe, "they were learned from"));

  // The file holds the coordinates, too.
  const auto bytes = serialize_model(result.model);
  const auto again = *load_model(bytes.data(), bytes.size(), "waves");
  BOOST_TEST((serialize_model(again) == bytes));
  BOOST_TEST(evaluate_hierarchy(again, set, of, "waves.npy").fine_mse_mean == evaluation.fine_mse_mean);

  // A classical scheme needs whole states.
  const auto packed = std::make_shared<const Hierarchy>(std::make_shared<const Model>(result.model));
  BOOST_TEST(packed->dimension() == 4u);
  BOOST_TEST(packed->full_dimension() == 40u);
  BOOST_CHECK_EXCEPTION(Hybrid{packed}, InvalidArgument,
                        [](const auto& error) { return contains(error.what(), "use the multiscale scheme"); });

  // What is no set of coordinates is refused.
  auto broken = result.model;
  std::get<HierarchyModel>(broken.method).reduced->modes[3] += 0.5;
  BOOST_CHECK_EXCEPTION(broken.validate(), InvalidModel,
                        [](const auto& error) { return contains(error.what(), "reduced.modes"); });
  broken = result.model;
  std::get<HierarchyModel>(broken.method).reduced->mean.pop_back();
  BOOST_CHECK_THROW(broken.validate(), InvalidModel);
}

BOOST_AUTO_TEST_CASE(noise_is_found_and_taken_off_and_clean_data_left_alone) {
  auto noisy = oscillations(10, 0.05).trajectories, clean = oscillations(10, 0.0).trajectories;
  const auto exact = clean;
  const auto of_clean = detail::smooth(clean);
  BOOST_TEST(!of_clean.any());
  BOOST_TEST((clean.states == exact.states));
  const auto of_noisy = detail::smooth(noisy);
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(of_noisy.noise_rms[i] > 0.045);
    BOOST_TEST(of_noisy.noise_rms[i] < 0.055);
  }
  double left = 0.0;
  for (std::size_t n = 0; n < exact.states.size(); ++n) left += std::pow(noisy.states[n] - exact.states[n], 2);
  // Of the variance a window of 2 w + 1 samples leaves a cubic's share, about (9 / 4) / (2 w + 1).
  BOOST_TEST(left / static_cast<double>(exact.states.size()) < 0.2 * 0.05 * 0.05);
}

BOOST_AUTO_TEST_CASE(flow_maps_from_noisy_trajectories) {
  const auto noisy = oscillations(15, 0.05);
  const auto test = oscillations(10, 0.0, Split::test);
  HierarchyEvaluateOptions of;
  of.mode = HierarchyMode::multiscale;
  auto options = quick();
  const auto smoothed = train_hits(noisy, options, "noisy.h5");
  BOOST_TEST(smoothed.noise_rms[0] > 0.04);
  const double mse = evaluate_hierarchy(smoothed.model, test, of, "test.h5").fine_mse_mean;
  BOOST_TEST(mse < 1e-4); // the noise's variance is 2.5e-3
  options.smooth = false;
  const auto raw = train_hits(noisy, options, "noisy.h5");
  BOOST_TEST(raw.noise_rms.empty());
  const auto of_raw = evaluate_hierarchy(raw.model, test, of, "test.h5");
  BOOST_TEST((of_raw.left_domain > 0 || of_raw.fine_mse_mean > mse));
  BOOST_TEST(train_hits(oscillations(10, 0.0), quick(), "clean.h5").noise_rms[0] == 0.0);
}

BOOST_AUTO_TEST_CASE(data_to_judge_by_must_fit_the_model) {
  const auto model = train_hits(oscillations(10, 0.0), quick(), "a.h5").model;
  const auto message = [&](const TrajectorySet& data, HierarchyMode mode) {
    HierarchyEvaluateOptions of;
    of.mode = mode;
    try {
      evaluate_hierarchy(model, data, of, "b.h5");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  auto other = oscillations(3, 0.0);
  BOOST_TEST(message(other, HierarchyMode::multiscale) == "accepted");
  BOOST_TEST(contains(message(other, HierarchyMode::hybrid), "only multiscale needs none"));
  other.trajectories.dt = 0.1;
  BOOST_TEST(contains(message(other, HierarchyMode::multiscale), "b.h5: states every 0.1"));
  BOOST_TEST(contains(message(waves(20), HierarchyMode::multiscale), "b.h5: states of 40 variables"));
  HitsOptions options = quick();
  options.modes = 3;
  BOOST_CHECK_THROW(train_hits(other, options, "b.h5"), InvalidArgument);
}
