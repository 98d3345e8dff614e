#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/model.hpp>
#include <lodestep/odeint/base_scheme.hpp>
#include <lodestep/odeint/state_access.hpp>

#include <boost/config.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/stepper_categories.hpp>
#include <boost/numeric/odeint/util/state_wrapper.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace lodestep::odeint {

namespace detail {

[[noreturn]] BOOST_NOINLINE inline void throw_wrong_dimension(const char* what, std::size_t expected,
                                                              std::size_t actual) {
  throw InvalidArgument(std::string("odeint corrector: the ") + what + " has " + std::to_string(actual) +
                        " variables, the model was trained for " + std::to_string(expected));
}

[[noreturn]] BOOST_NOINLINE inline void throw_wrong_base(const std::string& expected, const char* actual) {
  throw InvalidModel("base", "the model corrects steps of '" + expected + "', this stepper takes steps of '" + actual +
                                 "': use lodestep::odeint::corrector over the stepper it was trained on");
}

[[noreturn]] BOOST_NOINLINE inline void throw_wrong_stages(std::size_t expected, std::size_t actual) {
  throw InvalidModel("base", "the correction needs the " + std::to_string(expected) +
                                 " stages of its base scheme, but the base stepper evaluated the system " +
                                 std::to_string(actual) + " times");
}

/// A number that is loaded by itself, not in one wide load with its neighbours.
inline double lone(double number) noexcept {
#if defined(__GNUC__) && defined(__SSE2__)
  __asm__("" : "+x"(number));
#elif defined(__GNUC__) && defined(__aarch64__)
  __asm__("" : "+w"(number));
#endif
  return number;
}

/// In place of a derivative that the caller did not give.
struct no_derivative {};

/// A system that keeps the derivatives it is asked for: k_1, k_2, ... of one step, [stages, dimension].
template <class System> class stage_recorder {
public:
  stage_recorder(System& system, std::vector<double>& derivatives, std::size_t dimension) noexcept
      : system_(system), next_(derivatives.data()), end_(next_ + derivatives.size()), dimension_(dimension) {}

  template <class StateIn, class Deriv, class Time> void operator()(const StateIn& x, Deriv& dxdt, Time t) {
    system_(x, dxdt, t);
    record(dxdt);
  }

  template <class Deriv> void record(const Deriv& dxdt) noexcept {
    if (next_ != end_) {
      const auto* k = state_access<Deriv>::data(dxdt);
      std::copy(k, k + dimension_, next_);
      next_ += dimension_;
    }
    ++count_;
  }
  std::size_t count() const noexcept { return count_; }

private:
  System& system_;
  double* next_;
  double* end_;
  std::size_t dimension_;
  std::size_t count_ = 0;
};

} // namespace detail

/// A learned stepper over an Odeint stepper: `BaseStepper` takes the step and the model corrects it,
///
///     x(t + dt) = base(x, t, dt) + Q        (AttNS, Huang et al. 2024, eq. 10).
///
/// It models Odeint's Stepper concept and stands wherever `BaseStepper` stood:
///
///     runge_kutta4<state_type> stepper;
///     lodestep::odeint::corrector<runge_kutta4<state_type>> stepper("pendulum.safetensors");
///
/// The order is the base stepper's. Stages and dense output are the
/// base stepper's; there is no embedded error estimate.
///
/// When the model may not be used (dt is not the trained one, as in the last short step of `integrate_adaptive`, in
/// `integrate_times` or backwards in time; the state is outside the domain of training; the correction is larger than
/// any in training, or not finite), the step is taken by the base stepper (or by RK4 where the model says so: a base of
/// low order would need too many), sub-stepped finely enough to keep the model's accuracy, and counted: see
/// `counters()`.
///
/// States are contiguous arrays of double or float (see state_access). A state of another dimension than the model's is
/// an InvalidArgument. Exceptions of the system pass through untouched, with `x` and `dxdt` unchanged in the in-place
/// forms; in the out-of-place forms `out` is then unspecified, as with Odeint's own steppers.
///
/// A stepper is cheap to copy: copies share model and counters. Each thread uses a copy of its own. Nothing is
/// allocated after the first step.
template <class BaseStepper> class corrector {
public:
  using base_stepper_type = BaseStepper;
  using state_type = typename BaseStepper::state_type;
  using deriv_type = typename BaseStepper::deriv_type;
  using value_type = typename BaseStepper::value_type;
  using time_type = typename BaseStepper::time_type;
  using order_type = typename BaseStepper::order_type;
  using algebra_type = typename BaseStepper::algebra_type;
  using operations_type = typename BaseStepper::operations_type;
  using resizer_type = typename BaseStepper::resizer_type;
  using wrapped_state_type = boost::numeric::odeint::state_wrapper<state_type>;
  using wrapped_deriv_type = boost::numeric::odeint::state_wrapper<deriv_type>;
  using stepper_category = boost::numeric::odeint::stepper_tag;

  static_assert(
      base_scheme<BaseStepper>::name != nullptr,
      "lodestep::odeint::corrector: this stepper is not known to be one of the base schemes models are trained "
      "on. If it takes the same steps as one of them, specialise lodestep::odeint::base_scheme for it");
  static_assert(!std::is_void_v<typename state_access<state_type>::value_type> &&
                    !std::is_void_v<typename state_access<deriv_type>::value_type>,
                "lodestep::odeint::corrector: the numbers of this state (or derivative) type are not known to be "
                "contiguous in memory. If they are, specialise lodestep::odeint::state_access for it");
  static_assert(std::is_same_v<typename state_access<state_type>::value_type, double> ||
                    std::is_same_v<typename state_access<state_type>::value_type, float>,
                "lodestep::odeint::corrector: a state must be an array of double or of float");

  /// Loads the model file. Throws IoError, InvalidModel.
  explicit corrector(const std::string& model_file, Backend backend = Backend::automatic)
      : corrector(load_model(model_file), backend) {}
  /// Throws InvalidModel if it is not a sound corrector of this base stepper.
  explicit corrector(std::shared_ptr<const Model> model, Backend backend = Backend::automatic)
      : corrector(std::make_shared<const Corrector>(std::move(model), backend)) {}
  /// Shares a corrector with other steppers.
  explicit corrector(std::shared_ptr<const Corrector> shared)
      : corrector_(required(std::move(shared))), scratch_(*corrector_),
        stages_(corrector_->stages() * corrector_->dimension()), u_(corrector_->dimension()),
        u_next_(converts ? u_.size() : 0) {}
  /// The same over a base stepper with an algebra of its own.
  corrector(std::shared_ptr<const Corrector> shared, const BaseStepper& base) : corrector(std::move(shared)) {
    base_ = base;
  }

  order_type order() const { return base_.order(); }

  const Model& model() const noexcept { return corrector_->model(); }
  const std::shared_ptr<const Corrector>& shared_corrector() const noexcept { return corrector_; }
  const BaseStepper& base_stepper() const noexcept { return base_; }

  /// Steps taken by this stepper and its copies: learned, fallen back, and why. A copy still alive has its steps
  /// counted once it is read or destroyed.
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  /// Sets a parameter of the system that is an input of the model, for the next steps of this stepper and of copies
  /// made from it: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { corrector_->set_parameter(scratch_, name, value); }

  /// The estimated local error of the last step, which was of `dt`, one standard deviation of each variable: see
  /// Corrector::error_estimate.
  template <class Err> void error_estimate(time_type dt, Err& xerr) const {
    auto* numbers = state_access<Err>::data(xerr);
    check_dimension("error", xerr);
    if constexpr (std::is_same_v<decltype(numbers), double*>) {
      corrector_->error_estimate(trained_or(dt), scratch_, numbers, last_ == Verdict::learned);
    } else {
      std::vector<double> error(corrector_->dimension());
      corrector_->error_estimate(trained_or(dt), scratch_, error.data(), last_ == Verdict::learned);
      using number = std::remove_reference_t<decltype(*numbers)>;
      std::transform(error.begin(), error.end(), numbers, [](double x) { return static_cast<number>(x); });
    }
  }

  /// The states within the last step, from `from` to `to`, [dense_points(), dimension]: see Corrector::dense_states.
  /// False, with nothing written, if that step was not learned or the model has no dense output.
  template <class State> bool dense_states(const State& from, const State& to, double* states) {
    if (last_ != Verdict::learned || corrector_->dense_points() == 0) return false;
    if constexpr (converts) {
      const auto* a = state_access<State>::data(from);
      const auto* b = state_access<State>::data(to);
      std::copy(a, a + u_.size(), u_.begin());
      std::copy(b, b + u_.size(), u_next_.begin());
      corrector_->dense_states(u_.data(), u_next_.data(), states, scratch_);
    } else {
      corrector_->dense_states(state_access<State>::data(from), state_access<State>::data(to), states, scratch_);
    }
    return true;
  }

  /// In place. The const overload takes ranges, such as a pair of pointers, by value.
  template <class System, class StateInOut> void do_step(System system, StateInOut& x, time_type t, time_type dt) {
    step_in_place(unwrap(system), x, detail::no_derivative(), t, dt);
  }
  template <class System, class StateInOut>
  void do_step(System system, const StateInOut& x, time_type t, time_type dt) {
    step_in_place(unwrap(system), x, detail::no_derivative(), t, dt);
  }

  /// In place, the derivative at (x, t) being known. Not for a derivative of type time_type, as in Odeint.
  template <class System, class StateInOut, class DerivIn>
  std::enable_if_t<!std::is_same_v<DerivIn, time_type>> do_step(System system, StateInOut& x, const DerivIn& dxdt,
                                                                time_type t, time_type dt) {
    step_in_place(unwrap(system), x, dxdt, t, dt);
  }

  /// Out of place; `in` and `out` may be the same object.
  template <class System, class StateIn, class StateOut>
  void do_step(System system, const StateIn& in, time_type t, StateOut& out, time_type dt) {
    step_out_of_place(unwrap(system), in, detail::no_derivative(), t, out, dt);
  }

  /// Out of place, the derivative at (in, t) being known.
  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step(System system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out, time_type dt) {
    step_out_of_place(unwrap(system), in, dxdt, t, out, dt);
  }

  /// By the names under which Odeint's multi-step methods call the stepper that starts them.
  template <class System, class StateInOut, class DerivIn>
  void do_step_dxdt_impl(System system, StateInOut& x, const DerivIn& dxdt, time_type t, time_type dt) {
    step_in_place(unwrap(system), x, dxdt, t, dt);
  }
  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step_dxdt_impl(System system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out,
                         time_type dt) {
    step_out_of_place(unwrap(system), in, dxdt, t, out, dt);
  }

  /// Sizes all temporaries for states such as `x`.
  template <class StateIn> void adjust_size(const StateIn& x) {
    check_dimension("state", x);
    base_.adjust_size(x);
    fallback_.adjust_size(x);
  }

private:
  /// A model computes in double; states of float pass through buffers.
  static constexpr bool converts = !std::is_same_v<typename state_access<state_type>::value_type, double>;
  static constexpr bool first_same_as_last =
      std::is_same_v<typename BaseStepper::stepper_category, boost::numeric::odeint::explicit_error_stepper_fsal_tag>;

  static std::shared_ptr<const Corrector> required(std::shared_ptr<const Corrector> shared) {
    if (!shared) throw InvalidModel("model", "no model given (null pointer)");
    const std::string& base = shared->description().base;
    if (base != base_scheme<BaseStepper>::name) detail::throw_wrong_base(base, base_scheme<BaseStepper>::name);
    return shared;
  }

  template <class System> static auto& unwrap(System& system) noexcept {
    typename boost::numeric::odeint::unwrap_reference<System>::type& unwrapped = system;
    return unwrapped;
  }

  template <class State> void check_dimension(const char* what, const State& x) const {
    static_assert(!std::is_void_v<typename state_access<State>::value_type>,
                  "lodestep::odeint::corrector: the numbers of this state or range type are not known to be contiguous "
                  "in memory. If they are, specialise lodestep::odeint::state_access for it");
    const std::size_t actual = state_access<State>::size(x);
    if (BOOST_UNLIKELY(actual != corrector_->dimension())) {
      detail::throw_wrong_dimension(what, corrector_->dimension(), actual);
    }
  }

  /// dt as the model knows it: in a time type narrower than double, the trained dt is the number nearest to it.
  double trained_or(time_type dt) const noexcept {
    if constexpr (std::is_floating_point_v<time_type>) {
      if constexpr (std::numeric_limits<time_type>::digits < std::numeric_limits<double>::digits) {
        if (dt == static_cast<time_type>(corrector_->dt())) return corrector_->dt();
      }
    }
    return static_cast<double>(dt);
  }

  template <class System, class StateIn, class DerivIn, class StateOut>
  void base_step(System& system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out, time_type dt) {
    if constexpr (first_same_as_last) {
      // What it keeps for its next step is the derivative where this one ends before the correction. A derivative that
      // is given is evaluated again: these steppers hand out another with it.
      base_.reset();
      base_.do_step(std::ref(system), in, t, out, dt);
    } else if constexpr (std::is_same_v<DerivIn, detail::no_derivative>) {
      base_.do_step(std::ref(system), in, t, out, dt);
    } else {
      base_.do_step(std::ref(system), in, dxdt, t, out, dt);
    }
  }

  template <class System, class StateIn, class DerivIn, class StateOut>
  BOOST_NOINLINE void recorded_base_step(System& system, const StateIn& in, const DerivIn& dxdt, time_type t,
                                         StateOut& out, time_type dt) {
    detail::stage_recorder<System> recorder(system, stages_, corrector_->dimension());
    if constexpr (!first_same_as_last && !std::is_same_v<DerivIn, detail::no_derivative>) recorder.record(dxdt);
    base_step(recorder, in, dxdt, t, out, dt);
    if (recorder.count() != corrector_->stages()) {
      detail::throw_wrong_stages(corrector_->stages(), recorder.count());
    }
  }

  /// Adds the correction to `out`, the base stepper's result from `in`.
  template <class StateOut> Verdict correct(double t, double dt, const double* u, StateOut& out) {
    auto* numbers = state_access<std::remove_const_t<StateOut>>::data(out);
    if constexpr (std::is_same_v<decltype(numbers), double*>) {
      return corrector_->correct(t, dt, u, numbers, stages_.data(), scratch_);
    } else {
      static_assert(converts, "lodestep::odeint::corrector: a float output for a stepper of double states");
      std::copy(numbers, numbers + u_next_.size(), u_next_.begin());
      const Verdict verdict = corrector_->correct(t, dt, u, u_next_.data(), stages_.data(), scratch_);
      using number = std::remove_reference_t<decltype(*numbers)>;
      std::transform(u_next_.begin(), u_next_.end(), numbers, [](double x) { return static_cast<number>(x); });
      return verdict;
    }
  }

  /// The fallback scheme, in equal sub-steps. Out of line, so that the learned path stays small.
  template <class System, class StateIn, class DerivIn, class StateOut>
  BOOST_NOINLINE void fall_back(System& system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out,
                                time_type dt) {
    const std::size_t count = corrector_->substeps(static_cast<double>(dt));
    const time_type h = dt / static_cast<time_type>(count);
    const auto sub_steps = [&](auto& stepper) {
      if constexpr (first_same_as_last && std::is_same_v<decltype(stepper), BaseStepper&>) {
        stepper.reset();
        stepper.do_step(std::ref(system), in, t, out, h);
      } else if constexpr (std::is_same_v<DerivIn, detail::no_derivative>) {
        stepper.do_step(std::ref(system), in, t, out, h);
      } else {
        stepper.do_step(std::ref(system), in, dxdt, t, out, h);
      }
      for (std::size_t i = 1; i < count; ++i) {
        stepper.do_step(std::ref(system), out, static_cast<time_type>(t + static_cast<time_type>(i) * h), h);
      }
    };
    if (corrector_->fallback() == base_scheme<BaseStepper>::name) {
      sub_steps(base_);
    } else {
      sub_steps(fallback_);
    }
  }

  /// One learned step from `in` to `out`, which may be the same; `u` is the input and stays. Where it may not be
  /// learned, `out` is unspecified.
  template <class System, class StateIn, class DerivIn, class StateOut>
  Verdict learned_step(System& system, const double* u, const StateIn& in, const DerivIn& dxdt, time_type t,
                       StateOut& out, time_type dt) {
    const double step = trained_or(dt);
    const auto time = static_cast<double>(t);
    const Verdict verdict = corrector_->admits(time, step, u, scratch_);
    if (BOOST_UNLIKELY(verdict != Verdict::learned)) return verdict;
    if (corrector_->stages() == 0) {
      base_step(system, in, dxdt, t, out, dt);
    } else {
      recorded_base_step(system, in, dxdt, t, out, dt);
    }
    return correct(time, step, u, out);
  }

  template <class System, class StateInOut, class DerivIn>
  void step_in_place(System& system, StateInOut& x, const DerivIn& dxdt, time_type t, time_type dt) {
    check_dimension("state", x);
    save(x);
    try {
      const Verdict verdict = learned_step(system, u_.data(), x, dxdt, t, x, dt);
      if (BOOST_UNLIKELY(verdict != Verdict::learned)) {
        restore(x);
        fall_back(system, x, dxdt, t, x, dt);
        note(verdict);
      } else {
        note(Verdict::learned);
      }
    } catch (...) {
      restore(x);
      throw;
    }
  }

  template <class System, class StateIn, class DerivIn, class StateOut>
  void step_out_of_place(System& system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out,
                         time_type dt) {
    check_dimension("state", in);
    check_dimension("output", out);
    const auto* const from = state_access<StateIn>::data(in);
    if (static_cast<const void*>(from) == static_cast<const void*>(state_access<StateOut>::data(out))) {
      return step_in_place(system, out, dxdt, t, dt);
    }
    const double* u = u_.data();
    if constexpr (std::is_same_v<decltype(from), const double* const>) {
      u = from;
    } else {
      save(in);
    }
    const Verdict verdict = learned_step(system, u, in, dxdt, t, out, dt);
    if (BOOST_UNLIKELY(verdict != Verdict::learned)) {
      fall_back(system, in, dxdt, t, out, dt);
      note(verdict);
    } else {
      note(Verdict::learned);
    }
  }

  // NOTE: called with a constant where the step was learned, so that what is written does not wait for the guard.
  void note(Verdict verdict) noexcept {
    last_ = verdict;
    counters_.count(verdict);
  }

  // NOTE: the input is saved and the step taken in place, rather than taken in scratch and copied back: the copy is
  // then not between one step and the next, where its latency would show.
  template <class State> void save(const State& x) noexcept {
    const auto* from = state_access<State>::data(x);
    double* to = u_.data();
    const std::size_t count = state_access<State>::size(x); // where it is fixed, the compiler knows it here
    constexpr std::size_t few = 32;
    if (count > few) {
      std::copy(from, from + count, to);
    } else {
      // NOTE: a wide load over several narrow stores that are still in flight waits for them to land, and the last step
      // has only just written x. Vectorised, this copy alone costs a tenth of an RK4 step of four variables.
      for (std::size_t i = 0; i < count; ++i) to[i] = detail::lone(from[i]);
    }
  }

  template <class State> void restore(State& x) const noexcept {
    auto* to = state_access<std::remove_const_t<State>>::data(x);
    using number = std::remove_reference_t<decltype(*to)>;
    std::transform(u_.begin(), u_.end(), to, [](double saved) { return static_cast<number>(saved); });
  }

  std::shared_ptr<const Corrector> corrector_;
  BaseStepper base_;
  /// Takes over from a base of low order: models name no other fallback than their base and RK4.
  boost::numeric::odeint::runge_kutta4<state_type, value_type, deriv_type, time_type, algebra_type, operations_type,
                                       resizer_type>
      fallback_;
  SharedCounters counters_;
  Verdict last_ = Verdict::learned; ///< on the last step
  Corrector::Scratch scratch_;
  std::vector<double> stages_; ///< [stages, dimension]
  std::vector<double> u_;      ///< the input of the step, [dimension]
  std::vector<double> u_next_; ///< its output, where states are not of double
};

} // namespace lodestep::odeint
