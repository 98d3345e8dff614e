#pragma once

#include <lodestep/odeint/corrector.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace lodestep::odeint {

/// A corrector as Odeint's Error Stepper: the learned step of `corrector` and the model's own estimate of its local
/// error (one standard deviation, calibrated on held-out data), which costs no evaluation of the system.
///
///     integrate_adaptive(make_controlled(1e-8, 1e-8, error_corrector<rk4>("any_dt.safetensors")), system, x, ...)
///
/// make_controlled gives controlled_corrector, make_dense_output dense_output_corrector. A dt-aware model is what this
/// is for; with a model of one step size every other step is taken by the fallback scheme.
template <class BaseStepper> class error_corrector {
public:
  using base_stepper_type = BaseStepper;
  using corrector_type = corrector<BaseStepper>;
  using state_type = typename corrector_type::state_type;
  using deriv_type = typename corrector_type::deriv_type;
  using value_type = typename corrector_type::value_type;
  using time_type = typename corrector_type::time_type;
  using order_type = typename corrector_type::order_type;
  using algebra_type = typename corrector_type::algebra_type;
  using operations_type = typename corrector_type::operations_type;
  using resizer_type = typename corrector_type::resizer_type;
  using wrapped_state_type = typename corrector_type::wrapped_state_type;
  using wrapped_deriv_type = typename corrector_type::wrapped_deriv_type;
  using stepper_category = boost::numeric::odeint::error_stepper_tag;

  explicit error_corrector(corrector_type stepper) : stepper_(std::move(stepper)) {}
  /// Throw IoError, InvalidModel.
  explicit error_corrector(const std::string& model_file, Backend backend = Backend::automatic)
      : stepper_(model_file, backend) {}
  explicit error_corrector(std::shared_ptr<const Model> model, Backend backend = Backend::automatic)
      : stepper_(std::move(model), backend) {}
  explicit error_corrector(std::shared_ptr<const Corrector> shared) : stepper_(std::move(shared)) {}

  order_type order() const { return stepper_.order(); }
  order_type stepper_order() const { return stepper_.order(); }
  /// The local error shrinks with the step to the power of this plus one.
  order_type error_order() const { return stepper_.order(); }

  corrector_type& stepper() noexcept { return stepper_; }
  const corrector_type& stepper() const noexcept { return stepper_; }
  StepCounters counters() const noexcept { return stepper_.counters(); }
  void set_parameter(const std::string& name, double value) { stepper_.set_parameter(name, value); }

  /// In place, without and with the estimate.
  template <class System, class StateInOut> void do_step(System system, StateInOut& x, time_type t, time_type dt) {
    stepper_.do_step(system, x, t, dt);
  }
  template <class System, class StateInOut, class Err>
  void do_step(System system, StateInOut& x, time_type t, time_type dt, Err& xerr) {
    stepper_.do_step(system, x, t, dt);
    stepper_.error_estimate(dt, xerr);
  }
  /// Out of place, the derivative at (in, t) being known.
  template <class System, class StateIn, class DerivIn, class StateOut, class Err>
  void do_step(System system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out, time_type dt,
               Err& xerr) {
    stepper_.do_step(system, in, dxdt, t, out, dt);
    stepper_.error_estimate(dt, xerr);
  }
  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step(System system, const StateIn& in, const DerivIn& dxdt, time_type t, StateOut& out, time_type dt) {
    stepper_.do_step(system, in, dxdt, t, out, dt);
  }
  /// Out of place.
  template <class System, class StateIn, class StateOut>
  void do_step(System system, const StateIn& in, time_type t, StateOut& out, time_type dt) {
    stepper_.do_step(system, in, t, out, dt);
  }

  template <class StateIn> void adjust_size(const StateIn& x) { stepper_.adjust_size(x); }

private:
  corrector_type stepper_;
};

} // namespace lodestep::odeint
