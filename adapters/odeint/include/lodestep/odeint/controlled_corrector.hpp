#pragma once

#include <lodestep/error.hpp>
#include <lodestep/odeint/error_corrector.hpp>

#include <boost/numeric/odeint/stepper/controlled_step_result.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/util/copy.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace lodestep::odeint {

namespace detail {

/// The step-size rules that controlled and dense-output correctors share. An error is the largest of
/// |xerr_i| / (absolute + relative max(|x_i|, |x'_i|)): up to 1 it is accepted.
class step_control {
public:
  step_control(double absolute, double relative, double longest, unsigned order)
      : absolute_(absolute), relative_(relative), longest_(longest), order_(order) {
    if (!(absolute >= 0.0 && relative >= 0.0 && absolute + relative > 0.0)) {
      throw InvalidArgument("odeint controlled corrector: expected tolerances >= 0, one of them positive, found " +
                            std::to_string(absolute) + " and " + std::to_string(relative));
    }
    if (!(longest > 0.0)) {
      throw InvalidArgument("odeint controlled corrector: the longest step must be positive, found " +
                            std::to_string(longest));
    }
  }

  /// NaN if anything is not finite: Odeint's own error checker takes such a step for a good one.
  template <class State, class Err> double error(const State& x, const State& next, const Err& xerr) const {
    const auto* from = state_access<State>::data(x);
    const auto* to = state_access<State>::data(next);
    const auto* e = state_access<Err>::data(xerr);
    double largest = 0.0;
    double sum = 0.0; // NaN would be lost in a maximum
    for (std::size_t i = 0; i < state_access<State>::size(x); ++i) {
      const double size = std::max(std::abs(static_cast<double>(from[i])), std::abs(static_cast<double>(to[i])));
      const double ratio = std::abs(static_cast<double>(e[i])) / (absolute_ + relative_ * size);
      largest = std::max(largest, ratio);
      sum += 0.0 * to[i] + 0.0 * ratio;
    }
    return largest + sum;
  }

  double shorter(double dt, double error) const {
    const double factor = std::isfinite(error) ? safety * std::pow(error, -1.0 / (order_ + 1.0)) : least;
    return dt * std::clamp(factor, least, safety);
  }
  double longer(double dt, double error) const {
    if (!(error < keep)) return dt;
    return bounded(dt * std::min(most, safety * std::pow(std::max(error, 1e-300), -1.0 / (order_ + 1.0))));
  }
  /// No longer than the longest step there is.
  double bounded(double dt) const { return std::copysign(std::min(std::abs(dt), longest_), dt); }

private:
  static constexpr double safety = 0.9;
  static constexpr double least = 0.2;
  static constexpr double most = 5.0;
  static constexpr double keep = 0.5; ///< errors above it leave the step as it is

  double absolute_;
  double relative_;
  double longest_;
  double order_;
};

} // namespace detail

/// Odeint's Controlled Stepper over a learned step: steps as long as the tolerance and the model allow, never longer
/// than the model's own (or `max_dt`). A step whose result is not finite is rejected. make_controlled(absolute,
/// relative, error_corrector<...>(...)) makes it. Copies share the model and its counters.
template <class BaseStepper> class controlled_corrector {
public:
  using stepper_type = error_corrector<BaseStepper>;
  using state_type = typename stepper_type::state_type;
  using deriv_type = typename stepper_type::deriv_type;
  using value_type = typename stepper_type::value_type;
  using time_type = typename stepper_type::time_type;
  using order_type = typename stepper_type::order_type;
  using stepper_category = boost::numeric::odeint::controlled_stepper_tag;
  using result_type = boost::numeric::odeint::controlled_step_result;

  /// Throws InvalidArgument for tolerances that are not positive.
  controlled_corrector(value_type absolute, value_type relative, const stepper_type& stepper)
      : controlled_corrector(absolute, relative, stepper.stepper().shared_corrector()->dt(), stepper) {}
  controlled_corrector(value_type absolute, value_type relative, time_type max_dt, const stepper_type& stepper)
      : stepper_(stepper), control_(static_cast<double>(absolute), static_cast<double>(relative),
                                    std::min(static_cast<double>(max_dt), longest(stepper)), stepper.error_order()) {}

  stepper_type& stepper() noexcept { return stepper_; }
  const stepper_type& stepper() const noexcept { return stepper_; }
  StepCounters counters() const noexcept { return stepper_.counters(); }

  /// On success t and x have advanced by a step no longer than dt, and dt is the step to try next; on failure t and x
  /// are unchanged and dt is shorter.
  template <class System, class StateInOut>
  result_type try_step(System system, StateInOut& x, time_type& t, time_type& dt) {
    const auto step = static_cast<time_type>(control_.bounded(static_cast<double>(dt)));
    next_ = x;
    error_ = x;
    stepper_.do_step(system, next_, t, step, error_);
    const double error = control_.error(x, next_, error_);
    if (!(error <= 1.0)) {
      dt = static_cast<time_type>(control_.shorter(static_cast<double>(step), error));
      return boost::numeric::odeint::fail;
    }
    boost::numeric::odeint::copy(next_, x);
    t += step;
    dt = static_cast<time_type>(control_.longer(static_cast<double>(step), error));
    return boost::numeric::odeint::success;
  }

  template <class StateIn> void adjust_size(const StateIn& x) { stepper_.adjust_size(x); }

private:
  static double longest(const stepper_type& stepper) { return stepper.stepper().shared_corrector()->dt(); }

  stepper_type stepper_;
  detail::step_control control_;
  state_type next_{};
  state_type error_{};
};

} // namespace lodestep::odeint

namespace boost::numeric::odeint {

template <class BaseStepper> struct get_controller<lodestep::odeint::error_corrector<BaseStepper>> {
  using type = lodestep::odeint::controlled_corrector<BaseStepper>;
};

} // namespace boost::numeric::odeint
