#include "models.hpp"
#include "pendulum_models.hpp"
#include "sundials_host.hpp"

#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <string>

using namespace lodestep;
using namespace lodestep::test;

/// Correctors that are fed with a time, parameters or a step size: all of it comes from the host.
namespace {

constexpr double dt = 0.1;
constexpr double omega = 2.0 * 3.14159265358979323846 / 2.4; // the period is 24 steps

/// x'' = g - x + cos(omega t).
void driven(double t, double g, const double* u, double* f) {
  f[0] = u[1];
  f[1] = g - u[0] + std::cos(omega * t);
}

int driven_host(sunrealtype t, N_Vector y, N_Vector ydot, void* g) {
  driven(t, *static_cast<double*>(g), N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
  return 0;
}

using State = std::array<double, 2>;

State driven_exactly(double t0, double g, const State& u0, double t) {
  const double r = 1.0 / (1.0 - omega * omega);
  const auto particular = [&](double at) {
    return State{g + r * std::cos(omega * at), -r * omega * std::sin(omega * at)};
  };
  const State from = particular(t0), to = particular(t);
  const double c = std::cos(t - t0), s = std::sin(t - t0);
  const double x = u0[0] - from[0], v = u0[1] - from[1];
  return {to[0] + x * c + v * s, to[1] + v * c - x * s};
}

/// What RK4 misses in a step is linear in x, v, cos(omega t), sin(omega t) and g: the model says so, and is exact. Each
/// coefficient is what the exact solution has beyond RK4's, from a state and a time that single it out.
std::shared_ptr<const Model> exact_for_the_driven() {
  Model model = zero_corrector(2, "rk4", dt, CorrectorInput::state);
  auto& corrector = std::get<CorrectorModel>(model.method);
  corrector.time = TimeInput::phase;
  corrector.period = 2.0 * 3.14159265358979323846 / omega;
  corrector.parameters = {{"g", 0.5, {0.0, 2.0}}};
  corrector.fallback_substeps = 20;
  corrector.approximator = ApproximatorSpec::zero(5, 2);
  RungeKutta rk4(classical_tableau("rk4"), 2);
  const auto missing = [&](const State& u, double t, double g) {
    State next = u;
    rk4.step([&](double at, const double* v, double* f) { driven(at, g, v, f); }, t, next.data(), dt, next.data());
    const State exact = driven_exactly(t, g, u, t + dt);
    return State{exact[0] - next[0], exact[1] - next[1]};
  };
  const double quarter = 0.25 * corrector.period;
  const State at_cosine = missing({0.0, 0.0}, 0.0, 0.0);
  const std::array<State, 5> by_feature = {missing({1.0, 0.0}, 0.0, 0.0), missing({0.0, 1.0}, 0.0, 0.0), at_cosine,
                                           missing({0.0, 0.0}, quarter, 0.0), missing({0.0, 0.0}, 0.0, 1.0)};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t k = 0; k < 5; ++k) {
      // The first, second and last were taken where the cosine is 1.
      const double with_cosine = k == 2 || k == 3 ? 0.0 : at_cosine[i];
      corrector.approximator.affine.weight[i * 5 + k] = by_feature[k][i] - with_cosine;
    }
  }
  return share(model);
}

Memory::Free free_memory = [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); };

double error_at(double t, double t0, double g, const State& u0, const Vector& y) {
  const State exact = driven_exactly(t0, g, u0, t);
  return std::max(std::abs(y[0] - exact[0]), std::abs(y[1] - exact[1]));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_main_integrator_knows_the_phase_and_the_parameter) {
  Context context;
  const State start = {1.0, 0.3};
  Vector y(context, {start[0], start[1]});
  double g = 0.5; // the model's own value
  arkode::Stepper stepper(exact_for_the_driven(), driven_host, y, context);
  LodestepStepper_SetErrFile(stepper, nullptr);
  double t0 = 0.7;
  Memory memory(LodestepStepCreateFrom(stepper, t0, y), free_memory);
  LODESTEP_ARK(MRIStep, SetUserData)(memory, &g);
  sunrealtype t = t0;
  const auto ten_steps = [&](double tolerance) {
    const State from = {y[0], y[1]};
    t0 = t;
    for (int i = 0; i < 10; ++i) {
      BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
      BOOST_TEST(error_at(t, t0, g, from, y) < tolerance);
    }
  };
  ten_steps(1e-13);
  ten_steps(1e-13);
  BOOST_TEST(stepper.stats().learned == 20);

  // Another value, set on both sides.
  BOOST_REQUIRE_EQUAL(LodestepStepper_SetParameter(stepper, "g", 1.7), ARK_SUCCESS);
  g = 1.7;
  ten_steps(1e-13);
  BOOST_TEST(stepper.stats().learned == 30);

  // One that it was not trained for: the fallback, whose error is that of RK4 with steps of 0.005.
  BOOST_REQUIRE_EQUAL(LodestepStepper_SetParameter(stepper, "g", 2.5), ARK_SUCCESS);
  g = 2.5;
  ten_steps(1e-10);
  BOOST_TEST(stepper.stats().learned == 30);
  BOOST_TEST(stepper.stats().fallback_domain == 10);

  BOOST_TEST(LodestepStepper_SetParameter(stepper, "gravity", 1.0) == ARK_ILL_INPUT);
  BOOST_TEST(std::string(Lodestep_GetLastError()).find("gravity") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(so_do_an_inner_stepper_within_slow_steps_and_a_sunstepper) {
  const State start = {1.0, 0.3};
  double g = 1.2;
  const auto no_slow_part = [](sunrealtype, N_Vector, N_Vector ydot, void*) {
    N_VConst(0.0, ydot);
    return 0;
  };
  Context context;
  Vector y(context, {start[0], start[1]});
  arkode::Stepper stepper(exact_for_the_driven(), driven_host, y, context);
  LodestepStepper_SetUserData(stepper, &g);
  BOOST_REQUIRE_EQUAL(LodestepStepper_SetParameter(stepper, "g", g), ARK_SUCCESS);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  {
    Memory memory(MRIStepCreate(no_slow_part, nullptr, 0.0, y, inner, context), free_memory);
    LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 12.0 * dt);
    for (int i = 0; i < 5; ++i) {
      sunrealtype t = 0.0;
      BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
      BOOST_TEST(error_at(t, 0.0, g, start, y) < 1e-12);
    }
  }
  MRIStepInnerStepper_Free(&inner);
  BOOST_TEST(stepper.stats().learned == 60);
#if LODESTEP_HAVE_SUNSTEPPER
  const State from = {y[0], y[1]};
  SUNStepper sun = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateSUNStepper(stepper, 6.0, y, &sun), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_TEST(SUNStepper_Evolve(sun, 9.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(error_at(9.0, 6.0, g, from, y) < 1e-12);
  BOOST_TEST(stepper.stats().learned == 90);
  SUNStepper_Destroy(&sun);
#endif
}

namespace {

/// The elastic pendulum, its pivot shaken, in each cell.
void shaken(double t, const double* u, double* f) {
  const double g = 9.81 + 0.3 * std::cos(3.14159265358979323846 * t);
  f[0] = u[2];
  f[1] = u[3];
  f[2] = -(g * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  f[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + g * std::cos(u[0]);
}

int shaken_host(sunrealtype t, N_Vector y, N_Vector ydot, void*) {
  for (sunindextype i = 0; i < N_VGetLength(y); i += 4)
    shaken(t, N_VGetArrayPointer(y) + i, N_VGetArrayPointer(ydot) + i);
  return 0;
}

std::vector<std::pair<std::string, PendulumOptions>> kinds() {
  std::vector<std::pair<std::string, PendulumOptions>> list;
  const auto add = [&](const char* name, auto&& change) {
    PendulumOptions options;
    options.hidden = {12};
    change(options);
    list.emplace_back(name, options);
  };
  add("dt-aware", [](auto& o) { o.shortest_dt = 0.02; });
  add("multiplicative", [](auto& o) { o.form = CorrectorForm::multiplicative; });
  add("phase", [](auto& o) { o.time = TimeInput::phase; });
  add("elapsed", [](auto& o) { o.time = TimeInput::elapsed; });
  add("parameters", [](auto& o) { o.parameters = {"g", "k"}, o.density = true; });
  add("everything", [](auto& o) {
    o.shortest_dt = 0.02, o.form = CorrectorForm::multiplicative, o.time = TimeInput::phase;
    o.parameters = {"g", "k"}, o.input = CorrectorInput::stages, o.density = true;
  });
  return list;
}

} // namespace

BOOST_AUTO_TEST_CASE(correctors_of_every_kind_step_as_the_core_does_alone_and_as_cells) {
  for (const auto& [name, options] : kinds()) {
    for (const std::size_t cells : {1u, 5u}) {
      BOOST_TEST_CONTEXT(name << ", " << cells << " cells") {
        const auto corrector = std::make_shared<const Corrector>(share(pendulum_model(options)));
        SmallRandom random(3);
        std::vector<double> states(4 * cells);
        for (std::size_t c = 0; c < cells; ++c) pendulum_state(random, states.data() + 4 * c);
        Context context;
        Vector y(context, states);
        arkode::Stepper stepper(corrector, shaken_host, y, context);
        Memory memory(LodestepStepCreateFrom(stepper, 0.3, y), free_memory);
        CorrectedRungeKutta core(corrector);
        double largest = 0.0;
        sunrealtype t = 0.3;
        for (int n = 0; n < 60; ++n) {
          if (n == 20 && !options.parameters.empty()) {
            BOOST_REQUIRE_EQUAL(LodestepStepper_SetParameter(stepper, "k", 1.3), ARK_SUCCESS);
            core.set_parameter("k", 1.3);
          }
          const double from = t;
          BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
          for (std::size_t c = 0; c < cells; ++c) {
            double* u = states.data() + 4 * c;
            BOOST_REQUIRE_EQUAL(core.step(shaken, from, u, 0.1), 0);
            for (std::size_t i = 0; i < 4; ++i) largest = std::max(largest, std::abs(y[4 * c + i] - u[i]));
          }
        }
        BOOST_TEST(largest < 1e-12);
        const LodestepStats stats = stepper.stats();
        BOOST_TEST(stats.learned == static_cast<long int>(core.counters()[Verdict::learned]));
        BOOST_TEST(stats.fallback_domain == static_cast<long int>(core.counters()[Verdict::domain]));
        BOOST_TEST(stats.learned > (options.density && cells == 1 ? 0 : 10)); // most states are outside of it
      }
    }
  }
}
