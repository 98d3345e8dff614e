#include "cli/family.hpp"

#include "cli/command.hpp"
#include "cli/output_file.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

namespace lodestep::cli {

namespace {

bool is_json(const std::string& path) {
  return path.size() >= 5 && path.compare(path.size() - 5, 5, ".json") == 0;
}

nlohmann::ordered_json to_json(const TableauEvaluation& e, const std::string& family) {
  nlohmann::ordered_json by_dt = nlohmann::ordered_json::array();
  for (const auto& errors : e.by_dt) {
    by_dt.push_back({{"dt", errors.dt},
                     {"one_step_ratio", errors.one_step_ratio},
                     {"global_ratio", errors.global_ratio},
                     {"one_step_rms_ratio", errors.one_step_rms_ratio},
                     {"global_rms_ratio", errors.global_rms_ratio},
                     {"global_error", errors.global_error},
                     {"classical_global_error", errors.classical_global_error},
                     {"learned", errors.learned}});
  }
  return {{"family", family},     {"one_step_ratio", e.one_step_ratio},     {"global_ratio", e.global_ratio},
          {"horizon", e.horizon}, {"dropped_fraction", e.dropped_fraction}, {"seconds", e.seconds},
          {"by_dt", by_dt}};
}

void print(const TableauEvaluation& e, const std::string& family) {
  std::printf("on %s, T = %s: error / the classical one's, geometric mean over held-out tasks\n", family.c_str(),
              number(e.horizon).c_str());
  std::printf("  %12s %12s %12s %14s\n", "dt", "one step", "global", "global error");
  for (const auto& errors : e.by_dt) {
    std::printf("  %12s %12s %12s %14s%s\n", number(errors.dt).c_str(), number(errors.one_step_ratio).c_str(),
                number(errors.global_ratio).c_str(), number(errors.global_error).c_str(),
                errors.learned ? "" : "  (classical)");
  }
  std::printf("  %12s %12s %12s\n", "all", number(e.one_step_ratio).c_str(), number(e.global_ratio).c_str());
}

} // namespace

nlohmann::ordered_json to_json(const ControlledEvaluation& e) {
  nlohmann::ordered_json by_tolerance = nlohmann::ordered_json::array();
  for (const auto& errors : e.by_tolerance) {
    by_tolerance.push_back({{"tolerance", errors.tolerance},
                            {"error", errors.error},
                            {"error_at_tolerance", errors.error_at_tolerance},
                            {"classical_evaluations", errors.classical_evaluations},
                            {"evaluations", errors.evaluations},
                            {"saving", errors.saving()}});
  }
  return {{"horizon", e.horizon},
          {"correlation", e.correlation},
          {"classical_correlation", e.classical_correlation},
          {"seconds", e.seconds},
          {"by_tolerance", by_tolerance}};
}

void print(const ControlledEvaluation& e, const std::string& classical) {
  std::printf("  %12s %12s %26s %10s %10s\n", "tolerance", "error", (classical + ", evaluations").c_str(), "learned",
              "saved");
  for (const auto& errors : e.by_tolerance) {
    std::printf("  %12s %12s %26s %10s %9s%%\n", number(errors.tolerance).c_str(), number(errors.error).c_str(),
                number(errors.classical_evaluations).c_str(), number(errors.evaluations).c_str(),
                number(100.0 * errors.saving()).c_str());
  }
  std::printf("  correlation of log estimate and log error %s, of %s %s\n", number(e.correlation).c_str(),
              classical.c_str(), number(e.classical_correlation).c_str());
}

Interval range_of(const std::string& text, const char* flag) {
  Interval range{0.0, 0.0};
  int used = 0;
  if (std::sscanf(text.c_str(), "%lf:%lf%n", &range.lower, &range.upper, &used) != 2 ||
      static_cast<std::size_t>(used) != text.size() || !std::isfinite(range.upper) || !(range.lower > 0.0) ||
      range.lower > range.upper) {
    throw InvalidArgument(std::string(flag) + ": expected a range of positive step sizes, as in 0.01:0.1, found '" +
                          text + "'");
  }
  return range;
}

ParameterRange parameter_range(const std::string& text) {
  ParameterRange range;
  const std::size_t equals = text.find('=');
  int used = 0;
  if (equals == std::string::npos || equals == 0 ||
      std::sscanf(text.c_str() + equals + 1, "%lf:%lf%n", &range.values.lower, &range.values.upper, &used) != 2 ||
      equals + 1 + static_cast<std::size_t>(used) != text.size()) {
    throw InvalidArgument("--parameter: expected NAME=LOWER:UPPER, as in k=30:50, found '" + text + "'");
  }
  range.name = text.substr(0, equals);
  return range;
}

namespace {

/// The parameters of a problem's family are the model's to know.
Family family_of_model(const std::string& text, const Model* model) {
  const auto* method = model ? std::get_if<TableauModel>(&model->method) : nullptr;
  const auto families = list_families();
  const std::string name = text.substr(0, text.find(':'));
  const bool built_in =
      std::any_of(families.begin(), families.end(), [&](const FamilyInfo& info) { return info.name == name; });
  std::vector<ParameterRange> ranges;
  if (method && !built_in) {
    for (const auto& parameter : method->parameters) ranges.push_back({parameter.name, parameter.trained});
  }
  return make_family(text, ranges);
}

} // namespace

int evaluate_on_family(const EvaluateFamilyArguments& arguments) {
  require_readable(arguments.file);
  std::shared_ptr<const Model> model;
  if (!is_json(arguments.file)) model = load_model(arguments.file);
  const Family family = family_of_model(arguments.family, model.get());
  TableauEvaluateOptions options;
  if (!arguments.dt.empty()) options.dt = range_of(arguments.dt, "--h");
  options.horizon = arguments.horizon;
  if (arguments.tasks > 0) options.tasks = arguments.tasks;
  options.seed = arguments.seed;
  TableauEvaluation evaluation;
  ControlledEvaluation controlled;
  std::string classical;
  if (is_json(arguments.file)) {
    std::ifstream in(arguments.file);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const ButcherTableau tableau = tableau_from_json(text, arguments.file);
    const std::size_t stages = tableau.stages() - (tableau.fsal ? 1 : 0);
    evaluation = evaluate_tableau(tableau, rknn_classical(stages, attainable_order(stages)).name, family, options);
  } else {
    evaluation = evaluate_tableau(*model, family, options);
    const auto* method = std::get_if<TableauModel>(&model->method);
    if (method && !method->tableau.b_embedded.empty()) {
      ControlledEvaluateOptions pair;
      pair.horizon = options.horizon;
      pair.tasks = options.tasks;
      pair.seed = options.seed;
      controlled = evaluate_controlled(*model, family, pair);
      classical = method->classical;
    }
  }
  const bool pair = !controlled.by_tolerance.empty();
  if (arguments.json) {
    auto document = to_json(evaluation, family.name);
    if (pair) document["controlled"] = to_json(controlled);
    print_json(document);
  } else {
    print(evaluation, family.name);
    if (pair) std::printf("under step-size control, at equal error over T = %s:\n", number(controlled.horizon).c_str());
    if (pair) print(controlled, classical);
  }
  return success;
}

} // namespace lodestep::cli
