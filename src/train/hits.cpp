#include "problem/batched.hpp"
#include "problem/trajectory_file.hpp"
#include "train/flow_map_fit.hpp"
#include "train/hits_choice.hpp"
#include "train/piecewise_map.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_hits.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>

namespace lodestep {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t training_trajectories = 100;
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;
constexpr std::size_t usual_pairs = 4000;
constexpr std::size_t fewest_pairs = 1500;
constexpr int usual_iterations = 220;
constexpr double usual_tolerance = 1e-8;
/// A map whose tolerance was loosened by more than this is the last that is worth its time.
constexpr double largest_loss = 1e2;
/// A corrected map is smoother than a bare one, and its error is not what the fit leaves but what that grows to.
constexpr int corrected_iterations = 100;
/// A corrected step this accurate, relative to the box of states, needs no network.
constexpr double accurate_step = 3e-7;
/// Highest level that is tried where flow maps turn out to be polynomials, the paper's highest.
constexpr std::size_t highest_level = 10;
/// The corrected map's base scheme takes so many steps for one of the map.
constexpr unsigned corrected_substeps = 2;
/// A map with a larger step places states for the hybrid if its error is no more than this factor of the best.
constexpr double as_good = 1.5;

class HitsTraining {
public:
  HitsTraining(const Problem& problem, const HitsOptions& options) : problem_(problem), options_(options) {
    choose_kind();
    if (options_.ratio == 0) options_.ratio = 2;
    if (options_.ratio < 2)
      throw InvalidArgument("ratio: expected at least 2, found " + std::to_string(options_.ratio));
    hierarchy_.fine_dt = options_.fine_dt != 0.0  ? options_.fine_dt
                         : problem.fine_dt != 0.0 ? problem.fine_dt
                                                  : problem.dt;
    hierarchy_.fine = options_.fine;
    classical_tableau(options_.fine); // known, or an error that lists those that are
    if (options_.base_dt == 0.0) options_.base_dt = hierarchy_.fine_dt;
    if (options_.horizon == 0.0) options_.horizon = problem.horizon;
    if (options_.pairs == 0) { // with its derivative a state tells as much as so many more states
      options_.pairs = options_.jacobian ? usual_pairs / (1 + problem.dimension()) : usual_pairs;
      // As many residuals, and as much time, however many variables.
      if (problem.dimension() > 2) options_.pairs = std::max(options_.pairs * 2 / problem.dimension(), fewest_pairs);
    }
    if (options_.iterations == 0) options_.iterations = usual_iterations;
    if (options_.hidden.empty()) options_.hidden = {24, 24};
    steps_in(options_.horizon, hierarchy_.fine_dt);
    steps_in(options_.base_dt, hierarchy_.fine_dt);
    if (options_.levels) {
      if (options_.levels->first > options_.levels->last || options_.levels->last > 62) {
        throw InvalidArgument("levels: expected first:last with first <= last <= 62, found " +
                              std::to_string(options_.levels->first) + ":" + std::to_string(options_.levels->last));
      }
      if (dt_of(options_.levels->last) > options_.horizon * (1.0 + 1e-9)) {
        throw InvalidArgument("levels: level " + std::to_string(options_.levels->last) + " is a step of " +
                              std::to_string(dt_of(options_.levels->last)) + ", beyond the horizon of " +
                              std::to_string(options_.horizon));
      }
    }
  }

  HitsResult run() {
    make_trajectories();
    if (!learn_polynomials() && !learn_piecewise()) learn_networks();
    if (hierarchy_.maps.empty()) throw InvalidData("training was interrupted before any flow map was learned");
    choose();
    return finish();
  }

private:
  void choose_kind() {
    const bool few = problem_.dimension() <= PiecewiseTerm::most_inputs;
    grid_asked_for_ = options_.kind == FlowMapKind::piecewise || options_.dense || options_.tolerance != 0.0;
    if (options_.kind == FlowMapKind::automatic) {
      const bool of_networks =
          !options_.hidden.empty() || options_.pairs != 0 || options_.iterations != 0 || options_.jacobian;
      options_.kind = few && !of_networks ? FlowMapKind::piecewise : FlowMapKind::mlp;
    } else if (options_.kind == FlowMapKind::piecewise && !few) {
      throw InvalidArgument("piecewise polynomials: of up to " + std::to_string(PiecewiseTerm::most_inputs) +
                            " variables, " + problem_.name + " has " + std::to_string(problem_.dimension()) +
                            "; learn networks (mlp)");
    }
    if (options_.kind == FlowMapKind::mlp && (options_.dense || options_.tolerance != 0.0)) {
      throw InvalidArgument("dense, tolerance: options of piecewise polynomials, and networks are to be learned" +
                            (few ? std::string(", as options of theirs are given")
                                 : " of the " + std::to_string(problem_.dimension()) + " variables of " +
                                       problem_.name + "; polynomials are for up to " +
                                       std::to_string(PiecewiseTerm::most_inputs)));
    }
    if (options_.tolerance == 0.0) options_.tolerance = usual_tolerance;
    if (!(options_.tolerance >= 1e-12 && options_.tolerance <= 1e-4)) {
      throw InvalidArgument("tolerance: expected 1e-12 to 1e-4, found " + std::to_string(options_.tolerance));
    }
  }

  double dt_of(std::size_t level) const {
    return options_.base_dt * std::pow(static_cast<double>(options_.ratio), static_cast<double>(level));
  }
  /// The level whose step is nearest to dt.
  std::size_t level_near(double dt) const {
    const double level = std::log(dt / options_.base_dt) / std::log(static_cast<double>(options_.ratio));
    return level > 0.0 ? static_cast<std::size_t>(std::lround(level)) : 0;
  }
  bool report(double fraction, const std::string& what) {
    if (options_.progress && !options_.progress(fraction, what)) interrupted_ = true;
    return !interrupted_;
  }

  void make_trajectories() {
    const auto make = [&](Split split, std::size_t count, double dt) {
      GenerateOptions generate;
      generate.trajectories = count;
      generate.dt = dt;
      generate.horizon = options_.horizon;
      generate.seed = options_.seed;
      generate.split = split;
      return generate_trajectories(problem_, generate);
    };
    report(0.0, "trajectories of " + problem_.name);
    // States to draw from need no fine spacing: the nearest whole fraction of the horizon to 512 of them.
    const double length = options_.horizon / 512.0;
    train_ = make(Split::train, training_trajectories, length);
    validation_ = make(Split::validation, validation_trajectories, hierarchy_.fine_dt);
    box_ = detail::box_around(problem_, train_);
  }

  void learn(double dt, const std::string& base, unsigned substeps, unsigned degree, bool& exact, int iterations) {
    const auto start = Clock::now();
    FlowMapModel map;
    map.dt = dt;
    map.base = base;
    map.substeps = substeps;
    detail::FlowMapFitOptions fit;
    fit.hidden = options_.hidden;
    fit.iterations = iterations;
    fit.largest_degree = degree;
    fit.seed = options_.seed;
    double size = 0.0;
    for (const auto& interval : box_) size = std::max(size, interval.upper - interval.lower);
    if (!base.empty()) fit.good_enough = accurate_step * size;
    fit.proceed = [this] { return report(0.5, "learning flow maps"); };
    const auto data =
        detail::flow_map_data(problem_, train_, box_, dt, options_.pairs, options_.seed, options_.jacobian);
    const auto result = fit_flow_map(map, data, &problem_, fit);
    exact = result.exact;
    insert(std::move(map), result, start);
  }

  /// By ascending step.
  void insert(FlowMapModel map, const detail::FlowMapFit& fit, Clock::time_point start) {
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    const auto at = std::find_if(hierarchy_.maps.begin(), hierarchy_.maps.end(),
                                 [&](const FlowMapModel& other) { return other.dt > map.dt; });
    fits_.insert(fits_.begin() + (at - hierarchy_.maps.begin()), {fit, elapsed.count()});
    hierarchy_.maps.insert(at, std::move(map));
  }

  /// Where flow maps are polynomials, as those of linear systems and of slow manifolds may be, all levels are found at
  /// once, and exactly.
  bool learn_polynomials() {
    Levels levels{level_near(4.0 * problem_.dt), highest_level};
    if (options_.levels) levels = *options_.levels;
    bool exact = true;
    for (std::size_t level = levels.first; level <= levels.last; ++level) {
      if (dt_of(level) > options_.horizon * (1.0 + 1e-9)) break;
      learn(dt_of(level), "", 0, 4, exact, 0);
      if (exact) continue;
      hierarchy_.maps.clear();
      fits_.clear();
      return false;
    }
    return !hierarchy_.maps.empty();
  }

  /// False where they are not to be learned, or no grid resolves the map of the first level.
  bool learn_piecewise() {
    if (options_.kind != FlowMapKind::piecewise) return false;
    const std::size_t usual = level_near(4.0 * problem_.dt);
    Levels levels = options_.levels.value_or(Levels{usual, usual + (options_.dense ? 4 : 2)});
    while (levels.last > levels.first && dt_of(levels.last) > options_.horizon * (1.0 + 1e-9)) --levels.last;
    const std::size_t first = options_.dense ? levels.last : levels.first;
    detail::PiecewiseMapOptions options;
    options.tolerance = options_.tolerance;
    options.seed = options_.seed;
    for (std::size_t level = first; level <= levels.last && report(0.5, "learning flow maps"); ++level) {
      const auto start = Clock::now();
      FlowMapModel map;
      map.dt = dt_of(level);
      if (options_.dense) map.states = static_cast<std::size_t>(std::llround(map.dt / dt_of(levels.first)));
      options.proceed = [&] { return report(0.5, "the flow map of dt = " + std::to_string(map.dt)); };
      const auto fit = detail::fit_piecewise_map(map, problem_, train_, box_, options);
      if (!fit) break;
      insert(std::move(map), *fit, start);
      // Larger steps are no easier: they start from the tolerance that this one was left with.
      if (options.tolerance > largest_loss * options_.tolerance) break;
    }
    if (hierarchy_.maps.empty() && grid_asked_for_ && !interrupted_) { // networks are no answer to that
      throw InvalidData("no grid of a reasonable size resolves the flow map of dt = " + std::to_string(dt_of(first)) +
                        ": ask for lower levels or a larger tolerance");
    }
    return interrupted_ || !hierarchy_.maps.empty();
  }

  void learn_networks() {
    bool exact = false;
    const std::size_t usual = level_near(4.0 * problem_.dt);
    const Levels levels = options_.levels.value_or(Levels{usual, usual});
    const std::size_t corrected = level_near(problem_.dt);
    if (options_.corrected && !(corrected >= levels.first && corrected <= levels.last)) {
      try {
        learn(dt_of(corrected), "rk4", corrected_substeps, 9, exact,
              std::min(options_.iterations, corrected_iterations));
      } catch (const InvalidData&) {
        // A stiff problem: coarse classical steps are worth nothing, and there is nothing to correct.
      }
    }
    for (std::size_t level = levels.first; level <= levels.last && report(0.5, "learning flow maps"); ++level) {
      learn(dt_of(level), "", 0, 5, exact, options_.iterations);
    }
  }

  std::shared_ptr<const Hierarchy> packed() {
    model_.variables = problem_.variables;
    model_.method = hierarchy_;
    return std::make_shared<const Hierarchy>(std::make_shared<const Model>(model_));
  }

  void choose() {
    const auto hierarchy = packed();
    const auto range = detail::choose_range(hierarchy, &problem_, validation_);
    hierarchy_.lower = range.lower;
    hierarchy_.upper = range.upper;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < hierarchy_.maps.size(); ++k) {
      mse_.push_back(detail::hybrid_mse(hierarchy, k, problem_, validation_));
      best = std::min(best, mse_.back());
    }
    for (std::size_t k = 0; k < mse_.size(); ++k) {
      // Below 1e-22 it is rounding that differs.
      if (mse_[k] <= std::max(as_good * best, 1e-22)) hierarchy_.placing = k;
    }
  }

  HitsResult finish() {
    const auto& placing = hierarchy_.maps[hierarchy_.placing];
    auto hierarchy = packed();
    GenerateOptions generate;
    generate.trajectories = profile_trajectories;
    generate.dt = hierarchy_.fine_dt;
    generate.horizon = options_.horizon;
    generate.seed = options_.seed;
    generate.split = Split::test;
    const Trajectories truth = generate_trajectories(problem_, generate);
    model_.error.step_rms = placing.step_rms;
    model_.error.step_max = fits_[hierarchy_.placing].fit.step_max;
    model_.error.base_step_rms = fits_[hierarchy_.placing].fit.base_rms;
    model_.error.horizon = options_.horizon;
    model_.error.trajectories = truth.trajectories;
    const double mse = detail::hybrid_mse(hierarchy, hierarchy_.placing, problem_, truth);
    if (!std::isfinite(mse)) throw InvalidData("no flow map stayed near the reference over the horizon");
    model_.error.horizon_rms = std::sqrt(mse);
    model_.provenance = {problem_.name,
                         problem_.parameters,
                         options_.seed,
                         train_.trajectories,
                         "hits: " + learned_from() + ", " + std::to_string(hierarchy_.maps.size()) + " flow maps",
                         LODESTEP_VERSION_STRING,
                         problem_.initial};
    HitsResult result;
    for (std::size_t k = 0; k < hierarchy_.maps.size(); ++k) {
      const auto& map = hierarchy_.maps[k];
      result.maps.push_back(
          {map.dt, map.base, map.approximator.description(), map.step_rms, mse_[k], fits_[k].seconds});
    }
    result.model = std::move(model_);
    result.model.method = std::move(hierarchy_);
    result.interrupted = interrupted_;
    result.model.validate();
    return result;
  }

  std::string learned_from() const {
    const auto on_grid = [](const FlowMapModel& map) {
      return std::holds_alternative<PiecewiseTerm>(map.approximator.term);
    };
    if (!std::any_of(hierarchy_.maps.begin(), hierarchy_.maps.end(), on_grid)) {
      return std::to_string(options_.pairs) + " pairs";
    }
    char text[64];
    std::snprintf(text, sizeof text, "piecewise polynomials to %.3g of the box", options_.tolerance);
    return text;
  }

  struct Timed {
    detail::FlowMapFit fit;
    double seconds;
  };

  const Problem& problem_;
  HitsOptions options_;
  Trajectories train_;
  Trajectories validation_;
  std::vector<Interval> box_;
  HierarchyModel hierarchy_;
  std::vector<Timed> fits_; ///< beside hierarchy_.maps
  std::vector<double> mse_; ///< of the hybrid, on validation trajectories, placed by each map
  Model model_;
  bool interrupted_ = false;
  bool grid_asked_for_ = false; ///< piecewise polynomials were, not only chosen
};

/// A system of very many variables, which has a solver of its own: one solution is learned, as a sequence.
HitsResult learn_sequence(const Problem& problem, HitsOptions options) {
  GenerateOptions generate;
  generate.trajectories = 1;
  generate.dt = options.fine_dt != 0.0 ? options.fine_dt : problem.fine_dt;
  generate.horizon = options.horizon;
  generate.seed = options.seed;
  const auto set = trajectory_set(problem, generate, generate_trajectories(problem, generate));
  options.fine_dt = 0.0;
  return train_hits(set, options, problem.name);
}

} // namespace

const char* to_string(FlowMapKind kind) noexcept {
  switch (kind) {
  case FlowMapKind::automatic:
    return "auto";
  case FlowMapKind::piecewise:
    return "piecewise";
  case FlowMapKind::mlp:
    return "mlp";
  }
  return "?";
}

FlowMapKind flow_map_kind_from(const std::string& name) {
  for (const auto kind : {FlowMapKind::automatic, FlowMapKind::piecewise, FlowMapKind::mlp}) {
    if (name == to_string(kind)) return kind;
  }
  throw InvalidArgument("unknown approximator '" + name + "': expected auto, piecewise or mlp");
}

HitsResult train_hits(const Problem& problem, const HitsOptions& options) {
  if (problem.solve) return learn_sequence(problem, options);
  const auto start = Clock::now();
  HitsResult result = HitsTraining(problem, options).run();
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

} // namespace lodestep
