#pragma once

#include <lodestep/counters.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/odeint/tableau_source.hpp>
#include <lodestep/odeint/tableau_steps.hpp>
#include <lodestep/tableau.hpp>

#include <boost/numeric/odeint/algebra/algebra_dispatcher.hpp>
#include <boost/numeric/odeint/algebra/operations_dispatcher.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_error_stepper_base.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_error_stepper_fsal_base.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_stepper_base.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/generation/make_dense_output.hpp>
#include <boost/numeric/odeint/util/copy.hpp>
#include <boost/numeric/odeint/util/is_resizeable.hpp>
#include <boost/numeric/odeint/util/resizer.hpp>
#include <boost/numeric/odeint/util/same_instance.hpp>
#include <boost/numeric/odeint/util/state_wrapper.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <memory>
#include <utility>

/// Odeint steppers of a tableau that is known at run time: one of lodestep's classical tableaux, one read from a file,
/// or one learned for a family of problems (with its range of validity, and the classical tableau outside it).
///
/// | stepper                   | Odeint concept                                            | tableau                 |
/// |---------------------------|-----------------------------------------------------------|-------------------------|
/// | tableau_stepper           | Stepper                                                   | any, 1 to 13 stages     |
/// | tableau_error_stepper     | Error Stepper, make_controlled                            | with an embedded row    |
/// | tableau_fsal_stepper      | FSAL Error Stepper, make_controlled, make_dense_output    | with an embedded row    |
///
/// tableau_fsal_stepper takes tableaux that are not FSAL too: f(t + dt, u') becomes their last stage, which costs
/// nothing when the next step reuses it. Dense output is cubic Hermite interpolation, of order 3.
///
/// Stage sums are fused: each is one pass that reads every stage of non-zero weight once, through Odeint's own algebras
/// and operations, so that every state type Odeint knows works. As always in Odeint, systems that hold data should be
/// passed by std::ref.
namespace lodestep::odeint {

/// An explicit Runge-Kutta step with the coefficients of any tableau of 1 to 13 stages. Models Odeint's Stepper
/// concept. Copies share the learned model and the counters.
///
///     tableau_stepper<state_type> stepper(lodestep::classical_tableau("rk4"));
///     tableau_stepper<state_type>
///     stepper(std::make_shared<lodestep::LearnedTableau>(lodestep::load_model("my.tableau")));
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_stepper
    // Odeint's bases know the order as a constant, here it is the tableau's: order() below hides theirs.
    : public boost::numeric::odeint::explicit_stepper_base<
          tableau_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, State, Value, Deriv, Time,
          Algebra, Operations, Resizer>,
      private detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> {
  using steps = detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer>;

public:
  using stepper_base_type = typename tableau_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound or has more than 13 stages.
  explicit tableau_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({tableau, detail::last_stage::unused}) {}
  /// Steps outside the model's range of validity are taken with its classical tableau, and counted.
  explicit tableau_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({std::move(learned), detail::last_stage::unused}) {}

  using steps::counters;
  using steps::order;
  using steps::reset_counters;

  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt) {
    steps::step(this->m_algebra, system, in, dxdt, t, out, dt, [](const auto&) {});
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps::resize(x);
    stepper_base_type::adjust_size(x);
  }
};

/// The same with the error estimate of the embedded row, dt sum (b_i - b*_i) k_i. Models Odeint's Error Stepper
/// concept; make_controlled gives it step-size control. Every stage is evaluated within the step.
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_error_stepper
    // Odeint's bases know the order as a constant, here it is the tableau's: order() below hides theirs.
    : public boost::numeric::odeint::explicit_error_stepper_base<
          tableau_error_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, 1, 2, State, Value, Deriv,
          Time, Algebra, Operations, Resizer>,
      private detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> {
  using steps = detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer>;

public:
  using stepper_base_type = typename tableau_error_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound, has more than 13 stages or no embedded row.
  explicit tableau_error_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({tableau, detail::last_stage::own}) {}
  /// Steps outside the model's range of validity are taken with its classical tableau, and counted.
  explicit tableau_error_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({std::move(learned), detail::last_stage::own}) {}

  using steps::counters;
  using steps::error_order;
  using steps::order;
  using steps::reset_counters;
  using steps::stepper_order;

  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt) {
    steps::step(this->m_algebra, system, in, dxdt, t, out, dt, [](const auto&) {});
  }

  template <class System, class StateIn, class DerivIn, class StateOut, class Err>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt, Err& xerr) {
    steps::step(this->m_algebra, system, in, dxdt, t, out, dt, [&](const auto& error) { error(dxdt, dxdt, xerr); });
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps::resize(x);
    stepper_base_type::adjust_size(x);
  }
};

/// The same for a host that hands the derivative at the end of one step to the next. Models Odeint's FSAL Error Stepper
/// concept; make_controlled and make_dense_output work. A tableau that is not FSAL gains f(t + dt, u') as a last stage.
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_fsal_stepper
    // Odeint's bases know the order as a constant, here it is the tableau's: order() below hides theirs.
    : public boost::numeric::odeint::explicit_error_stepper_fsal_base<
          tableau_fsal_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, 1, 2, State, Value, Deriv,
          Time, Algebra, Operations, Resizer>,
      private detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> {
  using steps = detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer>;

public:
  using stepper_base_type = typename tableau_fsal_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound, has more than 13 stages beside an FSAL one, or no embedded row.
  explicit tableau_fsal_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({tableau, detail::last_stage::next}) {}
  /// Steps outside the model's range of validity are taken with its classical tableau, and counted.
  explicit tableau_fsal_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps({std::move(learned), detail::last_stage::next}) {}

  using steps::counters;
  using steps::error_order;
  using steps::order;
  using steps::reset_counters;
  using steps::stepper_order;

  template <class System, class StateIn, class DerivIn, class StateOut, class DerivOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt_in, Time t, StateOut& out, DerivOut& dxdt_out,
                    Time dt) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    steps::step(this->m_algebra, system, in, dxdt_in, t, out, dt, [](const auto&) {});
    sys(out, dxdt_out, t + dt);
  }

  template <class System, class StateIn, class DerivIn, class StateOut, class DerivOut, class Err>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt_in, Time t, StateOut& out, DerivOut& dxdt_out,
                    Time dt, Err& xerr) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    if (boost::numeric::odeint::same_instance(dxdt_in, dxdt_out)) {
      // The new derivative overwrites the first stage, which the estimate still needs.
      dxdt_resizer_.adjust_size(in, [this](const auto& x) { return resize_dxdt(x); });
      boost::numeric::odeint::copy(dxdt_in, dxdt_.m_v);
      steps::step(this->m_algebra, system, in, dxdt_in, t, out, dt, [&](const auto& error) {
        sys(out, dxdt_out, t + dt);
        error(dxdt_.m_v, dxdt_out, xerr);
      });
    } else {
      steps::step(this->m_algebra, system, in, dxdt_in, t, out, dt, [&](const auto& error) {
        sys(out, dxdt_out, t + dt);
        error(dxdt_in, dxdt_out, xerr);
      });
    }
  }

  /// Cubic Hermite interpolation over the last step, for dense output.
  template <class StateOut, class StateIn1, class DerivIn1, class StateIn2, class DerivIn2>
  void calc_state(Time t, StateOut& x, const StateIn1& x_old, const DerivIn1& deriv_old, Time t_old,
                  const StateIn2& x_new, const DerivIn2& deriv_new, Time t_new) const {
    const Time dt = t_new - t_old;
    const Value s = static_cast<Value>((t - t_old) / dt);
    const Value r = Value(1) - s;
    const Value end = s * s * (Value(3) - Value(2) * s);
    this->m_algebra.for_each5(x, x_old, x_new, deriv_old, deriv_new,
                              typename Operations::template scale_sum4<Value, Value, Time, Time>(
                                  Value(1) - end, end, dt * (s * r * r), -dt * (s * s * r)));
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps::resize(x);
    resize_dxdt(x);
    stepper_base_type::adjust_size(x);
  }
  /// The name Odeint's dense-output stepper calls it by.
  template <class StateIn> void resize(const StateIn& x) { adjust_size(x); }

private:
  template <class StateIn> bool resize_dxdt(const StateIn& x) {
    return boost::numeric::odeint::adjust_size_by_resizeability(
        dxdt_, x, typename boost::numeric::odeint::is_resizeable<Deriv>::type());
  }

  Resizer dxdt_resizer_;
  boost::numeric::odeint::state_wrapper<Deriv> dxdt_;
};

} // namespace lodestep::odeint

namespace boost::numeric::odeint {

template <class... T> struct get_controller<lodestep::odeint::tableau_error_stepper<T...>> {
  using type = controlled_runge_kutta<lodestep::odeint::tableau_error_stepper<T...>>;
};
template <class... T> struct get_controller<lodestep::odeint::tableau_fsal_stepper<T...>> {
  using type = controlled_runge_kutta<lodestep::odeint::tableau_fsal_stepper<T...>>;
};
template <class... T> struct get_dense_output<lodestep::odeint::tableau_fsal_stepper<T...>> {
  using type = dense_output_runge_kutta<controlled_runge_kutta<lodestep::odeint::tableau_fsal_stepper<T...>>>;
};

} // namespace boost::numeric::odeint
