#include "train/rknn_tasks.hpp"

#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>

namespace lodestep {

namespace {

using namespace detail;

// Writes the coefficients for a step of `dt` from `u` and returns the number of stages.
using Choice = std::function<std::size_t(const double* u, double dt, double* a, double* b)>;

double worst_error(const Family& family, const Choice& choice, const RknnTask& task, const RknnSample& sample) {
  constexpr std::size_t most = 14;
  double a[most * most];
  double b[most];
  const std::size_t d = family.dimension();
  RknnStepper stepper(family, most);
  std::vector<double> u = task.initial;
  double worst = 0.0;
  for (std::size_t n = 0; n < sample.steps; ++n) {
    const std::size_t s = choice(u.data(), sample.dt, a, b);
    stepper.step(a, b, s, task.parameters.data(), sample.dt, u.data());
    double error = 0.0;
    for (std::size_t m = 0; m < d; ++m) {
      const double difference = u[m] - sample.reference[n * d + m];
      error += difference * difference;
    }
    if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, error);
  }
  return std::sqrt(worst);
}

std::size_t copy(const ButcherTableau& tableau, double* a, double* b) {
  std::copy(tableau.a.begin(), tableau.a.end(), a);
  std::copy(tableau.b.begin(), tableau.b.end(), b);
  return tableau.stages();
}

TableauEvaluation evaluate(const Family& family, const ButcherTableau& classical, const TableauEvaluateOptions& options,
                           const std::function<Choice(const RknnTask&)>& choice_for,
                           const std::function<bool(double)>& learned) {
  const auto begin = std::chrono::steady_clock::now();
  if (!(options.dt.lower > 0.0 && options.dt.lower <= options.dt.upper) || options.tasks == 0 ||
      options.step_sizes == 0) {
    throw InvalidArgument("evaluate: expected positive step sizes in order, at least one task and one step size");
  }
  TableauEvaluation result;
  result.horizon = options.horizon > 0.0 ? options.horizon : family.horizon;
  RknnTaskOptions ask;
  ask.tasks = options.tasks;
  ask.horizons = {0.0, result.horizon};
  ask.dt = geometric_grid(options.dt, options.step_sizes);
  ask.seed = options.seed;
  ask.split = Split::test;
  ask.widen = options.widen;
  ask.most_dropped = options.most_dropped;
  double logarithm[2] = {0.0, 0.0};
  std::size_t asked = 0;
  std::size_t dropped = 0;
  std::vector<double> grid;
  std::swap(grid, ask.dt);
  for (double dt : grid) {
    ask.dt = {dt};
    const RknnTasks set = make_rknn_tasks(family, classical, ask);
    asked += set.asked;
    dropped += set.dropped;
    double log_ratio[2] = {0.0, 0.0}, own[2] = {0.0, 0.0}, base[2] = {0.0, 0.0}, count[2] = {0.0, 0.0};
    double log_error = 0.0, log_classical = 0.0;
    for (const auto& sample : set.samples) {
      const RknnTask& task = set.tasks[sample.task];
      // A tableau that blows up where the classical one does not counts as a very large error, not as none.
      const double error = std::min(worst_error(family, choice_for(task), task, sample), 1e12 * sample.classical_error);
      const std::size_t g = sample.group;
      log_ratio[g] += std::log(std::max(error / sample.classical_error, 1e-12));
      own[g] += error * error;
      base[g] += sample.classical_error * sample.classical_error;
      count[g] += 1.0;
      if (g == 1) log_error += std::log(std::max(error, 1e-300));
      if (g == 1) log_classical += std::log(sample.classical_error);
    }
    for (int g = 0; g < 2; ++g) log_ratio[g] /= std::max(count[g], 1.0);
    if (count[1] == 0.0) continue; // nothing can be said of step sizes at which every solution blows up
    logarithm[0] += log_ratio[0];
    logarithm[1] += log_ratio[1];
    result.by_dt.push_back({set.groups[1].dt, std::exp(log_ratio[0]), std::exp(log_ratio[1]),
                            std::sqrt(own[0] / base[0]), std::sqrt(own[1] / base[1]),
                            std::exp(log_error / std::max(count[1], 1.0)),
                            std::exp(log_classical / std::max(count[1], 1.0)), learned(dt)});
  }
  const auto sizes = static_cast<double>(std::max<std::size_t>(1, result.by_dt.size()));
  result.one_step_ratio = std::exp(logarithm[0] / sizes);
  result.global_ratio = std::exp(logarithm[1] / sizes);
  result.dropped_fraction = static_cast<double>(dropped) / static_cast<double>(asked);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

} // namespace

TableauEvaluation evaluate_tableau(const Model& model, const Family& family, const TableauEvaluateOptions& options) {
  const auto shared = std::make_shared<const Model>(model);
  // Where the coefficients depend on the parameters they are frozen for each task, as a user would.
  const auto at = [&](const RknnTask& task) { return LearnedTableau(shared, task.parameters); };
  const auto* method = std::get_if<TableauModel>(&model.method);
  if (!method) throw InvalidModel("kind", std::string("expected a tableau, this model is a ") + model.kind());
  check_fits(*method, model.dimension(), family);
  TableauEvaluateOptions asked = options;
  if (asked.dt.upper <= 0.0) asked.dt = method->trained_dt;
  const auto choice_for = [&](const RknnTask& task) -> Choice {
    return [learned = at(task), fallback = asked.fallback](const double* u, double dt, double* a, double* b) {
      if (fallback && (learned.admits(dt) != Verdict::learned || learned.admits_state(u) != Verdict::learned)) {
        return copy(learned.classical(), a, b);
      }
      learned.coefficients(dt, a, b);
      return learned.method().tableau.stages();
    };
  };
  return evaluate(family, classical_tableau(method->classical), asked, choice_for,
                  [&](double dt) { return !asked.fallback || (dt >= method->dt.lower && dt <= method->dt.upper); });
}

TableauEvaluation evaluate_tableau(const ButcherTableau& tableau, const std::string& classical, const Family& family,
                                   const TableauEvaluateOptions& options) {
  tableau.validate();
  if (tableau.stages() > 14)
    throw InvalidArgument("evaluate: at most 14 stages, found " + std::to_string(tableau.stages()));
  TableauEvaluateOptions asked = options;
  if (asked.dt.upper <= 0.0) asked.dt = family.dt;
  return evaluate(
      family, classical_tableau(classical), asked,
      [&](const RknnTask&) -> Choice {
        return [&tableau](const double*, double, double* a, double* b) { return copy(tableau, a, b); };
      },
      [](double) { return true; });
}

} // namespace lodestep
