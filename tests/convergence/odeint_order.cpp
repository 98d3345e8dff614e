#include "models.hpp"

#include <lodestep/odeint.hpp>
#include <lodestep/train.hpp>

#include <boost/numeric/odeint.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <functional>
#include <memory>

// After Odeint's numeric/runge_kutta.cpp: the order is fitted on halved steps, and must be the one the stepper says.

namespace bno = boost::numeric::odeint;
using namespace lodestep;

namespace {

using State = std::array<double, 2>;

/// x' = -2 t x, y' = y cos t: solved by x = exp(-t^2), y = exp(sin t). Not autonomous, so that wrong times show.
void system(const State& x, State& dxdt, double t) {
  dxdt = {-2.0 * t * x[0], x[1] * std::cos(t)};
}

template <class Stepper> double error_at(Stepper& stepper, double dt) {
  State x{1.0, 1.0};
  bno::integrate_n_steps(std::ref(stepper), system, x, 0.0, dt, static_cast<std::size_t>(std::lround(1.0 / dt)));
  return std::hypot(x[0] - std::exp(-1.0), x[1] - std::exp(std::sin(1.0)));
}

/// Slope of log(error) against log(dt), by least squares over five halvings.
template <class ErrorOf> double fitted_order(double largest, const ErrorOf& error_of) {
  constexpr int points = 5;
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int i = 0; i < points; ++i) {
    const double dt = largest / (1 << i);
    const double x = std::log(dt), y = std::log(error_of(dt));
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  return (points * sxy - sx * sy) / (points * sxx - sx * sx);
}

template <class Base> void check_order() {
  const char* name = odeint::base_scheme<Base>::name;
  BOOST_TEST_CONTEXT(name) {
    const double learned = fitted_order(1.0 / 32, [&](double dt) {
      odeint::corrector<Base> stepper(test::share(test::zero_corrector(2, name, dt)));
      const double error = error_at(stepper, dt);
      BOOST_TEST(stepper.counters().fallen_back() == 0u);
      return error;
    });
    BOOST_TEST(std::abs(learned - Base().order()) <= 0.1);
    const double fallen_back = fitted_order(1.0 / 8, [&](double dt) {
      auto model = test::zero_corrector(2, name, 0.75 * dt);
      std::get<CorrectorModel>(model.method).fallback_substeps = 3; // 4 sub-steps for dt
      odeint::corrector<Base> stepper(test::share(model));
      const double error = error_at(stepper, dt);
      BOOST_TEST(stepper.counters().learned() == 0u);
      Base base;
      BOOST_TEST(std::abs(error - error_at(base, dt / 4)) <= 1e-14);
      return error;
    });
    BOOST_TEST(std::abs(fallen_back - Base().order()) <= 0.1);
  }
}

/// A dt-aware model of the harmonic oscillator, trained loosely, so that its error shows at small steps too.
std::shared_ptr<const Model> loose_dt_aware(const char* base) {
  AttnsOptions options;
  options.base = base;
  options.dt_range = {0.1, 0.4};
  options.horizon = 4.0;
  options.error = 0.1;
  options.trajectories = 10;
  return std::make_shared<const Model>(train_attns(make_problem("harmonic_oscillator"), options).model);
}

template <class Base> void check_dt_aware_order() {
  const char* name = odeint::base_scheme<Base>::name;
  BOOST_TEST_CONTEXT(name) {
    const auto model = loose_dt_aware(name);
    BOOST_TEST(std::get<CorrectorModel>(model->method).dt_aware());
    const Problem problem = make_problem("harmonic_oscillator");
    const State start{0.5, -0.25};
    State end{};
    problem.exact(start.data(), 1.0, end.data());
    const auto error_of = [&](auto stepper, double dt) {
      State x = start;
      const auto rhs = [&](const State& u, State& dudt, double t) { problem.rhs(t, u.data(), dudt.data()); };
      const auto steps = static_cast<std::size_t>(std::lround(1.0 / dt));
      bno::integrate_n_steps(std::ref(stepper), rhs, x, 0.0, dt, steps);
      return std::hypot(x[0] - end[0], x[1] - end[1]);
    };
    odeint::corrector<Base> shared(model); // copies count together
    const double order = fitted_order(1.0 / 16, [&](double dt) { return error_of(shared, dt); });
    BOOST_TEST(shared.counters().fallen_back() == 0u);
    BOOST_TEST(order >= Base().order() - 0.1);
    // In its range it is worth having.
    for (const double dt : {0.1, 0.2}) BOOST_TEST(error_of(odeint::corrector<Base>(model), dt) < error_of(Base(), dt));
  }
}

} // namespace

// The correction of a dt-aware model is (h / dt)^(p+1) Q: whatever Q is, the order p of the base stays.
BOOST_AUTO_TEST_CASE(a_dt_aware_correction_keeps_the_order_of_its_base_on_a_linear_system) {
  check_dt_aware_order<bno::euler<State>>();
  check_dt_aware_order<odeint::heun<State>>();
  check_dt_aware_order<odeint::runge_kutta3<State>>();
  check_dt_aware_order<bno::runge_kutta4<State>>();
}

BOOST_AUTO_TEST_CASE(a_zero_correction_has_the_order_of_its_base) {
  check_order<bno::euler<State>>();
  check_order<odeint::heun<State>>();
  check_order<odeint::runge_kutta3<State>>();
  check_order<bno::runge_kutta4<State>>();
  check_order<bno::runge_kutta4_classic<State>>();
}
