#include "models.hpp"
#include "sundials_host.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace lodestep;
using namespace lodestep::test;

#if LODESTEP_HAVE_SUNSTEPPER

#include <arkode/arkode_forcingstep.h>
#include <arkode/arkode_splittingstep.h>

/// The oscillator of the model as one partition, something else as the other: what splitting does is known, so that
/// solutions are asserted and not flags.
namespace {

int oscillator(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] = u[1];
  N_VGetArrayPointer(ydot)[1] = -u[0];
  return 0;
}

struct Partition {
  explicit Partition(SUNContext context, N_Vector y, double dt = 0.05, CorrectorInput input = CorrectorInput::increment)
      : stepper(share(exact_corrector(1, "rk4", dt, input)), oscillator, y, context) {
    BOOST_REQUIRE_EQUAL(LodestepStepper_CreateSUNStepper(stepper, 0.0, y, &sun), ARK_SUCCESS);
  }
  ~Partition() { SUNStepper_Destroy(&sun); }
  arkode::Stepper stepper;
  SUNStepper sun = nullptr;
};

} // namespace

BOOST_AUTO_TEST_CASE(evolves_stops_and_goes_back) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Partition a(context, y);
  sunrealtype t = 0.0;
  BOOST_TEST(SUNStepper_OneStep(a.sun, 1.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 0.05);
  BOOST_TEST(SUNStepper_Evolve(a.sun, 1.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 1.0);
  BOOST_TEST(std::abs(y[0] - std::cos(1.0)) < 1e-13);
  BOOST_TEST(a.stepper.stats().learned == 20);

  BOOST_TEST(SUNStepper_SetStopTime(a.sun, 1.5) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_Evolve(a.sun, 2.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 1.5);

  // Back to the start: the base scheme, which is accurate to 1e-7 at this step, and counted.
  BOOST_TEST(SUNStepper_Reset(a.sun, t, y) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_SetStepDirection(a.sun, -1.0) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_SetStopTime(a.sun, 0.0) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_Evolve(a.sun, 0.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 0.0);
  BOOST_TEST(std::abs(y[0] - 1.0) < 1e-6);
  BOOST_TEST(a.stepper.stats().fallback_step_size == 30);

  // Against the direction set: refused, nothing moves.
  LodestepStepper_SetErrFile(a.stepper, nullptr);
  BOOST_TEST(SUNStepper_Evolve(a.sun, 1.0, y, &t) != SUN_SUCCESS);

  Vector f(context, {0.0, 0.0});
  BOOST_TEST(SUNStepper_FullRhs(a.sun, 0.0, y, f, SUN_FULLRHS_OTHER) == SUN_SUCCESS);
  BOOST_TEST(std::abs(f[1] + y[0]) < 1e-15);
#if LODESTEP_SUNDIALS_VERSION >= 703
  suncountertype steps = 0;
  BOOST_TEST(SUNStepper_GetNumSteps(a.sun, &steps) == SUN_SUCCESS);
  BOOST_TEST(steps == 60);
  BOOST_TEST(SUNStepper_ResetCheckpointIndex(a.sun, 0) == SUN_ERR_NOT_IMPLEMENTED);
  y[0] = 0.0;
  y[1] = 1.0;
  BOOST_TEST(SUNStepper_ReInit(a.sun, 0.0, y) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_SetStepDirection(a.sun, 1.0) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_Evolve(a.sun, 1.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(std::abs(y[0] - std::sin(1.0)) < 1e-13);
#endif
}

// As SUNDIALS' ark_test_splittingstep with custom steppers: two halves of a rotation, and a rotation with damping.
BOOST_AUTO_TEST_CASE(splitting_of_parts_that_commute_is_exact) {
  Context context;
  Vector y(context, {1.0, 0.5});
  Partition a(context, y);
  Partition b(context, y);
  SUNStepper parts[2] = {a.sun, b.sun};
  Memory memory(SplittingStepCreate(parts, 2, 0.0, y, context), [](void** m) { ARKodeFree(m); });
  BOOST_REQUIRE_EQUAL(ARKodeSetFixedStep(memory, 0.25), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(ARKodeSetStopTime(memory, 3.0), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_REQUIRE(ARKodeEvolve(memory, 3.0, y, &t, ARK_NORMAL) >= 0);
  // Both parts rotate: the angle is twice the time.
  BOOST_TEST(std::abs(y[0] - (std::cos(6.0) + 0.5 * std::sin(6.0))) < 1e-12);
  BOOST_TEST(std::abs(y[1] - (0.5 * std::cos(6.0) - std::sin(6.0))) < 1e-12);
  BOOST_TEST(a.stepper.stats().learned == 60);
  BOOST_TEST(b.stepper.stats().fallback_step_size == 0);
}

namespace {

/// The other partition: y0' = 0.4 y1, exactly, by hand.
struct Shear {
  double t = 0.0;
  double state[2] = {0.0, 0.0};
};

Shear& shear_of(SUNStepper s) {
  void* content = nullptr;
  SUNStepper_GetContent(s, &content);
  return *static_cast<Shear*>(content);
}

SUNStepper make_shear(SUNContext context, Shear& shear) {
  SUNStepper s = nullptr;
  BOOST_REQUIRE_EQUAL(SUNStepper_Create(context, &s), SUN_SUCCESS);
  SUNStepper_SetContent(s, &shear);
  SUNStepper_SetResetFn(s, [](SUNStepper self, sunrealtype t, N_Vector y) -> SUNErrCode {
    shear_of(self) = {t, {N_VGetArrayPointer(y)[0], N_VGetArrayPointer(y)[1]}};
    return SUN_SUCCESS;
  });
  SUNStepper_SetEvolveFn(s, [](SUNStepper self, sunrealtype tout, N_Vector out, sunrealtype* tret) -> SUNErrCode {
    Shear& c = shear_of(self);
    c.state[0] += 0.4 * (tout - c.t) * c.state[1];
    c.t = *tret = tout;
    N_VGetArrayPointer(out)[0] = c.state[0];
    N_VGetArrayPointer(out)[1] = c.state[1];
    return SUN_SUCCESS;
  });
  SUNStepper_SetStopTimeFn(s, [](SUNStepper, sunrealtype) -> SUNErrCode { return SUN_SUCCESS; });
  SUNStepper_SetStepDirectionFn(s, [](SUNStepper, sunrealtype) -> SUNErrCode { return SUN_SUCCESS; });
  SUNStepper_SetFullRhsFn(s, [](SUNStepper, sunrealtype, N_Vector y, N_Vector f, SUNFullRhsMode) -> SUNErrCode {
    N_VGetArrayPointer(f)[0] = 0.4 * N_VGetArrayPointer(y)[1];
    N_VGetArrayPointer(f)[1] = 0.0;
    return SUN_SUCCESS;
  });
  return s;
}

/// Error at t = 2 of y0' = 1.4 y1, y1' = -y0 from (1, 0).
double error_of(const Vector& y) {
  const double w = std::sqrt(1.4);
  return std::hypot(y[0] - std::cos(2.0 * w), y[1] + std::sin(2.0 * w) / w);
}

double split(SplittingStepCoefficients coefficients, double h) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Partition rotation(context, y);
  Shear shear{0.0, {1.0, 0.0}};
  SUNStepper other = make_shear(context, shear);
  double error = 0.0;
  {
    SUNStepper parts[2] = {rotation.sun, other};
    Memory memory(SplittingStepCreate(parts, 2, 0.0, y, context), [](void** m) { ARKodeFree(m); });
    BOOST_REQUIRE_EQUAL(SplittingStepSetCoefficients(memory, coefficients), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(ARKodeSetFixedStep(memory, h), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(ARKodeSetStopTime(memory, 2.0), ARK_SUCCESS);
    sunrealtype t = 0.0;
    BOOST_REQUIRE(ARKodeEvolve(memory, 2.0, y, &t, ARK_NORMAL) >= 0);
    error = error_of(y);
  }
  SUNStepper_Destroy(&other);
  return error;
}

} // namespace

BOOST_AUTO_TEST_CASE(splitting_has_the_order_of_its_coefficients) {
  struct Method {
    const char* name;
    SplittingStepCoefficients coefficients;
    double order;
  } methods[] = {{"Lie-Trotter", SplittingStepCoefficients_LieTrotter(2), 1.0},
                 {"Strang", SplittingStepCoefficients_Strang(2), 2.0},
                 // goes backwards within its steps: the base scheme's negative steps
                 {"Yoshida", SplittingStepCoefficients_TripleJump(2, 4), 4.0}};
  for (Method& method : methods) {
    const double coarse = split(method.coefficients, 0.2);
    const double fine = split(method.coefficients, 0.1);
    BOOST_TEST_MESSAGE(method.name << ": order " << std::log2(coarse / fine));
    BOOST_TEST(std::log2(coarse / fine) > method.order - 0.1);
    SplittingStepCoefficients_Destroy(&method.coefficients);
  }
}

BOOST_AUTO_TEST_CASE(forcing_step_hands_its_tendency_to_the_learned_stepper) {
  const auto run = [](double h) {
    Context context;
    Vector y(context, {1.0, 0.0});
    Partition rotation(context, y);
    LodestepStepper_SetForcingTolerance(rotation.stepper, 1.0);
    Shear shear{0.0, {1.0, 0.0}};
    SUNStepper other = make_shear(context, shear);
    double error = 0.0;
    {
      Memory memory(ForcingStepCreate(other, rotation.sun, 0.0, y, context), [](void** m) { ARKodeFree(m); });
      BOOST_REQUIRE_EQUAL(ARKodeSetFixedStep(memory, h), ARK_SUCCESS);
      BOOST_REQUIRE_EQUAL(ARKodeSetStopTime(memory, 2.0), ARK_SUCCESS);
      sunrealtype t = 0.0;
      BOOST_REQUIRE(ARKodeEvolve(memory, 2.0, y, &t, ARK_NORMAL) >= 0);
      error = error_of(y);
      BOOST_TEST(rotation.stepper.stats().learned > 0);
    }
    SUNStepper_Destroy(&other);
    return error;
  };
  const double coarse = run(0.2);
  const double fine = run(0.1);
  BOOST_TEST(coarse < 0.2);
  BOOST_TEST(std::log2(coarse / fine) > 0.9); // a method of order 1
}

#else

BOOST_AUTO_TEST_CASE(needs_sundials_7_2) {
  BOOST_TEST_MESSAGE("SUNStepper came with SUNDIALS 7.2");
}

#endif
