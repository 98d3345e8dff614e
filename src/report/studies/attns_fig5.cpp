#include "report/studies/attns_lab.hpp"
#include "report/studies/list.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

/// AttNS, Fig. 5: a constant noise of 1e-5 added to every state, in training and in roll-outs, on the elastic pendulum
/// from shares of the data. In the paper NeurVec "explodes numerically at the beginning of the simulation", in all
/// settings, and AttNS does not.
namespace lodestep::report {

StudyResult study_attns_fig5(const StudyOptions& options) {
  constexpr double noise = 1e-5;
  StudyResult result;
  StudyProgress progress{options};
  const auto training = options.pick<std::size_t>(4, 40, 1000);
  std::size_t explosions_neurvec = 0;
  std::size_t explosions_attns = 0;
  std::size_t runs = 0;
  const auto add_table = [&](double sigma) {
    const AttnsLab lab({.problem = "elastic_pendulum",
                        .training = training,
                        .held_out = options.pick<std::size_t>(4, 50, 500),
                        .noise = sigma,
                        .seed = options.seed},
                       progress);
    char text[200];
    std::snprintf(text, sizeof text,
                  "elastic_pendulum, rk4, noise %g: root mean square of what training left, mean squared error over T "
                  "= 50, exploded trajectories",
                  sigma);
    StudyTable table{text, {"data, method", "recipe", "training rms", "mse", "exploded"}, {}};
    for (const double share : {1.0, 0.5, 0.25}) {
      const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(training)));
      for (const auto method : {AttnsMethod::neurvec, AttnsMethod::attns}) {
        for (const bool standardised : {false, true}) {
          if (progress.stopped) break;
          auto recipe = lab.recipe(options.pick<std::size_t>(8, 96, 1024), options.pick<std::size_t>(64, 256, 1024),
                                   options.pick<std::size_t>(10, 6000, 100000), count);
          recipe.standardised = standardised;
          const auto fit = lab.adam(method, recipe, count);
          const auto errors = lab.errors(fit);
          const auto exploded = std::count_if(errors.begin(), errors.end(), [](double e) { return std::isinf(e); });
          std::snprintf(text, sizeof text, "%g%%, %s", 100.0 * share, to_string(method));
          table.rows.push_back({std::string(text), std::string(standardised ? "standardised" : "paper's"),
                                fit.training_rms, mean_of(errors), static_cast<double>(exploded)});
          if (sigma != 0.0) {
            ++runs;
            (method == AttnsMethod::attns ? explosions_attns : explosions_neurvec) += exploded > 0 ? 1 : 0;
          }
          progress.advance(1.0 / 24.0, to_string(method));
        }
      }
    }
    table.rows.push_back({std::string("rk4 alone"), {}, {}, mean_of(lab.base_errors()), {}});
    result.tables.push_back(table);
  };
  for (const double sigma : {noise, 0.0}) {
    if (!progress.stopped) add_table(sigma);
  }
  result.interrupted = progress.stopped;
  char text[200];
  std::snprintf(text, sizeof text, "With noise NeurVec exploded in %zu of %zu settings, AttNS in %zu of %zu.",
                explosions_neurvec, runs / 2, explosions_attns, runs / 2);
  result.findings.push_back({explosions_neurvec < runs / 2, text});
  return result;
}

} // namespace lodestep::report
