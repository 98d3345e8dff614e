#include "train/controlled_model.hpp"
#include "train/pair_fit.hpp"

#include <lodestep/error.hpp>
#include <lodestep/evaluate_controlled.hpp>

#include <chrono>
#include <cmath>
#include <memory>
#include <string>

namespace lodestep {

ControlledEvaluation evaluate_controlled(const Model& model, const Family& family,
                                         const ControlledEvaluateOptions& options) {
  using namespace detail;
  const auto begin = std::chrono::steady_clock::now();
  const auto* method = std::get_if<TableauModel>(&model.method);
  if (!method) throw InvalidModel("kind", std::string("expected a tableau, this model is a ") + model.kind());
  if (method->tableau.b_embedded.empty()) {
    throw InvalidModel("tableau.b_embedded", "step-size control needs an embedded row: train one with --embedded");
  }
  check_fits(*method, model.dimension(), family);
  ControlledEvaluation result;
  result.horizon = options.horizon > 0.0 ? options.horizon : family.horizon;
  if (!std::isfinite(result.horizon) || options.tasks == 0) {
    throw InvalidArgument("evaluate: expected a finite horizon and at least one task");
  }
  const auto shared = std::make_shared<const Model>(model);
  const ButcherTableau& classical = classical_tableau(method->classical);
  const PairChoice theirs = always(classical);
  const PairOfTask learned = [&](const RknnTask& task) { return controlled_pair(shared, task); };
  const PairOfTask baseline = [&](const RknnTask&) { return theirs; };
  const auto tasks = draw_tasks(family, options.tasks, options.seed, Split::test);
  ControlledRunOptions run;
  run.horizon = result.horizon;
  run.first_dt = method->trained_dt.lower;
  run.order = method->family_order;
  WorkPrecision curve(family, tasks, learned, run);
  for (double tolerance : options.tolerances) {
    if (!(tolerance > 0.0 && tolerance < 1.0)) {
      throw InvalidArgument("evaluate: a tolerance must be between 0 and 1, found " + std::to_string(tolerance));
    }
    ControlledRunOptions at = run;
    at.tolerance = tolerance;
    const double own = controlled_point(family, tasks, learned, at).log_error;
    at.order = classical.order;
    const ControlledPoint point = controlled_point(family, tasks, baseline, at);
    result.by_tolerance.push_back({tolerance, std::exp(point.log_error), point.evaluations,
                                   curve.evaluations_at(point.log_error), std::exp(own)});
  }
  // Everywhere: what the estimate is worth, not where it is used.
  Model everywhere = model;
  auto& unguarded = std::get<TableauModel>(everywhere.method);
  unguarded.controlled_dt = {std::numeric_limits<double>::min(), std::numeric_limits<double>::max()};
  unguarded.state.clear();
  const auto draft = std::make_shared<const Model>(std::move(everywhere));
  Family steps_of = family;
  steps_of.dt = method->trained_dt;
  const auto steps = sample_local_steps(steps_of, options.tasks, options.seed, Split::test);
  result.correlation = estimate_correlation(
      family, [&](const RknnTask& task) { return controlled_pair(draft, task); }, steps);
  result.classical_correlation = estimate_correlation(family, baseline, steps);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

} // namespace lodestep
