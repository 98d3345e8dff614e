// A mass on a spring swings in a slow wind. The spring is the fast part, learned without any wind; the wind is the slow
// part, MRIStep's explicit one. Written as SUNDIALS' examples are; what differs from an ARKStep inner stepper is
// marked.

#include <lodestep/sundials/lodestep_sundials.h> // new

#include <arkode/arkode_mristep.h>
#include <nvector/nvector_serial.h>

#include <cmath>
#include <cstdio>

#if SUNDIALS_VERSION_MAJOR < 7 // there, each stepper has names of its own
#define ARKodeEvolve MRIStepEvolve
#define ARKodeSetFixedStep MRIStepSetFixedStep
#define ARKodeFree MRIStepFree
#endif

static int spring(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  const sunrealtype g = 9.81, k = 40.0, m = 1.0, l0 = 10.0;
  dxdt[0] = x[2];
  dxdt[1] = x[3];
  dxdt[2] = -(g * std::sin(x[0]) + 2.0 * x[2] * x[3]) / x[1];
  dxdt[3] = x[1] * x[2] * x[2] - k / m * (x[1] - l0) + g * std::cos(x[0]);
  return 0;
}

// A breeze from the side, in the direction of growing angles.
static int wind(sunrealtype t, N_Vector y, N_Vector ydot, void*) {
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  const sunrealtype force = 2e-3 * (1.0 + std::sin(0.1 * t));
  dxdt[0] = 0.0;
  dxdt[1] = 0.0;
  dxdt[2] = force * std::cos(x[0]) / x[1];
  dxdt[3] = force * std::sin(x[0]);
  return 0;
}

int main(int argc, char** argv) {
  const char* model = argc > 1 ? argv[1] : "pendulum.safetensors";
  SUNContext sunctx = nullptr;
  if (LodestepSUNContext_Create(&sunctx)) return 1;
  N_Vector y = N_VNew_Serial(4, sunctx);
  sunrealtype* x = N_VGetArrayPointer(y);
  x[0] = 0.3;
  x[1] = 10.0;
  x[2] = x[3] = 0.0;

  // instead of: inner_mem = ARKStepCreate(spring, nullptr, 0.0, y, sunctx); ARKStepCreateMRIStepInnerStepper(...);
  LodestepStepper stepper = nullptr;
  MRIStepInnerStepper inner = nullptr;
  int flag = LodestepStepper_Create(model, spring, y, sunctx, &stepper);
  if (flag == ARK_SUCCESS) flag = LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner);
  // A gentle breeze changes the correction of a step by less than this, and the slow method's error is larger.
  if (flag == ARK_SUCCESS) flag = LodestepStepper_SetForcingTolerance(stepper, 1e-6);

  if (flag == ARK_SUCCESS) {
    void* arkode_mem = MRIStepCreate(wind, nullptr, 0.0, y, inner, sunctx);
    // Knoth and Wolke's method has fast intervals of 1/3, 5/12 and 1/4: with 1.2 they are 4, 5 and 3 trained steps.
    MRIStepCoupling coupling = MRIStepCoupling_LoadTable(ARKODE_MIS_KW3);
    MRIStepSetCoupling(arkode_mem, coupling);
    MRIStepCoupling_Free(coupling);
    ARKodeSetFixedStep(arkode_mem, 1.2);
    sunrealtype t = 0.0;
    for (int i = 0; i < 40 && flag >= 0; ++i) {
      flag = ARKodeEvolve(arkode_mem, 100.0, y, &t, ARK_ONE_STEP);
      if (i % 5 == 4) std::printf("t = %5.1f   %13.8f %13.8f %13.8f %13.8f\n", t, x[0], x[1], x[2], x[3]);
    }
    LodestepStepper_PrintAllStats(stepper, stdout, SUN_OUTPUTFORMAT_TABLE);
    ARKodeFree(&arkode_mem);
    MRIStepInnerStepper_Free(&inner);
  }

  LodestepStepper_Free(&stepper); // instead of: ARKodeFree(&inner_mem);
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}
