#include "report/studies/attns_lab.hpp"
#include "report/studies/list.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <vector>

/// AttNS, Table 2: a skip connection across the network, and S dt as its input instead of S. In the paper's raw units,
/// since a scale of inputs is what the second column is about, with the loss scaled as published, and standardised.
/// Table 2 (right), LSTM and Transformer, is not computed: they are no approximators of this library.
namespace lodestep::report {

namespace {

struct System {
  const char* problem;
  std::array<double, 3> printed; ///< skip, without dt, ours
};

struct Variant {
  const char* name;
  bool skip;
  bool with_dt; ///< S dt instead of S
};

} // namespace

StudyResult study_attns_table2(const StudyOptions& options) {
  const std::vector<System> systems{{"spring_mass:d=20", {4.57e-4, 3.67e-6, 2.58e-6}},
                                    {"two_link_pendulum", {6.36e-6, 4.18e-9, 4.26e-9}},
                                    {"elastic_pendulum", {1.39e-4, 1.65e-6, 5.41e-7}}};
  const std::array<Variant, 3> variants{{{"skip connection", true, false}, {"S dt", false, true}, {"S", false, false}}};
  StudyResult result;
  StudyProgress progress{options};
  for (const auto& system : systems) {
    if (progress.stopped) break;
    const AttnsLab lab({.problem = system.problem,
                        .training = options.pick<std::size_t>(3, 40, 1000),
                        .held_out = options.pick<std::size_t>(4, 50, 500),
                        .seed = options.seed},
                       progress);
    StudyTable table{std::string(system.problem) + ", rk4: mean squared error",
                     {"network's input", "paper", "paper's recipe", "standardised"},
                     {}};
    std::array<std::array<double, 2>, 3> mse{};
    for (std::size_t k = 0; k < variants.size() && !progress.stopped; ++k) {
      auto recipe = lab.recipe(options.pick<std::size_t>(8, 128, 1024), options.pick<std::size_t>(64, 256, 1024),
                               options.pick<std::size_t>(10, 8000, 100000));
      recipe.standardised = false;
      recipe.skip = variants[k].skip;
      mse[k][0] = mean_of(lab.errors(lab.adam(AttnsMethod::attns, recipe, 0, variants[k].with_dt)));
      progress.advance(1.0 / 15.0, variants[k].name);
      StudyCell standardised; // S dt and S are the same input then
      if (!variants[k].with_dt) {
        recipe.standardised = true;
        mse[k][1] = mean_of(lab.errors(lab.adam(AttnsMethod::attns, recipe)));
        standardised = mse[k][1];
        progress.advance(1.0 / 15.0, variants[k].name);
      }
      table.rows.push_back({std::string(variants[k].name), system.printed[k], mse[k][0], standardised});
    }
    table.rows.push_back({std::string("rk4 alone"), {}, mean_of(lab.base_errors()), {}});
    result.tables.push_back(table);
    if (progress.stopped) break;
    char text[240];
    std::snprintf(text, sizeof text,
                  "%s: the skip connection costs a factor of %.2g by the paper's recipe (the paper: %.2g) and %.2g "
                  "where inputs and targets are standardised.",
                  system.problem, mse[0][0] / mse[2][0], system.printed[0] / system.printed[2], mse[0][1] / mse[2][1]);
    result.findings.push_back({!(mse[0][0] > 2.0 * mse[2][0]), text});
    std::snprintf(text, sizeof text,
                  "%s: S dt instead of S costs a factor of %.2g by the paper's recipe (the paper: %.2g); standardised, "
                  "the two are the same input.",
                  system.problem, mse[1][0] / mse[2][0], system.printed[1] / system.printed[2]);
    const bool paper_worse = system.printed[1] > 1.1 * system.printed[2];
    result.findings.push_back({paper_worse && mse[1][0] <= mse[2][0], text});
  }
  result.interrupted = progress.stopped;
  return result;
}

} // namespace lodestep::report
