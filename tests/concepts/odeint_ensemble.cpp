// Ensembles in Odeint against the same systems stepped one by one: the states, the systems and the guard.
#include "count_allocations.hpp"
#include "pendulum_models.hpp"

#include <lodestep/odeint/corrector.hpp>
#include <lodestep/odeint/ensemble_corrector.hpp>
#include <lodestep/vector_math.hpp>

#include <Eigen/Core>
#include <boost/numeric/odeint/integrate/integrate_const.hpp>
#include <boost/numeric/odeint/integrate/integrate_n_steps.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

namespace bno = boost::numeric::odeint;
using namespace lodestep;

namespace {

constexpr std::size_t d = 4;
constexpr double dt = 0.1;
using Member = std::array<double, d>;
using Matrix = Eigen::MatrixXd;
using FixedRows = Eigen::Matrix<double, d, Eigen::Dynamic>;
using Flat = std::vector<double>;
using FlatEigen = Eigen::VectorXd;

/// The elastic pendulum of one member ...
void one(const Member& u, Member& dudt, double) {
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = (-9.8 * std::sin(u[0]) - 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.8 * std::cos(u[0]);
}

/// ... of many, [variable][member] ...
void many(double, const double* u, double* dudt, std::size_t n) {
  std::array<double, ensemble_block> s;
  std::array<double, ensemble_block> c;
  sine_cosine(u, s.data(), c.data(), n);
  for (std::size_t k = 0; k < n; ++k) {
    const double r = u[n + k], dtheta = u[2 * n + k], dr = u[3 * n + k];
    dudt[k] = dtheta;
    dudt[n + k] = dr;
    dudt[2 * n + k] = (-9.8 * s[k] - 2.0 * dtheta * dr) / r;
    dudt[3 * n + k] = r * dtheta * dtheta - 40.0 * (r - 10.0) + 9.8 * c[k];
  }
}

/// ... and of a whole state, [member][variable].
struct WholeEnsemble {
  template <class State> void operator()(const State& x, State& dxdt, double t) const {
    for (std::size_t j = 0; j * d < static_cast<std::size_t>(x.size()); ++j) {
      Member u;
      Member dudt;
      std::copy_n(x.data() + j * d, d, u.data());
      one(u, dudt, t);
      std::copy_n(dudt.data(), d, dxdt.data() + j * d);
    }
  }
};

template <class State> State make_state(std::size_t members) {
  State x;
  if constexpr (odeint::detail::is_matrix<State>::value) {
    x.resize(d, static_cast<Eigen::Index>(members));
  } else {
    x.resize(d * members);
  }
  test::SmallRandom random(7);
  for (std::size_t j = 0; j < members; ++j) {
    double* u = x.data() + j * d;
    u[0] = random.uniform(-0.4, 0.4);
    u[1] = random.uniform(9.8, 11.2);
    u[2] = random.uniform(-0.25, 0.25);
    u[3] = random.uniform(-2.0, 2.0);
  }
  return x;
}

std::shared_ptr<const Corrector> make_corrector(CorrectorInput input = CorrectorInput::increment) {
  test::PendulumOptions options;
  options.input = input;
  options.dt = dt;
  auto model = test::pendulum_model(options);
  std::get<CorrectorModel>(model.method).domain.state.assign(d, {-1e3, 1e3});
  return std::make_shared<const Corrector>(std::make_shared<const Model>(model));
}

using Single = odeint::corrector<bno::runge_kutta4<Member>>;

/// The largest difference between an ensemble and single correctors after the same steps.
template <class State> double distance(const State& x, const State& expected) {
  BOOST_TEST_REQUIRE(x.size() == expected.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i) {
    const double error = std::abs(x.data()[i] - expected.data()[i]);
    if (!(error <= worst)) worst = error; // NaN too
  }
  return worst;
}

template <class State> void step_singly(Single& stepper, State& x, double t, double h) {
  for (std::size_t j = 0; j * d < static_cast<std::size_t>(x.size()); ++j) {
    Member u;
    std::copy_n(x.data() + j * d, d, u.data());
    stepper.do_step(one, u, t, h);
    std::copy_n(u.data(), d, x.data() + j * d);
  }
}

template <class State, class System> void check_against_single(System system, std::size_t members) {
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    const auto corrector = make_corrector(input);
    odeint::ensemble_corrector<State> ensemble(corrector);
    Single single(corrector);
    State x = make_state<State>(members);
    State expected = x;
    for (int step = 0; step < 4; ++step) {
      // The third step is not the trained one: everybody falls back.
      const double h = step == 2 ? 0.3 * dt : dt;
      ensemble.do_step(system, x, dt * step, h);
      step_singly(single, expected, dt * step, h);
    }
    // A few roundings of states and derivatives of size 10 to 40, in each of four steps.
    BOOST_TEST(distance(x, expected) < 2e-13);
    BOOST_TEST((ensemble.counters().steps == single.counters().steps));
    BOOST_TEST(ensemble.counters()[Verdict::step_size] == members);
    BOOST_TEST(ensemble.counters().learned() == 3 * members);
  }
}

template <class State> void check_state() {
  for (std::size_t members : {1, 3, 64, 130}) {
    BOOST_TEST_CONTEXT(members << " members") {
      check_against_single<State>(odeint::batched(many), members);
      check_against_single<State>(odeint::each_member<Member>(one), members);
      check_against_single<State>(WholeEnsemble(), members);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(a_matrix_is_stepped_as_single_members_are) {
  check_state<Matrix>();
  check_state<FixedRows>();
}

BOOST_AUTO_TEST_CASE(a_flat_vector_is_stepped_as_single_members_are) {
  check_state<Flat>();
  check_state<FlatEigen>();
}

BOOST_AUTO_TEST_CASE(has_the_types_of_a_stepper) {
  using S = odeint::ensemble_corrector<Matrix>;
  static_assert(std::is_same_v<S::state_type, Matrix>);
  static_assert(std::is_same_v<S::stepper_category, bno::stepper_tag>);
  BOOST_TEST(S(make_corrector()).order() == 4);
}

BOOST_AUTO_TEST_CASE(every_form_of_do_step_agrees) {
  odeint::ensemble_corrector<Matrix> stepper(make_corrector());
  const auto system = odeint::batched(many);
  const Matrix start = make_state<Matrix>(70);
  Matrix expected = start;
  stepper.do_step(system, expected, 0.0, dt);
  const auto check = [&](const Matrix& x) { BOOST_TEST((x.array() == expected.array()).all()); };
  Matrix x = start;
  Matrix dxdt = start;
  stepper.do_step(std::cref(system), x, 0.0, dt);
  check(x);
  x = start;
  stepper.do_step(system, x, dxdt, 0.0, dt);
  check(x);
  Matrix out;
  stepper.do_step(system, start, 0.0, out, dt);
  check(out);
  out.setZero();
  stepper.do_step(system, start, dxdt, 0.0, out, dt);
  check(out);
  x = start;
  stepper.do_step(system, x, 0.0, x, dt);
  check(x);
}

BOOST_AUTO_TEST_CASE(integrates_with_odeint) {
  const auto corrector = make_corrector();
  odeint::ensemble_corrector<Matrix> ensemble(corrector);
  Single single(corrector);
  Matrix x = make_state<Matrix>(10);
  Matrix expected = x;
  std::size_t outputs = 0;
  bno::integrate_const(ensemble, odeint::batched(many), x, 0.0, 2.0, dt,
                       [&](const Matrix& at, double) { outputs += static_cast<std::size_t>(at.cols()); });
  for (int step = 0; step < 20; ++step) step_singly(single, expected, dt * step, dt);
  BOOST_TEST(outputs == 21u * 10u);
  BOOST_TEST(distance(x, expected) < 1e-12);
  bno::integrate_n_steps(ensemble, WholeEnsemble(), x, 2.0, dt, 5);
  for (int step = 20; step < 25; ++step) step_singly(single, expected, dt * step, dt);
  BOOST_TEST(distance(x, expected) < 1e-12);
  // Odeint copies steppers and drops the copies; their counts are kept.
  BOOST_TEST(ensemble.counters().learned() == 250u);
}

BOOST_AUTO_TEST_CASE(a_bad_member_falls_back_alone) {
  const auto corrector = make_corrector();
  const auto check = [&](auto system) {
    const Flat start = make_state<Flat>(130);
    Flat healthy = start;
    odeint::ensemble_corrector<Flat> ensemble(corrector);
    ensemble.do_step(system, healthy, 0.0, dt);
    BOOST_TEST(ensemble.counters().learned() == 130u);
    ensemble.reset_counters();

    Flat x = start;
    const double outside = std::get<CorrectorModel>(corrector->model().method).domain.state[0].upper + 0.5;
    x[7 * d] = outside;
    x[129 * d + 2] = std::numeric_limits<double>::quiet_NaN();
    Flat expected = x;
    ensemble.do_step(system, x, 0.0, dt);
    BOOST_TEST(ensemble.counters()[Verdict::domain] == 2u);
    BOOST_TEST(ensemble.counters().learned() == 128u);
    Single single(corrector);
    step_singly(single, expected, 0.0, dt);
    for (std::size_t j = 0; j < 130; ++j) {
      for (std::size_t i = 0; i < d; ++i) {
        // The others' bits are those of a healthy ensemble.
        if (j == 7) {
          BOOST_TEST(std::abs(x[j * d + i] - expected[j * d + i]) < 2e-13);
        } else if (j != 129) {
          BOOST_TEST(x[j * d + i] == healthy[j * d + i]);
        }
      }
    }
    BOOST_TEST(std::isnan(x[129 * d + 2]));
    BOOST_TEST(std::isnan(expected[129 * d + 2]));
  };
  check(odeint::batched(many));
  check(odeint::each_member<Member>(one));
  check(WholeEnsemble());
}

BOOST_AUTO_TEST_CASE(too_large_a_correction_is_not_applied) {
  test::PendulumOptions options;
  options.dt = dt;
  options.correction_limit = 1e-300;
  const auto model = std::make_shared<const Model>(test::pendulum_model(options));
  const auto check = [&](auto system) {
    odeint::ensemble_corrector<Flat> ensemble(model);
    Single single(model);
    Flat x = make_state<Flat>(66);
    Flat expected = x;
    ensemble.do_step(system, x, 0.0, dt);
    step_singly(single, expected, 0.0, dt);
    BOOST_TEST(distance(x, expected) < 2e-13);
    BOOST_TEST(ensemble.counters()[Verdict::correction] == 66u);
  };
  check(odeint::batched(many));
  check(WholeEnsemble());
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_after_the_first_step) {
  const auto check = [](auto x, auto system) {
    const auto start = x;
    odeint::ensemble_corrector<decltype(x)> stepper(make_corrector(CorrectorInput::stages));
    const auto steps = [&] {
      for (double h : {dt, 0.5 * dt, -dt}) stepper.do_step(system, x, 0.0, h);
      std::copy_n(start.data(), start.size(), x.data());
    };
    steps();
    const std::size_t before = allocations;
    for (int i = 0; i < 20; ++i) steps();
    const std::size_t after = allocations;
    BOOST_TEST(after - before == 0u);
    BOOST_TEST(stepper.counters().learned() == 21u * 100u);
  };
  const auto check_systems = [&](const auto& x) {
    check(x, odeint::batched(many));
    check(x, odeint::each_member<Member>(one));
    check(x, WholeEnsemble());
  };
  check_systems(make_state<Flat>(100));
  check_systems(make_state<Matrix>(100));
  BOOST_TEST(allocations > 0u); // the count does count
}

BOOST_AUTO_TEST_CASE(exceptions_leave_the_state_unchanged) {
  const Flat start = make_state<Flat>(100);
  odeint::ensemble_corrector<Flat> stepper(make_corrector());
  int calls = 0;
  const auto fails_late = [&](double t, const double* u, double* dudt, std::size_t n) {
    if (++calls == 7) throw std::runtime_error("no");
    many(t, u, dudt, n);
  };
  Flat x = start;
  Flat out(start.size(), 3.0);
  BOOST_CHECK_THROW(stepper.do_step(odeint::batched(fails_late), x, 0.0, dt), std::runtime_error);
  BOOST_TEST(x == start, boost::test_tools::per_element());
  const auto fails = [](const Flat&, Flat&, double) { throw std::runtime_error("no"); };
  BOOST_CHECK_THROW(stepper.do_step(fails, x, 0.0, dt), std::runtime_error);
  BOOST_CHECK_THROW(stepper.do_step(fails, start, 0.0, out, dt), std::runtime_error);
  BOOST_TEST(x == start, boost::test_tools::per_element());
  BOOST_TEST(out == Flat(start.size(), 3.0), boost::test_tools::per_element());
  BOOST_TEST(stepper.counters().total() == 0u);
}

BOOST_AUTO_TEST_CASE(a_state_of_another_shape_is_refused) {
  const auto says = [](const std::string& words) {
    return [words](const InvalidArgument& e) { return std::string(e.what()).find(words) != std::string::npos; };
  };
  odeint::ensemble_corrector<Matrix> stepper(make_corrector());
  Matrix x = Matrix::Ones(3, 8); // 24 numbers, which would be six members
  BOOST_CHECK_EXCEPTION(stepper.do_step(odeint::batched(many), x, 0.0, dt), InvalidArgument, says("3 rows"));
  odeint::ensemble_corrector<Flat> flat(make_corrector());
  Flat y(10, 1.0);
  BOOST_CHECK_EXCEPTION(flat.do_step(WholeEnsemble(), y, 0.0, dt), InvalidArgument, says("10 numbers"));
  Flat z(8, 1.0);
  const auto three = [](const std::array<double, 3>&, std::array<double, 3>&, double) {};
  BOOST_CHECK_EXCEPTION((flat.do_step(odeint::each_member<std::array<double, 3>>(three), z, 0.0, dt)), InvalidArgument,
                        says("3 variables"));
  Flat none;
  flat.do_step(odeint::batched(many), none, 0.0, dt); // an ensemble of nobody
  BOOST_TEST(flat.counters().total() == 0u);
  BOOST_CHECK_THROW(odeint::ensemble_corrector<Flat>(std::shared_ptr<const Corrector>()), InvalidModel);
}
