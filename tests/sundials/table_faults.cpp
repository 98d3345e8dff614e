#include "faulty_rhs.hpp"
#include "models.hpp"
#include "sundials_host.hpp"

#include <arkode/arkode_arkstep.h>
#include <arkode/arkode_erkstep.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>

using namespace lodestep;
using namespace lodestep::test;

/// Right-hand sides that fail under our tables. A table is data, and none of our code runs in ERKStep, ARKStep or
/// MRIStep's slow part: each must do what it says, and what it does with a table of SUNDIALS' own, to the last bit.
namespace {

struct Result {
  int flag = ARK_SUCCESS;
  double t = 0.0; ///< after the last step that succeeded
  std::vector<double> state;
  LodestepStats stats{}; ///< of MRIStep's learned fast part

  double error() const { return std::hypot(state[0] - std::cos(t), state[1] + std::sin(t)); }
};

/// Whose functions have names of their own before 7.0.
struct Adaptive {
  const char* name;
  void* (*create)(N_Vector y, SUNContext context);
  int (*set_table)(void* memory, ARKodeButcherTable table);
  decltype(&LODESTEP_ARK(ERKStep, SStolerances)) tolerances;
  decltype(&LODESTEP_ARK(ERKStep, SetInitStep)) first_step;
  decltype(&LODESTEP_ARK(ERKStep, SetUserData)) user_data;
  decltype(&LODESTEP_ARK(ERKStep, Evolve)) evolve;
  Memory::Free free;
  void (*silence)(void* memory);
};

const Adaptive adaptive[] = {
    {"ERKStep", [](N_Vector y, SUNContext context) { return ERKStepCreate(faulty_oscillator, 0.0, y, context); },
     ERKStepSetTable, LODESTEP_ARK(ERKStep, SStolerances), LODESTEP_ARK(ERKStep, SetInitStep),
     LODESTEP_ARK(ERKStep, SetUserData), LODESTEP_ARK(ERKStep, Evolve),
     [](void** m) {
       LODESTEP_ARK(ERKStep, Free)
       (m);
     },
     [](void* m) {
       LODESTEP_SILENCE(ERKStep, m);
       LODESTEP_ARK(ERKStep, SetMaxHnilWarns)(m, -1); // of steps too small to move
     }},
    {"ARKStep",
     [](N_Vector y, SUNContext context) { return ARKStepCreate(faulty_oscillator, nullptr, 0.0, y, context); },
     [](void* memory, ARKodeButcherTable table) {
       return ARKStepSetTables(memory, table->q, table->p, nullptr, table);
     },
     LODESTEP_ARK(ARKStep, SStolerances), LODESTEP_ARK(ARKStep, SetInitStep), LODESTEP_ARK(ARKStep, SetUserData),
     LODESTEP_ARK(ARKStep, Evolve),
     [](void** m) {
       LODESTEP_ARK(ARKStep, Free)
       (m);
     },
     [](void* m) {
       LODESTEP_SILENCE(ARKStep, m);
       LODESTEP_ARK(ARKStep, SetMaxHnilWarns)(m, -1); // of steps too small to move
     }},
};

/// Controlled steps to t = 1, the first of 0.01.
Result run(const Adaptive& host, Faulty& faulty, ARKodeButcherTable table) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Memory memory(host.create(y, context), host.free);
  host.silence(memory);
  BOOST_REQUIRE_EQUAL(host.set_table(memory, table), ARK_SUCCESS);
  ARKodeButcherTable_Free(table);
  host.tolerances(memory, 1e-4, 1e-7);
  host.first_step(memory, 0.01);
  host.user_data(memory, &faulty);
  Result result;
  for (int i = 0; i < 500 && result.flag == ARK_SUCCESS && result.t < 1.0; ++i) {
    sunrealtype t = 0.0;
    result.flag = host.evolve(memory, 2.0, y, &t, ARK_ONE_STEP);
    if (result.flag == ARK_SUCCESS) result.t = t;
  }
  result.state = y.values();
  return result;
}

/// Our table as MRIStep's slow coupling: nine steps of a slow part that does nothing but fail, over a fast part that is
/// learned and exact.
Result run_mis(Faulty& faulty, ARKodeButcherTable table) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Faulty sound{Fault::negative, Where::anywhere, 1e9};
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), faulty_oscillator, y, context);
  LodestepStepper_SetErrFile(stepper, nullptr);
  LodestepStepper_SetUserData(stepper, &sound);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  Result result;
  {
    Memory memory(MRIStepCreate(faulty_zero, nullptr, 0.0, y, inner, context), [](void** m) {
      LODESTEP_ARK(MRIStep, Free)(m);
    });
    silence(memory);
    MRIStepCoupling coupling = MRIStepCoupling_MIStoMRI(table, table->q, 0);
    BOOST_REQUIRE(coupling);
    ARKodeButcherTable_Free(table);
    BOOST_REQUIRE_EQUAL(MRIStepSetCoupling(memory, coupling), ARK_SUCCESS);
    MRIStepCoupling_Free(coupling);
    LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 1.2);
    LODESTEP_ARK(MRIStep, SetUserData)(memory, &faulty);
    for (int i = 0; i < 9 && result.flag == ARK_SUCCESS; ++i) {
      sunrealtype t = 0.0;
      result.flag = LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP);
      if (result.flag == ARK_SUCCESS) result.t = t;
    }
    result.state = y.values();
  }
  result.stats = stepper.stats();
  MRIStepInnerStepper_Free(&inner);
  return result;
}

/// `run` with both tables from each of `starts` on; what SUNDIALS' own gives is checked by `expect`.
template <class Run, class Expect>
void for_every_fault(const char* name, const ButcherTableau& ours, ARKodeButcherTable (*theirs)(),
                     std::initializer_list<double> starts, const Run& run, const Expect& expect) {
  for (const double from : starts) {
    for (const Fault fault : all_faults) {
      if (fault == Fault::throws) continue; // through SUNDIALS' own C code: undefined, and none of ours between
      BOOST_TEST_CONTEXT(name << ": " << fault << " from t = " << from) {
        Faulty faulty{fault, Where::anywhere, from};
        Faulty other = faulty;
        const Result a = run(faulty, arkode::make_butcher_table(ours));
        const Result b = run(other, theirs());
        BOOST_TEST(a.flag == b.flag);
        BOOST_TEST(a.t == b.t);
        BOOST_TEST(std::memcmp(a.state.data(), b.state.data(), 2 * sizeof(double)) == 0); // NaN included
        BOOST_TEST(faulty.failed == other.failed);
        BOOST_TEST(faulty.failed > 0);
        expect(faulty, a);
      }
    }
  }
}

constexpr bool is_nan(Fault fault) {
  return fault == Fault::nan_once || fault == Fault::nan_forever;
}

/// Explicit stages recover from nothing: a failure > 0 that is not the very first call's has a code of its own.
int explicit_failure(const Faulty& faulty) {
  return faulty.fault == Fault::negative || faulty.from == 0.0 ? ARK_RHSFUNC_FAIL : ARK_UNREC_RHSFUNC_ERR;
}

} // namespace

BOOST_AUTO_TEST_CASE(erkstep_and_arkstep_in_every_case) {
  ButcherTableau heun = classical_tableau("heun");
  heun.b_embedded = {1.0, 0.0};
  heun.embedded_order = 1;
  const auto theirs = [] { return ARKodeButcherTable_LoadERK(ARKODE_HEUN_EULER_2_1_2); };
  for (const Adaptive& host : adaptive) {
    // The very first call, a stage of the first step, a stage in the middle.
    for_every_fault(
        host.name, heun, theirs, {0.0, 1e-6, 0.5},
        [&](Faulty& faulty, ARKodeButcherTable table) { return run(host, faulty, table); },
        [](const Faulty& faulty, const Result& result) {
          if (!is_nan(faulty.fault)) {
            // NOTE: what ARKODE hands back then may be a stage, not the solution.
            BOOST_TEST(result.flag == explicit_failure(faulty));
          } else if (faulty.fault == Fault::nan_forever) {
            // Ever smaller steps until ARKODE or the caller has enough: none past what fails.
            BOOST_TEST(result.t < faulty.from + 1e-3);
            BOOST_TEST(result.error() < 1e-3);
          } else if (faulty.from > 0.0) {
            // Not a number in a stage fails the error test: a smaller step, which succeeds.
            BOOST_TEST(result.flag == ARK_SUCCESS);
            BOOST_TEST(result.t >= 1.0);
            BOOST_TEST(result.error() < 1e-3);
          }
          // NOTE: of the first slope it depends on the version whether it is asked for again.
        });
  }
}

BOOST_AUTO_TEST_CASE(slow_coupling_in_every_case) {
  // Knoth and Wolke (1998).
  static sunrealtype a[9] = {0.0, 0.0, 0.0, 1.0 / 3.0, 0.0, 0.0, -3.0 / 16.0, 15.0 / 16.0, 0.0};
  static sunrealtype b[3] = {1.0 / 6.0, 3.0 / 10.0, 8.0 / 15.0};
  static sunrealtype c[3] = {0.0, 1.0 / 3.0, 3.0 / 4.0};
  ButcherTableau knoth_wolke;
  knoth_wolke.order = 3;
  knoth_wolke.a.assign(a, a + 9);
  knoth_wolke.b.assign(b, b + 3);
  knoth_wolke.c.assign(c, c + 3);
  const auto theirs = [] { return ARKodeButcherTable_Create(3, 3, 0, c, a, b, nullptr); };
  for_every_fault("MRIStep", knoth_wolke, theirs, {0.0, 1e-6, 6.1}, run_mis,
                  [](const Faulty& faulty, const Result& result) {
                    // A tendency that is not a number reaches the fast part, which takes no step with it.
                    const int spoiled = LODESTEP_SUNDIALS_VERSION >= 702 ? ARK_CONV_FAILURE : ARK_INNERSTEP_FAIL;
                    BOOST_TEST(result.flag == (is_nan(faulty.fault) ? spoiled : explicit_failure(faulty)));
                    BOOST_TEST(result.stats.failures == (is_nan(faulty.fault) ? 1 : 0));
                    BOOST_TEST(result.t == (faulty.from > 1.0 ? 6.0 : 0.0), boost::test_tools::tolerance(1e-14));
                    BOOST_TEST(result.error() < 1e-13);
                  });
}
