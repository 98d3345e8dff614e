#include "mri_inner_stepper.hpp"

#include <lodestep/error.hpp>

/* A learned stepper as the fast stepper of MRIStep. */

namespace {

LodestepStepper content_of(MRIStepInnerStepper inner) noexcept {
  void* content = nullptr;
  MRIStepInnerStepper_GetContent(inner, &content);
  return static_cast<LodestepStepper>(content);
}

int evolve(MRIStepInnerStepper inner, sunrealtype t0, sunrealtype tout, N_Vector y) {
  LodestepStepper stepper = content_of(inner);
  if (stepper->priming) return 0;
  if (!stepper->main_memory) { // a main integrator's forcing is zero by construction
    sunrealtype shift = 0.0;
    sunrealtype scale = 0.0;
    N_Vector* terms = nullptr;
    int count = 0;
    MRIStepInnerStepper_GetForcingData(inner, &shift, &scale, &terms, &count);
    const int flag = lodestep::arkode::guarded(stepper->errfp, "evolve", [&] {
      if (lodestep::arkode::global_length(y) != stepper->length) stepper->resize(y);
      stepper->set_forcing(shift, scale, terms, count);
      return ARK_SUCCESS;
    });
    if (flag < 0) return flag;
  }
  const int status = stepper->evolve(t0, tout, y);
  return status > 0 ? LODESTEP_INNER_RECOVERABLE : status;
}

int full_rhs(MRIStepInnerStepper inner, sunrealtype t, N_Vector y, N_Vector ydot, int) {
  LodestepStepper stepper = content_of(inner);
  if (stepper->priming) {
    if (!stepper->host_slope) stepper->host_slope = ydot; // the first; interpolation asks for others after it
    N_VConst(0.0, ydot);
    return 0;
  }
  return stepper->full_rhs(t, y, ydot);
}

int reset(MRIStepInnerStepper inner, sunrealtype t, N_Vector y) {
  LodestepStepper stepper = content_of(inner);
  return lodestep::arkode::guarded(stepper->errfp, "reset", [&] {
    stepper->reset(t, y);
    return ARK_SUCCESS;
  });
}

} // namespace

namespace lodestep::arkode {

MRIStepInnerStepper make_inner_stepper(LodestepStepper stepper) {
  MRIStepInnerStepper inner = nullptr;
  if (MRIStepInnerStepper_Create(stepper->sunctx, &inner) != ARK_SUCCESS || !inner) throw std::bad_alloc();
  if (MRIStepInnerStepper_SetContent(inner, stepper) != ARK_SUCCESS ||
      MRIStepInnerStepper_SetEvolveFn(inner, evolve) != ARK_SUCCESS ||
      MRIStepInnerStepper_SetFullRhsFn(inner, full_rhs) != ARK_SUCCESS ||
      MRIStepInnerStepper_SetResetFn(inner, reset) != ARK_SUCCESS) {
    MRIStepInnerStepper_Free(&inner);
    throw Error("MRIStepInnerStepper_Set... failed");
  }
  return inner;
}

} // namespace lodestep::arkode

int LodestepStepper_CreateMRIStepInnerStepper(LodestepStepper stepper, sunrealtype t0, N_Vector y0,
                                              MRIStepInnerStepper* inner) {
  return lodestep::arkode::guarded(stderr, "LodestepStepper_CreateMRIStepInnerStepper", [&] {
    if (!stepper || !y0 || !inner) {
      throw lodestep::InvalidArgument("no stepper, initial state or place for the inner stepper given");
    }
    if (stepper->main_memory) {
      throw lodestep::InvalidArgument("the stepper is a main integrator already; make another for MRIStep");
    }
    stepper->reset(t0, y0);
    *inner = lodestep::arkode::make_inner_stepper(stepper);
    return ARK_SUCCESS;
  });
}
