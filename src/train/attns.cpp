#include "train/attns_search.hpp"
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
#include <set>
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

// How far training states of a search go, at most, on the way to another state of the problem.
constexpr double most_blended = 0.1;

struct Choice {
  AttnsPlan plan;
  ApproximatorSpec spec;
  double rms = std::numeric_limits<double>::infinity();
};

std::string text(double value) {
  char number[32];
  std::snprintf(number, sizeof number, "%g", value);
  return number;
}

/// The steps to try and the grid they are multiples of.
struct Steps {
  double grid = 0.0;
  std::vector<std::size_t> strides; ///< ascending
  bool aware = false;               ///< one model for all of them
};

class Search {
public:
  Search(const Problem& problem, const AttnsOptions& options) : problem_(problem), options_(options) {
    if (options_.horizon == 0.0) options_.horizon = problem.horizon;
    check_options();
    steps_ = choose_steps();
    shape_.dimension = problem.dimension();
    shape_.rhs_cost_ns = problem.rhs_cost_ns;
    choose_bases();
    choose_inputs();
    shape_.model.dt = dt_of(steps_.strides.back());
    if (options_.search_dt && options_.output_dt > 0.0) {
      shape_.output_stride = static_cast<std::size_t>(std::lround(options_.output_dt / steps_.grid));
    }
    if (steps_.aware) shape_.model.shortest_dt = dt_of(steps_.strides.front());
  }

  AttnsResult run() {
    validation_ = generate(Split::validation, validation_trajectories, 0.0, 0.1);
    if (steps_.aware) measure_base_alone();
    // A search tries so many fits that more data costs little beside them.
    std::size_t trajectories = options_.trajectories != 0 ? options_.trajectories : options_.search_dt ? 100 : 25;
    for (;;) {
      train_ = generate(Split::train, trajectories, 0.1, 0.3);
      require_enough_states();
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
                                           text(options_.horizon) + " at dt = " + text(dt_of(steps_.strides.back())) +
                                           ": try a smaller dt, more trajectories or a base scheme of higher order");
    }
    return finish();
  }

private:
  static void require(bool sound, const std::string& message) {
    if (!sound) throw InvalidArgument(message);
  }

  void check_options() const {
    const auto& o = options_;
    require(o.error >= 0.0 && std::isfinite(o.error),
            "error: expected a positive number in the problem's units, found " + text(o.error));
    require(o.time_limit > 0.0, "time limit: expected seconds > 0, found " + text(o.time_limit));
    const bool range = o.dt_range.lower != 0.0 || o.dt_range.upper != 0.0;
    require(!(o.search_dt && o.dt != 0.0), "dt: a step was given, and a search for one was asked for");
    require(!(range && (o.search_dt || o.dt != 0.0)), "dt range: a dt-aware model has no one step to give or search");
    require(!range ||
                (o.dt_range.lower > 0.0 && o.dt_range.upper > o.dt_range.lower && std::isfinite(o.dt_range.upper)),
            "dt range: expected 0 < lower < upper, found " + text(o.dt_range.lower) + ":" + text(o.dt_range.upper));
    require(!o.search_dt || o.error > 0.0, "dt: a search for the step needs an error to reach");
    require(!(o.form == CorrectorForm::multiplicative && o.input && *o.input == CorrectorInput::stages),
            "form: the multiplicative form is fed with the increment or the state");
    for (const auto& parameter : o.parameters) {
      require(std::isfinite(parameter.values.lower) && parameter.values.lower < parameter.values.upper &&
                  std::isfinite(parameter.values.upper),
              "parameter " + parameter.name + ": expected a range lower < upper, found " +
                  text(parameter.values.lower) + ":" + text(parameter.values.upper));
    }
  }

  Steps choose_steps() const {
    Steps steps;
    if (options_.dt_range.upper > 0.0) {
      // Steps between are interpolated by the approximator: there must be more nodes than a polynomial that is fitted
      // has degrees, or it does what it likes between them.
      constexpr std::size_t most_nodes = 12;
      constexpr std::size_t fewest_grid_steps = 18;
      const double ratio = options_.dt_range.upper / options_.dt_range.lower;
      require(ratio <= 1000.0, "dt range: expected an upper end at most 1000 times the lower, found " + text(ratio));
      const auto whole = std::max<std::size_t>(2, static_cast<std::size_t>(std::ceil(ratio * (1.0 - 1e-9))));
      const std::size_t least = (fewest_grid_steps + whole - 1) / whole; // grid steps in the shortest step
      const std::size_t count = whole * least;
      steps.grid = options_.dt_range.upper / static_cast<double>(count);
      steps.aware = true;
      for (std::size_t i = 0; i < most_nodes; ++i) {
        // Half way between even steps and even ratios.
        const double x = static_cast<double>(i) / (most_nodes - 1);
        const double even = static_cast<double>(least) + x * static_cast<double>(count - least);
        const double geometric = static_cast<double>(least) * std::pow(static_cast<double>(whole), x);
        const auto stride = static_cast<std::size_t>(std::lround(0.5 * (even + geometric)));
        if (steps.strides.empty() || steps.strides.back() != stride) steps.strides.push_back(stride);
      }
      steps_in(options_.horizon, options_.dt_range.upper);
      return steps;
    }
    if (!options_.search_dt) {
      steps.grid = options_.dt != 0.0 ? options_.dt : problem_.dt;
      steps.strides = {1};
      steps_in(options_.horizon, steps.grid); // throws if it is no multiple
      return steps;
    }
    steps.grid = 0.5 * problem_.dt;
    const std::size_t count = steps_in(options_.horizon, steps.grid);
    for (const std::size_t stride : {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40}) {
      const double outputs = options_.output_dt / (static_cast<double>(stride) * steps.grid);
      const auto whole = [](double ratio) { return std::abs(ratio - std::round(ratio)) <= 1e-9 * ratio; };
      // Outputs at every so many steps, or so many within a step.
      const bool serves = options_.output_dt == 0.0 || (outputs >= 1.0 - 1e-9 ? whole(outputs) : whole(1.0 / outputs));
      if (count % stride == 0 && count / stride >= 10 && serves) {
        steps.strides.push_back(stride);
      }
    }
    require(!steps.strides.empty(), "dt: no multiple of half the problem's step, " + text(steps.grid) +
                                        ", divides the horizon and the output interval, " + text(options_.output_dt));
    return steps;
  }

  void choose_bases() {
    if (options_.base != "auto") {
      shape_.bases = {&classical_tableau(options_.base)};
    } else if (options_.error == 0.0) {
      shape_.bases = {&classical_tableau("rk4")}; // the most accurate
    } else {
      for (const char* name : {"euler", "heun", "rk3", "rk4"}) shape_.bases.push_back(&classical_tableau(name));
    }
  }

  void choose_inputs() {
    CorrectorModel& model = shape_.model;
    model.form = options_.form;
    if (options_.input) {
      shape_.inputs = {*options_.input};
    } else if (options_.form == CorrectorForm::multiplicative) {
      shape_.inputs = {CorrectorInput::increment, CorrectorInput::state};
    } else {
      shape_.inputs = {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages};
    }
    const bool depends = depends_on_time(problem_, options_.seed);
    const double period = options_.period != 0.0 ? options_.period : problem_.period;
    model.time = options_.time  ? *options_.time
                 : !depends     ? TimeInput::none
                 : period > 0.0 ? TimeInput::phase
                                : TimeInput::elapsed;
    require(model.time != TimeInput::none || !depends,
            "time: the right-hand side of '" + problem_.name +
                "' depends on t, and a corrector trained as if it did not would be wrong at most times: feed it with "
                "the phase of a period, or with the time elapsed");
    if (model.time == TimeInput::phase) {
      require(std::isfinite(period) && period > 0.0,
              "time: the phase of which period? Problem '" + problem_.name + "' declares none, found " + text(period));
      model.period = period;
    } else if (model.time == TimeInput::elapsed) {
      model.time_range = {0.0, options_.horizon};
    }
    for (const auto& range : options_.parameters) {
      const auto same = [&](const Parameter& p) { return p.name == range.name; };
      const auto found = std::find_if(problem_.parameters.begin(), problem_.parameters.end(), same);
      require(found != problem_.parameters.end(),
              "parameter " + range.name + ": problem '" + problem_.name + "' has no such parameter");
      const double nominal = found->value >= range.values.lower && found->value <= range.values.upper
                                 ? found->value
                                 : 0.5 * (range.values.lower + range.values.upper);
      model.parameters.push_back({range.name, nominal, range.values});
    }
  }

  double dt_of(std::size_t stride) const { return static_cast<double>(stride) * steps_.grid; }
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

  /// The problem whose sampled initial states are, half of them, moved a little towards some other state that a
  /// validation trajectory passes through.
  ///
  /// Initial states that vary in one number lead to trajectories that fill a sheet. Of what lies beside it they tell
  /// nothing, and there a long step's correction may do anything: it amplifies what its own error leaves beside the
  /// sheet until the roll-out diverges. States between two that are met are states of the same problem, whatever holds
  /// for its states (a radius is positive, a concentration is too).
  Problem blended() const {
    Problem problem = problem_;
    problem.initial += ", blended"; // no distribution to be looked up when a parameter changes
    problem.sample = [this](Random& random, double* u0) {
      problem_.sample(random, u0);
      if (random.uniform(0.0, 1.0) < 0.5) return;
      const Trajectories& met = validation_.trajectories;
      const auto one_of = [&](std::size_t count) {
        return std::min(static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(count))), count - 1);
      };
      const std::size_t trajectory = one_of(met.trajectories);
      const double* other = met.state(trajectory, one_of(met.times));
      const double share = random.uniform(0.0, most_blended);
      for (std::size_t v = 0; v < met.dimension; ++v) u0[v] += share * (other[v] - u0[v]);
    };
    return problem;
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
    return detail::generate_cases(blend ? blended() : problem_, options_.parameters, g);
  }

  /// Fewer distinct pairs than unknowns of an affine map cannot tell any corrector from another.
  void require_enough_states() const {
    const auto& t = train_.trajectories;
    const std::size_t each = t.times - steps_.strides.back();
    AttnsPlan plan;
    plan.input = shape_.inputs.front();
    const std::size_t least = 2 * (1 + shape_.features(plan));
    std::set<std::vector<double>> distinct; // no more than are needed
    for (std::size_t i = 0; i < t.trajectories; ++i) {
      for (std::size_t n = 0; n < each && distinct.size() < least; ++n) {
        distinct.insert({t.state(i, n), t.state(i, n) + t.dimension});
      }
    }
    if (distinct.size() >= least) return;
    const std::size_t found = distinct.size();
    const std::size_t missing = least - found;
    std::string advice = std::to_string(missing) + " more are needed: ";
    if (found * 2 < std::min(t.trajectories * each, least)) {
      advice += "many are the same, so that initial states must differ more";
    } else {
      advice += std::to_string((missing + each - 1) / each) + " more trajectories, or a longer horizon";
    }
    throw InvalidData("too little to learn from: " + std::to_string(t.trajectories) + " trajectories give " +
                      std::to_string(found) + " distinct steps, an affine corrector of this problem needs at least " +
                      std::to_string(least) + "; " + advice);
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
    AttnsCandidate candidate{dt_of(plan.stride), plan.input, "", plan.cost_ns, std::numeric_limits<double>::infinity()};
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
    shape.dt = dt_of(plan.stride);
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
    corrector.dt = dt_of(best_.plan.stride);
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
    // The step's own error comes on top.
    corrector.dense = fitter_.fit_dense(best_.plan, train_, 0.7 * options_.error);
    dense_reached_ = corrector.dense->rms <= options_.error;
  }

  const Problem& problem_;
  AttnsOptions options_;
  Clock::time_point start_ = Clock::now();
  Steps steps_;
  detail::AttnsShape shape_;
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
