#include "fitted_order.hpp"
#include "models.hpp"
#include "sundials_host.hpp"

#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>

using namespace lodestep;
using namespace lodestep::test;

namespace {

// Fast: a harmonic oscillator. Slow: a nonlinear force on it, depending on time as well.
int fast(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  f[0] = u[1];
  f[1] = -u[0];
  return 0;
}

void slow_at(double t, const double* u, double* f) {
  f[0] = 0.1 * std::sin(t) * u[1] * u[1];
  f[1] = 0.2 * std::cos(0.5 * t) - 0.3 * u[0] * u[0] * u[1];
}

int slow(sunrealtype t, N_Vector y, N_Vector ydot, void*) {
  slow_at(t, N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
  return 0;
}

constexpr double horizon = 12.0;

std::vector<double> reference() {
  RungeKutta rk4(classical_tableau("rk4"), 2);
  std::vector<double> u = {1.0, 0.3};
  const auto rhs = [](double t, const double* v, double* f) {
    slow_at(t, v, f);
    f[0] += v[1];
    f[1] -= v[0];
  };
  constexpr int n = 12000; // error 1e-13 and less
  for (int i = 0; i < n; ++i) rk4.step(rhs, horizon * i / n, u.data(), horizon / n, u.data());
  return u;
}

struct Outcome {
  double error = 0.0;
  LodestepStats stats{};
};

Outcome couple(ARKODE_MRITableID table, double slow_step, double tolerance, CorrectorInput input) {
  static const std::vector<double> exact = reference();
  Context context;
  Vector y(context, {1.0, 0.3});
  Model model = exact_corrector(1, "rk4", 0.01, input);
  arkode::Stepper stepper(share(model), fast, y, context);
  BOOST_REQUIRE_EQUAL(LodestepStepper_SetForcingTolerance(stepper, tolerance), ARK_SUCCESS);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  Outcome result;
  {
    Memory memory(MRIStepCreate(slow, nullptr, 0.0, y, inner, context), [](void** m) {
      LODESTEP_ARK(MRIStep, Free)(m);
    });
    MRIStepCoupling coupling = MRIStepCoupling_LoadTable(table);
    BOOST_REQUIRE_EQUAL(MRIStepSetCoupling(memory, coupling), ARK_SUCCESS);
    MRIStepCoupling_Free(coupling);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, slow_step), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, horizon), ARK_SUCCESS);
    sunrealtype t = 0.0;
    BOOST_REQUIRE(LODESTEP_ARK(MRIStep, Evolve)(memory, horizon, y, &t, ARK_NORMAL) >= 0);
    result.error = std::hypot(y[0] - exact[0], y[1] - exact[1]);
  }
  result.stats = stepper.stats();
  MRIStepInnerStepper_Free(&inner);
  return result;
}

constexpr double always = std::numeric_limits<double>::infinity();

struct Coupling {
  const char* name;
  ARKODE_MRITableID table;
  int order;
  std::vector<double> steps; ///< whose fast intervals are whole numbers of trained steps of 0.01
};

const std::vector<Coupling>& couplings() {
  static const std::vector<Coupling> all = {
      {"MIS_KW3", ARKODE_MIS_KW3, 3, {1.2, 0.6, 0.48, 0.24, 0.12}},
      {"MRI_GARK_ERK45a", ARKODE_MRI_GARK_ERK45a, 4, {0.8, 0.6, 0.4, 0.3, 0.2}},
  };
  return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_coupled_method_keeps_the_order_of_the_slow_one) {
  for (const Coupling& coupling : couplings()) {
    for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
      for (const double tolerance : {0.0, 1e-9, always}) {
        BOOST_TEST_CONTEXT(coupling.name << ", fed with " << to_string(input) << ", forcing tolerance " << tolerance) {
          std::vector<double> errors;
          for (const double step : coupling.steps) {
            const Outcome outcome = couple(coupling.table, step, tolerance, input);
            errors.push_back(outcome.error);
            if (tolerance == always) {
              BOOST_TEST(outcome.stats.learned > 0);
              BOOST_TEST(outcome.stats.fallback_forcing == 0);
            } else if (tolerance == 0.0) {
              BOOST_TEST(outcome.stats.learned == 0);
              BOOST_TEST(outcome.stats.fallback_forcing > 0);
            }
          }
          const double order = fitted_order(coupling.steps, errors);
          BOOST_TEST_MESSAGE(coupling.name << " " << to_string(input) << " tolerance " << tolerance << ": order "
                                           << order << ", smallest error " << errors.back());
          BOOST_TEST(order >= coupling.order - 0.1);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(increments_make_constant_forcing_exact_for_a_linear_problem) {
  // y' = A y + g: the solution is the free one about the equilibrium -A^-1 g.
  const auto constant = [](sunrealtype, N_Vector, N_Vector ydot, void*) {
    N_VGetArrayPointer(ydot)[0] = 0.5;
    N_VGetArrayPointer(ydot)[1] = -0.25;
    return 0;
  };
  Context context;
  Vector y(context, {1.0, 0.3});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.5)), fast, y, context);
  LodestepStepper_SetForcingTolerance(stepper, always);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  {
    Memory memory(MRIStepCreate(constant, nullptr, 0.0, y, inner, context), [](void** m) {
      LODESTEP_ARK(MRIStep, Free)(m);
    });
    MRIStepCoupling coupling = MRIStepCoupling_LoadTable(ARKODE_MIS_KW3);
    BOOST_REQUIRE_EQUAL(MRIStepSetCoupling(memory, coupling), ARK_SUCCESS);
    MRIStepCoupling_Free(coupling);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 6.0), ARK_SUCCESS);
    sunrealtype t = 0.0;
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 6.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
    const double c = std::cos(t), s = std::sin(t);
    const double x = 1.0 + 0.25, v = 0.3 + 0.5; // about the equilibrium (-0.25, -0.5)
    BOOST_TEST(std::abs(y[0] - (x * c + v * s - 0.25)) < 1e-13);
    BOOST_TEST(std::abs(y[1] - (v * c - x * s - 0.5)) < 1e-13);
  }
  BOOST_TEST(stepper.stats().learned == 12);
  BOOST_TEST(stepper.stats().fallback_step_size == 0);
  MRIStepInnerStepper_Free(&inner);
}

// SUNDIALS' ark_test_innerstepper couples y' = -y (slow) and y' = -y (fast) through a custom inner stepper and looks at
// flags; here the solution is looked at too.
BOOST_AUTO_TEST_CASE(a_slow_part_that_is_zero_leaves_the_fast_solution) {
  const auto zero = [](sunrealtype, N_Vector, N_Vector ydot, void*) {
    N_VConst(0.0, ydot);
    return 0;
  };
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "euler", 0.1)), fast, y, context);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  {
    Memory memory(MRIStepCreate(zero, nullptr, 0.0, y, inner, context), [](void** m) {
      LODESTEP_ARK(MRIStep, Free)(m);
    });
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 1.2), ARK_SUCCESS);
    // Into a vector that holds something else: the result's place, not the state.
    Vector out(context, {7.0, 7.0});
    sunrealtype t = 0.0;
    for (int i = 0; i < 5; ++i) {
      BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, out, &t, ARK_ONE_STEP), ARK_SUCCESS);
      BOOST_TEST(std::abs(out[0] - std::cos(t)) < 1e-13);
      out[0] = out[1] = 7.0;
    }
    y[0] = 0.0;
    y[1] = 1.0;
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Reset)(memory, 0.0, y), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, out, &t, ARK_ONE_STEP), ARK_SUCCESS);
    BOOST_TEST(std::abs(out[0] - std::sin(t)) < 1e-13);
  }
  BOOST_TEST(stepper.stats().fallback_forcing == 0); // zero forcing is none
  BOOST_TEST(stepper.stats().fallback_step_size == 0);
  MRIStepInnerStepper_Free(&inner);
}
