#include "report/work_precision.hpp"

#include "report/contender.hpp"
#include "report/core_contender.hpp"
#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"
#include "report/stiff_contenders.hpp"
#include "report/sweep.hpp"

#include <lodestep/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace lodestep::report {

namespace {

using Clock = ProcessorClock;

constexpr std::size_t fewest_repetitions = 5;
constexpr std::size_t most_repetitions = 25;
/// Classical points so close to the fastest at a model's error that only more repetitions can order them.
constexpr double close = 1.2;

/// A point still being measured.
struct Run {
  const Contender* contender;
  WorkPrecisionPoint point;
  std::vector<double> microseconds; ///< per trajectory, one entry per repetition
};

class Measurement {
public:
  Measurement(const Problem& problem, const std::vector<NamedModel>& models, const WorkPrecisionOptions& options)
      : options_(options), contenders_(make_contenders(problem)) {
    result_.problem = problem.name;
    result_.state_type = contenders_.state_type;
    result_.output_dt = output_dt(problem, models);
    result_.horizon = options.horizon;
    if (result_.horizon == 0.0) { // nobody asked for just this length: what of the problem's the outputs cover
      const double outputs = std::floor(problem.horizon / result_.output_dt * (1.0 + 1e-9));
      result_.horizon = std::max(outputs, 1.0) * result_.output_dt;
    }
    steps_in(result_.horizon, result_.output_dt);
    for (const auto& named : models) add_model(problem, named);
    if (is_stiff(problem)) {
      for (auto& contender : stiff_contenders(problem)) contenders_.classical.push_back(std::move(contender));
    }
    contenders_.classical.insert(contenders_.classical.end(), options.beside.begin(), options.beside.end());
    reference_ = held_out_reference(problem, options.trajectories, result_.output_dt, result_.horizon, options.seed,
                                    stage(0.0, 0.2));
    result_.trajectories = reference_.trajectories;
    result_.reference_error = reference_error(problem);
    states_.resize(reference_.times * reference_.dimension);
  }

  WorkPrecision run() {
    for (std::size_t i = 0; i < learned_.size(); ++i) runs_.push_back(first_pass(learned_[i], dt_[i]));
    sweep();
    repeat();
    for (auto& run : runs_) result_.points.push_back(std::move(run.point));
    return std::move(result_);
  }

private:
  /// The step of a model, in which outputs come naturally.
  static double step_of(const NamedModel& named) {
    if (const auto* corrector = std::get_if<CorrectorModel>(&named.model->method)) return corrector->dt;
    if (const auto* hierarchy = std::get_if<HierarchyModel>(&named.model->method)) {
      return hierarchy->maps[hierarchy->placing].dt;
    }
    throw InvalidArgument("bench: model '" + named.name + "' is a " + named.model->kind() +
                          ": correctors and hierarchies are compared here; 'evaluate --family' measures a tableau");
  }
  /// This part's share of the whole's progress.
  Progress stage(double from, double to) const {
    return [this, from, to](double fraction, const std::string& what) {
      return report(from + (to - from) * fraction, what);
    };
  }
  bool report(double fraction, const std::string& what) const {
    return !options_.progress || options_.progress(fraction, what);
  }

  double output_dt(const Problem& problem, const std::vector<NamedModel>& models) const {
    if (options_.output_dt != 0.0) return options_.output_dt;
    double dt = 0.0;
    for (const auto& named : models) dt = std::max(dt, step_of(named));
    return dt != 0.0 ? dt : problem.dt;
  }

  void add_model(const Problem& problem, const NamedModel& named) {
    require_same_problem(*named.model, problem);
    if (const auto* corrector = std::get_if<CorrectorModel>(&named.model->method)) {
      add_corrector(problem, named, *corrector);
      return;
    }
    const auto hierarchy = std::make_shared<const Hierarchy>(named.model, options_.backend);
    for (auto& contender : contenders_.flow_maps(hierarchy, result_.output_dt)) {
      contender.name = named.name + ": " + contender.name;
      learned_.push_back(std::move(contender));
      dt_.push_back(result_.output_dt);
    }
  }
  void add_corrector(const Problem& problem, const NamedModel& named, const CorrectorModel& corrector) {
    const double dt = corrector.dt;
    const auto& dense = corrector.dense;
    const double spacing = dense ? dt / static_cast<double>(dense->points + 1) : dt;
    try {
      steps_in(result_.output_dt, result_.output_dt < dt ? spacing : dt);
    } catch (const InvalidArgument&) {
      throw InvalidArgument("bench: outputs every " + std::to_string(result_.output_dt) +
                            " are no multiple of the step of model '" + named.name + "', dt = " + std::to_string(dt) +
                            "; ask for outputs at a multiple of it (--output-dt), or train a model for that step");
    }
    const auto shared = std::make_shared<const Corrector>(named.model, options_.backend);
    learned_.push_back(corrected_in_odeint(corrector.base) ? contenders_.learned(shared, problem)
                                                           : core_contender(shared, problem));
    learned_.back().name = named.name;
    dt_.push_back(dt);
  }

  double reference_error(const Problem& problem) const {
    std::vector<double> states(reference_.times * reference_.dimension);
    return reference_solution(problem, reference_.state(0, 0), reference_.t0, reference_.dt, reference_.times,
                              states.data(), true);
  }

  /// All trajectories once, timed; the outputs of each are in `states_` when `each(i)` is called, off the clock.
  template <class Each>
  double pass(const Contender& contender, double parameter, std::size_t& evaluations, Each&& each) {
    Clock::duration elapsed{};
    for (std::size_t i = 0; i < reference_.trajectories; ++i) {
      const auto start = Clock::now();
      evaluations += contender.run(parameter, reference_.state(i, 0), reference_.times, reference_.dt, states_.data());
      elapsed += Clock::now() - start;
      each(i);
    }
    const double total = std::chrono::duration<double, std::micro>(elapsed).count();
    return total / static_cast<double>(reference_.trajectories);
  }

  Run first_pass(const Contender& contender, double parameter) {
    Run run{&contender, {}, {}};
    std::size_t evaluations = 0;
    double sum = 0.0;
    run.microseconds.push_back(pass(contender, parameter, evaluations,
                                    [&](std::size_t i) { sum += mean_squared_error(reference_, i, states_.data()); }));
    const auto count = static_cast<double>(reference_.trajectories);
    run.point.stepper = contender.name;
    run.point.family = contender.family;
    run.point.setting = contender.setting;
    run.point.parameter = parameter;
    run.point.mse = sum / count;
    run.point.microseconds_per_trajectory = run.microseconds.front();
    run.point.rhs_evaluations = static_cast<double>(evaluations) / count;
    return run;
  }

  void sweep() {
    SweepOptions options;
    double slowest = 0.0;
    for (const auto& run : runs_) {
      slowest = std::max(slowest, run.point.microseconds_per_trajectory);
      if (std::isfinite(run.point.mse)) options.targets.push_back(run.point.mse);
    }
    // Beyond a hundred times the slowest model there is no verdict to find, only a longer diagram.
    if (!runs_.empty()) options.longest_microseconds = 100.0 * slowest;
    for (std::size_t c = 0; c < contenders_.classical.size(); ++c) {
      const auto& contender = contenders_.classical[c];
      const double share = 0.3 / static_cast<double>(contenders_.classical.size());
      report(0.2 + share * static_cast<double>(c), contender.name);
      std::vector<Run> measured;
      const auto measure = [&](double parameter) {
        measured.push_back(first_pass(contender, parameter));
        const auto& point = measured.back().point;
        return SweepPoint{parameter, point.mse, point.microseconds_per_trajectory, point.rhs_evaluations};
      };
      const auto kept = contender.setting == Setting::dt ? sweep_steps(result_.output_dt, options, measure)
                                                         : sweep_tolerances(options, measure);
      for (const double parameter : kept) {
        const auto found = std::find_if(measured.begin(), measured.end(),
                                        [&](const Run& run) { return run.point.parameter == parameter; });
        runs_.push_back(std::move(*found));
      }
    }
  }

  /// Timed repetitions, one of each point in turn, so that a slow spell of the machine falls on all alike. First all
  /// points; then, more often, those that decide.
  void repeat() {
    std::vector<Run*> all;
    for (auto& run : runs_) all.push_back(&run);
    repeat(all, fewest_repetitions - 1, 0.5, 0.8);
    const auto deciding = deciding_runs();
    double round = 1e-9;
    for (const Run* run : deciding) round += seconds_of(*run);
    const auto affordable = static_cast<std::size_t>(0.5 * options_.seconds / round);
    repeat(deciding, std::clamp(affordable, fewest_repetitions, most_repetitions), 0.8, 1.0);
    for (const Run* run : deciding) result_.repetitions = std::max(result_.repetitions, run->microseconds.size());
  }

  void repeat(const std::vector<Run*>& runs, std::size_t repetitions, double from, double to) {
    for (std::size_t r = 0; r < repetitions; ++r) {
      for (Run* run : runs) {
        std::size_t evaluations = 0;
        run->microseconds.push_back(pass(*run->contender, run->point.parameter, evaluations, [](std::size_t) {}));
      }
      report(from + (to - from) * static_cast<double>(r + 1) / static_cast<double>(repetitions), "timing");
    }
    for (Run* run : runs) run->point.microseconds_per_trajectory = median(run->microseconds);
  }

  double seconds_of(const Run& run) const {
    return 1e-6 * run.point.microseconds_per_trajectory * static_cast<double>(reference_.trajectories);
  }

  /// By the least time of each point: of few repetitions on a busy machine, it is the least disturbed.
  std::vector<Run*> deciding_runs() {
    std::vector<WorkPrecisionPoint> points;
    for (const auto& run : runs_) {
      points.push_back(run.point);
      points.back().microseconds_per_trajectory = *std::min_element(run.microseconds.begin(), run.microseconds.end());
    }
    std::vector<bool> decides(runs_.size(), false);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (runs_[i].point.family != Family::learned) continue;
      decides[i] = true;
      const double mse = runs_[i].point.mse;
      const auto* fastest = fastest_classical(points, mse);
      if (!fastest || !std::isfinite(mse)) continue;
      const double enough = close * fastest->microseconds_per_trajectory;
      for (std::size_t k = 0; k < runs_.size(); ++k) {
        const auto& rival = points[k];
        if (rival.family == Family::classical && rival.mse <= mse && rival.microseconds_per_trajectory <= enough) {
          decides[k] = true;
        }
      }
    }
    std::vector<Run*> deciding;
    for (std::size_t i = 0; i < runs_.size(); ++i)
      if (decides[i]) deciding.push_back(&runs_[i]);
    return deciding;
  }

  const WorkPrecisionOptions& options_;
  Contenders contenders_;
  std::vector<Contender> learned_;
  std::vector<double> dt_; ///< of each learned one
  Trajectories reference_;
  std::vector<double> states_; ///< outputs of one trajectory
  std::vector<Run> runs_;
  WorkPrecision result_;
};

} // namespace

const char* to_string(Family family) noexcept {
  return family == Family::classical ? "classical" : "learned";
}

const char* to_string(Setting setting) noexcept {
  return setting == Setting::dt ? "dt" : "tolerance";
}

WorkPrecision work_precision(const Problem& problem, const std::vector<NamedModel>& models,
                             const WorkPrecisionOptions& options) {
  return Measurement(problem, models, options).run();
}

const WorkPrecisionPoint* fastest_classical(const std::vector<WorkPrecisionPoint>& points, double mse) {
  const WorkPrecisionPoint* fastest = nullptr;
  for (const auto& point : points) {
    if (point.family != Family::classical || !std::isfinite(point.mse) || !(point.mse <= mse)) continue;
    if (!fastest || point.microseconds_per_trajectory < fastest->microseconds_per_trajectory) fastest = &point;
  }
  return fastest;
}

std::vector<std::pair<std::string, std::optional<double>>>
speedup_at_equal_error(const std::vector<WorkPrecisionPoint>& points) {
  std::vector<std::pair<std::string, std::optional<double>>> speedups;
  for (const auto& point : points) {
    if (point.family != Family::learned) continue;
    const auto* rival = std::isfinite(point.mse) ? fastest_classical(points, point.mse) : nullptr;
    speedups.emplace_back(point.stepper, std::nullopt);
    if (rival) speedups.back().second = rival->microseconds_per_trajectory / point.microseconds_per_trajectory;
  }
  return speedups;
}

nlohmann::ordered_json to_json(const WorkPrecision& result) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const auto& point : result.points) {
    points.push_back({{"stepper", point.stepper},
                      {"family", to_string(point.family)},
                      {"parameter", point.parameter},
                      {"mse", point.mse},
                      {"microseconds_per_trajectory", point.microseconds_per_trajectory},
                      {"rhs_evaluations", point.rhs_evaluations}});
  }
  nlohmann::ordered_json speedups = nlohmann::ordered_json::object();
  for (const auto& [model, ratio] : speedup_at_equal_error(result.points)) {
    speedups[model] = ratio ? nlohmann::ordered_json(*ratio) : nlohmann::ordered_json(nullptr);
  }
  return {{"problem", result.problem},
          {"horizon", result.horizon},
          {"output_dt", result.output_dt},
          {"trajectories", result.trajectories},
          {"reference_error", result.reference_error},
          {"state_type", result.state_type},
          {"repetitions", result.repetitions},
          {"points", points},
          {"speedup_at_equal_error", speedups}};
}

} // namespace lodestep::report
