#pragma once

#include <lodestep/odeint/fixed_step.hpp>
#include <lodestep/odeint/stage_sum.hpp>
#include <lodestep/odeint/tableau_source.hpp>

#include <boost/numeric/odeint/util/is_resizeable.hpp>
#include <boost/numeric/odeint/util/resizer.hpp>
#include <boost/numeric/odeint/util/state_wrapper.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace lodestep::odeint::detail {

namespace bno = boost::numeric::odeint;

/// What the three tableau steppers share: the step itself, and what a stepper says of itself.
template <class State, class Value, class Deriv, class Time, class Algebra, class Operations, class Resizer>
class tableau_steps {
  using sum = stage_sum<Value, Time, Algebra, Operations>;

public:
  using order_type = unsigned short; // Odeint's own

  /// The order of the tableau; of a learned one, the order it has on its family.
  order_type order() const { return static_cast<order_type>(source_.order()); }
  order_type stepper_order() const { return order(); }
  order_type error_order() const { return static_cast<order_type>(source_.error_order()); }
  /// Steps learned and fallen back, over this stepper and its copies; zero for a fixed tableau.
  StepCounters counters() const noexcept { return source_.counters(); }
  void reset_counters() noexcept { source_.reset_counters(); }

protected:
  explicit tableau_steps(tableau_source<Value> source) : source_(std::move(source)), k_(source_.stages()) {}

  /// out = in + dt sum b_i k_i. `out` may be `in`. Then calls finish(error), where error(dxdt, dxdt_out, xerr) gives
  /// xerr = dt sum (b_i - b*_i) k_i with the FSAL stage dxdt_out; where the tableau has none, that has weight zero.
  template <class System, class StateIn, class DerivIn, class StateOut, class Finish>
  void step(Algebra& algebra, System system_or_reference, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out,
            Time dt, const Finish& finish) {
    typename bno::unwrap_reference<System>::type& system = system_or_reference;
    packed_tableau<Value>& tableau = source_.select(in, dt);
    if constexpr (is_fixed<State, Value, Deriv, Time, Algebra, Operations> && std::is_same_v<StateIn, State> &&
                  std::is_same_v<StateOut, State> && std::is_same_v<DerivIn, Deriv>) {
      if (tableau.stages <= fixed_stages) {
        tableau.scale(dt);
        return small_step<fixed_stages>(tableau.stages, system, in, dxdt, t, out, dt, tableau, finish);
      }
    }
    resizer_.adjust_size(in, [this](const auto& x) { return resize(x); });
    auto* k = k_.data();
    for (std::size_t i = 1; i < tableau.stages; ++i) {
      sum::add(algebra, x_tmp_.m_v, in, tableau.row[i], dt, dxdt, k);
      system(x_tmp_.m_v, k[i - 1].m_v, t + dt * tableau.c[i]);
    }
    sum::add(algebra, out, in, tableau.b, dt, dxdt, k);
    finish([&](const auto& k_first, const auto& k_last, auto& xerr) {
      sum::set(algebra, xerr, tableau.error, dt, k_first, k, tableau.last_error, k_last);
    });
  }

  template <class StateIn> bool resize(const StateIn& x) {
    bool resized = bno::adjust_size_by_resizeability(x_tmp_, x, typename bno::is_resizeable<State>::type());
    for (auto& k : k_) {
      resized |= bno::adjust_size_by_resizeability(k, x, typename bno::is_resizeable<Deriv>::type());
    }
    return resized;
  }

private:
  /// The number of stages as a constant: `Most` or, if that is not it, one less.
  template <std::size_t Most, class... Arguments> static void small_step(std::size_t stages, Arguments&... arguments) {
    if constexpr (Most > 1) {
      if (stages != Most) return small_step<Most - 1>(stages, arguments...);
    }
    fixed_step<Most, Value>(arguments...);
  }

  tableau_source<Value> source_;
  Resizer resizer_;
  bno::state_wrapper<State> x_tmp_;
  std::vector<bno::state_wrapper<Deriv>> k_; ///< k_2, k_3, ...
};

} // namespace lodestep::odeint::detail
