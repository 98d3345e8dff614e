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

void free_memory(void** memory) noexcept {
  LODESTEP_ARK(MRIStep, Free)(memory);
}

void check(int flag, const char* function) {
  if (flag != ARK_SUCCESS) {
    throw lodestep::Error(std::string(function) + " returned " + std::to_string(flag));
  }
}

} // namespace

void* LodestepStepCreateFrom(LodestepStepper stepper, sunrealtype t0, N_Vector y0) {
  void* memory = nullptr;
  const int flag = lodestep::sundials::guarded(stderr, "LodestepStepCreate", [&] {
    if (!stepper) throw lodestep::InvalidArgument("no stepper given (null pointer)");
    if (stepper->main_memory) throw lodestep::InvalidArgument("the stepper is a main integrator already");
    if (!y0 || lodestep::sundials::global_length(y0) != stepper->length) stepper->resize(y0);
    stepper->main_inner = lodestep::sundials::make_inner_stepper(stepper);
    memory = MRIStepCreate(zero, nullptr, t0, y0, stepper->main_inner, stepper->sunctx);
    if (!memory) throw lodestep::Error("MRIStepCreate failed");
    const std::unique_ptr<MRIStepCouplingMem, void (*)(MRIStepCoupling)> coupling(make_coupling(),
                                                                                  MRIStepCoupling_Free);
    if (!coupling) throw std::bad_alloc();
    check(MRIStepSetCoupling(memory, coupling.get()), "MRIStepSetCoupling");
    check(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, stepper->corrector->dt()), "SetFixedStep");
    check(LODESTEP_ARK(MRIStep, SetUserData)(memory, stepper->user_data), "SetUserData");
    stepper->main_memory = memory;
    return ARK_SUCCESS;
  });
  if (flag != ARK_SUCCESS && stepper && !stepper->main_memory) {
    if (memory) free_memory(&memory);
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
    lodestep::sundials::report(stderr, "LodestepStepReInit", "no stepper given that is a main integrator");
    return ARK_MEM_NULL;
  }
  stepper->reset();
  return MRIStepReInit(stepper->main_memory, zero, nullptr, t0, y0);
}

void LodestepStepFree(void** arkode_mem, LodestepStepper* stepper) {
  if (arkode_mem && *arkode_mem) free_memory(arkode_mem);
  if (!stepper) return;
  if (*stepper) (*stepper)->main_memory = nullptr;
  LodestepStepper_Free(stepper);
}
