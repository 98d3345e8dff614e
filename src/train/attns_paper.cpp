#include "train/attns_recipe.hpp"
#include "train/corrector_profile.hpp"
#include "train/step_data.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_attns_paper.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>

namespace lodestep {

namespace {

// As many as every other training takes.
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;

void check(const AttnsPaperOptions& options) {
  const auto positive = [](const char* name, std::size_t value) {
    if (value == 0)
      throw InvalidArgument(std::string("train attns, paper's recipe: ") + name + " must be positive, found 0");
  };
  positive("trajectories", options.trajectories);
  positive("the width", options.hidden);
  positive("epochs", options.epochs);
  positive("the batch", options.batch);
  if (options.layers < 2) throw InvalidArgument("train attns, paper's recipe: expected a depth of 2 or more");
  if (options.input == CorrectorInput::stages) {
    throw InvalidArgument("train attns, paper's recipe: the paper knows the increment and the state as inputs, not the "
                          "stages; use the recipe auto");
  }
}

detail::AttnsRecipe recipe_of(const AttnsPaperOptions& options, double dt) {
  detail::AttnsRecipe recipe;
  recipe.hidden.assign(options.layers - 1, options.hidden);
  recipe.activation = options.activation;
  recipe.standardised = options.standardised;
  if (options.input == CorrectorInput::increment) recipe.input_unit = dt; // S, not S dt
  recipe.adam.epochs = options.epochs;
  recipe.adam.batch = options.batch;
  recipe.adam.learning_rate = options.learning_rate;
  recipe.adam.loss_scale = options.loss_scale;
  recipe.adam.seed = options.seed;
  return recipe;
}

} // namespace

AttnsPaperResult train_attns_paper(const Problem& problem, const AttnsPaperOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  check(options);
  const ButcherTableau& base = classical_tableau(options.base);
  CorrectorModel corrector;
  corrector.base = base.name;
  corrector.dt = options.dt > 0.0 ? options.dt : problem.dt;
  corrector.form = options.form;
  corrector.input = options.input;
  if (depends_on_time(problem, options.seed)) {
    throw InvalidArgument("train attns, paper's recipe: the right-hand side of '" + problem.name +
                          "' depends on time, which the paper's correctors are not fed; use the recipe auto");
  }

  const auto report = [&](double fraction, const std::string& what) {
    return !options.progress || options.progress(fraction, what);
  };
  const auto cases = [&](Split split, std::size_t count, double from, double to) {
    GenerateOptions generate;
    generate.trajectories = count;
    generate.dt = corrector.dt;
    generate.horizon = options.horizon;
    generate.seed = options.seed;
    generate.split = split;
    generate.progress = [&](double fraction, const std::string& what) {
      return report(from + (to - from) * fraction, what);
    };
    return detail::generate_cases(problem, {}, generate);
  };
  const auto validation = cases(Split::validation, validation_trajectories, 0.0, 0.01);
  const auto train = cases(Split::train, options.trajectories, 0.01, 0.15);

  AttnsPaperResult result;
  const auto data = detail::make_step_data(train, base, {1}, std::numeric_limits<std::size_t>::max());
  const auto targets = detail::make_targets(data, corrector);
  auto recipe = recipe_of(options, corrector.dt);
  recipe.adam.proceed = [&](std::size_t epoch, double loss) {
    char text[64];
    std::snprintf(text, sizeof text, "epoch %zu of %zu, loss %.3g", epoch, options.epochs, loss);
    return report(0.15 + 0.8 * static_cast<double>(epoch) / static_cast<double>(options.epochs), text);
  };
  // AttNS-m's factor (eq. 6) is learned whole, as in the paper; the model's is one more than its approximator, so that
  // one is taken off afterwards.
  const bool multiplicative = targets.weights.size() != 0;
  auto fit = detail::fit_attns_recipe(detail::make_features(data, corrector),
                                      multiplicative ? (targets.values + targets.weights).eval() : targets.values,
                                      recipe, targets.weights);
  if (multiplicative) {
    for (double& bias : fit.approximator.affine.bias) bias -= 1.0;
  }
  result.epochs = fit.loss.size();
  if (fit.diverged) {
    throw InvalidData("train attns, paper's recipe: training diverged in epoch " + std::to_string(fit.loss.size()) +
                      " of " + std::to_string(options.epochs) +
                      "; the raw recipe is prone to that: standardise, or lower the learning rate");
  }
  result.first_loss = fit.loss.front();
  result.last_loss = fit.loss.back();
  result.interrupted = fit.interrupted;
  corrector.approximator = std::move(fit.approximator);

  const auto held_out = cases(Split::test, profile_trajectories, 0.95, 0.99);
  Model& model = result.model;
  model.variables = problem.variables;
  model.method = std::move(corrector);
  const auto& grid = held_out.trajectories;
  model.error.horizon = static_cast<double>(grid.times - 1) * grid.dt;
  model.error.horizon_rms = std::numeric_limits<double>::infinity();
  detail::profile_corrector(model, {&train, &validation, &held_out, {1}});
  if (!std::isfinite(model.error.horizon_rms)) {
    throw InvalidData("train attns, paper's recipe: roll-outs diverge over the horizon after " +
                      std::to_string(result.epochs) + " epochs, the one-step error being " +
                      std::to_string(model.error.step_rms) + " against the base scheme's " +
                      std::to_string(model.error.base_step_rms) +
                      ": train longer, on more trajectories, with smaller batches, or standardise");
  }
  model.provenance.problem = problem.name;
  model.provenance.parameters = problem.parameters;
  model.provenance.initial = problem.initial;
  model.provenance.seed = options.seed;
  model.provenance.training_trajectories = train.trajectories.trajectories;
  model.provenance.recipe = options.standardised ? "paper, standardised" : "paper";
  model.provenance.library_version = LODESTEP_VERSION_STRING;
  model.validate();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report(1.0, "done");
  return result;
}

} // namespace lodestep
