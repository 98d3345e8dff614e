#pragma once

#include "problem/batched.hpp"
#include "problem/definition.hpp"
#include "report/contender.hpp"
#include "report/flow_map_contenders.hpp"
#include "report/roll_out.hpp"

#include <lodestep/odeint/corrector.hpp>
#include <lodestep/odeint/dense_output_corrector.hpp>
#include <lodestep/odeint/heun.hpp>
#include <lodestep/odeint/runge_kutta3.hpp>

#include <boost/numeric/odeint/stepper/adams_bashforth_moulton.hpp>
#include <boost/numeric/odeint/stepper/bulirsch_stoer.hpp>
#include <boost/numeric/odeint/stepper/bulirsch_stoer_dense_out.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/euler.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_cash_karp54.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// The contenders, generic in state type and right-hand side: instantiated once for each problem whose size is known at
/// compile time (contenders_<problem>.cpp) and once for std::vector (contender.cpp).
namespace lodestep::report {

namespace boost_odeint = boost::numeric::odeint;

/// Thrown out of a stepper that takes far more evaluations than any sensible setting would.
struct Exhausted : std::exception {};

/// Counts evaluations. Every contender pays for the count alike: an increment and a comparison.
template <class Rhs> struct Counted {
  Rhs rhs;
  std::size_t limit;
  std::size_t evaluations = 0;

  template <class State, class Deriv> void operator()(const State& x, Deriv& dxdt, double t) {
    if (++evaluations > limit) throw Exhausted();
    rhs(x, dxdt, t);
  }
};

/// Where and when outputs are due, [times, dimension].
struct Outputs {
  double* states;
  std::size_t times;
  std::size_t dimension;
  double dt;

  double time(std::size_t k) const noexcept { return static_cast<double>(k) * dt; }
  template <class State> void write(std::size_t k, const State& x) const noexcept {
    std::copy(x.begin(), x.end(), states + k * dimension);
  }
};

/// Equal steps between outputs.
template <class Stepper> struct FixedSteps {
  template <class System, class State>
  void operator()(System& system, State& x, double dt, const Outputs& outputs) const {
    Stepper stepper;
    const auto count = static_cast<std::size_t>(std::lround(outputs.dt / dt));
    const double h = outputs.dt / static_cast<double>(count);
    for (std::size_t k = 1; k < outputs.times; ++k) {
      const double from = outputs.time(k - 1);
      for (std::size_t i = 0; i < count; ++i) {
        stepper.do_step(std::ref(system), x, from + static_cast<double>(i) * h, h);
      }
      outputs.write(k, x);
    }
  }
};

/// Error control, steps ending on every output. What integrate_times does, but dividing what is left to the next output
/// evenly, which costs no more steps and leaves smaller errors than full steps and a short last one.
template <class Make> struct ControlledToOutputs {
  Make make;

  template <class System, class State>
  void operator()(System& system, State& x, double tolerance, const Outputs& outputs) const {
    auto stepper = make(tolerance);
    double t = 0.0;
    double h = outputs.dt;
    for (std::size_t k = 1; k < outputs.times; ++k) {
      const double target = outputs.time(k);
      while (target - t > 1e-12 * outputs.dt) {
        const double left = target - t;
        double step = left / std::ceil(left / h * (1.0 - 1e-6));
        if (stepper.try_step(std::ref(system), x, t, step) == boost_odeint::success) {
          h = std::max(h, step);
        } else {
          h = step;
        }
      }
      t = target;
      outputs.write(k, x);
    }
  }
};

/// Error control, steps as long as the tolerance allows, outputs interpolated.
template <class Make> struct DenseOutput {
  Make make;

  template <class System, class State>
  void operator()(System& system, State& x, double tolerance, const Outputs& outputs) const {
    auto stepper = make(tolerance);
    stepper.initialize(x, 0.0, outputs.dt);
    for (std::size_t k = 1; k < outputs.times; ++k) {
      const double target = outputs.time(k);
      while (stepper.current_time() < target) stepper.do_step(std::ref(system));
      stepper.calc_state(target, x);
      outputs.write(k, x);
    }
  }
};

/// The model's steps through the Odeint adapter.
template <class Stepper> struct LearnedSteps {
  using Dense = odeint::dense_output_corrector<typename Stepper::base_stepper_type>;
  std::shared_ptr<Stepper> stepper;
  std::shared_ptr<Dense> dense; ///< of the same

  template <class System, class State>
  void operator()(System& system, State& x, double dt, const Outputs& outputs) const {
    if (outputs.dt < dt * (1.0 - 1e-9)) return within_steps(system, x, dt, outputs);
    const auto count = static_cast<std::size_t>(std::lround(outputs.dt / dt));
    for (std::size_t k = 1; k < outputs.times; ++k) {
      const double from = outputs.time(k - 1);
      for (std::size_t i = 0; i < count; ++i) {
        stepper->do_step(std::ref(system), x, from + static_cast<double>(i) * dt, dt);
      }
      outputs.write(k, x);
    }
  }

private:
  /// The model's dense output.
  template <class System, class State>
  void within_steps(System& system, State& x, double dt, const Outputs& outputs) const {
    dense->initialize(x, 0.0, dt);
    for (std::size_t k = 1; k < outputs.times; ++k) {
      const double target = outputs.time(k);
      while (dense->current_time() < target - 1e-9 * outputs.dt) dense->do_step(std::ref(system));
      dense->calc_state(target, x);
      outputs.write(k, x);
    }
  }
};

/// Binds one way of integrating to a right-hand side.
template <class State, class Rhs, class Integrate>
Contender contender(std::string name, Family family, Setting setting, const Rhs& rhs, std::size_t dimension,
                    Integrate integrate) {
  const auto run = [rhs, dimension, integrate](double parameter, const double* u0, std::size_t times, double output_dt,
                                               double* states) {
    // Ten thousand evaluations between two outputs help nobody: a tolerance below rounding, or a runaway solution.
    Counted<Rhs> system{rhs, 10000 * times};
    State x{};
    if constexpr (boost_odeint::is_resizeable<State>::value) x.resize(dimension);
    std::copy_n(u0, dimension, x.begin());
    const Outputs outputs{states, times, dimension, output_dt};
    outputs.write(0, x);
    try {
      integrate(system, x, parameter, outputs);
    } catch (const Exhausted&) {
      std::fill_n(states + dimension, (times - 1) * dimension, std::numeric_limits<double>::quiet_NaN());
    } catch (const boost_odeint::odeint_error&) { // Odeint's own "no progress"
      std::fill_n(states + dimension, (times - 1) * dimension, std::numeric_limits<double>::quiet_NaN());
    }
    return system.evaluations;
  };
  return {std::move(name), family, setting, run};
}

/// A fresh stepper to copy. Odeint's controllers copy a stepper with its scratch, which is harmless but reads numbers
/// nobody has written; in static storage they are zeros.
template <class Stepper> const Stepper& prototype() {
  static const Stepper stepper{};
  return stepper;
}

template <class State, class Rhs> std::vector<Contender> classical_contenders(const Rhs& rhs, std::size_t dimension) {
  using Rk4 = boost_odeint::runge_kutta4<State>;
  using CashKarp = boost_odeint::runge_kutta_cash_karp54<State>;
  using Dopri5 = boost_odeint::runge_kutta_dopri5<State>;
  using Fehlberg = boost_odeint::runge_kutta_fehlberg78<State>;
  // Started by a method of its own order; Odeint's default, rk4, would spoil the first seven steps.
  using Adams =
      boost_odeint::adams_bashforth_moulton<8, State, double, State, double, typename Rk4::algebra_type,
                                            typename Rk4::operations_type, boost_odeint::initially_resizer, Fehlberg>;
  const auto dopri5_dense = [](double tolerance) {
    return boost_odeint::make_dense_output(tolerance, tolerance, prototype<Dopri5>());
  };
  const auto bulirsch = [](double tolerance) { return boost_odeint::bulirsch_stoer<State>(tolerance, tolerance); };
  const auto bulirsch_dense = [](double tolerance) {
    return boost_odeint::bulirsch_stoer_dense_out<State>(tolerance, tolerance);
  };
  const auto fixed = [&](const char* name, auto integrate) {
    return contender<State>(name, Family::classical, Setting::dt, rhs, dimension, integrate);
  };
  const auto adaptive = [&](const char* name, auto integrate) {
    return contender<State>(name, Family::classical, Setting::tolerance, rhs, dimension, integrate);
  };
  const auto cash_karp = [](double tolerance) {
    return boost_odeint::make_controlled(tolerance, tolerance, prototype<CashKarp>());
  };
  const auto dopri5 = [](double tolerance) {
    return boost_odeint::make_controlled(tolerance, tolerance, prototype<Dopri5>());
  };
  const auto fehlberg = [](double tolerance) {
    return boost_odeint::make_controlled(tolerance, tolerance, prototype<Fehlberg>());
  };
  return {fixed("rk4", FixedSteps<Rk4>{}),
          fixed("dopri5 fixed", FixedSteps<Dopri5>{}),
          fixed("fehlberg78 fixed", FixedSteps<Fehlberg>{}),
          fixed("adams_bashforth_moulton8", FixedSteps<Adams>{}),
          adaptive("cash_karp54 controlled", ControlledToOutputs<decltype(cash_karp)>{cash_karp}),
          adaptive("dopri5 controlled", ControlledToOutputs<decltype(dopri5)>{dopri5}),
          adaptive("dopri5 dense", DenseOutput<decltype(dopri5_dense)>{dopri5_dense}),
          adaptive("fehlberg78 controlled", ControlledToOutputs<decltype(fehlberg)>{fehlberg}),
          adaptive("bulirsch_stoer controlled", ControlledToOutputs<decltype(bulirsch)>{bulirsch}),
          adaptive("bulirsch_stoer dense", DenseOutput<decltype(bulirsch_dense)>{bulirsch_dense})};
}

template <class State, class Rhs>
Contender learned_contender(const Rhs& rhs, const std::shared_ptr<const Corrector>& corrector, const Problem& problem) {
  const auto over = [&]<class Base>(Base*) {
    using Stepper = odeint::corrector<Base>;
    const auto stepper = std::make_shared<Stepper>(corrector);
    set_parameters(*stepper, *corrector, problem);
    return contender<State>(
        "", Family::learned, Setting::dt, rhs, corrector->dimension(),
        LearnedSteps<Stepper>{stepper, std::make_shared<typename LearnedSteps<Stepper>::Dense>(*stepper)});
  };
  const std::string& base = corrector->description().base;
  if (base == "euler") return over(static_cast<boost_odeint::euler<State>*>(nullptr));
  if (base == "heun") return over(static_cast<odeint::heun<State>*>(nullptr));
  if (base == "rk3") return over(static_cast<odeint::runge_kutta3<State>*>(nullptr));
  return over(static_cast<boost_odeint::runge_kutta4<State>*>(nullptr));
}

template <class State, class Rhs>
Contenders contenders_on(const Rhs& rhs, std::size_t dimension, std::string state_type) {
  return {std::move(state_type),
          classical_contenders<State>(rhs, dimension),
          [rhs](const std::shared_ptr<const Corrector>& corrector, const Problem& problem) {
            return learned_contender<State>(rhs, corrector, problem);
          },
          {}};
}

/// Contenders on std::array if the right-hand side of `problem` is one of `Definition`'s fixed-size ones.
template <class Definition> std::optional<Contenders> static_contenders(const Problem& problem) {
  std::optional<Contenders> result;
  const auto try_rhs = [&]<class Rhs>(Rhs*) {
    const auto* function = problem.rhs.template target<problem::RhsFunction<Rhs>>();
    if (function && !result) {
      constexpr std::size_t dimension = Rhs::dimension;
      result = contenders_on<std::array<double, dimension>>(function->rhs, dimension,
                                                            "std::array<double, " + std::to_string(dimension) + ">");
    }
  };
  std::apply([&](auto... rhs) { (try_rhs(static_cast<decltype(rhs)*>(nullptr)), ...); },
             typename Definition::FixedRhs{});
  return result;
}

} // namespace lodestep::report
