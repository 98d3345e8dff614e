#include <lodestep/error.hpp>
#include <lodestep/odeint/tableau.hpp>

#include <Eigen/Core>
#include <boost/numeric/odeint.hpp>
#include <boost/numeric/odeint/external/eigen/eigen.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <type_traits>
#include <vector>

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using namespace lodestep::odeint;

namespace {

using Array = std::array<double, 2>;
using Vector = std::vector<double>;

struct Pendulum {
  template <class State, class Deriv> void operator()(const State& u, Deriv& dudt, double t) const {
    dudt[0] = u[1];
    dudt[1] = -std::sin(u[0]) + 0.1 * std::cos(t);
  }
};

template <class State> State start();
template <> Array start() {
  return {0.5, 0.3};
}
template <> Vector start() {
  return {0.5, 0.3};
}

template <class State> double distance(const State& x, const State& y) {
  return std::hypot(x[0] - y[0], x[1] - y[1]);
}

// A plain loop over the definition.
template <class State> State by_definition(const ButcherTableau& tableau, State u, double t, double dt) {
  const std::size_t s = tableau.stages();
  std::vector<State> k(s, u);
  for (std::size_t i = 0; i < s; ++i) {
    State at = u;
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t m = 0; m < u.size(); ++m) at[m] += dt * tableau.a[i * s + j] * k[j][m];
    }
    Pendulum()(at, k[i], t + tableau.c[i] * dt);
  }
  State next = u;
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t m = 0; m < u.size(); ++m) next[m] += dt * tableau.b[i] * k[i][m];
  }
  return next;
}

template <class State> void steps_are_those_of_the_definition() {
  for (const auto& tableau : classical_tableaux()) {
    BOOST_TEST_CONTEXT(tableau.name) {
      const State expected = by_definition(tableau, start<State>(), 0.2, 0.1);
      tableau_stepper<State> stepper(tableau);
      BOOST_TEST(stepper.order() == tableau.order);
      State x = start<State>();
      stepper.do_step(Pendulum(), x, 0.2, 0.1);
      BOOST_TEST(distance(x, expected) < 1e-15);
      State out = start<State>();
      stepper.do_step(Pendulum(), start<State>(), 0.2, out, 0.1);
      BOOST_TEST(distance(out, expected) < 1e-15);
      State dxdt = start<State>();
      Pendulum()(start<State>(), dxdt, 0.2);
      stepper.do_step(Pendulum(), start<State>(), dxdt, 0.2, out, 0.1);
      BOOST_TEST(distance(out, expected) < 1e-15);
      if (tableau.b_embedded.empty()) continue;
      auto lower = tableau;
      lower.b = tableau.b_embedded;
      const State other = by_definition(lower, start<State>(), 0.2, 0.1);
      const auto check_error = [&](auto error_stepper) {
        State u = start<State>(), error = start<State>();
        error_stepper.do_step(Pendulum(), u, 0.2, 0.1, error);
        BOOST_TEST(distance(u, expected) < 1e-15);
        for (std::size_t m = 0; m < 2; ++m) BOOST_TEST(std::abs(error[m] - (expected[m] - other[m])) < 1e-15);
      };
      check_error(tableau_error_stepper<State>(tableau));
      check_error(tableau_fsal_stepper<State>(tableau));
    }
  }
}

struct Counting {
  int* calls;
  template <class State> void operator()(const State& u, State& dudt, double t) const {
    ++*calls;
    Pendulum()(u, dudt, t);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(categories_are_odeints_own) {
  static_assert(std::is_same_v<tableau_stepper<Array>::stepper_category, bno::stepper_tag>);
  static_assert(std::is_same_v<tableau_error_stepper<Array>::stepper_category, bno::explicit_error_stepper_tag>);
  static_assert(std::is_same_v<tableau_fsal_stepper<Array>::stepper_category, bno::explicit_error_stepper_fsal_tag>);
}

BOOST_AUTO_TEST_CASE(steps_on_arrays) {
  steps_are_those_of_the_definition<Array>();
}
BOOST_AUTO_TEST_CASE(steps_on_vectors) {
  steps_are_those_of_the_definition<Vector>();
}

BOOST_AUTO_TEST_CASE(steps_on_fixed_vectors_of_eigen) {
  for (const auto& tableau : classical_tableaux()) {
    const Array expected = by_definition(tableau, start<Array>(), 0.2, 0.1);
    tableau_stepper<Eigen::Vector2d> stepper(tableau);
    Eigen::Vector2d x(0.5, 0.3);
    stepper.do_step(Pendulum(), x, 0.2, 0.1);
    BOOST_TEST(distance(Array{x[0], x[1]}, expected) < 1e-15);
  }
}

namespace {

// Operations of the user's own: they must be asked, whatever the state.
struct counting_operations : bno::default_operations {
  static int sums;
  template <class... Factor> struct scale_sum2 : bno::default_operations::scale_sum2<Factor...> {
    using bno::default_operations::scale_sum2<Factor...>::scale_sum2;
    template <class... T> void operator()(T&&... t) const {
      ++sums;
      bno::default_operations::scale_sum2<Factor...>::operator()(std::forward<T>(t)...);
    }
  };
};
int counting_operations::sums = 0;

} // namespace

BOOST_AUTO_TEST_CASE(operations_of_ones_own_are_used) {
  using stepper_type = tableau_stepper<Array, double, Array, double, bno::array_algebra, counting_operations>;
  stepper_type stepper(classical_tableau("heun"));
  Array x = start<Array>();
  stepper.do_step(Pendulum(), x, 0.2, 0.1);
  BOOST_TEST(counting_operations::sums == 2); // the second stage, two numbers
  BOOST_TEST(distance(x, by_definition(classical_tableau("heun"), start<Array>(), 0.2, 0.1)) < 1e-15);
}

BOOST_AUTO_TEST_CASE(an_fsal_stepper_evaluates_once_less) {
  int calls = 0;
  tableau_fsal_stepper<Vector> stepper(classical_tableau("bogacki_shampine"));
  Vector x = start<Vector>();
  for (int n = 0; n < 10; ++n) stepper.do_step(Counting{&calls}, x, 0.1 * n, 0.1);
  BOOST_TEST(calls == 31); // 3 a step and the first derivative
  calls = 0;
  tableau_stepper<Vector> plain(classical_tableau("bogacki_shampine"));
  for (int n = 0; n < 10; ++n) plain.do_step(Counting{&calls}, x, 0.1 * n, 0.1);
  BOOST_TEST(calls == 30); // the last stage has weight zero
}

// The same coefficients, the same controller: the steps Odeint's own dopri5 takes.
BOOST_AUTO_TEST_CASE(controlled_steps_are_those_of_odeints_dopri5) {
  Vector x = start<Vector>(), y = x;
  std::vector<double> times_x, times_y;
  const auto record = [](std::vector<double>& times) {
    return [&times](const Vector&, double t) { times.push_back(t); };
  };
  bno::integrate_adaptive(bno::make_controlled<bno::runge_kutta_dopri5<Vector>>(1e-8, 1e-8), Pendulum(), x, 0.0, 20.0,
                          0.5, record(times_x));
  bno::integrate_adaptive(
      bno::make_controlled(1e-8, 1e-8, tableau_fsal_stepper<Vector>(classical_tableau("dormand_prince"))), Pendulum(),
      y, 0.0, 20.0, 0.5, record(times_y));
  BOOST_TEST_REQUIRE(times_x.size() == times_y.size());
  for (std::size_t i = 0; i < times_x.size(); ++i) BOOST_TEST(std::abs(times_x[i] - times_y[i]) < 1e-6);
  BOOST_TEST(distance(x, y) < 1e-9);
}

BOOST_AUTO_TEST_CASE(error_steppers_are_controlled_and_dense) {
  Vector reference = start<Vector>();
  bno::integrate_adaptive(bno::make_controlled<bno::runge_kutta_fehlberg78<Vector>>(1e-13, 1e-13), Pendulum(),
                          reference, 0.0, 5.0, 0.1);
  for (const char* name : {"cash_karp", "bogacki_shampine", "fehlberg78"}) {
    Vector x = start<Vector>();
    bno::integrate_adaptive(bno::make_controlled(1e-7, 1e-7, tableau_error_stepper<Vector>(classical_tableau(name))),
                            Pendulum(), x, 0.0, 5.0, 0.1);
    BOOST_TEST(distance(x, reference) < 1e-5);
    Vector y = start<Vector>();
    std::vector<double> times;
    bno::integrate_const(bno::make_dense_output(1e-7, 1e-7, tableau_fsal_stepper<Vector>(classical_tableau(name))),
                         Pendulum(), y, 0.0, 5.0, 0.5, [&](const Vector&, double t) { times.push_back(t); });
    BOOST_TEST(times.size() == 11u);
  }
  // Dense output between steps: cubic Hermite, exact at the ends.
  auto dense = bno::make_dense_output(1e-9, 1e-9, tableau_fsal_stepper<Array>(classical_tableau("bogacki_shampine")));
  dense.initialize(start<Array>(), 0.0, 0.01);
  const auto [t0, t1] = dense.do_step(Pendulum());
  Array middle{};
  dense.calc_state(t0 + 0.5 * (t1 - t0), middle);
  const Array exact = by_definition(classical_tableau("fehlberg78"), start<Array>(), 0.0, 0.5 * (t1 - t0));
  BOOST_TEST(distance(middle, exact) < 1e-9);
}

BOOST_AUTO_TEST_CASE(a_tableau_without_an_embedded_row_is_no_error_stepper) {
  BOOST_CHECK_THROW(tableau_error_stepper<Array>(classical_tableau("rk4")), InvalidModel);
  BOOST_CHECK_THROW(tableau_fsal_stepper<Array>(classical_tableau("rk4")), InvalidModel);
  auto bad = classical_tableau("rk4");
  bad.b[0] = std::nan("");
  BOOST_CHECK_THROW((tableau_stepper<Array>(bad)), InvalidModel);
}

namespace {

// Heun's coefficients between 0.05 and 0.2, fallback to the midpoint rule: steps tell which was taken.
std::shared_ptr<const LearnedTableau> learned_heun() {
  Model model;
  model.variables = {{"x", ""}, {"v", ""}};
  TableauModel method;
  method.tableau = classical_tableau("heun");
  method.family = "test";
  method.family_order = 2;
  method.classical = "midpoint";
  method.trained_dt = {0.1, 0.1};
  method.dt = {0.05, 0.2};
  method.state = {{-2.0, 2.0}, {-2.0, 2.0}};
  model.method = method;
  return std::make_shared<const LearnedTableau>(std::make_shared<const Model>(model));
}

} // namespace

BOOST_AUTO_TEST_CASE(outside_its_range_a_learned_tableau_falls_back) {
  tableau_stepper<Array> stepper(learned_heun());
  const auto taken_with = [&](Array x, double dt) -> std::string {
    Array out{};
    stepper.do_step(Pendulum(), x, 0.0, out, dt);
    if (distance(out, by_definition(classical_tableau("heun"), x, 0.0, dt)) < 1e-16) return "heun";
    if (distance(out, by_definition(classical_tableau("midpoint"), x, 0.0, dt)) < 1e-16) return "midpoint";
    return "?";
  };
  BOOST_TEST(taken_with({0.5, 0.3}, 0.1) == "heun");
  BOOST_TEST(taken_with({0.5, 0.3}, 0.01) == "midpoint");
  BOOST_TEST(taken_with({0.5, 0.3}, 0.3) == "midpoint");
  BOOST_TEST(taken_with({0.5, 0.3}, -0.1) == "midpoint");
  BOOST_TEST(taken_with({2.5, 0.3}, 0.1) == "midpoint");
  BOOST_TEST(taken_with({0.5, 0.3}, 0.2) == "heun");
  BOOST_TEST(stepper.counters()[Verdict::learned] == 2u);
  BOOST_TEST(stepper.counters()[Verdict::step_size] == 3u);
  BOOST_TEST(stepper.counters()[Verdict::domain] == 1u);
}
