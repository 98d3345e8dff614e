#include "report/roll_out.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>

namespace lodestep::report {

namespace {

std::string names(const std::vector<Variable>& variables) {
  constexpr std::size_t shown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, variables.size()); ++i) {
    text += (i ? ", " : "") + variables[i].name;
  }
  return variables.size() > shown ? text + ", ..." : text;
}

} // namespace

Trajectories held_out_reference(const Problem& problem, std::size_t trajectories, double dt, double horizon,
                                std::uint64_t seed, const Progress& progress) {
  if (trajectories == 0) throw InvalidArgument("trajectories: expected at least 1 held-out trajectory, found 0");
  GenerateOptions options;
  options.trajectories = trajectories;
  options.dt = dt;
  options.horizon = horizon != 0.0 ? horizon : problem.horizon;
  options.seed = seed;
  options.split = Split::test;
  options.progress = progress;
  steps_in(options.horizon, dt); // the clear error before any work
  return generate_trajectories(problem, options);
}

double mean_squared_error(const Trajectories& reference, std::size_t trajectory, const double* states) {
  const std::size_t count = (reference.times - 1) * reference.dimension;
  const double* expected = reference.state(trajectory, 1);
  const double* actual = states + reference.dimension;
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double error = actual[i] - expected[i];
    sum += error * error;
  }
  return std::isfinite(sum) ? sum / static_cast<double>(count) : std::numeric_limits<double>::infinity();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

Summary summarise(std::vector<double> values) {
  Summary summary;
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  summary.max = *std::max_element(values.begin(), values.end());
  summary.median = median(std::move(values));
  return summary;
}

namespace {

void require_same_variables(const Model& model, const Problem& problem) {
  const auto same = [](const Variable& a, const Variable& b) { return a.name == b.name; };
  if (std::equal(model.variables.begin(), model.variables.end(), problem.variables.begin(), problem.variables.end(),
                 same)) {
    return;
  }
  throw InvalidArgument("the model and the problem do not fit: the model steps " + std::to_string(model.dimension()) +
                        " variables (" + names(model.variables) + ") and was trained on '" + model.provenance.problem +
                        "', problem '" + problem.name + "' has " + std::to_string(problem.dimension()) + " (" +
                        names(problem.variables) +
                        "); choose the problem it was trained on, or train a model for this one");
}

/// The value of the parameter `name`, or null.
const double* value_of(const std::vector<Parameter>& parameters, const std::string& name) {
  for (const auto& parameter : parameters) {
    if (parameter.name == name) return &parameter.value;
  }
  return nullptr;
}

std::string precise(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

void require_same_parameters(const Model& model, const CorrectorModel& corrector, const Problem& problem) {
  for (const auto& input : corrector.parameters) {
    if (value_of(problem.parameters, input.name)) continue;
    throw InvalidArgument("parameter " + input.name + " is an input of the model, and problem '" + problem.name +
                          "' has no such parameter");
  }
  if (model.provenance.problem != problem.name) return;
  for (const auto& trained : model.provenance.parameters) {
    const auto is = [&](const CorrectorParameter& input) { return input.name == trained.name; };
    if (std::any_of(corrector.parameters.begin(), corrector.parameters.end(), is)) continue;
    const double* value = value_of(problem.parameters, trained.name);
    if (!value || *value == trained.value) continue;
    throw InvalidArgument("the model was trained at " + trained.name + " = " + precise(trained.value) +
                          ", the problem has " + trained.name + " = " + precise(*value) +
                          ": train a model for it, or one with this parameter as an input (train attns --parameter " +
                          trained.name + "=LOWER:UPPER)");
  }
}

} // namespace

void require_same_problem(const Model& model, const Problem& problem) {
  require_same_variables(model, problem);
  if (const auto* corrector = std::get_if<CorrectorModel>(&model.method)) {
    require_same_parameters(model, *corrector, problem);
  }
}

} // namespace lodestep::report
