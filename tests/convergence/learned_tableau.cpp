#include <lodestep/learned_tableau.hpp>
#include <lodestep/odeint/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <boost/numeric/odeint.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <memory>

// Orders of learned tableaux, fitted on halved steps taken by the Odeint stepper: on their family the order they were
// learned for, on another problem what the order conditions say, and with an exact order that order everywhere.

namespace bno = boost::numeric::odeint;
using namespace lodestep;

namespace {

using State = std::array<double, 1>;

/// Slope of log(error) against log(dt), by least squares over four halvings.
template <class ErrorOf> double fitted_order(double largest, const ErrorOf& error_of) {
  constexpr int points = 4;
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

/// y' = -a y^2 from 2 to t = 2: a member of the square family.
double error_on_square(const ButcherTableau& tableau, double dt) {
  constexpr double a = 0.4;
  odeint::tableau_stepper<State> stepper(tableau);
  State y{2.0};
  bno::integrate_n_steps(
      std::ref(stepper), [](const State& u, State& dudt, double) { dudt[0] = -a * u[0] * u[0]; }, y, 0.0, dt,
      static_cast<std::size_t>(std::lround(2.0 / dt)));
  return std::abs(y[0] - 2.0 / (1.0 + a * 2.0 * 2.0));
}

/// y' = -y from 1 to t = 2: not a member.
double error_on_decay(const ButcherTableau& tableau, double dt) {
  odeint::tableau_stepper<State> stepper(tableau);
  State y{1.0};
  bno::integrate_n_steps(
      std::ref(stepper), [](const State& u, State& dudt, double) { dudt[0] = -u[0]; }, y, 0.0, dt,
      static_cast<std::size_t>(std::lround(2.0 / dt)));
  return std::abs(y[0] - std::exp(-2.0));
}

ButcherTableau learned(std::size_t stages, unsigned order, bool exact_order = false) {
  RknnOptions options;
  options.stages = stages;
  options.order = order;
  options.exact_order = exact_order;
  return std::get<TableauModel>(train_rknn(make_family("square"), options).model.method).tableau;
}

} // namespace

// Section 4.3 and SM1: beyond what so many stages can have for any problem.
BOOST_AUTO_TEST_CASE(learned_tableaux_have_the_order_of_their_family) {
  const ButcherTableau two = learned(2, 3);
  BOOST_TEST(std::abs(fitted_order(1.0 / 16, [&](double dt) { return error_on_square(two, dt); }) - 3.0) < 0.1);
  // Elsewhere it is a method of order 2: its weights and nodes meet those conditions, as eq. 23 implies.
  BOOST_TEST(two.order == 2u);
  BOOST_TEST(std::abs(fitted_order(1.0 / 32, [&](double dt) { return error_on_decay(two, dt); }) - 2.0) < 0.1);
  const ButcherTableau three = learned(3, 5);
  BOOST_TEST(std::abs(fitted_order(1.0 / 4, [&](double dt) { return error_on_square(three, dt); }) - 5.0) < 0.25);
}

BOOST_AUTO_TEST_CASE(an_exact_order_is_one_on_every_problem) {
  const ButcherTableau tableau = learned(3, 3, true);
  BOOST_TEST(tableau.order == 3u);
  BOOST_TEST(std::abs(fitted_order(1.0 / 16, [&](double dt) { return error_on_decay(tableau, dt); }) - 3.0) < 0.1);
}

// Outside its range of validity a learned model steps with the classical tableau, and has its order.
BOOST_AUTO_TEST_CASE(a_model_has_the_classical_order_below_its_steps) {
  const auto model = std::make_shared<const Model>(train_rknn(make_family("van_der_pol"), {}).model);
  const auto tableau = std::make_shared<const LearnedTableau>(model);
  const double lower = tableau->method().dt.lower;
  using Plane = std::array<double, 2>;
  const auto van_der_pol = [](const Plane& u, Plane& dudt, double) {
    dudt = {u[1], 1.5 * (1.0 - u[0] * u[0]) * u[1] - u[0]};
  };
  const auto end_of = [&](auto stepper, double dt) {
    Plane u{-3.5, 1.0};
    bno::integrate_n_steps(std::ref(stepper), van_der_pol, u, 0.0, dt, static_cast<std::size_t>(std::lround(0.5 / dt)));
    return u;
  };
  const Plane exact = end_of(odeint::tableau_stepper<Plane>(classical_tableau("fehlberg78")), 0.5 / 1024);
  const double largest = 0.5 / std::ceil(0.5 / (0.5 * lower)); // under the range
  const double order = fitted_order(largest, [&](double dt) {
    const Plane u = end_of(odeint::tableau_stepper<Plane>(tableau), dt);
    return std::hypot(u[0] - exact[0], u[1] - exact[1]);
  });
  BOOST_TEST(std::abs(order - classical_tableau(tableau->method().classical).order) < 0.15);
}
