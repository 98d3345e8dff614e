#include "models.hpp"
#include "sundials_host.hpp"

#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>

using namespace lodestep;
using namespace lodestep::test;

namespace {

/// Oscillators x'' = -x, [x0, v0, x1, v1, ...]. User data, if any, counts the calls.
int oscillators(sunrealtype, N_Vector y, N_Vector ydot, void* user_data) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  for (sunindextype i = 0; i + 1 < N_VGetLength(y); i += 2) {
    f[i] = u[i + 1];
    f[i + 1] = -u[i];
  }
  if (user_data) ++*static_cast<int*>(user_data);
  return 0;
}

/// AttNS, section 5.1.3 (with theta'' as mechanics has it): theta, r, theta', r'.
void elastic_pendulum(const double* u, double* f) {
  constexpr double g = 9.8, k = 40.0, l0 = 10.0, m = 1.0;
  f[0] = u[2];
  f[1] = u[3];
  f[2] = (-g * std::sin(u[0]) - 2.0 * u[2] * u[3]) / u[1];
  f[3] = u[1] * u[2] * u[2] - k / m * (u[1] - l0) + g * std::cos(u[0]);
}

int elastic_pendulum_host(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  elastic_pendulum(N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
  return 0;
}

/// A network with fixed pseudo-random weights whose corrections are small: not a trained model, but as much work.
std::shared_ptr<const Model> pendulum_network() {
  Model model = zero_corrector(4, "rk4", 0.1);
  auto& corrector = std::get<CorrectorModel>(model.method);
  corrector.domain.state.assign(4, {-50.0, 50.0});
  MlpTerm mlp;
  unsigned seed = 1;
  const auto next = [&] {
    seed = seed * 1664525u + 1013904223u;
    return seed / 4294967296.0 - 0.5;
  };
  for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{4, 16}, {16, 4}}) {
    AffineLayer layer{in, out, std::vector<double>(in * out), std::vector<double>(out)};
    for (double& w : layer.weight) w = next();
    for (double& b : layer.bias) b = next();
    mlp.layers.push_back(layer);
  }
  corrector.approximator.term = mlp;
  corrector.approximator.output_scale.assign(4, 1e-6);
  return share(model);
}

Memory::Free free_main = [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); };

} // namespace

BOOST_AUTO_TEST_CASE(gives_the_trajectory_that_the_core_gives) {
  const auto corrector = std::make_shared<const Corrector>(pendulum_network());
  Context context;
  const std::vector<double> start = {0.2, 10.1, 0.0, 0.5};
  Vector y(context, start);
  arkode::Stepper stepper(corrector, elastic_pendulum_host, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);

  CorrectedRungeKutta core(corrector);
  std::vector<double> u = start;
  const auto rhs = [](double, const double* v, double* f) { elastic_pendulum(v, f); };
  double largest = 0.0;
  sunrealtype t = 0.0;
  for (int i = 0; i < 500; ++i) {
    BOOST_REQUIRE_EQUAL(core.step(rhs, 0.1 * i, u.data(), 0.1), 0);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 50.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
    for (std::size_t k = 0; k < 4; ++k) largest = std::max(largest, std::abs(u[k] - y[k]));
  }
  BOOST_TEST(std::abs(t - 50.0) < 1e-10);
  BOOST_TEST(largest <= 1e-13);

  const LodestepStats stats = stepper.stats();
  BOOST_TEST(stats.learned == 500);
  BOOST_TEST(stats.steps == 500);
  BOOST_TEST(stats.network_evals == 500);
  // ARKODE evaluates the right-hand side at the end of a step for its interpolation, and the next step starts with it.
  BOOST_TEST(stats.rhs_evals <= 500 * 4 + 1);
}

BOOST_AUTO_TEST_CASE(dense_output_between_steps_and_at_the_stop_time) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  double largest = 0.0;
  sunrealtype t = 0.0;
  for (int i = 1; i <= 300; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 0.037 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    largest = std::max({largest, std::abs(y[0] - std::cos(t)), std::abs(y[1] + std::sin(t))});
  }
  // A polynomial of degree 5 on an interval of 0.1: h^6 / (6! 2^6) is 2e-11, and f is evaluated at interpolated states.
  BOOST_TEST(largest < 1e-8);
  BOOST_TEST(stepper.stats().fallback_step_size == 0);

  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, 11.234), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 20.0, y, &t, ARK_NORMAL), ARK_TSTOP_RETURN);
  BOOST_TEST(t == 11.234);
  // The last step is a shorter one: the base scheme's, counted.
  BOOST_TEST(stepper.stats().fallback_step_size == 1);
  BOOST_TEST(std::abs(y[0] - std::cos(t)) < 1e-7);

  Vector dky(context, {0.0, 0.0});
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, GetDky)(memory, t, 1, dky), ARK_SUCCESS);
  BOOST_TEST(std::abs(dky[0] + std::sin(t)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(finds_roots_between_steps) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  const auto position = [](sunrealtype, N_Vector v, sunrealtype* g, void*) {
    g[0] = N_VGetArrayPointer(v)[0];
    return 0;
  };
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, RootInit)(memory, 1, position), ARK_SUCCESS);
  sunrealtype t = 0.0;
  double largest = 0.0;
  for (int i = 0; i < 16; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 60.0, y, &t, ARK_NORMAL), ARK_ROOT_RETURN);
    largest = std::max(largest, std::abs(t - (0.5 + i) * std::acos(-1.0)));
    int found = 0;
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, GetRootInfo)(memory, &found), ARK_SUCCESS);
    BOOST_TEST(found == (i % 2 ? 1 : -1));
  }
  BOOST_TEST_MESSAGE("largest error of an event time " << largest);
  BOOST_TEST(largest < 1e-8); // the issue asks for 1e-5; a polynomial of degree 5 gives much more
}

BOOST_AUTO_TEST_CASE(takes_multiples_of_the_trained_step_and_user_data) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  int calls = 0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetUserData)(memory, &calls), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 0.5), ARK_SUCCESS);
  sunrealtype t = 0.0;
  for (int i = 1; i <= 20; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 0.5 * i, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
    BOOST_TEST(std::abs(y[0] - std::cos(t)) < 1e-13);
  }
  const LodestepStats stats = stepper.stats();
  BOOST_TEST(stats.learned == 100);
  BOOST_TEST(stats.rhs_evals == calls);
}

BOOST_AUTO_TEST_CASE(reset_reinit_and_resize) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  sunrealtype t = 0.0;
  const auto step = [&](double tout, N_Vector out) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, tout, out, &t, ARK_NORMAL), ARK_SUCCESS);
  };
  step(1.0, y);

  y[0] = 0.0;
  y[1] = 2.0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Reset)(memory, 1.0, y), ARK_SUCCESS);
  step(2.0, y);
  BOOST_TEST(std::abs(y[0] - 2.0 * std::sin(t - 1.0)) < 1e-9);

  y[0] = 3.0;
  y[1] = 0.0;
  BOOST_REQUIRE_EQUAL(LodestepStepReInit(stepper, 0.0, y), ARK_SUCCESS);
  step(1.0, y);
  BOOST_TEST(std::abs(y[0] - 3.0 * std::cos(t)) < 1e-9);

  // From one oscillator to three.
  Vector wide(context, {1.0, 0.0, 0.0, 1.0, 2.0, 0.0});
  silence(memory); // SUNDIALS before 7.2 complains of a success
  BOOST_REQUIRE_EQUAL(LodestepStepResize(stepper, wide, t, nullptr, nullptr), ARK_SUCCESS);
  const double start = t;
  step(start + 2.0, wide);
  const double s = t - start;
  BOOST_TEST(std::abs(wide[0] - std::cos(s)) < 1e-9);
  BOOST_TEST(std::abs(wide[2] - std::sin(s)) < 1e-9);
  BOOST_TEST(std::abs(wide[4] - 2.0 * std::cos(s)) < 1e-9);
}

BOOST_AUTO_TEST_CASE(refuses_what_it_cannot_step) {
  Context context;
  Vector y(context, {1.0, 0.0, 0.0});
  const auto corrector = std::make_shared<const Corrector>(share(exact_corrector(1, "rk4", 0.1)));
  BOOST_CHECK_EXCEPTION(arkode::make_stepper(corrector, oscillators, y, context), InvalidArgument,
                        [](const InvalidArgument& e) {
                          return std::string(e.what()).find("3 entries") != std::string::npos &&
                                 std::string(e.what()).find("dimension 2") != std::string::npos;
                        });
  BOOST_CHECK_THROW(arkode::make_stepper(corrector, nullptr, y, context), InvalidArgument);
  BOOST_CHECK_THROW(arkode::make_stepper(std::shared_ptr<const Model>(), oscillators, y, context), InvalidArgument);
  BOOST_CHECK_THROW(arkode::make_stepper(corrector, oscillators, nullptr, context), InvalidArgument);
  LodestepStepper none = nullptr;
  BOOST_TEST(LodestepStepper_Create("no such file", oscillators, y, context, &none) < 0);
  BOOST_TEST(!none);
  BOOST_TEST(std::string(Lodestep_GetLastError()).find("no such file") != std::string::npos);
  BOOST_TEST(LodestepStepper_SetUserData(nullptr, nullptr) == ARK_MEM_NULL);
}
