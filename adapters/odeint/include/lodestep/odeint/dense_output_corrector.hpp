#pragma once

#include <lodestep/odeint/controlled_corrector.hpp>

#include <boost/numeric/odeint/stepper/generation/make_dense_output.hpp>
#include <boost/numeric/odeint/util/is_resizeable.hpp>
#include <boost/numeric/odeint/util/odeint_error.hpp>
#include <boost/numeric/odeint/util/state_wrapper.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace lodestep::odeint {

/// Odeint's Dense Output Stepper over a learned step: steps of the model's own size (constructed from a corrector), or
/// as long as a tolerance allows (from make_dense_output).
///
/// A model with dense output gives the states at its own points within a step, as accurate as the step (train it with
/// --output-dt); states between those come from cubic interpolation through the four nearest.
///
/// Otherwise states within a step come from cubic Hermite interpolation of its ends. The derivative at a step's end
/// serves the next step, so that no evaluation is lost. The interpolation is of third order, whatever the model's: with
/// a step h and a solution whose fourth derivative is of size M, states between the steps are off by up to M h^4 / 384.
/// Where that is too much, take steps to the outputs (integrate_const with a corrector of that step, or integrate_times
/// with a controlled one).
template <class BaseStepper> class dense_output_corrector {
public:
  using stepper_type = error_corrector<BaseStepper>;
  using state_type = typename stepper_type::state_type;
  using deriv_type = typename stepper_type::deriv_type;
  using value_type = typename stepper_type::value_type;
  using time_type = typename stepper_type::time_type;
  using order_type = typename stepper_type::order_type;
  using stepper_category = boost::numeric::odeint::dense_output_stepper_tag;

  /// Steps of the model's size, or of the one given to `initialize` where that is shorter.
  explicit dense_output_corrector(const corrector<BaseStepper>& stepper)
      : stepper_(stepper), points_(stepper.shared_corrector()->dense_points()),
        dimension_(stepper.shared_corrector()->dimension()),
        rate_(static_cast<double>(points_ + 1) / stepper.shared_corrector()->dt()), states_(points_ * dimension_) {}
  /// Controlled steps. Throws InvalidArgument for tolerances that are not positive.
  dense_output_corrector(value_type absolute, value_type relative, const stepper_type& stepper)
      : dense_output_corrector(absolute, relative, longest(stepper), stepper) {}
  dense_output_corrector(value_type absolute, value_type relative, time_type max_dt, const stepper_type& stepper)
      : stepper_(stepper),
        control_(std::in_place, static_cast<double>(absolute), static_cast<double>(relative),
                 std::min(static_cast<double>(max_dt), static_cast<double>(longest(stepper))), stepper.error_order()) {}

  stepper_type& stepper() noexcept { return stepper_; }
  StepCounters counters() const noexcept { return stepper_.counters(); }

  template <class StateIn> void initialize(const StateIn& x0, time_type t0, time_type dt0) {
    // x0 may be current_state() itself.
    state_type start(x0);
    current_ = std::move(start);
    time_ = old_time_ = t0;
    dt_ = dt0;
    fresh_ = true;
  }

  /// One step; returns its beginning and end.
  template <class System> std::pair<time_type, time_type> do_step(System system) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& unwrapped = system;
    if (fresh_) {
      resize();
      if (points_ == 0) unwrapped(current_, derivative_, time_);
      fresh_ = false;
    }
    if (points_ != 0) return dense_step(unwrapped);
    const time_type step = control_ ? accepted_step(unwrapped) : plain_step(unwrapped);
    std::swap(old_, current_);
    std::swap(current_, next_);
    std::swap(old_derivative_, derivative_);
    old_time_ = time_;
    time_ += step;
    unwrapped(current_, derivative_, time_);
    return {old_time_, time_};
  }

  /// The state at t between the last step's ends, by cubic Hermite interpolation.
  template <class StateOut> void calc_state(time_type t, StateOut& x) const {
    if (t == time_) {
      boost::numeric::odeint::copy(current_, x);
      return;
    }
    if (points_ != 0) return interpolate_points(t, x);
    const double h = static_cast<double>(time_ - old_time_);
    const double s = static_cast<double>(t - old_time_) / h;
    const double r = 1.0 - s;
    const auto* a = state_access<state_type>::data(old_);
    const auto* b = state_access<state_type>::data(current_);
    const auto* da = state_access<deriv_type>::data(old_derivative_);
    const auto* db = state_access<deriv_type>::data(derivative_);
    auto* out = state_access<StateOut>::data(x);
    using number = std::remove_reference_t<decltype(*out)>;
    for (std::size_t i = 0; i < state_access<state_type>::size(current_); ++i) {
      out[i] = static_cast<number>(r * r * ((1.0 + 2.0 * s) * a[i] + s * h * da[i]) +
                                   s * s * ((1.0 + 2.0 * r) * b[i] - r * h * db[i]));
    }
  }
  template <class StateOut> void calc_state(time_type t, const StateOut& x) const {
    calc_state(t, const_cast<StateOut&>(x)); // as in Odeint: ranges by value
  }

  const state_type& current_state() const noexcept { return current_; }
  time_type current_time() const noexcept { return time_; }
  const state_type& previous_state() const noexcept { return old_; }
  time_type previous_time() const noexcept { return old_time_; }
  time_type current_time_step() const noexcept { return dt_; }

  template <class StateIn> void adjust_size(const StateIn& x) { stepper_.adjust_size(x); }

private:
  static time_type longest(const stepper_type& stepper) {
    return static_cast<time_type>(stepper.stepper().shared_corrector()->dt());
  }

  /// Everything as large as the state.
  void resize() {
    next_ = current_;
    old_ = current_;
    error_ = current_;
    using resizeable = typename boost::numeric::odeint::is_resizeable<deriv_type>::type;
    boost::numeric::odeint::adjust_size_by_resizeability(wrapped_, current_, resizeable());
    derivative_ = wrapped_.m_v;
    old_derivative_ = wrapped_.m_v;
  }

  template <class System> time_type plain_step(System& system) {
    const time_type own = longest(stepper_);
    const time_type step = std::abs(dt_) < own ? dt_ : std::copysign(own, dt_);
    stepper_.do_step(std::ref(system), current_, derivative_, time_, next_, step);
    return step;
  }

  /// A step of the model's own size, and the states within it.
  template <class System> std::pair<time_type, time_type> dense_step(System& system) {
    const time_type step = longest(stepper_);
    auto& corrected = stepper_.stepper();
    corrected.do_step(std::ref(system), current_, time_, next_, step);
    if (!corrected.dense_states(current_, next_, states_.data())) {
      // The fallback's steps end where the points are.
      const time_type part = step / static_cast<time_type>(points_ + 1);
      next_ = current_;
      for (std::size_t j = 0; j <= points_; ++j) {
        corrected.do_step(std::ref(system), next_, time_ + static_cast<time_type>(j) * part, part);
        const auto* numbers = state_access<state_type>::data(next_);
        if (j < points_) std::copy(numbers, numbers + dimension_, states_.data() + j * dimension_);
      }
    }
    std::swap(old_, current_);
    std::swap(current_, next_);
    old_time_ = time_;
    time_ += step;
    return {old_time_, time_};
  }

  /// A variable's value at point j: 0 is the step's beginning, points_ + 1 its end.
  double at_point(std::size_t j, std::size_t i) const {
    if (j == 0) return static_cast<double>(state_access<state_type>::data(old_)[i]);
    if (j > points_) return static_cast<double>(state_access<state_type>::data(current_)[i]);
    return states_[(j - 1) * dimension_ + i];
  }

  template <class StateOut> void interpolate_points(time_type t, StateOut& x) const {
    const std::size_t intervals = points_ + 1;
    auto* out = state_access<StateOut>::data(x);
    using number = std::remove_reference_t<decltype(*out)>;
    const double s = static_cast<double>(t - old_time_) * rate_;
    // Rounded without std::round, which is a call where processors older than SSE4 are served.
    const double bounded = std::min(std::max(s + 0.5, 0.0), static_cast<double>(intervals) + 0.5);
    const auto nearest = static_cast<std::size_t>(bounded);
    if (std::abs(s - static_cast<double>(nearest)) <= 1e-9 * static_cast<double>(intervals)) {
      if (nearest == 0 || nearest > points_) {
        boost::numeric::odeint::copy(nearest == 0 ? old_ : current_, x);
        return;
      }
      const double* state = states_.data() + (nearest - 1) * dimension_;
      for (std::size_t i = 0; i < state_access<StateOut>::size(x); ++i) out[i] = static_cast<number>(state[i]);
      return;
    }
    // Lagrange's polynomial through the nearest points, four where there are as many.
    const std::size_t nodes = std::min<std::size_t>(4, intervals + 1);
    const double from = std::floor(s) - static_cast<double>(nodes / 2 - 1);
    const auto first =
        static_cast<std::size_t>(std::min(std::max(from, 0.0), static_cast<double>(intervals + 1 - nodes)));
    double weight[4];
    for (std::size_t a = 0; a < nodes; ++a) {
      weight[a] = 1.0;
      for (std::size_t b = 0; b < nodes; ++b) {
        if (b == a) continue;
        weight[a] *= (s - static_cast<double>(first + b)) / (static_cast<double>(a) - static_cast<double>(b));
      }
    }
    for (std::size_t i = 0; i < dimension_; ++i) {
      double sum = 0.0;
      for (std::size_t a = 0; a < nodes; ++a) sum += weight[a] * at_point(first + a, i);
      out[i] = static_cast<number>(sum);
    }
  }

  template <class System> time_type accepted_step(System& system) {
    constexpr int most_attempts = 500; // as many as Odeint allows
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      const auto step = static_cast<time_type>(control_->bounded(static_cast<double>(dt_)));
      stepper_.do_step(std::ref(system), current_, derivative_, time_, next_, step, error_);
      const double error = control_->error(current_, next_, error_);
      if (error <= 1.0) {
        dt_ = static_cast<time_type>(control_->longer(static_cast<double>(step), error));
        return step;
      }
      dt_ = static_cast<time_type>(control_->shorter(static_cast<double>(step), error));
    }
    throw boost::numeric::odeint::step_adjustment_error(
        "lodestep::odeint::dense_output_corrector: no step, however short, meets the tolerance");
  }

  stepper_type stepper_;
  std::size_t points_ = 0; ///< states within a step that the model gives
  std::size_t dimension_ = 0;
  double rate_ = 0.0;          ///< points in a unit of time
  std::vector<double> states_; ///< they, [points_, dimension]
  std::optional<detail::step_control> control_;
  state_type current_{}, old_{}, next_{}, error_{};
  deriv_type derivative_{}, old_derivative_{};
  boost::numeric::odeint::state_wrapper<deriv_type> wrapped_;
  time_type time_{}, old_time_{}, dt_{};
  bool fresh_ = true;
};

} // namespace lodestep::odeint

namespace boost::numeric::odeint {

template <class BaseStepper> struct get_dense_output<lodestep::odeint::error_corrector<BaseStepper>> {
  using type = lodestep::odeint::dense_output_corrector<BaseStepper>;
};

} // namespace boost::numeric::odeint
