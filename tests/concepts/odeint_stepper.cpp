#include "models.hpp"

#include <lodestep/odeint.hpp>
#include <lodestep/runge_kutta.hpp>

#include <Eigen/Core>
#include <boost/mpl/list.hpp>
#include <boost/numeric/odeint.hpp>
#include <boost/numeric/odeint/external/eigen/eigen.hpp>
#include <boost/numeric/ublas/vector.hpp>
#include <boost/range/iterator_range.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <stdexcept>

// After Odeint's own suites (stepper_concepts, stepper_copying, resizing, explicit_stepper): what they ask of
// runge_kutta4, ours must do.

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using lodestep::odeint::state_access;
using lodestep::test::Oscillators;

namespace {

constexpr double dt = 0.25;
constexpr std::size_t dimension = 4;

using Vector = std::vector<double>;
using Array = std::array<double, dimension>;
using EigenFixed = Eigen::Matrix<double, dimension, 1>;
using EigenDynamic = Eigen::VectorXd;
using Ublas = boost::numeric::ublas::vector<double>;
using BoostArray = boost::array<double, dimension>;
using FloatVector = std::vector<float>;
using FloatArray = std::array<float, dimension>;
using States = boost::mpl::list<Vector, Array, EigenFixed, EigenDynamic, Ublas, BoostArray, FloatVector, FloatArray>;

template <class State> State make_state() {
  State x{};
  if constexpr (bno::is_resizeable<State>::value) x.resize(dimension);
  using number = typename state_access<State>::value_type;
  for (std::size_t i = 0; i < dimension; ++i) x[i] = static_cast<number>(1.0 - 0.3 * static_cast<double>(i));
  return x;
}

template <class State> using Number = typename state_access<State>::value_type;
// Odeint's algebra for Eigen is a choice of the user's: the dispatcher makes it vector_space_algebra.
template <class State> using Rk4 = bno::runge_kutta4<State, Number<State>>;
template <class State> using Stepper = odeint::corrector<Rk4<State>>;

template <class State> Stepper<State> make_stepper(CorrectorInput input = CorrectorInput::increment) {
  return Stepper<State>(test::share(test::exact_corrector(dimension / 2, "rk4", dt, input)));
}

template <class State> void check_equal(const State& actual, const State& expected) {
  for (std::size_t i = 0; i < dimension; ++i) BOOST_TEST(actual[i] == expected[i]);
}

template <class State> void check_exact(const State& actual, const State& initial, double t) {
  const State expected = Oscillators::exact(initial, t);
  const double tolerance = std::is_same_v<Number<State>, double> ? 1e-14 : 2e-7;
  for (std::size_t i = 0; i < dimension; ++i) BOOST_TEST(std::abs(actual[i] - expected[i]) <= tolerance);
}

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(has_the_types_of_a_stepper, State, States) {
  using S = Stepper<State>;
  static_assert(std::is_same_v<typename S::state_type, State>);
  static_assert(std::is_same_v<typename S::deriv_type, State>);
  static_assert(std::is_same_v<typename S::value_type, Number<State>>);
  static_assert(std::is_same_v<typename S::time_type, Number<State>>);
  static_assert(std::is_same_v<typename S::order_type, unsigned short>);
  // Exactly Odeint's tag: its step checker and iterators are specialised on it.
  static_assert(std::is_same_v<typename S::stepper_category, bno::stepper_tag>);
  BOOST_TEST(make_stepper<State>().order() == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_form_of_do_step_agrees, State, States) {
  using Time = Number<State>;
  const Time t = 0, h = static_cast<Time>(dt);
  const State initial = make_state<State>();
  State dxdt = initial;
  Oscillators()(initial, dxdt, t);
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    BOOST_TEST_CONTEXT("input " << to_string(input)) {
      auto stepper = make_stepper<State>(input);
      State in_place = initial;
      stepper.do_step(Oscillators(), in_place, t, h);
      check_exact(in_place, initial, dt);

      State x = initial;
      stepper.do_step(Oscillators(), x, dxdt, t, h);
      check_equal(x, in_place);

      State out = initial;
      stepper.do_step(Oscillators(), initial, t, out, h);
      check_equal(out, in_place);

      State out_from_dxdt = initial;
      stepper.do_step(Oscillators(), initial, dxdt, t, out_from_dxdt, h);
      check_equal(out_from_dxdt, in_place);

      // Output over the input, as Odeint's own steppers allow.
      x = initial;
      stepper.do_step(Oscillators(), x, t, x, h);
      check_equal(x, in_place);
      x = initial;
      stepper.do_step(Oscillators(), x, dxdt, t, x, h);
      check_equal(x, in_place);

      x = initial;
      stepper.do_step_dxdt_impl(Oscillators(), x, dxdt, t, h);
      check_equal(x, in_place);
      out = initial;
      stepper.do_step_dxdt_impl(Oscillators(), initial, dxdt, t, out, h);
      check_equal(out, in_place);

      BOOST_TEST(stepper.counters().learned() == 8u);
      BOOST_TEST(stepper.counters().fallen_back() == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_zero_correction_is_the_base_stepper_to_the_bit, State, States) {
  using Time = Number<State>;
  Stepper<State> stepper(test::share(test::zero_corrector(dimension, "rk4", dt)));
  Rk4<State> base;
  State x = make_state<State>(), y = x;
  for (int step = 0; step < 10; ++step) {
    const Time t = static_cast<Time>(dt * step), h = static_cast<Time>(dt);
    stepper.do_step(Oscillators(), x, t, h);
    base.do_step(Oscillators(), y, t, h);
  }
  check_equal(x, y);
  BOOST_TEST(stepper.counters().learned() == 10u);
}

BOOST_AUTO_TEST_CASE(ranges_are_stepped_in_place) {
  const auto on_pointers = [](const auto& u, auto& dudt, double) {
    auto from = boost::begin(u);
    auto to = boost::begin(dudt);
    for (std::size_t n = 0; n < dimension; n += 2) {
      to[n] = from[n + 1];
      to[n + 1] = -from[n];
    }
  };
  const Vector initial = make_state<Vector>();
  Vector whole(dimension + 2, 7.0);
  const auto reset = [&] { std::copy(initial.begin(), initial.end(), whole.begin() + 1); };
  const auto check = [&] {
    check_exact(Vector(whole.begin() + 1, whole.end() - 1), initial, dt);
    BOOST_TEST((whole.front() == 7.0 && whole.back() == 7.0));
  };
  auto stepper = make_stepper<Vector>();
  double* const first = whole.data() + 1;

  reset();
  stepper.do_step(on_pointers, std::make_pair(first, first + dimension), 0.0, dt);
  check();
  reset();
  stepper.do_step(on_pointers, boost::make_iterator_range(whole.begin() + 1, whole.end() - 1), 0.0, dt);
  check();
  reset();
  auto range = boost::make_iterator_range(first, first + dimension);
  stepper.do_step(on_pointers, range, 0.0, dt);
  check();
  BOOST_TEST(stepper.counters().learned() == 3u);
}

BOOST_AUTO_TEST_CASE(a_number_is_a_state_of_one_variable) {
  using Rk4OfDouble = bno::runge_kutta4<double, double, double, double, bno::vector_space_algebra>;
  odeint::corrector<Rk4OfDouble> stepper(test::share(test::zero_corrector(1, "rk4", dt)));
  Rk4OfDouble base;
  const auto decay = [](const double& x, double& dxdt, double) { dxdt = -x; };
  double x = 1.0, y = 1.0;
  stepper.do_step(decay, x, 0.0, dt);
  base.do_step(decay, y, 0.0, dt);
  BOOST_TEST(x == y);
  stepper.do_step(decay, x, 0.0, y, dt);
  base.do_step(decay, x, 0.0, dt);
  BOOST_TEST(x == y);
}

BOOST_AUTO_TEST_CASE(systems_may_be_wrapped_in_references) {
  struct Counting {
    int calls = 0;
    void operator()(const Array& u, Array& dudt, double t) {
      ++calls;
      Oscillators()(u, dudt, t);
    }
  } system;
  for (auto input : {CorrectorInput::increment, CorrectorInput::stages}) {
    auto stepper = make_stepper<Array>(input);
    const Array initial = make_state<Array>();
    Array x = initial;
    system.calls = 0;
    stepper.do_step(std::ref(system), x, 0.0, dt);
    BOOST_TEST(system.calls == 4);
    stepper.do_step(boost::ref(system), x, dt, dt);
    BOOST_TEST(system.calls == 8);
    check_exact(x, initial, 2 * dt);
    Array dxdt{};
    Oscillators()(x, dxdt, 0.0);
    stepper.do_step(std::ref(system), x, dxdt, 2 * dt, dt);
    BOOST_TEST(system.calls == 11); // a derivative that is given is not computed again
    check_exact(x, initial, 3 * dt);
  }
  // A plain function, and a system that cannot be copied.
  auto stepper = make_stepper<Array>();
  Array x = make_state<Array>();
  void (*function)(const Array&, Array&, double) = [](const Array& u, Array& dudt, double t) {
    Oscillators()(u, dudt, t);
  };
  stepper.do_step(function, x, 0.0, dt);
  check_exact(x, make_state<Array>(), dt);
  struct Fixed : Oscillators {
    Fixed() = default;
    Fixed(const Fixed&) = delete;
  };
  const Fixed fixed;
  stepper.do_step(std::cref(fixed), x, dt, dt);
  check_exact(x, make_state<Array>(), 2 * dt);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(copies_share_the_model_and_the_counters, State, States) {
  using Time = Number<State>;
  const Time h = static_cast<Time>(dt);
  auto first = make_stepper<State>();
  const State initial = make_state<State>();
  {
    State x = initial;
    Stepper<State> unused_copy(first); // before any step: nothing is sized yet
    first.do_step(Oscillators(), x, Time(0), h);
    Stepper<State> used_copy(first); // after a step: scratch is sized, and its own
    State y = initial;
    used_copy.do_step(Oscillators(), y, Time(0), h);
    check_equal(x, y);
    y = initial;
    unused_copy.do_step(Oscillators(), y, Time(0), h);
    check_equal(x, y);
    unused_copy = used_copy;
    y = initial;
    unused_copy.do_step(Oscillators(), y, Time(0), h);
    check_equal(x, y);
    BOOST_TEST(used_copy.shared_corrector() == first.shared_corrector());
    BOOST_TEST(unused_copy.shared_corrector() == first.shared_corrector());
  }
  BOOST_TEST(first.counters().learned() == 4u);
  first.reset_counters();
  BOOST_TEST(first.counters().total() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(adjust_size_prepares_the_first_step, State, States) {
  // With never_resizer nothing but adjust_size gives the scratch its size.
  using Base = bno::runge_kutta4<State, Number<State>, State, Number<State>,
                                 typename bno::algebra_dispatcher<State>::algebra_type,
                                 typename bno::operations_dispatcher<State>::operations_type, bno::never_resizer>;
  using Time = Number<State>;
  odeint::corrector<Base> stepper(test::share(test::exact_corrector(dimension / 2, "rk4", dt)));
  const State initial = make_state<State>();
  State x = initial;
  stepper.adjust_size(x);
  stepper.do_step(Oscillators(), x, Time(0), static_cast<Time>(dt));
  check_exact(x, initial, dt);
}

BOOST_AUTO_TEST_CASE(a_system_that_throws_leaves_state_and_derivative_unchanged) {
  int calls = 0, fail_at = 0;
  const auto failing = [&](const Vector& u, Vector& dudt, double t) {
    if (calls++ == fail_at) throw Failure("no such state");
    Oscillators()(u, dudt, t);
  };
  const Vector initial = make_state<Vector>();
  Vector dxdt(dimension);
  Oscillators()(initial, dxdt, 0.0);
  const Vector derivative = dxdt;
  for (auto input : {CorrectorInput::increment, CorrectorInput::stages}) {
    auto model = test::exact_corrector(dimension / 2, "rk4", dt, input);
    std::get<CorrectorModel>(model.method).fallback_substeps = 3;
    odeint::corrector<Rk4<Vector>> stepper(test::share(model));
    for (double h : {dt, -dt}) { // learned, and fallen back: 12 evaluations
      for (fail_at = 0; fail_at < (h > 0 ? 4 : 12); ++fail_at) {
        Vector x = initial;
        calls = 0;
        BOOST_CHECK_THROW(stepper.do_step(failing, x, 0.0, h), Failure);
        BOOST_TEST(x == initial);
        if (fail_at + 1 == (h > 0 ? 4 : 12)) continue; // with a derivative given there is one call less
        calls = 0;
        BOOST_CHECK_THROW(stepper.do_step(failing, x, dxdt, 0.0, h), Failure);
        BOOST_TEST(x == initial);
        BOOST_TEST(dxdt == derivative);
      }
    }
    BOOST_TEST(stepper.counters().total() == 0u); // no step was taken
    Vector x = initial;
    fail_at = -1;
    stepper.do_step(failing, x, 0.0, dt); // and the stepper is still good
    check_exact(x, initial, dt);
  }
}

BOOST_AUTO_TEST_CASE(a_state_of_another_dimension_is_refused) {
  const auto names_both = [](const InvalidArgument& error) {
    const std::string what = error.what();
    return what.find("has 3 variables") != std::string::npos && what.find("trained for 4") != std::string::npos;
  };
  auto stepper = make_stepper<Vector>();
  Vector three(3, 0.5), four = make_state<Vector>();
  BOOST_CHECK_EXCEPTION(stepper.do_step(Oscillators(), three, 0.0, dt), InvalidArgument, names_both);
  BOOST_CHECK_EXCEPTION(stepper.do_step(Oscillators(), three, three, 0.0, dt), InvalidArgument, names_both);
  BOOST_CHECK_EXCEPTION(stepper.do_step(Oscillators(), three, 0.0, four, dt), InvalidArgument, names_both);
  BOOST_CHECK_EXCEPTION(stepper.do_step(Oscillators(), four, 0.0, three, dt), InvalidArgument, names_both);
  BOOST_CHECK_EXCEPTION(stepper.adjust_size(three), InvalidArgument, names_both);
  using Three = std::array<double, 3>;
  Stepper<Three> fixed(test::share(test::exact_corrector(2, "rk4", dt)));
  Three x{};
  BOOST_CHECK_EXCEPTION(fixed.do_step(Oscillators(), x, 0.0, dt), InvalidArgument, names_both);
}

BOOST_AUTO_TEST_CASE(a_model_of_another_base_is_refused) {
  const auto names_both = [](const InvalidModel& error) {
    const std::string what = error.what();
    return error.field() == "base" && what.find("'heun'") != std::string::npos &&
           what.find("'rk4'") != std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(Stepper<Array>(test::share(test::zero_corrector(dimension, "heun", dt))), InvalidModel,
                        names_both);
  BOOST_CHECK_THROW(Stepper<Array>(std::shared_ptr<const Model>()), InvalidModel);
  BOOST_CHECK_THROW(Stepper<Array>(std::shared_ptr<const Corrector>()), InvalidModel);
}

// Our names for the base schemes are those of the core: same tableau, same steps.
BOOST_AUTO_TEST_CASE(known_base_steppers_take_the_steps_of_their_tableau) {
  const auto nonlinear = [](const Array& u, Array& dudt, double t) {
    dudt = {u[1] * u[2], std::sin(u[0]) + t, -u[3] * u[3], u[0] - u[1]};
  };
  const auto on_pointers = [&](double t, const double* u, double* dudt) {
    Array in{u[0], u[1], u[2], u[3]}, out{};
    nonlinear(in, out, t);
    std::copy(out.begin(), out.end(), dudt);
  };
  const auto check = [&](auto base) {
    const char* name = odeint::base_scheme<decltype(base)>::name;
    BOOST_TEST_CONTEXT(name) {
      RungeKutta core(classical_tableau(name), dimension);
      BOOST_TEST(base.order() == classical_tableau(name).order);
      Array x = make_state<Array>(), y = x;
      for (int step = 0; step < 5; ++step) {
        base.do_step(nonlinear, x, 0.1 * step, 0.1);
        core.step(on_pointers, 0.1 * step, y.data(), 0.1, y.data());
      }
      for (std::size_t i = 0; i < dimension; ++i) BOOST_TEST(std::abs(x[i] - y[i]) <= 1e-15 * (1.0 + std::abs(y[i])));
    }
  };
  check(bno::euler<Array>());
  check(odeint::heun<Array>());
  check(odeint::runge_kutta3<Array>());
  check(bno::runge_kutta4<Array>());
  check(bno::runge_kutta4_classic<Array>());
}

BOOST_AUTO_TEST_CASE(every_base_scheme_can_be_corrected) {
  const auto check = [](auto base) {
    const char* name = odeint::base_scheme<decltype(base)>::name;
    for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
      BOOST_TEST_CONTEXT(name << ", input " << to_string(input)) {
        odeint::corrector<decltype(base)> stepper(test::share(test::exact_corrector(dimension / 2, name, dt, input)));
        const Array initial = make_state<Array>();
        Array x = initial;
        stepper.do_step(Oscillators(), x, 0.0, dt);
        check_exact(x, initial, dt);
        BOOST_TEST(stepper.order() == base.order());
        BOOST_TEST(stepper.counters().learned() == 1u);
      }
    }
  };
  check(bno::euler<Array>());
  check(odeint::heun<Array>());
  check(odeint::runge_kutta3<Array>());
  check(bno::runge_kutta4<Array>());
  check(bno::runge_kutta4_classic<Array>());
}

// A stepper of the user's own, by the documented opt-ins.
namespace {

/// Claims to be rk4 and is not: three evaluations instead of four.
struct Impostor : odeint::runge_kutta3<Array> {};

} // namespace

template <> struct lodestep::odeint::base_scheme<Impostor> { static constexpr const char* name = "rk4"; };

BOOST_AUTO_TEST_CASE(a_base_stepper_with_other_stages_is_found_out) {
  odeint::corrector<Impostor> stepper(
      test::share(test::exact_corrector(dimension / 2, "rk4", dt, CorrectorInput::stages)));
  const Array initial = make_state<Array>();
  Array x = initial;
  BOOST_CHECK_EXCEPTION(stepper.do_step(Oscillators(), x, 0.0, dt), InvalidModel, [](const InvalidModel& error) {
    const std::string what = error.what();
    return what.find("the 4 stages") != std::string::npos && what.find("3 times") != std::string::npos;
  });
  check_equal(x, initial);
}

namespace {

/// Steps of an Odeint stepper of its own, a constant added after each, against the same with a fresh stepper for every
/// step: nothing that a stepper remembers of its uncorrected end may enter the next step.
template <class Base> void check_base() {
  const char* name = odeint::base_scheme<Base>::name;
  BOOST_TEST_CONTEXT(name) {
    for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::stages}) {
      Model model = test::zero_corrector(2, name, 0.25, input);
      std::get<CorrectorModel>(model.method).approximator.affine.bias = {0.01, -0.02};
      std::get<CorrectorModel>(model.method).fallback_substeps = 2;
      odeint::corrector<Base> stepper(test::share(model));
      const auto system = [](const auto& x, auto& dxdt, double t) {
        dxdt[0] = x[1];
        dxdt[1] = std::cos(t) - std::sin(x[0]);
      };
      typename Base::state_type x{0.3, 0.1}, expected{0.3, 0.1}, dxdt{};
      for (int n = 0; n < 8; ++n) {
        const double t = 0.25 * n;
        system(x, dxdt, t);
        if (n % 2 == 0) {
          stepper.do_step(system, x, t, 0.25);
        } else {
          stepper.do_step(system, x, dxdt, t, 0.25);
        }
        Base().do_step(system, expected, t, 0.25);
        expected[0] += 0.01;
        expected[1] -= 0.02;
      }
      BOOST_TEST(stepper.counters().learned() == 8u);
      stepper.do_step(system, x, 2.0, 0.125); // another step: the base stepper's own
      Base().do_step(system, expected, 2.0, 0.125);
      BOOST_TEST(stepper.counters().fallen_back() == 1u);
      for (int i = 0; i < 2; ++i) BOOST_TEST(std::abs(x[i] - expected[i]) <= 1e-15);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(steppers_of_higher_order_are_corrected_too) {
  using state = std::array<double, 2>;
  check_base<bno::runge_kutta_cash_karp54<state>>();
  check_base<bno::runge_kutta_cash_karp54_classic<state>>();
  check_base<bno::runge_kutta_dopri5<state>>();
  check_base<bno::runge_kutta_fehlberg78<state>>();
}
