#include "problem/batched.hpp"
#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"

#include <lodestep/error.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/parareal.hpp>
#include <lodestep/train_hits.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace lodestep {

namespace {

/// Repetitions of the timed solutions; the median is reported.
constexpr int repetitions = 3;
/// Classical steps for one of a map that corrects none, as the coarse propagator beside it.
constexpr unsigned classical_substeps = 4;

/// Counts evaluations of one state.
struct Count {
  std::atomic<std::size_t> evaluations{0};
};
template <class Forms> auto counted(Forms& forms, Count& count) {
  return rhs_forms(
      [&](double t, const double* u, double* dudt) {
        count.evaluations.fetch_add(1, std::memory_order_relaxed);
        forms.one(t, u, dudt);
      },
      [&](double t, const double* u, double* dudt, std::size_t n) {
        count.evaluations.fetch_add(n, std::memory_order_relaxed);
        forms.many(t, u, dudt, n);
      });
}

/// The same hierarchy with nothing learned: classical steps in the place of the placing map.
std::shared_ptr<const Hierarchy> classical(const Model& model, std::size_t placing) {
  Model bare = model;
  auto& hierarchy = std::get<HierarchyModel>(bare.method);
  FlowMapModel map = hierarchy.maps[placing];
  const std::size_t d = model.dimension();
  if (map.base.empty()) {
    map.base = "rk4";
    map.substeps = classical_substeps;
  }
  map.approximator = ApproximatorSpec::zero(d, d);
  map.state.assign(d, {-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()});
  map.limit.assign(d, 0.0);
  hierarchy.maps = {map};
  hierarchy.lower = hierarchy.upper = hierarchy.placing = 0;
  return std::make_shared<const Hierarchy>(std::make_shared<const Model>(std::move(bare)));
}

class HierarchyMeasurement {
public:
  HierarchyMeasurement(const Model& model, const Problem& problem, const HierarchyEvaluateOptions& options)
      : model_(model), problem_(problem), options_(options),
        hierarchy_(std::make_shared<const Hierarchy>(std::make_shared<const Model>(model), options.backend)) {
    if (options.threads > 1) team_.emplace(options.threads);
  }

  HierarchyEvaluation run() {
    truth_ = report::held_out_reference(problem_, options_.trajectories, hierarchy_->fine_dt(), options_.horizon,
                                        options_.seed, options_.progress);
    if (truth_.trajectories == 0) throw InvalidData("evaluate: interrupted before the first reference was ready");
    HierarchyEvaluation result;
    result.problem = problem_.name;
    result.kind = model_.kind();
    result.mode = options_.mode;
    result.fine_dt = hierarchy_->fine_dt();
    result.horizon = static_cast<double>(steps()) * result.fine_dt;
    result.trajectories = truth_.trajectories;
    result.threads = options_.threads;
    switch (options_.mode) {
    case HierarchyMode::multiscale: {
      Multiscale scheme(hierarchy_);
      auto solve = [&](auto& forms, double* states) {
        scheme.solve(forms, truth_.t0, steps(), states, Interpolation::cubic);
      };
      measure(result, scheme.fine_steps(), solve);
      count_fallbacks(result, scheme.counters());
      break;
    }
    case HierarchyMode::hybrid: {
      Hybrid scheme(hierarchy_, 1, placing());
      auto solve = [&](auto& forms, double* states) { scheme.solve(forms, truth_.t0, steps(), states, executor()); };
      measure(result, scheme.map().fine_steps_apart(), solve);
      count_fallbacks(result, scheme.map().counters());
      break;
    }
    case HierarchyMode::parareal:
      parareal(result);
    }
    result.dt = static_cast<double>(placed_) * result.fine_dt;
    fine_scheme_alone(result);
    return result;
  }

private:
  std::size_t steps() const { return truth_.times - 1; }
  std::size_t placing() const { return options_.map.value_or(hierarchy_->placing()); }
  Executor* executor() { return team_ ? &*team_ : nullptr; }

  /// Squared errors of one trajectory: of the states that maps place, and of all.
  void judge(std::size_t trajectory, const double* states, std::vector<double>& placed, std::vector<double>& fine) {
    const std::size_t d = truth_.dimension;
    double sum = 0.0;
    std::size_t count = 0;
    for (std::size_t n = placed_; n < truth_.times; n += placed_, ++count) {
      for (std::size_t i = 0; i < d; ++i) {
        const double error = states[n * d + i] - truth_.state(trajectory, n)[i];
        sum += error * error;
      }
    }
    const double mean = sum / static_cast<double>(std::max<std::size_t>(count, 1) * d);
    placed.push_back(std::isfinite(mean) ? mean : std::numeric_limits<double>::infinity());
    fine.push_back(report::mean_squared_error(truth_, trajectory, states));
  }

  /// `solve(forms, states)` goes on from states[0]. Median of repetitions, in microseconds a trajectory.
  template <class Solve> double time(Solve& solve) {
    auto forms = problem::forms_of(problem_);
    std::vector<double> microseconds;
    for (int repetition = 0; repetition < repetitions; ++repetition) {
      const auto processor = report::ProcessorClock::now();
      const auto wall = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < truth_.trajectories; ++i) {
        std::copy_n(truth_.state(i, 0), truth_.dimension, states_.data());
        solve(forms, states_.data());
      }
      const std::chrono::duration<double, std::micro> elapsed =
          options_.threads > 1 ? std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - wall)
                               : std::chrono::duration<double, std::micro>(report::ProcessorClock::now() - processor);
      microseconds.push_back(elapsed.count() / static_cast<double>(truth_.trajectories));
    }
    return report::median(microseconds);
  }

  template <class Solve> void measure(HierarchyEvaluation& result, std::size_t placed, Solve& solve) {
    placed_ = placed;
    states_.resize(truth_.times * truth_.dimension);
    auto plain = problem::forms_of(problem_);
    Count count;
    auto forms = counted(plain, count);
    std::vector<double> errors, fine;
    for (std::size_t i = 0; i < truth_.trajectories; ++i) {
      std::copy_n(truth_.state(i, 0), truth_.dimension, states_.data());
      solve(forms, states_.data());
      judge(i, states_.data(), errors, fine);
    }
    const auto of_placed = report::summarise(errors);
    const auto of_fine = report::summarise(fine);
    result.mse_mean = of_placed.mean;
    result.mse_median = of_placed.median;
    result.mse_max = of_placed.max;
    result.fine_mse_mean = of_fine.mean;
    result.fine_mse_median = of_fine.median;
    result.rhs_evaluations_per_time =
        static_cast<double>(count.evaluations) / (static_cast<double>(truth_.trajectories) * result.horizon);
    result.microseconds_per_trajectory = time(solve);
  }

  static void count_fallbacks(HierarchyEvaluation& result, const StepCounters& counters) {
    const auto total = static_cast<double>(counters.total());
    result.fallback_fraction = total > 0.0 ? static_cast<double>(counters.fallen_back()) / total : 0.0;
  }

  void parareal(HierarchyEvaluation& result) {
    const Parareal::Options options{options_.sweeps, options_.tolerance};
    const auto sweep_sums = [&](Parareal& scheme, double& sweeps, double& jump) {
      return [&, this](auto& forms, double* states) {
        const auto outcome = scheme.solve(forms, truth_.t0, steps(), states, options, executor());
        sweeps += static_cast<double>(outcome.sweeps);
        jump = std::max(jump, outcome.jump);
        ++solved_;
      };
    };
    Parareal scheme(hierarchy_, placing());
    double sweeps = 0.0;
    auto solve = sweep_sums(scheme, sweeps, result.jump_max);
    measure(result, scheme.map().map().fine_steps, solve);
    result.sweeps_mean = sweeps / static_cast<double>(solved_);
    count_fallbacks(result, scheme.map().counters());

    Parareal beside(classical(model_, placing()));
    HierarchyEvaluation classical_result = result;
    sweeps = 0.0;
    solved_ = 0;
    double jump = 0.0;
    auto solve_beside = sweep_sums(beside, sweeps, jump);
    measure(classical_result, scheme.map().map().fine_steps, solve_beside);
    result.classical_fine_mse_mean = classical_result.fine_mse_mean;
    result.classical_sweeps_mean = sweeps / static_cast<double>(solved_);
  }

  void fine_scheme_alone(HierarchyEvaluation& result) {
    const std::size_t d = truth_.dimension;
    RungeKutta fine(hierarchy_->fine(), d);
    const double h = truth_.dt;
    auto solve = [&](auto& forms, double* states) {
      for (std::size_t n = 0; n < steps(); ++n) fine.step(forms.one, 0.0, states + n * d, h, states + (n + 1) * d);
    };
    HierarchyEvaluation alone = result;
    const double microseconds = result.microseconds_per_trajectory;
    measure(alone, placed_, solve);
    result.base_mse_mean = alone.fine_mse_mean;
    result.base_microseconds_per_trajectory = alone.microseconds_per_trajectory;
    result.microseconds_per_trajectory = microseconds;
  }

  const Model& model_;
  const Problem& problem_;
  HierarchyEvaluateOptions options_;
  std::shared_ptr<const Hierarchy> hierarchy_;
  std::optional<ThreadTeam> team_;
  Trajectories truth_;
  std::size_t placed_ = 1; ///< fine steps between placed states
  std::size_t solved_ = 0;
  std::vector<double> states_;
};

} // namespace

const char* to_string(HierarchyMode mode) noexcept {
  switch (mode) {
  case HierarchyMode::multiscale:
    return "multiscale";
  case HierarchyMode::hybrid:
    return "hybrid";
  case HierarchyMode::parareal:
    return "parareal";
  }
  return "?";
}

HierarchyMode hierarchy_mode_from(const std::string& name) {
  for (const auto mode : {HierarchyMode::multiscale, HierarchyMode::hybrid, HierarchyMode::parareal}) {
    if (name == to_string(mode)) return mode;
  }
  throw InvalidArgument("unknown mode '" + name + "': expected one of multiscale, hybrid, parareal");
}

HierarchyEvaluation evaluate_hierarchy(const Model& model, const Problem& problem,
                                       const HierarchyEvaluateOptions& options) {
  report::require_same_problem(model, problem);
  if (const auto* hierarchy = std::get_if<HierarchyModel>(&model.method); !hierarchy) {
    throw InvalidArgument(std::string("evaluate_hierarchy: this model is a ") + model.kind());
  } else if (hierarchy->reduced && options.mode != HierarchyMode::multiscale) {
    throw InvalidArgument(std::string("mode ") + to_string(options.mode) +
                          ": the flow maps know reduced coordinates only, and classical steps need whole states; use "
                          "multiscale, or compare with trajectories of a file");
  } else if (options.map && *options.map >= hierarchy->maps.size()) {
    throw InvalidArgument("map " + std::to_string(*options.map) + ": the model has " +
                          std::to_string(hierarchy->maps.size()) + ", numbered from 0");
  }
  if (options.threads == 0) throw InvalidArgument("threads: expected at least 1, found 0");
  return HierarchyMeasurement(model, problem, options).run();
}

} // namespace lodestep
