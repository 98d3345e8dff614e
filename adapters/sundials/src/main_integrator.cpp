#include "mri_inner_stepper.hpp"

#include <lodestep/error.hpp>

#include <memory>

/* A learned stepper as the one integrator of an ARKODE memory: MRIStep with a slow part that is zero, whose one fast
 * interval is the whole step. */

namespace {

int zero(sunrealtype, N_Vector, N_Vector ydot, void*) {
  N_VConst(0.0, ydot);
  return 0;
}

/// One fast interval per step. The coupling's coefficient multiplies zero, but a table without any has no active stage,
/// which MRIStep cannot do.
MRIStepCoupling make_coupling() {
  sunrealtype c[2] = {0.0, 1.0};
  sunrealtype w[4] = {0.0, 0.0, 1.0, 0.0};
  // NOTE: the order stated caps the degree of interpolation at one less. 6 allows ARKODE's highest, 5: learned steps
  // are long and accurate, and a cubic between them would lose what they gained.
  return MRIStepCoupling_Create(1, 2, 6, 0, w, nullptr, c);
}

// NOTE: with fixed steps and no tolerances ARKODE weighs the state by the smallest normal number before each step, to
// see whether too much accuracy is asked for: the products are denormal, and cost more than all else that ARKODE does.
// The weight given here says the same, and neither it nor its squares leave the range of normal numbers.
int weigh(N_Vector, N_Vector weight, void*) {
  N_VConst(1e-100, weight);
  return 0;
}

void free_memory(void** memory) noexcept {
  LODESTEP_ARK(MRIStep, Free)(memory);
}

// NOTE: MRIStep of SUNDIALS 7.1 takes its own note of f(tn, yn), the left end of Hermite interpolation, for current
// when it is not: dense output and root finding are then off by O(h) (fixed in 7.2, which evaluates it before each
// step). The same is done here for 7.1, which needs the vector it is kept in. An idle step, in which no right-hand side
// is called, makes ARKODE show it: it is the result asked for in the full right-hand side that interpolation calls for.
#if LODESTEP_SUNDIALS_VERSION < 702 && LODESTEP_SUNDIALS_VERSION >= 700
constexpr bool wants_slope = true;
#else
constexpr bool wants_slope = false;
#endif

void check(int flag, const char* function) {
  if (flag != ARK_SUCCESS) {
    throw lodestep::Error(std::string(function) + " returned " + std::to_string(flag));
  }
}

void prime(LodestepStepper stepper, sunrealtype t0, N_Vector y0) {
  if constexpr (!wants_slope) return;
  void* memory = stepper->main_memory;
  stepper->host_slope = nullptr;
  N_Vector scratch = N_VClone(y0);
  if (!scratch) throw std::bad_alloc();
  N_VScale(1.0, y0, scratch);
  stepper->priming = true;
  sunrealtype t = t0;
  int flag =
      LODESTEP_ARK(MRIStep, Evolve)(memory, t0 + stepper->cells->trained_steps().front(), scratch, &t, ARK_ONE_STEP);
  if (flag == ARK_SUCCESS) flag = LODESTEP_ARK(MRIStep, GetDky)(memory, t, 0, scratch);
  stepper->priming = false;
  N_VDestroy(scratch);
  check(flag, "a first, idle step");
  check(MRIStepReInit(memory, zero, nullptr, t0, y0), "MRIStepReInit");
}

/// Whether MRIStepResize did all its work. NOTE: before 7.3 it then reports a failure, by comparing a truth value with
/// a flag; the forcing vectors of the inner stepper are the last that it resizes.
bool resized(LodestepStepper stepper, N_Vector y) noexcept {
  sunrealtype shift = 0.0;
  sunrealtype scale = 0.0;
  N_Vector* terms = nullptr;
  int count = 0;
  MRIStepInnerStepper_GetForcingData(stepper->main_inner, &shift, &scale, &terms, &count);
  return terms && lodestep::arkode::global_length(terms[0]) == lodestep::arkode::global_length(y);
}

} // namespace

void* LodestepStepCreateFrom(LodestepStepper stepper, sunrealtype t0, N_Vector y0) {
  void* memory = nullptr;
  const int flag = lodestep::arkode::guarded(stderr, "LodestepStepCreate", [&] {
    if (!stepper) throw lodestep::InvalidArgument("no stepper given (null pointer)");
    if (stepper->main_memory) throw lodestep::InvalidArgument("the stepper is a main integrator already");
    if (!y0 || lodestep::arkode::global_length(y0) != stepper->length) stepper->resize(y0);
    stepper->main_inner = lodestep::arkode::make_inner_stepper(stepper);
    memory = MRIStepCreate(zero, nullptr, t0, y0, stepper->main_inner, stepper->sunctx);
    if (!memory) throw lodestep::Error("MRIStepCreate failed");
    const std::unique_ptr<MRIStepCouplingMem, void (*)(MRIStepCoupling)> coupling(make_coupling(),
                                                                                  MRIStepCoupling_Free);
    if (!coupling) throw std::bad_alloc();
    check(MRIStepSetCoupling(memory, coupling.get()), "MRIStepSetCoupling");
    check(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, stepper->cells->trained_steps().front()), "SetFixedStep");
    check(LODESTEP_ARK(MRIStep, WFtolerances)(memory, weigh), "WFtolerances");
    check(LODESTEP_ARK(MRIStep, SetUserData)(memory, stepper->user_data), "SetUserData");
    stepper->main_memory = memory;
    prime(stepper, t0, y0);
    stepper->reset(t0, y0);
    return ARK_SUCCESS;
  });
  if (flag != ARK_SUCCESS && memory) {
    free_memory(&memory);
    stepper->main_memory = nullptr;
    if (stepper->main_inner) MRIStepInnerStepper_Free(&stepper->main_inner);
    stepper->main_inner = nullptr;
  }
  return flag == ARK_SUCCESS ? memory : nullptr;
}

void* LodestepStepCreate(const char* model, ARKRhsFn f, sunrealtype t0, N_Vector y0, SUNContext sunctx,
                         LodestepStepper* stepper) {
  if (LodestepStepper_Create(model, f, y0, sunctx, stepper) != ARK_SUCCESS) return nullptr;
  void* memory = LodestepStepCreateFrom(*stepper, t0, y0);
  if (!memory) LodestepStepper_Free(stepper);
  return memory;
}

int LodestepStepReInit(LodestepStepper stepper, sunrealtype t0, N_Vector y0) {
  if (!stepper || !stepper->main_memory) {
    lodestep::arkode::report(stderr, "LodestepStepReInit", "no stepper given that is a main integrator");
    return ARK_MEM_NULL;
  }
  return lodestep::arkode::guarded(stepper->errfp, "LodestepStepReInit", [&] {
    const int flag = MRIStepReInit(stepper->main_memory, zero, nullptr, t0, y0);
    if (flag == ARK_SUCCESS) stepper->reset(t0, y0);
    return flag;
  });
}

int LodestepStepGetDky(LodestepStepper stepper, sunrealtype t, int k, N_Vector dky) {
  if (!stepper || !stepper->main_memory || !dky) {
    lodestep::arkode::report(stderr, "LodestepStepGetDky", "no stepper given that is a main integrator, or no vector");
    return ARK_MEM_NULL;
  }
  return lodestep::arkode::guarded(stepper->errfp, "LodestepStepGetDky", [&] {
    int status = 0;
    if (k == 0 && stepper->state_within(t, dky, status)) return status == 0 ? ARK_SUCCESS : ARK_RHSFUNC_FAIL;
    return LODESTEP_ARK(MRIStep, GetDky)(stepper->main_memory, t, k, dky);
  });
}

int LodestepStepEvolve(LodestepStepper stepper, sunrealtype tout, N_Vector yout, sunrealtype* tret, int itask) {
  if (!stepper || !stepper->main_memory || !yout || !tret) {
    lodestep::arkode::report(stderr, "LodestepStepEvolve",
                             "no stepper given that is a main integrator, no vector or no place for the time");
    return ARK_MEM_NULL;
  }
  void* memory = stepper->main_memory;
  return lodestep::arkode::guarded(stepper->errfp, "LodestepStepEvolve", [&]() -> int {
    for (;;) {
      if (stepper->event && (itask != ARK_NORMAL || stepper->event->t <= tout)) {
        const int flag = stepper->event->flag;
        *tret = stepper->event->t;
        stepper->access.scatter(stepper->event->state.data(), yout);
        stepper->event.reset();
        return flag;
      }
      if (itask != ARK_NORMAL) return LODESTEP_ARK(MRIStep, Evolve)(memory, tout, yout, tret, itask);
      if (stepper->trail.spans(tout)) {
        *tret = tout;
        return LodestepStepGetDky(stepper, tout, 0, yout);
      }
      sunrealtype now = 0.0;
      LODESTEP_ARK(MRIStep, GetCurrentTime)(memory, &now);
      // Backwards, or into the past: ARKODE's to do, or to refuse.
      if (tout < now) return LODESTEP_ARK(MRIStep, Evolve)(memory, tout, yout, tret, itask);
      const int flag = LODESTEP_ARK(MRIStep, Evolve)(memory, tout, yout, tret, ARK_ONE_STEP);
      if (flag < 0) return flag;
      if (flag == ARK_ROOT_RETURN || flag == ARK_TSTOP_RETURN) {
        stepper->event = LodestepStepper_::Event{flag, *tret, std::vector<double>(stepper->access.size())};
        stepper->access.gather(yout, stepper->event->state.data());
      }
    }
  });
}

int LodestepStepResize(LodestepStepper stepper, N_Vector y, sunrealtype t0, ARKVecResizeFn resize, void* resize_data) {
  if (!stepper || !stepper->main_memory || !y) {
    lodestep::arkode::report(stderr, "LodestepStepResize", "no stepper given that is a main integrator, or no vector");
    return ARK_MEM_NULL;
  }
  return lodestep::arkode::guarded(stepper->errfp, "LodestepStepResize", [&]() -> int {
    stepper->resize(y); // refuses before ARKODE has changed anything
#if LODESTEP_SUNDIALS_VERSION < 701
    const int flag = MRIStepResize(stepper->main_memory, y, t0, resize, resize_data);
#else
    const int flag = ARKodeResize(stepper->main_memory, y, 1.0, t0, resize, resize_data);
#endif
    if (flag != ARK_SUCCESS && !(flag == ARK_MEM_FAIL && LODESTEP_SUNDIALS_VERSION < 703 && resized(stepper, y))) {
      return flag;
    }
    prime(stepper, t0, y);
    stepper->reset(t0, y);
    return ARK_SUCCESS;
  });
}

void LodestepStepFree(void** arkode_mem, LodestepStepper* stepper) {
  if (arkode_mem && *arkode_mem) free_memory(arkode_mem);
  if (!stepper) return;
  if (*stepper) (*stepper)->main_memory = nullptr;
  LodestepStepper_Free(stepper);
}
