#include "problem/trajectory_file.hpp"
#include "train/flow_map_fit.hpp"
#include "train/hits_choice.hpp"
#include "train/learned_field.hpp"
#include "train/made_pairs.hpp"
#include "train/placing.hpp"
#include "train/reduced_coordinates.hpp"
#include "train/sequence_fit.hpp"
#include "train/smoothing.hpp"
#include "train/solved_maps.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_hits.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

namespace lodestep {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t usual_pairs = 4000;
constexpr int usual_iterations = 220;
constexpr std::size_t highest_level = 10;
/// Pairs without which nothing can be learned and held out: for each number that an affine map has.
constexpr std::size_t pairs_per_coefficient = 3;
/// One trajectory in so many is held out.
constexpr std::size_t held_out = 5;
constexpr std::uint64_t pairs_stream = 103;
constexpr std::uint64_t field_stream = 109, tested_stream = 110;
/// That a right-hand side is learned from at most.
constexpr std::size_t most_samples = 1500000;
/// That a learned right-hand side makes for each map.
constexpr std::size_t made_pairs = 9000;
/// Of the range of states: what the box is wider; more where pairs can be made there.
constexpr double margin_of_box = 0.05, made_margin = 0.1;
/// Units of solved networks, learned from data and from pairs that can be made at will.
constexpr std::size_t narrow = 100;
constexpr std::size_t wide = 1000;
/// Placed states need not be better than this part of what interpolation between them leaves.
constexpr double no_matter = 0.02;
/// Of the box's width: rounding, and errors that a field of noiseless data may well have.
constexpr double rounding = 1e-9, field_error = 1e-5;
/// Of the variance of noise, after many samples.
constexpr double averaged = 1e-5;
constexpr double limit_margin = 1.25;
/// Noise is averaged over as many pairs as can be had.
constexpr std::size_t noisy_pairs = 6000;
/// Of more variables, states are reduced to principal components and maps solved, not iterated for.
constexpr std::size_t few_variables = 16;
constexpr std::size_t many_ratio = 6;
/// Of the variance.
constexpr double neglected = 1e-8;
constexpr std::size_t most_modes = 128;

std::string text(double number) {
  std::ostringstream stream;
  stream << number;
  return stream.str();
}

class DataTraining {
public:
  DataTraining(const TrajectorySet& set, const HitsOptions& options, const std::string& name)
      : set_(set), all_(set.trajectories), options_(options), name_(name) {
    set.validate(name);
    if (options_.ratio == 0) options_.ratio = sequence() ? many_ratio : 2;
    if (options_.ratio < 2)
      throw InvalidArgument("ratio: expected at least 2, found " + std::to_string(options_.ratio));
    if (options_.modes > all_.dimension) {
      throw InvalidArgument("modes: expected at most the dimension, " + std::to_string(all_.dimension) + ", found " +
                            std::to_string(options_.modes));
    }
    if (options_.jacobian) {
      throw InvalidArgument("jacobian: neighbours of a state need a right-hand side; trajectories alone have none");
    }
    hierarchy_.fine = options_.fine;
    classical_tableau(options_.fine); // known, or an error that lists those that are
    if (options_.base_dt == 0.0) options_.base_dt = all_.dt;
    if (options_.pairs == 0) options_.pairs = usual_pairs;
    if (options_.iterations == 0) options_.iterations = usual_iterations;
    if (options_.hidden.empty() && !sequence()) options_.hidden = {24, 24};
    base_steps_ = steps_in(options_.base_dt, all_.dt);
    hierarchy_.fine_dt = all_.dt;
    if (options_.fine_dt != 0.0 && std::abs(options_.fine_dt / all_.dt - 1.0) > 1e-9) {
      throw InvalidArgument("fine_dt: trajectories alone know their states every " + text(all_.dt) + ", not every " +
                            text(options_.fine_dt));
    }
    coordinates_ = all_.dimension;
    if (options_.smooth) smoothing_ = detail::smooth(all_);
    split();
  }

  HitsResult run() {
    const Levels levels = options_.levels.value_or(Levels{0, highest_level});
    if (levels.first > levels.last || levels.last > 62) {
      throw InvalidArgument("levels: expected first:last with first <= last <= 62, found " +
                            std::to_string(levels.first) + ":" + std::to_string(levels.last));
    }
    if (sequence()) {
      const std::size_t modes = options_.modes != 0 ? options_.modes : most_modes;
      hierarchy_.reduced = detail::principal_components(train_, options_.modes != 0 ? 0.0 : neglected, modes);
      coordinates_ = hierarchy_.reduced->count();
    }
    if (options_.smooth && !sequence() && why_not(levels.first).empty()) find_field();
    std::vector<std::size_t> lags;
    for (std::size_t level = levels.first; level <= levels.last; ++level) {
      const std::string reason = why_not(level);
      if (!reason.empty()) {
        if (options_.levels || level == levels.first) throw InvalidData(name_ + ": " + reason);
        break;
      }
      if (sequence()) {
        lags.push_back(lag(level));
        continue;
      }
      if (options_.progress && !options_.progress(static_cast<double>(level - levels.first) /
                                                      static_cast<double>(levels.last - levels.first + 1),
                                                  "flow map of level " + std::to_string(level))) {
        interrupted_ = true;
        if (!hierarchy_.maps.empty()) break;
        throw InvalidData("training was interrupted before any flow map was learned");
      }
      learn(level);
    }
    if (sequence()) learn_sequence(lags);
    return finish();
  }

private:
  /// Whether states have so many variables that reduced coordinates are learned.
  bool sequence() const { return all_.dimension > few_variables || options_.modes != 0; }
  /// Spacings of the data in one step of the level.
  std::size_t lag(std::size_t level) const {
    double steps = static_cast<double>(base_steps_);
    for (std::size_t k = 0; k < level; ++k) steps *= static_cast<double>(options_.ratio);
    return steps < 1e15 ? static_cast<std::size_t>(steps) : std::size_t{1} << 52;
  }
  std::size_t pairs_of(std::size_t steps) const {
    return steps < train_.times ? train_.trajectories * (train_.times - steps) : 0;
  }
  /// Why a level cannot be learned from these trajectories; empty if it can.
  std::string why_not(std::size_t level) const {
    const std::size_t steps = lag(level);
    const std::string which =
        "level " + std::to_string(level) + ", a step of " + text(static_cast<double>(steps) * all_.dt) + ", ";
    if (steps >= train_.times) {
      return which + "leaves the horizon: the trajectories end after " +
             text(static_cast<double>(train_.times - 1) * all_.dt);
    }
    const std::size_t needed = pairs_per_coefficient * (coordinates_ + 1);
    const std::size_t found = pairs_of(steps);
    if (found < needed) {
      return which + "has too few samples: " + std::to_string(train_.trajectories) + " trajectories of " +
             std::to_string(train_.times) + " times hold " + std::to_string(found) + " pairs of states, at least " +
             std::to_string(needed) + " are needed; give more or longer trajectories, or ask for lower levels";
    }
    return "";
  }

  std::size_t held() const {
    return all_.trajectories / held_out + (all_.trajectories >= 2 && all_.trajectories < held_out);
  }
  /// Of very many trajectories some tell as much.
  void find_field() {
    const std::size_t stride = 1 + all_.trajectories * all_.times / most_samples;
    Trajectories measured = every(set_.trajectories, stride), smoothed = every(all_, stride);
    const std::size_t held = std::max<std::size_t>(this->held() / stride, this->held() > 0 ? 1 : 0);
    field_ = detail::learn_field(measured, smoothed, smoothing_, held, [this] { return proceed("right-hand side"); });
    if (!field_) return;
    if (smoothing_.any()) all_ = field_->consistent;
    split();
    made_.emplace(field_->field, train_, box_, made_pairs, options_.seed, field_stream);
    made_tested_.emplace(field_->field, validation_, box_, made_pairs / 3, options_.seed, tested_stream);
  }
  static Trajectories every(const Trajectories& set, std::size_t stride) {
    Trajectories some = set;
    some.trajectories = (set.trajectories + stride - 1) / stride;
    for (std::size_t k = 1; k < some.trajectories; ++k) {
      std::copy_n(set.state(k * stride, 0), set.times * set.dimension, some.state(k, 0));
    }
    some.states.resize(some.trajectories * set.times * set.dimension);
    return some;
  }
  bool proceed(const std::string& what) {
    if (!interrupted_ && options_.progress && !options_.progress(0.0, what)) interrupted_ = true;
    return !interrupted_;
  }

  void split() {
    const std::size_t held = this->held();
    // A single trajectory, as in the paper's sequences, is both learned and judged by.
    train_ = part(0, all_.trajectories - held);
    validation_ = held == 0 ? train_ : part(all_.trajectories - held, held);
    box_.resize(all_.dimension);
    for (std::size_t i = 0; i < box_.size(); ++i) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (std::size_t n = i; n < all_.states.size(); n += box_.size()) {
        low = std::min(low, all_.states[n]);
        high = std::max(high, all_.states[n]);
      }
      const double margin = (field_ ? made_margin : margin_of_box) * (high - low);
      box_[i] = {low - margin, high + margin};
    }
  }
  Trajectories part(std::size_t first, std::size_t count) const {
    Trajectories set = all_;
    set.trajectories = count;
    set.states.assign(all_.state(first, 0), all_.state(first, 0) + count * all_.times * all_.dimension);
    return set;
  }

  /// At most `most` pairs of a state and the one `steps` later, drawn at random where there are more.
  detail::FlowMapData pairs(const Trajectories& set, std::size_t steps, std::size_t most) const {
    const std::size_t d = set.dimension, starts = set.times - steps, known = set.trajectories * starts;
    const std::size_t count = std::min(most, known);
    detail::FlowMapData data;
    data.box = box_;
    data.trajectories = set.trajectories;
    data.from.resize(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(count));
    data.to.resizeLike(data.from);
    for (std::size_t n = 0; n < count; ++n) {
      std::size_t drawn = n;
      if (count < known) {
        Random random(options_.seed, pairs_stream, n);
        // Every second one early: what happens soon after the start happens once in a long trajectory.
        const double early = n % 2 == 0 ? 1.0 : std::pow(random.uniform(0.0, 1.0), 2.0);
        const auto of = static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(set.trajectories)));
        const auto at = static_cast<std::size_t>(early * random.uniform(0.0, static_cast<double>(starts)));
        drawn = std::min(of, set.trajectories - 1) * starts + std::min(at, starts - 1);
      }
      std::copy_n(set.state(drawn / starts, drawn % starts), d, data.from.col(static_cast<Eigen::Index>(n)).data());
      std::copy_n(set.state(drawn / starts, drawn % starts + steps), d,
                  data.to.col(static_cast<Eigen::Index>(n)).data());
    }
    return data;
  }

  /// Candidates until one places states well enough: polynomials and solved networks by pairs that the field makes, the
  /// same by pairs of the data unless the field explains it all but for noise, and unless the data is noisy an iterated
  /// network. Of a one-step error noise leaves little to choose by: placed states decide.
  void learn(std::size_t level) {
    const auto start = Clock::now();
    const std::size_t steps = lag(level);
    const double dt = static_cast<double>(steps) * all_.dt;
    detail::FlowMapFit best_fit;
    FlowMapModel best;
    double best_mse = std::numeric_limits<double>::infinity();
    const auto limit = limits(steps);
    const auto offer = [&](FlowMapModel map, const detail::FlowMapFit& fit) {
      map.dt = dt;
      map.limit = limit;
      const double mse = detail::placing_mse(map, set_.variables, validation_);
      // A dearer one must be clearly better.
      if (!best.state.empty() && !(mse < 0.9 * best_mse)) return;
      best_mse = mse;
      best = std::move(map);
      best_fit = fit;
    };
    const double enough = no_matter * detail::interpolation_mse(validation_, steps) + negligible();
    const auto good = [&] { return best_fit.exact || best_mse <= enough; };
    const auto offer_solved = [&](const detail::SolvedMap& solved, double until) {
      offer(solved.map, {false, solved.base_rms, solved.step_max});
      return !(best_mse <= until);
    };
    if (field_) {
      const double until = std::max(enough, of_width(field_error));
      solve_flow_maps(made_->after(steps), made_tested_->after(steps), wide, options_.seed,
                      [&](const detail::SolvedMap& solved) { return offer_solved(solved, until); });
    }
    if (!good() && !(field_ && smoothing_.any())) {
      const std::size_t most = smoothing_.any() ? noisy_pairs : options_.pairs;
      solve_flow_maps(pairs(train_, steps, most), pairs(validation_, steps, most), narrow, options_.seed,
                      [&](const detail::SolvedMap& solved) { return offer_solved(solved, enough); });
    }
    if (!good() && options_.iterate && !smoothing_.any()) {
      FlowMapModel map;
      map.dt = dt;
      detail::FlowMapFitOptions fit;
      fit.hidden = options_.hidden;
      fit.iterations = options_.iterations;
      fit.seed = options_.seed;
      const auto found = fit_flow_map(map, pairs(train_, steps, options_.pairs), nullptr, fit);
      offer(std::move(map), found);
    }
    fits_.push_back(best_fit);
    hierarchy_.maps.push_back(std::move(best));
    seconds_.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }

  /// Largest change of each variable over so many samples, anywhere in the data, with a margin.
  std::vector<double> limits(std::size_t steps) const {
    const std::size_t d = all_.dimension;
    std::vector<double> limit(d, std::numeric_limits<double>::min());
    for (std::size_t k = 0; k < all_.trajectories; ++k) {
      for (std::size_t t = 0; t + steps < all_.times; ++t) {
        for (std::size_t i = 0; i < d; ++i) {
          limit[i] = std::max(limit[i], limit_margin * std::abs(all_.state(k, t + steps)[i] - all_.state(k, t)[i]));
        }
      }
    }
    return limit;
  }

  /// Mean square over variables of so much of the box's width.
  double of_width(double part) const {
    double sum = 0.0;
    for (const Interval& side : box_) sum += std::pow(part * (side.upper - side.lower), 2);
    return sum / static_cast<double>(box_.size());
  }
  /// An error that no choice can rest on: rounding, and what noise leaves of a field learned from many samples.
  double negligible() const {
    double noise = 0.0;
    for (const double rms : smoothing_.noise_rms) noise += averaged * rms * rms / static_cast<double>(box_.size());
    return of_width(rounding) + noise;
  }

  void learn_sequence(const std::vector<std::size_t>& lags) {
    detail::SequenceFitOptions fit;
    if (!options_.hidden.empty()) fit.width = options_.hidden.front();
    fit.seed = options_.seed;
    fit.proceed = [this](double fraction) {
      if (options_.progress && !options_.progress(fraction, "flow maps")) interrupted_ = true;
      return !interrupted_;
    };
    auto maps = detail::fit_sequence_maps(detail::reduce(*hierarchy_.reduced, train_),
                                          detail::reduce(*hierarchy_.reduced, validation_), lags, fit);
    if (maps.empty()) {
      throw InvalidData(name_ + (interrupted_ ? ": training was interrupted before any flow map was learned"
                                              : ": no flow map could place states within the range of the data; give "
                                                "more or longer trajectories"));
    }
    for (auto& found : maps) {
      found.map.dt = static_cast<double>(found.lag) * all_.dt;
      hierarchy_.maps.push_back(std::move(found.map));
      fits_.push_back({false, found.base_rms, found.step_max});
      seconds_.push_back(found.seconds);
    }
  }

  HitsResult finish() {
    Model model;
    model.variables = set_.variables;
    model.method = hierarchy_;
    auto hierarchy = std::make_shared<const Hierarchy>(std::make_shared<const Model>(model));
    const auto range = detail::choose_range(hierarchy, nullptr, validation_);
    if (!std::isfinite(range.mse)) {
      throw InvalidData(name_ +
                        ": no flow map stayed within the box of training over the validation trajectories; give "
                        "more trajectories");
    }
    HitsResult result;
    result.noise_rms = smoothing_.noise_rms;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < hierarchy_.maps.size(); ++k) {
      const auto& map = hierarchy_.maps[k];
      const double mse = detail::multiscale_mse(hierarchy, k, k, nullptr, validation_);
      result.maps.push_back({map.dt, map.base, map.approximator.description(), map.step_rms, mse, seconds_[k]});
      if (mse < best) {
        best = mse;
        hierarchy_.placing = k;
      }
    }
    hierarchy_.lower = range.lower;
    hierarchy_.upper = range.upper;
    model.error.step_rms = hierarchy_.maps[hierarchy_.placing].step_rms;
    model.error.step_max = fits_[hierarchy_.placing].step_max;
    model.error.base_step_rms = fits_[hierarchy_.placing].base_rms;
    model.error.horizon = static_cast<double>(validation_.times - 1) * all_.dt;
    model.error.horizon_rms = std::sqrt(range.mse);
    model.error.trajectories = validation_.trajectories;
    model.provenance = {set_.problem.empty() ? name_ : set_.problem,
                        set_.parameters,
                        options_.seed,
                        train_.trajectories,
                        "hits from trajectories: " + std::to_string(hierarchy_.maps.size()) + " flow maps" +
                            (field_ ? ", pairs also by a right-hand side of degree " +
                                          std::to_string(field_->field.degree()) + " learned from them"
                                    : "") +
                            (all_.trajectories == 1 ? ", judged by the one trajectory they were learned from" : ""),
                        LODESTEP_VERSION_STRING,
                        ""};
    model.method = std::move(hierarchy_);
    model.validate();
    result.model = std::move(model);
    result.interrupted = interrupted_;
    return result;
  }

  const TrajectorySet& set_;
  Trajectories all_; ///< smoothed, if noise was found
  HitsOptions options_;
  std::string name_;
  detail::Smoothing smoothing_;
  std::optional<detail::LearnedField> field_;
  std::optional<detail::MadePairs> made_, made_tested_; ///< by the field
  std::size_t base_steps_ = 1;
  std::size_t coordinates_ = 0; ///< that maps step
  Trajectories train_;
  Trajectories validation_;
  std::vector<Interval> box_;
  HierarchyModel hierarchy_;
  std::vector<detail::FlowMapFit> fits_;
  std::vector<double> seconds_;
  bool interrupted_ = false;
};

} // namespace

HitsResult train_hits(const TrajectorySet& data, const HitsOptions& options, const std::string& name) {
  const auto start = Clock::now();
  HitsResult result = DataTraining(data, options, name).run();
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

} // namespace lodestep
