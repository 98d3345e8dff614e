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
#include <memory>
#include <optional>
#include <utility>

namespace lodestep {

namespace {

using Clock = std::chrono::steady_clock;

// A candidate must beat the error asked for by this factor on validation states, because others will be met later.
constexpr double safety = 0.7;
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;
// Where the error is not asked for, a candidate this much worse than the best is taken if it is cheaper.
constexpr double good_enough = 3.0;

// How far above the error asked for a first fit may be for its plan to be given a second.
constexpr double hopeless = 100.0;

struct Choice {
  detail::AttnsPlan plan;
  ApproximatorSpec spec;
  double rms = std::numeric_limits<double>::infinity();
};

class Search {
public:
  Search(const Problem& problem, const AttnsOptions& options) : problem_(problem), options_(options) {
    if (options_.dt == 0.0) options_.dt = problem.dt;
    if (options_.horizon == 0.0) options_.horizon = problem.horizon;
    steps_in(options_.horizon, options_.dt); // throws if it is no multiple
    if (!(options_.error >= 0.0) || !std::isfinite(options_.error)) {
      throw InvalidArgument("error: expected a positive number in the problem's units, found " +
                            std::to_string(options_.error));
    }
    if (!(options_.time_limit > 0.0)) {
      throw InvalidArgument("time limit: expected seconds > 0, found " + std::to_string(options_.time_limit));
    }
    if (options_.base != "auto") {
      bases_ = {&classical_tableau(options_.base)};
    } else if (options_.error == 0.0) {
      bases_ = {&classical_tableau("rk4")}; // the most accurate
    } else {
      for (const char* name : {"euler", "heun", "rk3", "rk4"}) bases_.push_back(&classical_tableau(name));
    }
  }

  AttnsResult run() {
    validation_ = generate(Split::validation, validation_trajectories, 0.0, 0.1);
    std::size_t trajectories = options_.trajectories != 0 ? options_.trajectories : 25;
    for (;;) {
      train_ = generate(Split::train, trajectories, 0.1, 0.3);
      try_plans();
      const bool may_grow = options_.trajectories == 0 && trajectories < 400;
      if (reached() || stopped() || !may_grow) break;
      // Without an error to reach, more data is worth its time as long as it helps; judged by the last growth.
      if (options_.error == 0.0 && previous_best_ < 4.0 * best_.rms) break;
      previous_best_ = best_.rms;
      trajectories *= 4;
    }
    if (!std::isfinite(best_.rms)) {
      throw InvalidData(interrupted_
                            ? "training was interrupted before any corrector stood up to a roll-out"
                            : "no corrector stayed near the reference over the horizon of " +
                                  std::to_string(options_.horizon) + " at dt = " + std::to_string(options_.dt) +
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
    const Eigen::Map<const Eigen::VectorXd> states(validation_.states.data(),
                                                   static_cast<Eigen::Index>(validation_.states.size()));
    return best_.rms <= 1e-12 * std::sqrt(states.squaredNorm() / static_cast<double>(states.size()));
  }

  Trajectories generate(Split split, std::size_t count, double from, double to) {
    GenerateOptions g;
    g.trajectories = count;
    g.dt = options_.dt;
    g.horizon = options_.horizon;
    g.seed = options_.seed;
    g.split = split;
    g.progress = [&](double fraction, const std::string& what) { return report(from + (to - from) * fraction, what); };
    return generate_trajectories(problem_, g);
  }

  void try_plans() {
    std::vector<std::optional<detail::StepData>> data(bases_.size());
    const auto plans = detail::make_plans(problem_.dimension(), bases_, problem_.rhs_cost_ns);
    const auto proceed = [this] { return !stopped(); };
    for (std::size_t i = 0; i < plans.size() && !stopped(); ++i) {
      const auto& plan = plans[i];
      const ButcherTableau& base = *bases_[plan.base];
      auto& step_data = data[plan.base];
      if (!step_data) step_data = detail::make_step_data(problem_, base, train_);
      AttnsCandidate candidate{plan.input, "", plan.cost_ns, std::numeric_limits<double>::infinity()};
      const auto offer = [&](const ApproximatorSpec& spec) {
        candidate.description = base.name + " + " + spec.description();
        const double rms = validate(base, plan.input, spec);
        candidate.validation_rms = std::min(candidate.validation_rms, rms);
        consider({plan, spec, rms});
        // Another ridge or spread may gain a factor of a hundred, rarely more.
        return !stopped() && !reached() && (options_.error == 0.0 || rms < hopeless * options_.error);
      };
      detail::fit_plan(plan, *step_data, options_.seed, offer, proceed);
      if (candidate.description.empty()) break; // stopped before the first fit
      candidates_.push_back(candidate);
      report(0.3 + 0.65 * static_cast<double>(i + 1) / static_cast<double>(plans.size()), candidate.description);
      if (reached()) return;
    }
  }

  double validate(const ButcherTableau& base, CorrectorInput input, const ApproximatorSpec& spec) const {
    return detail::roll_out(problem_, base, input, Approximator(spec), validation_).rms;
  }

  /// Plans come cheapest first. With an error to reach, the first that reaches it ends the search, so until then the
  /// best so far is the most accurate; without, a dearer candidate must be better by enough to be worth it.
  void consider(Choice choice) {
    const bool dearer = choice.plan.cost_ns > best_.plan.cost_ns;
    const double needed = options_.error == 0.0 && dearer ? best_.rms / good_enough : best_.rms;
    if (choice.rms < needed) best_ = std::move(choice);
  }

  AttnsResult finish() {
    const ButcherTableau& base = *bases_[best_.plan.base];
    AttnsResult result;
    Model& model = result.model;
    model.variables = problem_.variables;
    model.provenance = {problem_.name, problem_.parameters,    options_.seed, train_.trajectories,
                        "auto",        LODESTEP_VERSION_STRING};
    CorrectorModel corrector;
    corrector.base = base.name;
    corrector.dt = options_.dt;
    corrector.input = best_.plan.input;
    corrector.approximator = best_.spec;
    corrector.domain = detail::measured_domain(detail::make_step_data(problem_, base, train_),
                                               detail::make_step_data(problem_, base, validation_));
    // On states that took no part in choosing it.
    model.error = detail::measure_error(problem_, generate(Split::test, profile_trajectories, 0.95, 0.99), corrector);
    model.error.horizon = options_.horizon; // not the number of steps times dt, which is rounded
    if (!std::isfinite(model.error.horizon_rms)) model.error.horizon_rms = best_.rms;
    model.method = std::move(corrector);
    model.validate();
    result.reached = options_.error == 0.0 || best_.rms <= safety * options_.error;
    result.interrupted = interrupted_;
    result.timed_out = timed_out_;
    result.candidates = std::move(candidates_);
    result.seconds = seconds();
    report(1.0, "done");
    return result;
  }

  const Problem& problem_;
  AttnsOptions options_;
  Clock::time_point start_ = Clock::now();
  std::vector<const ButcherTableau*> bases_;
  Trajectories validation_;
  Trajectories train_;
  Choice best_;
  double previous_best_ = std::numeric_limits<double>::infinity();
  std::vector<AttnsCandidate> candidates_;
  bool interrupted_ = false;
  bool timed_out_ = false;
};

} // namespace

AttnsResult train_attns(const Problem& problem, const AttnsOptions& options) {
  return Search(problem, options).run();
}

} // namespace lodestep
