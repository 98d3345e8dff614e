#pragma once

#include <boost/numeric/odeint/stepper/explicit_generic_rk.hpp>

namespace lodestep::odeint {

/// Kutta's third-order method as an Odeint stepper: explicit Runge-Kutta, order 3, 3 stages, no embedding.
///
///     k1 = f(t, x),  k2 = f(t + dt/2, x + dt k1 / 2),  k3 = f(t + dt, x + dt (2 k2 - k1)),
///     x' = x + dt (k1 + 4 k2 + k3) / 6
///
/// Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, section II.1. Template parameters as in Odeint's
/// own steppers.
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class runge_kutta3 : public boost::numeric::odeint::explicit_generic_rk<3, 3, State, Value, Deriv, Time, Algebra,
                                                                        Operations, Resizer> {
public:
  using stepper_base_type =
      boost::numeric::odeint::explicit_generic_rk<3, 3, State, Value, Deriv, Time, Algebra, Operations, Resizer>;
  using algebra_type = typename stepper_base_type::algebra_type;

  explicit runge_kutta3(const algebra_type& algebra = algebra_type())
      : stepper_base_type(typename stepper_base_type::coef_a_type(boost::array<Value, 1>{{Value(1) / Value(2)}},
                                                                  boost::array<Value, 2>{{Value(-1), Value(2)}}),
                          {{Value(1) / Value(6), Value(2) / Value(3), Value(1) / Value(6)}},
                          {{Value(0), Value(1) / Value(2), Value(1)}}, algebra) {}
};

} // namespace lodestep::odeint
