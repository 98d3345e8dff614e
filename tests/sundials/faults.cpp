#include "models.hpp"
#include "sundials_host.hpp"

#include <arkode/arkode_erkstep.h>
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

using namespace lodestep;
using namespace lodestep::test;

/// What a right-hand side that fails does to each facility, at the first step and in the middle.
namespace {

enum class Fault { positive_once, positive_forever, negative, nan_once, nan_forever, throws };
constexpr Fault faults[] = {Fault::positive_once, Fault::positive_forever, Fault::negative,
                            Fault::nan_once,      Fault::nan_forever,      Fault::throws};

const char* name(Fault f) {
  switch (f) {
  case Fault::positive_once:
    return "> 0 once";
  case Fault::positive_forever:
    return "> 0 forever";
  case Fault::negative:
    return "< 0";
  case Fault::nan_once:
    return "NaN once";
  case Fault::nan_forever:
    return "NaN forever";
  case Fault::throws:
    return "exception";
  }
  return "?";
}

bool recovers(Fault f) {
  return f == Fault::positive_once || f == Fault::nan_once;
}

struct Faulty {
  Fault fault;
  int at;        ///< the call that fails first
  int calls = 0; ///< so far
};

int oscillator(sunrealtype, N_Vector y, N_Vector ydot, void* user_data) {
  auto& faulty = *static_cast<Faulty*>(user_data);
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  f[0] = u[1];
  f[1] = -u[0];
  const int call = ++faulty.calls;
  if (call < faulty.at) return 0;
  const bool first = call == faulty.at;
  switch (faulty.fault) {
  case Fault::positive_once:
    return first ? 1 : 0;
  case Fault::positive_forever:
    return 1;
  case Fault::negative:
    return -1;
  case Fault::nan_once:
    if (first) f[0] = std::numeric_limits<double>::quiet_NaN();
    return 0;
  case Fault::nan_forever:
    f[0] = std::numeric_limits<double>::quiet_NaN();
    return 0;
  case Fault::throws:
    throw std::runtime_error("thrown by the right-hand side");
  }
  return 0;
}

/// 20 fallback sub-steps: what is taken instead of a learned step is as good.
std::shared_ptr<const Model> model() {
  Model m = exact_corrector(1, "rk4", 0.1);
  std::get<CorrectorModel>(m.method).fallback_substeps = 20;
  return share(m);
}

void check_state(double t, double x, double v) {
  BOOST_TEST(std::abs(x - std::cos(t)) < 1e-8);
  BOOST_TEST(std::abs(v + std::sin(t)) < 1e-8);
}

/// The call number 3 is a stage of the first step; 42 is one of a step in the middle.
template <class Body> void for_every_fault(Body&& body) {
  for (const Fault fault : faults) {
    for (const int at : {3, 42}) {
      BOOST_TEST_CONTEXT(name(fault) << " at call " << at) {
        body(fault, at);
      }
    }
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(main_integrator) {
  for_every_fault([](Fault fault, int at) {
    Context context;
    Vector y(context, {1.0, 0.0});
    Faulty faulty{fault, at};
    arkode::Stepper stepper(model(), oscillator, y, context);
    LodestepStepper_SetErrFile(stepper, nullptr);
    Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); });
    silence(memory);
    LODESTEP_ARK(MRIStep, SetUserData)(memory, &faulty);
    sunrealtype t = 0.0;
    sunrealtype returned = 0.0;
    int flag = ARK_SUCCESS;
    for (int i = 0; i < 30 && flag == ARK_SUCCESS; ++i) {
      flag = LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &returned, ARK_ONE_STEP);
      if (flag == ARK_SUCCESS) t = returned; // after a failure ARKODE returns a time it did not reach
    }
    const LodestepStats stats = stepper.stats();
    // NOTE: a failure of the full right-hand side, which interpolation wants at the end of a step, is ARKODE's to
    // judge: it never recovers from one. Neither call 3 nor call 42 is such a call.
    if (recovers(fault)) {
      BOOST_TEST(flag == ARK_SUCCESS);
      BOOST_TEST(std::abs(t - 3.0) < 1e-12);
      BOOST_TEST(stats.fallback_rhs == 1);
      BOOST_TEST(stats.learned == 29);
      BOOST_TEST(stats.failures == 0);
    } else {
      BOOST_TEST(flag < 0);
      BOOST_TEST(stats.failures == 1);
      BOOST_TEST(t < 1.5);
      if (fault == Fault::throws) {
        BOOST_TEST(std::strstr(Lodestep_GetLastError(), "thrown by") != nullptr);
      }
    }
    check_state(t, y[0], y[1]); // whatever happened, what is given back is the solution at t
  });
}

BOOST_AUTO_TEST_CASE(inner_stepper) {
  const auto slow = [](sunrealtype, N_Vector, N_Vector ydot, void*) {
    N_VConst(0.0, ydot);
    return 0;
  };
  for_every_fault([&](Fault fault, int at) {
    Context context;
    Vector y(context, {1.0, 0.0});
    Faulty faulty{fault, at};
    arkode::Stepper stepper(model(), oscillator, y, context);
    LodestepStepper_SetErrFile(stepper, nullptr);
    LodestepStepper_SetUserData(stepper, &faulty);
    MRIStepInnerStepper inner = nullptr;
    BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
    {
      Memory memory(MRIStepCreate(slow, nullptr, 0.0, y, inner, context), [](void** m) {
        LODESTEP_ARK(MRIStep, Free)(m);
      });
      silence(memory);
      LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 1.2);
      sunrealtype t = 0.0;
      sunrealtype returned = 0.0;
      int flag = ARK_SUCCESS;
      for (int i = 0; i < 3 && flag == ARK_SUCCESS; ++i) {
        flag = LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &returned, ARK_ONE_STEP);
        if (flag == ARK_SUCCESS) t = returned;
      }
      const LodestepStats stats = stepper.stats();
      if (recovers(fault)) {
        BOOST_TEST(flag == ARK_SUCCESS);
        BOOST_TEST(std::abs(t - 3.6) < 1e-12);
        BOOST_TEST(stats.fallback_rhs == 1);
        BOOST_TEST(stats.learned == 35);
      } else {
        BOOST_TEST(flag < 0);
        BOOST_TEST(stats.failures == 1);
      }
      check_state(t, y[0], y[1]);
    }
    MRIStepInnerStepper_Free(&inner);
  });
}

#if LODESTEP_HAVE_SUNSTEPPER
BOOST_AUTO_TEST_CASE(sunstepper) {
  for_every_fault([](Fault fault, int at) {
    Context context;
    Vector y(context, {1.0, 0.0});
    Faulty faulty{fault, at};
    arkode::Stepper stepper(model(), oscillator, y, context);
    LodestepStepper_SetErrFile(stepper, nullptr);
    LodestepStepper_SetUserData(stepper, &faulty);
    SUNStepper s = nullptr;
    BOOST_REQUIRE_EQUAL(LodestepStepper_CreateSUNStepper(stepper, 0.0, y, &s), ARK_SUCCESS);
    sunrealtype t = 0.0;
    const SUNErrCode error = SUNStepper_Evolve(s, 3.0, y, &t);
    int last = 0;
    SUNStepper_GetLastFlag(s, &last);
    const LodestepStats stats = stepper.stats();
    if (recovers(fault)) {
      BOOST_TEST(error == SUN_SUCCESS);
      BOOST_TEST(last == 0);
      BOOST_TEST(t == 3.0);
      BOOST_TEST(stats.fallback_rhs == 1);
    } else {
      BOOST_TEST(error == SUN_ERR_OP_FAIL);
      const bool recoverable = fault == Fault::positive_forever || fault == Fault::nan_forever;
      BOOST_TEST((recoverable ? last > 0 : last < 0));
      BOOST_TEST(stats.failures == 1);
    }
    check_state(t, y[0], y[1]);
    SUNStepper_Destroy(&s);
  });
}
#endif

// A table is data, none of our code runs in ERKStep: its own behaviour, with its own table, is what must be seen.
BOOST_AUTO_TEST_CASE(tableau_in_erkstep) {
  ButcherTableau heun = classical_tableau("heun");
  heun.b_embedded = {1.0, 0.0};
  heun.embedded_order = 1;
  struct Result {
    int flag;
    double t;
    std::vector<double> state;
  };
  const auto run = [&](Fault fault, int at, ARKodeButcherTable table) {
    Context context;
    Vector y(context, {1.0, 0.0});
    Faulty faulty{fault, at};
    Memory memory(ERKStepCreate(oscillator, 0.0, y, context), [](void** m) { LODESTEP_ARK(ERKStep, Free)(m); });
#if LODESTEP_SUNDIALS_VERSION < 700
    ERKStepSetErrFile(memory, nullptr);
#endif
    BOOST_REQUIRE_EQUAL(ERKStepSetTable(memory, table), ARK_SUCCESS);
    ARKodeButcherTable_Free(table);
    LODESTEP_ARK(ERKStep, SStolerances)(memory, 1e-6, 1e-9);
    LODESTEP_ARK(ERKStep, SetUserData)(memory, &faulty);
    sunrealtype t = 0.0;
    const int flag = LODESTEP_ARK(ERKStep, Evolve)(memory, 1.0, y, &t, ARK_NORMAL);
    return Result{flag, t, y.values()};
  };
  for (const Fault fault : {Fault::positive_once, Fault::positive_forever, Fault::negative}) {
    for (const int at : {4, 42}) { // in the first step, and in the middle
      BOOST_TEST_CONTEXT(name(fault) << " at call " << at) {
        const Result ours = run(fault, at, arkode::make_butcher_table(heun));
        const Result theirs = run(fault, at, ARKodeButcherTable_LoadERK(ARKODE_HEUN_EULER_2_1_2));
        BOOST_TEST(ours.flag == theirs.flag);
        BOOST_TEST(ours.t == theirs.t);
        BOOST_TEST(ours.state == theirs.state, boost::test_tools::per_element());
        if (!recovers(fault)) BOOST_TEST(ours.flag < 0);
      }
    }
  }
}
