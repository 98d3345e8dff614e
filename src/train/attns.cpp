#include "train/attns_search.hpp"
#include "train/attns_states.hpp"
#include "train/attns_task.hpp"
#include "train/corrector_profile.hpp"
#include "train/roll_out.hpp"
#include "train/step_data.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace lodestep {

namespace {

using Clock = std::chrono::steady_clock;
using detail::AttnsPlan;
using Method = AttnsPlan::Method;

// A candidate must beat the error asked for by this factor on validation states, because others will be met later.
constexpr double safety = 0.7;
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;
// Where the error is not asked for, a candidate this much worse than the best is taken if it is cheaper.
constexpr double good_enough = 3.0;
// How far above the error asked for a first fit may be for its plan to be given a second.
constexpr double hopeless = 100.0;
// Samples of a search: more than any fit uses, few enough to hold for several base schemes at once.
constexpr std::size_t most_samples = 40000;
// A candidate of a search for the step must be cheaper by this factor than the best so far to be worth a fit.
constexpr double cheaper = 0.97;
// How far above the error asked for a chain's best may be at one step for the chain to be tried at a longer one.
constexpr double near = 30.0;
// Horizons that a model of a searched step must stay bounded for, and trajectories it is tried on.
constexpr std::size_t long_run = 10;
constexpr std::size_t long_trajectories = 4;

struct Choice {
  AttnsPlan plan;
  ApproximatorSpec spec;
  double rms = std::numeric_limits<double>::infinity();
};

class Search {
public:
  Search(const Problem& problem, const AttnsOptions& options) : problem_(problem), task_(problem, options) {}

  AttnsResult run() {
    validation_ = generate(Split::validation, validation_trajectories, 0.0, 0.1);
    if (steps_.aware) measure_base_alone();
    // A search tries so many fits that more data costs little beside them.
    std::size_t trajectories = options_.trajectories != 0 ? options_.trajectories : options_.search_dt ? 100 : 25;
    for (;;) {
      train_ = generate(Split::train, trajectories, 0.1, 0.3);
      detail::require_enough_states(train_.trajectories, steps_.strides.back(), task_.least_features());
      data_.clear();
      fitter_.clear();
      if (options_.search_dt) {
        search_steps();
      } else {
        try_plans(detail::make_plans(shape_, steps_.strides.back()));
      }
      const bool may_grow = options_.trajectories == 0 && trajectories < 400;
      if (reached() || stopped() || !may_grow) break;
      // Without an error to reach, more data is worth its time as long as it helps; judged by the last growth.
      if (options_.error == 0.0 && previous_best_ < 4.0 * best_.rms) break;
      previous_best_ = best_.rms;
      trajectories *= 4;
    }
    if (!std::isfinite(best_.rms)) {
      throw InvalidData(interrupted_ ? "training was interrupted before any corrector stood up to a roll-out"
                                     : "no corrector stayed near the reference over the horizon of " +
                                           detail::short_text(options_.horizon) +
                                           " at dt = " + detail::short_text(task_.dt_of(steps_.strides.back())) +
                                           ": try a smaller dt, more trajectories or a base scheme of higher order");
    }
    return finish();
  }

private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  bool report(double fraction, const std::string& what) {
    if (options_.progress && !options_.progress(fraction, what)) interrupted_ = true;
    return !interrupted_;
  }

  bool stopped() {
    if (seconds() > options_.time_limit) timed_out_ = true;
    return interrupted_ || timed_out_;
  }

  bool reached() const { return options_.error > 0.0 ? best_.rms <= safety * options_.error : at_floor(); }

  /// Nothing is left to learn once the error is near the reference's own.
  bool at_floor() const {
    const auto& states = validation_.trajectories.states;
    const Eigen::Map<const Eigen::VectorXd> all(states.data(), static_cast<Eigen::Index>(states.size()));
    return best_.rms <= 1e-12 * std::sqrt(all.squaredNorm() / static_cast<double>(all.size()));
  }

  detail::Cases generate(Split split, std::size_t count, double from, double to) {
    GenerateOptions g;
    g.trajectories = count;
    g.dt = steps_.grid;
    g.horizon = options_.horizon;
    g.seed = options_.seed;
    g.split = split;
    g.progress = [&](double fraction, const std::string& what) { return report(from + (to - from) * fraction, what); };
    const bool blend = split == Split::train && options_.search_dt;
    return detail::generate_cases(blend ? detail::blended(problem_, validation_.trajectories) : problem_,
                                  options_.parameters, g);
  }

  const detail::StepData& data(std::size_t base, std::size_t stride) {
    const auto key = std::pair(base, stride);
    const auto found = data_.find(key);
    if (found != data_.end()) return found->second;
    if (options_.search_dt) data_.clear(); // one at a time: there are many
    const auto strides = steps_.aware ? steps_.strides : std::vector<std::size_t>{stride};
    return data_.emplace(key, detail::make_step_data(train_, *shape_.bases[base], strides, most_samples)).first->second;
  }

  std::string described(const AttnsPlan& plan, const ApproximatorSpec& spec) const {
    return shape_.bases[plan.base]->name + " + " + spec.description();
  }

  /// Fits a plan in its several ways and keeps what is best. Returns the smallest error on validation states.
  double try_plan(const AttnsPlan& plan) {
    AttnsCandidate candidate{task_.dt_of(plan.stride), plan.input, "", plan.cost_ns,
                             std::numeric_limits<double>::infinity()};
    const auto offer = [&](const ApproximatorSpec& spec) {
      candidate.description = described(plan, spec);
      const double rms = validate(plan, spec);
      candidate.validation_rms = std::min(candidate.validation_rms, rms);
      consider({plan, spec, rms});
      const bool enough = options_.error > 0.0 ? candidate.validation_rms <= safety * options_.error : reached();
      // Another ridge or spread may gain a factor of a hundred, rarely more.
      return !stopped() && !enough && (options_.error == 0.0 || rms < hopeless * options_.error);
    };
    fitter_.fit(plan, offer, [this] { return !stopped(); });
    if (!candidate.description.empty()) candidates_.push_back(candidate);
    return candidate.validation_rms;
  }

  void try_plans(const std::vector<AttnsPlan>& plans) {
    for (std::size_t i = 0; i < plans.size() && !stopped(); ++i) {
      try_plan(plans[i]);
      if (candidates_.empty()) break; // stopped before the first fit
      report(0.3 + 0.65 * static_cast<double>(i + 1) / static_cast<double>(plans.size()),
             candidates_.back().description);
      if (reached()) return;
    }
  }

  /// One way to correct one base scheme, at any step, in rising size.
  using Chain = std::tuple<Method, CorrectorInput, std::size_t>;

  /// Branch and bound: for every chain, at ever longer steps, the largest approximator that would still be cheaper than
  /// the best found; if that reaches the error, smaller ones. A step at which even the largest of all is far off ends
  /// its chain, since longer ones are harder.
  void search_steps() {
    std::map<std::size_t, std::vector<AttnsPlan>> plans;
    for (const std::size_t stride : steps_.strides) plans[stride] = detail::make_plans(shape_, stride);
    // What needs not wait for the base step is cheapest: once it reaches the error, little of the rest is worth a fit.
    std::vector<CorrectorInput> inputs = shape_.inputs;
    std::stable_partition(inputs.begin(), inputs.end(), [](CorrectorInput i) { return i == CorrectorInput::state; });
    std::vector<Chain> chains;
    for (const Method method : {Method::polynomial, Method::variable_projection, Method::random_features}) {
      for (const CorrectorInput input : inputs) {
        for (std::size_t base = 0; base < shape_.bases.size(); ++base) chains.emplace_back(method, input, base);
      }
    }
    // The problem's own step first, then longer ones; shorter ones only where nothing else reaches the error.
    const auto own = std::lower_bound(steps_.strides.begin(), steps_.strides.end(), 2);
    for (std::size_t c = 0; c < chains.size() && !stopped(); ++c) {
      for (auto stride = own; stride != steps_.strides.end() && !stopped(); ++stride) {
        const bool possible = search_chain(chains[c], plans[*stride]);
        report(0.3 + 0.6 * static_cast<double>(c + 1) / static_cast<double>(chains.size()),
               candidates_.empty() ? "searching" : candidates_.back().description);
        if (!possible) break;
      }
    }
    for (auto stride = own; stride != steps_.strides.begin() && !reached() && !stopped();) {
      --stride;
      for (const Chain& chain : chains) search_chain(chain, plans[*stride]);
    }
  }

  /// Whether longer steps may still reach the error.
  bool search_chain(const Chain& chain, const std::vector<AttnsPlan>& plans) {
    std::vector<AttnsPlan> rungs;
    std::size_t all = 0;
    for (const AttnsPlan& plan : plans) {
      if (Chain(plan.method, plan.input, plan.base) != chain) continue;
      ++all;
      if (!reached() || plan.rate() < cheaper * best_.plan.rate()) rungs.push_back(plan);
    }
    if (rungs.empty()) return true;
    const auto size = [](const AttnsPlan& plan) { return plan.degree + 100 * plan.width; };
    std::sort(rungs.begin(), rungs.end(), [&](const auto& a, const auto& b) { return size(a) < size(b); });
    const double best = try_plan(rungs.back());
    if (!(best <= safety * options_.error)) return rungs.size() < all || best <= near * options_.error;
    // Bisection: what a size reaches, a larger one does too, nearly always.
    std::size_t low = 0;
    std::size_t high = rungs.size() - 1;
    while (low < high && !stopped()) {
      const std::size_t middle = (low + high) / 2;
      if (try_plan(rungs[middle]) <= safety * options_.error) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return true;
  }

  /// Steps of a dt-aware model that its candidates are judged at: the ends, and one that no fit has seen.
  std::vector<std::size_t> judged_strides() const {
    const auto& s = steps_.strides;
    return {s.front(), (s[s.size() - 2] + s.back()) / 2, s.back()};
  }

  /// The base scheme's own errors, which those of a dt-aware model are measured by: they span decades.
  void measure_base_alone() {
    AttnsPlan plan;
    detail::RollOutOptions options;
    options.base_alone = true;
    for (const std::size_t stride : judged_strides()) {
      options.stride = stride;
      const auto zero = ApproximatorSpec::zero(shape_.features(plan), shape_.dimension);
      base_rms_.push_back(detail::roll_out(shape_.of(plan), Approximator(zero), validation_, options).rms);
    }
  }

  double validate(const AttnsPlan& plan, const ApproximatorSpec& spec) const {
    CorrectorModel shape = shape_.of(plan);
    shape.dt = task_.dt_of(plan.stride);
    const Approximator approximator(spec);
    detail::RollOutOptions options;
    if (options_.search_dt) options.give_up = near * hopeless * options_.error;
    if (!steps_.aware) {
      options.stride = plan.stride;
      const double rms = detail::roll_out(shape, approximator, validation_, options).rms;
      const bool last = options_.search_dt && rms <= safety * options_.error;
      if (last && !detail::stays_bounded(shape, approximator, validation_, plan.stride, long_trajectories, long_run)) {
        return std::numeric_limits<double>::infinity();
      }
      return rms;
    }
    const auto strides = judged_strides();
    double worst = 0.0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
      options.stride = strides[i];
      const double rms = detail::roll_out(shape, approximator, validation_, options).rms;
      const double scale =
          options_.error > 0.0 || !std::isfinite(base_rms_.back()) ? 1.0 : base_rms_.back() / base_rms_[i];
      worst = std::max(worst, rms * scale);
    }
    return worst;
  }

  /// Plans of one step come cheapest first. With an error to reach, the first that reaches it ends the search, so until
  /// then the best so far is the most accurate; without, a dearer candidate must be better by enough to be worth it.
  void consider(Choice choice) {
    if (options_.search_dt) {
      const bool good = choice.rms <= safety * options_.error;
      const bool better = reached() ? good && choice.plan.rate() < best_.plan.rate() : choice.rms < best_.rms;
      if (better) best_ = std::move(choice);
      return;
    }
    const bool dearer = choice.plan.cost_ns > best_.plan.cost_ns;
    const double needed = options_.error == 0.0 && dearer ? best_.rms / good_enough : best_.rms;
    if (choice.rms < needed) best_ = std::move(choice);
  }

  AttnsResult finish() {
    AttnsResult result;
    Model& model = result.model;
    model.variables = problem_.variables;
    Provenance& from = model.provenance;
    from.problem = problem_.name;
    from.parameters = problem_.parameters;
    from.initial = problem_.initial;
    from.seed = options_.seed;
    from.training_trajectories = train_.trajectories.trajectories;
    from.recipe = "auto";
    from.library_version = LODESTEP_VERSION_STRING;
    CorrectorModel corrector = shape_.of(best_.plan);
    corrector.dt = task_.dt_of(best_.plan.stride);
    corrector.approximator = best_.spec;
    model.method = std::move(corrector);
    model.error.horizon = options_.horizon;
    model.error.horizon_rms = best_.rms;
    if (shape_.points(best_.plan.stride) > 0) add_dense_output(std::get<CorrectorModel>(model.method));
    const detail::Cases held_out = generate(Split::test, profile_trajectories, 0.95, 0.99);
    const auto strides = steps_.aware ? steps_.strides : std::vector<std::size_t>{best_.plan.stride};
    detail::profile_corrector(model, {&train_, &validation_, &held_out, strides});
    model.validate();
    result.reached = options_.error == 0.0 || (best_.rms <= safety * options_.error && dense_reached_);
    result.interrupted = interrupted_;
    result.timed_out = timed_out_;
    result.candidates = std::move(candidates_);
    result.seconds = seconds();
    report(1.0, "done");
    return result;
  }

  void add_dense_output(CorrectorModel& corrector) {
    // The step's own error comes on top, as squares do, and others than the validation states may have a little more.
    const double own = std::min(best_.rms, options_.error);
    const double left = 0.95 * std::sqrt(options_.error * options_.error - own * own);
    corrector.dense = fitter_.fit_dense(best_.plan, validation_, left);
    dense_reached_ = corrector.dense->rms <= options_.error;
  }

  const Problem& problem_;
  Clock::time_point start_ = Clock::now();
  const detail::AttnsTask task_;
  const AttnsOptions& options_ = task_.options;
  const detail::AttnsSteps& steps_ = task_.steps;
  const detail::AttnsShape& shape_ = task_.shape;
  detail::Cases validation_;
  detail::Cases train_;
  std::map<std::pair<std::size_t, std::size_t>, detail::StepData> data_; ///< by base and stride
  detail::AttnsFitter fitter_{
      shape_, options_.seed,
      [this](std::size_t base, std::size_t stride) -> const detail::StepData& { return data(base, stride); }};
  std::vector<double> base_rms_; ///< of a dt-aware model's base scheme at judged_strides
  Choice best_;
  double previous_best_ = std::numeric_limits<double>::infinity();
  std::vector<AttnsCandidate> candidates_;
  bool dense_reached_ = true;
  bool interrupted_ = false;
  bool timed_out_ = false;
};

} // namespace

AttnsResult train_attns(const Problem& problem, const AttnsOptions& options) {
  return Search(problem, options).run();
}

} // namespace lodestep
