#include <lodestep/error.hpp>
#include <lodestep/train_rknn_stages.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace lodestep {

namespace {

constexpr std::size_t most_stages = 5;

/// The largest step at which the error is no larger than `error`, between two steps by interpolation in logarithms; 0
/// if there is none. `errors` ascend in dt.
double largest_step(const std::vector<TableauErrors>& errors, double error) {
  double dt = 0.0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!(errors[i].global_error <= error)) {
      if (i == 0) return 0.0;
      const double slope =
          std::log(errors[i].global_error / errors[i - 1].global_error) / std::log(errors[i].dt / errors[i - 1].dt);
      const double further = std::log(error / errors[i - 1].global_error) / slope;
      return slope > 0.0 && std::isfinite(further) ? errors[i - 1].dt * std::exp(further) : dt;
    }
    dt = errors[i].dt;
  }
  return dt;
}

/// Evaluations a step really takes: the last stage of FSAL serves the next step.
std::size_t evaluations_of(const ButcherTableau& tableau) {
  return tableau.stages() - (tableau.fsal ? 1 : 0);
}

} // namespace

RknnStagesResult search_rknn_stages(const Family& family, const RknnOptions& options, double error) {
  const auto start = std::chrono::steady_clock::now();
  if (!(error > 0.0) || !std::isfinite(error)) {
    throw InvalidArgument("train rknn: a search for the stages needs an error to reach, a positive number, found " +
                          std::to_string(error));
  }
  TableauEvaluateOptions measure;
  measure.dt = options.dt.upper > 0.0 ? options.dt : family.dt;
  measure.horizon = options.horizons.empty() || options.horizons.back() == 0.0 ? 0.0 : options.horizons.back();
  measure.step_sizes = 12;
  measure.tasks = 60;
  measure.fallback = false;
  measure.most_dropped = 1.0; // what blows up at some steps is no candidate there
  measure.seed = options.seed;

  RknnStagesResult result;
  double fewest = std::numeric_limits<double>::infinity();
  double most_accurate = std::numeric_limits<double>::infinity();
  bool any = false;
  for (std::size_t stages = 1; stages <= most_stages; ++stages) {
    RknnOptions of = options;
    of.stages = stages;
    of.order = attainable_order(stages);
    of.progress = [&](double fraction, const std::string& what) {
      const double done = (static_cast<double>(stages - 1) + fraction) / static_cast<double>(most_stages);
      return !options.progress || options.progress(done, std::to_string(stages) + " stages: " + what);
    };
    RknnResult trained = train_rknn(family, of);
    const auto errors = evaluate_tableau(trained.model, family, measure).by_dt;
    const auto& tableau = std::get<TableauModel>(trained.model.method).tableau;
    RknnStages tried{tableau.name, true, stages, of.order, largest_step(errors, error)};
    if (tried.dt > 0.0) tried.evaluations = static_cast<double>(evaluations_of(tableau)) / tried.dt;
    result.tried.push_back(tried);
    const double smallest = errors.empty() ? std::numeric_limits<double>::infinity() : errors.front().global_error;
    const bool better = tried.evaluations < fewest || (std::isinf(fewest) && smallest < most_accurate);
    if (!any || better) result.best = std::move(trained);
    any = true;
    fewest = std::min(fewest, tried.evaluations);
    most_accurate = std::min(most_accurate, smallest);
  }
  for (const char* name : {"euler", "heun", "rk3", "rk4", "dormand_prince"}) {
    const ButcherTableau& tableau = classical_tableau(name);
    const auto errors = evaluate_tableau(tableau, "rk3", family, measure).by_dt;
    RknnStages tried{name, false, tableau.stages(), tableau.order, largest_step(errors, error)};
    if (tried.dt > 0.0) tried.evaluations = static_cast<double>(evaluations_of(tableau)) / tried.dt;
    result.tried.push_back(tried);
  }
  result.reached = std::isfinite(fewest);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

} // namespace lodestep
