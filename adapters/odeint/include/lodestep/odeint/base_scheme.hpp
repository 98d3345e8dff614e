#pragma once

#include <lodestep/odeint/heun.hpp>
#include <lodestep/odeint/runge_kutta3.hpp>

#include <boost/numeric/odeint/stepper/euler.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4_classic.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_cash_karp54.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_cash_karp54_classic.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>

namespace lodestep::odeint {

/// Which classical scheme an Odeint stepper is, by the name models know it: a correction holds only for the scheme it
/// was learned on. A stepper of your own that takes the same steps as one of them (to rounding) opts in with
///
///     template <> struct lodestep::odeint::base_scheme<my_rk4> { static constexpr const char* name = "rk4"; };
///
/// Known names: "euler", "heun", "rk3", "rk4", "cash_karp", "dormand_prince", "fehlberg78" and the other names of
/// classical_tableau.
template <class BaseStepper> struct base_scheme { static constexpr const char* name = nullptr; };

template <class... Ts> struct base_scheme<boost::numeric::odeint::euler<Ts...>> {
  static constexpr const char* name = "euler";
};
template <class... Ts> struct base_scheme<heun<Ts...>> { static constexpr const char* name = "heun"; };
template <class... Ts> struct base_scheme<runge_kutta3<Ts...>> { static constexpr const char* name = "rk3"; };
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta4<Ts...>> {
  static constexpr const char* name = "rk4";
};
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta4_classic<Ts...>> {
  static constexpr const char* name = "rk4";
};
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta_cash_karp54<Ts...>> {
  static constexpr const char* name = "cash_karp";
};
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta_cash_karp54_classic<Ts...>> {
  static constexpr const char* name = "cash_karp";
};
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta_dopri5<Ts...>> {
  static constexpr const char* name = "dormand_prince";
};
template <class... Ts> struct base_scheme<boost::numeric::odeint::runge_kutta_fehlberg78<Ts...>> {
  static constexpr const char* name = "fehlberg78";
};

} // namespace lodestep::odeint
