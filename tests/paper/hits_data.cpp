// Flow maps from trajectories alone against what the HiTS paper prints: the Kuramoto-Sivashinsky row of Table 1, and
// cells of Tables 6, 7 and 8.
#include "problem/trajectory_file.hpp"
#include "report/studies/hits_lab.hpp"

#include <lodestep/train_hits.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace lodestep;

// 4001 snapshots of one solution on 512 points, generated again from the first: the paper 1.04e-3.
BOOST_AUTO_TEST_CASE(the_kuramoto_sivashinsky_sequence) {
  const auto problem = make_problem("kuramoto_sivashinsky");
  GenerateOptions generate;
  generate.trajectories = 1;
  const auto sequence = trajectory_set(problem, generate, generate_trajectories(problem, generate));
  BOOST_TEST(sequence.trajectories.times == 4001u);
  const auto result = train_hits(problem, {});
  BOOST_TEST(result.seconds < 600.0);
  HierarchyEvaluateOptions options;
  options.mode = HierarchyMode::multiscale;
  const auto e = evaluate_hierarchy(result.model, sequence, options, "sequence");
  BOOST_TEST_MESSAGE("mse " << e.fine_mse_mean << ", trained in " << result.seconds << " s");
  BOOST_TEST(e.fine_mse_mean <= 1e-3);
}

// Noise of 0, 1 and 2% of the variance: the multiscale scheme is no worse than the paper's.
BOOST_AUTO_TEST_CASE(noisy_trajectories) {
  for (const auto& system : report::hits_systems()) {
    for (std::size_t n = 0; n < 3; ++n) {
      report::HitsLab lab(
          {.problem = system.problem, .training = 60, .test = 64, .noise = 0.01 * static_cast<double>(n)});
      const double error = lab.multiscale_error();
      BOOST_TEST_MESSAGE(system.problem << ", " << n << "% noise: " << error << ", the paper " << system.error[n][11]
                                        << ", trained in " << lab.seconds() << " s");
      BOOST_TEST(error <= system.error[n][11], system.problem << ", " << n << "%");
    }
  }
}
