#include "faulty_rhs.hpp"
#include "flow_maps.hpp"
#include "models.hpp"
#include "sundials_host.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>

#if LODESTEP_HAVE_SUNSTEPPER
#include <arkode/arkode_splittingstep.h>
#endif

using namespace lodestep;
using namespace lodestep::test;

/// What a right-hand side that fails does to each facility that steps by a model: every kind of failure, in a stage and
/// in a full right-hand side, at the first step and in the middle, for every kind of model.
namespace {

/// Exact but for what the right-hand side does to it: the oscillator by a model whose steps call it differently.
struct Subject {
  const char* name;
  std::shared_ptr<const Model> model;
  double step;       ///< of a host that takes the model's own steps
  double slow_step;  ///< of MRIStep, which divides it in 4, 5 and 3 parts of 12
  bool first_slope;  ///< whether the host's steps start from f there
  long int off_grid; ///< whether a step, and two of MRIStep's parts, end with one of the fine scheme
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = [] {
    Model corrector = exact_corrector(1, "rk4", 0.1);
    std::get<CorrectorModel>(corrector.method).fallback_substeps = 20; // as good as a learned step
    return std::vector<Subject>{
        {"corrector", share(corrector), 0.1, 1.2, true, 0},
        {"flow map over RK4", share(oscillator_hierarchy_over_rk4(0.1, 0.005)), 0.1, 1.2, true, 0},
        // Bare maps call no right-hand side: the fine scheme does, in the 0.01 to 0.03 that is left of these steps.
        {"flow map", share(oscillator_hierarchy({0.05, 0.1}, 0.005)), 0.11, 1.44, false, 1},
    };
  }();
  return all;
}

constexpr int host_steps = 9;

struct Result {
  int flag = ARK_SUCCESS;
  double t = 0.0; ///< after the last step that succeeded
  double error = 0.0;
  LodestepStats stats{};
};

double error_at(double t, const Vector& y) {
  return std::hypot(y[0] - std::cos(t), y[1] + std::sin(t));
}

/// A stepper of the faulty oscillator from (1, 0), handed to `host` with its state: what came of `host_steps` steps.
template <class Host> Result drive(const Subject& subject, Faulty& faulty, Host&& host) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(subject.model, faulty_oscillator, y, context);
  LodestepStepper_SetErrFile(stepper, nullptr);
  LodestepStepper_SetUserData(stepper, &faulty);
  Result result;
  // After a failure ARKODE returns a time that it did not reach.
  host(stepper, y, context, [&](void* memory) {
    for (int i = 0; i < host_steps && result.flag == ARK_SUCCESS; ++i) {
      sunrealtype t = 0.0;
      result.flag = LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP);
      if (result.flag == ARK_SUCCESS) result.t = t;
    }
  });
  result.error = error_at(result.t, y);
  result.stats = stepper.stats();
  return result;
}

Memory::Free free_memory = [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); };

int no_slow_part(sunrealtype, N_Vector, N_Vector ydot, void*) {
  N_VConst(0.0, ydot);
  return 0;
}

Result main_integrator(const Subject& subject, Faulty& faulty) {
  return drive(subject, faulty, [&](LodestepStepper stepper, const Vector& y, SUNContext, const auto& evolve) {
    Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_memory);
    silence(memory);
    LODESTEP_ARK(MRIStep, SetFixedStep)(memory, subject.step);
    evolve(memory);
  });
}

Result inner_stepper(const Subject& subject, Faulty& faulty) {
  return drive(subject, faulty, [&](LodestepStepper stepper, const Vector& y, SUNContext context, const auto& evolve) {
    MRIStepInnerStepper inner = nullptr;
    BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
    {
      Memory memory(MRIStepCreate(no_slow_part, nullptr, 0.0, y, inner, context), free_memory);
      silence(memory);
      LODESTEP_ARK(MRIStep, SetFixedStep)(memory, subject.slow_step);
      evolve(memory);
    }
    MRIStepInnerStepper_Free(&inner);
  });
}

/// All calls that fail in `subject`'s runs by `run`, and what must come of them.
template <class Expect>
void for_every_fault(const Subject& subject, Result (*run)(const Subject&, Faulty&), double step, Expect&& expect) {
  for (const Where where : {Where::stage, Where::ends}) {
    // Just before the end of the sixth step: its last stage, or the full right-hand side at its end.
    for (const double from : {0.0, 6.0 * step - 1e-3}) {
      for (const Fault fault : all_faults) {
        BOOST_TEST_CONTEXT(subject.name << ": " << fault << ' ' << where << " from t = " << from) {
          Faulty faulty{fault, where, from};
          const Result result = run(subject, faulty);
          BOOST_TEST(faulty.failed > 0);
          BOOST_TEST(result.error < 1e-11); // whatever happened, what is given back is the solution at t
          expect(faulty, result);
        }
      }
    }
  }
}

/// What ARKODE returns when evolving failed. Before 7.2 every failure of an inner stepper ends the integration;
/// from then on a recoverable one asks for a smaller step, which fixed steps are not.
int evolve_failed(Fault fault) {
  const bool recoverable = fault == Fault::positive_forever || fault == Fault::nan_forever;
  return recoverable && LODESTEP_SUNDIALS_VERSION >= 702 ? ARK_CONV_FAILURE : ARK_INNERSTEP_FAIL;
}

void expect_all_steps(const Result& result, double step, long int off_grid, long int recovered) {
  BOOST_TEST(result.flag == ARK_SUCCESS);
  BOOST_TEST(std::abs(result.t - host_steps * step) < 1e-12);
  BOOST_TEST(result.stats.fallback_rhs == recovered);
  BOOST_TEST(result.stats.failures == 0);
  // Nothing but the step that failed fell back.
  const LodestepStats& s = result.stats;
  BOOST_TEST(s.fallback_step_size + s.fallback_domain + s.fallback_correction + s.fallback_forcing ==
             off_grid * host_steps - (off_grid > 0 ? recovered : 0));
}

void expect_failure(const Result& result, double from, int flag) {
  BOOST_TEST(result.flag == flag);
  BOOST_TEST(result.stats.failures == 1);
  BOOST_TEST(result.t < from + 0.2); // the step that failed, or the next, is the last
}

/// MRIStep's rules, for steps of which `parts` may be off the grid. A failing full right-hand side is ARKODE's to
/// judge, and it never recovers from one: it returns `full_failed`. 0: it asks for none, and what fails is a first
/// stage.
void through_mristep(Result (*run)(const Subject&, Faulty&), double Subject::*step, long int parts, int full_failed) {
  for (const Subject& subject : subjects()) {
    for_every_fault(subject, run, subject.*step, [&](const Faulty& faulty, const Result& result) {
      const bool nan = faulty.fault == Fault::nan_once || faulty.fault == Fault::nan_forever;
      const bool full = faulty.where == Where::ends && full_failed != 0;
      if (full && !nan) {
        expect_failure(result, faulty.from, full_failed);
      } else if (once(faulty.fault)) {
        // A full right-hand side that is not a number is of no consequence to a step that does not start from it.
        expect_all_steps(result, subject.*step, parts * subject.off_grid, !full || subject.first_slope ? 1 : 0);
      } else {
        expect_failure(result, faulty.from, evolve_failed(faulty.fault));
      }
      if (faulty.fault == Fault::throws) {
        BOOST_TEST(std::strstr(Lodestep_GetLastError(), "thrown by") != nullptr);
      }
    });
  }
}

} // namespace

// MRIStep of 7.0 and 7.1 asks for no full right-hand side before a step; in a main integrator the adapter does, within
// the step: see main_integrator.cpp.
constexpr bool asks_late = LODESTEP_SUNDIALS_VERSION >= 700 && LODESTEP_SUNDIALS_VERSION < 702;

BOOST_AUTO_TEST_CASE(main_integrator_in_every_case) {
  through_mristep(main_integrator, &Subject::step, 1, asks_late ? ARK_INNERSTEP_FAIL : ARK_RHSFUNC_FAIL);
}

BOOST_AUTO_TEST_CASE(inner_stepper_in_every_case) {
  through_mristep(inner_stepper, &Subject::slow_step, 2, asks_late ? 0 : ARK_RHSFUNC_FAIL);
}

#if LODESTEP_HAVE_SUNSTEPPER

namespace {

struct SunStepper {
  SunStepper(LodestepStepper stepper, N_Vector y) {
    BOOST_REQUIRE_EQUAL(LodestepStepper_CreateSUNStepper(stepper, 0.0, y, &handle), ARK_SUCCESS);
  }
  ~SunStepper() { SUNStepper_Destroy(&handle); }
  SunStepper(const SunStepper&) = delete;
  SunStepper& operator=(const SunStepper&) = delete;
  SUNStepper handle = nullptr;
};

/// Beside a partition in which nothing happens.
Result splitting(const Subject& subject, Faulty& faulty) {
  return drive(subject, faulty, [&](LodestepStepper stepper, const Vector& y, SUNContext context, const auto& evolve) {
    const SunStepper one(stepper, y);
    arkode::Stepper still(share(zero_corrector(2, "euler", subject.step)), no_slow_part, y, context);
    const SunStepper other(still, y);
    SUNStepper parts[2] = {one.handle, other.handle};
    Memory memory(SplittingStepCreate(parts, 2, 0.0, y, context), free_memory);
    ARKodeSetFixedStep(memory, subject.step);
    evolve(memory);
  });
}

} // namespace

BOOST_AUTO_TEST_CASE(partition_of_splittingstep_in_every_case) {
  for (const Subject& subject : subjects()) {
    // No full right-hand side is asked for here: what fails where steps begin is the first stage.
    for_every_fault(subject, splitting, subject.step, [&](const Faulty& faulty, const Result& result) {
      if (once(faulty.fault)) {
        expect_all_steps(result, subject.step, subject.off_grid, 1);
      } else {
        expect_failure(result, faulty.from, ARK_SUNSTEPPER_ERR);
      }
    });
  }
}

BOOST_AUTO_TEST_CASE(sunstepper_tells_what_failed_and_keeps_its_state) {
  for (const Subject& subject : subjects()) {
    for (const Fault fault : all_faults) {
      BOOST_TEST_CONTEXT(subject.name << ": " << fault) {
        Context context;
        Vector y(context, {1.0, 0.0});
        Vector f(context, {0.0, 0.0});
        Faulty faulty{fault};
        arkode::Stepper stepper(subject.model, faulty_oscillator, y, context);
        LodestepStepper_SetErrFile(stepper, nullptr);
        LodestepStepper_SetUserData(stepper, &faulty);
        const SunStepper sun(stepper, y);
        const auto last_flag = [&] {
          int flag = 0;
          SUNStepper_GetLastFlag(sun.handle, &flag);
          return flag;
        };
        const auto is_reported = [&](SUNErrCode error, bool recoverable) {
          BOOST_TEST(error == SUN_ERR_OP_FAIL);
          BOOST_TEST((recoverable ? last_flag() > 0 : last_flag() < 0));
        };
        const bool nan = fault == Fault::nan_once || fault == Fault::nan_forever;
        const bool positive = fault == Fault::positive_once || fault == Fault::positive_forever;
        // The full right-hand side hands on what it is told; a value that is not a number is the caller's to see.
        const SUNErrCode full = SUNStepper_FullRhs(sun.handle, 0.0, y, f, SUN_FULLRHS_START);
        if (nan) {
          BOOST_TEST(full == SUN_SUCCESS);
          BOOST_TEST(std::isnan(f[0]));
        } else {
          is_reported(full, positive);
        }
        BOOST_TEST(stepper.stats().failures == (nan ? 0 : 1));
        // Evolving goes on from there, if it can.
        sunrealtype t = 0.0;
        const SUNErrCode evolved = SUNStepper_Evolve(sun.handle, subject.step, y, &t);
        if (once(fault)) {
          BOOST_TEST(evolved == SUN_SUCCESS);
          BOOST_TEST(last_flag() == 0);
          BOOST_TEST(t == subject.step);
        } else {
          is_reported(evolved, positive || nan);
        }
        BOOST_TEST(error_at(t, y) < 1e-11);
      }
    }
  }
}

#endif

// States within a step that has succeeded: a failure there is told, and the integration goes on.
BOOST_AUTO_TEST_CASE(fine_states_within_a_step_in_every_case) {
  for (const Fault fault : all_faults) {
    BOOST_TEST_CONTEXT(fault) {
      Context context;
      Vector y(context, {1.0, 0.0});
      Faulty faulty{fault, Where::anywhere, 1e9};
      arkode::Stepper stepper(share(oscillator_hierarchy({0.8}, 0.005)), faulty_oscillator, y, context);
      LodestepStepper_SetErrFile(stepper, nullptr);
      LodestepStepper_SetUserData(stepper, &faulty);
      Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_memory);
      silence(memory);
      sunrealtype t = 0.0;
      BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, 0.1, y, &t, ARK_NORMAL), ARK_SUCCESS);
      BOOST_TEST(error_at(0.1, y) < 1e-11);
      faulty.from = 0.0;
      // An exception ends at the C boundary: it is no code of the right-hand side.
      const int expected = fault == Fault::throws ? ARK_ILL_INPUT : ARK_RHSFUNC_FAIL;
      BOOST_TEST(LodestepStepEvolve(stepper, 0.2, y, &t, ARK_NORMAL) == expected);
      BOOST_TEST(faulty.failed > 0);
      faulty.from = 1e9;
      for (const double output : {0.2, 0.8, 1.3}) {
        BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, output, y, &t, ARK_NORMAL), ARK_SUCCESS);
        BOOST_TEST(error_at(output, y) < 1e-10);
      }
    }
  }
}
