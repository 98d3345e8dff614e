#include "train/corrector_profile.hpp"

#include <lodestep/corrector_features.hpp>
#include <lodestep/error.hpp>
#include <lodestep/import_corrector.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/version.hpp>

#include <cmath>
#include <cstdio>
#include <limits>

namespace lodestep {

namespace {

// As many as training takes.
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;

std::string text(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

void check_shape(const CorrectorModel& corrector, const Problem& problem, std::size_t stages) {
  const ApproximatorSpec& network = corrector.approximator;
  network.validate("network");
  const std::size_t features = CorrectorFeatures(corrector, problem.dimension(), stages).count();
  if (network.inputs != features) {
    throw InvalidModel("network.inputs", "problem '" + problem.name + "' with input '" + to_string(corrector.input) +
                                             "' feeds it " + std::to_string(features) + " numbers, it takes " +
                                             std::to_string(network.inputs));
  }
  if (network.outputs != problem.dimension()) {
    throw InvalidModel("network.outputs", "a correction of problem '" + problem.name + "' has " +
                                              std::to_string(problem.dimension()) + " numbers, it gives " +
                                              std::to_string(network.outputs));
  }
}

} // namespace

Model import_corrector(const ApproximatorSpec& network, const Problem& problem, const ImportOptions& options) {
  const ButcherTableau& base = classical_tableau(options.base);
  CorrectorModel corrector;
  corrector.base = base.name;
  corrector.dt = options.dt > 0.0 ? options.dt : problem.dt;
  corrector.input = options.input;
  corrector.approximator = network;
  check_shape(corrector, problem, base.stages());

  const auto trajectories = [&](Split split, std::size_t count, double from, double to) {
    GenerateOptions generate;
    generate.trajectories = count;
    generate.dt = corrector.dt;
    generate.horizon = options.horizon;
    generate.seed = options.seed;
    generate.split = split;
    generate.progress = [&](double fraction, const std::string& what) {
      return !options.progress || options.progress(from + (to - from) * fraction, what);
    };
    return detail::generate_cases(problem, {}, generate);
  };
  const auto train = trajectories(Split::train, options.trajectories, 0.0, 0.6);
  const auto validation = trajectories(Split::validation, validation_trajectories, 0.6, 0.8);
  const auto held_out = trajectories(Split::test, profile_trajectories, 0.8, 1.0);

  Model model;
  model.variables = problem.variables;
  model.method = std::move(corrector);
  const auto& grid = held_out.trajectories;
  model.error.horizon = static_cast<double>(grid.times - 1) * grid.dt;
  model.error.horizon_rms = std::numeric_limits<double>::infinity();
  detail::profile_corrector(model, {&train, &validation, &held_out, {1}});
  const std::string settings = "base " + base.name + ", dt " + text(grid.dt) + ", input " + to_string(options.input);
  if (!(model.error.step_rms < model.error.base_step_rms)) {
    throw InvalidData("the network does not correct " + settings + " on problem '" + problem.name +
                      "': its one-step error is " + text(model.error.step_rms) + ", without it " +
                      text(model.error.base_step_rms) + "; check base, step, input, parameters and units");
  }
  if (!std::isfinite(model.error.horizon_rms)) {
    throw InvalidData("the network's roll-outs over " + text(model.error.horizon) + " on problem '" + problem.name +
                      "' diverge (" + settings + "): train it further, or ask for a shorter horizon");
  }
  model.provenance.problem = problem.name;
  model.provenance.parameters = problem.parameters;
  model.provenance.initial = problem.initial;
  model.provenance.seed = options.seed;
  model.provenance.training_trajectories = options.trajectories;
  model.provenance.recipe = options.recipe.empty() ? "imported" : options.recipe;
  model.provenance.library_version = LODESTEP_VERSION_STRING;
  model.validate();
  return model;
}

} // namespace lodestep
