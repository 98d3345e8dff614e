// A system with a slow manifold: ARKODE takes steps of 10.24 by a learned flow map, and returns the states between them
// that are asked for, which RK4 fills in. Written as SUNDIALS' examples are; the lines that differ from a program with
// ERKStep are marked.

#include <lodestep/sundials/lodestep_sundials.h> // instead of <arkode/arkode_erkstep.h>

#include <nvector/nvector_serial.h>

#include <cmath>
#include <cstdio>

static int hyperbolic(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  dxdt[0] = -0.05 * x[0];
  dxdt[1] = -(x[1] - x[0] * x[0]);
  return 0;
}

static double error(sunrealtype t, const sunrealtype* x) {
  const double a = std::exp(-0.05 * t), b = std::exp(-t);
  return std::fmax(std::fabs(x[0] - 0.8 * a), std::fabs(x[1] + 0.5 * b - 0.64 * (a * a - b) / 0.9));
}

int main(int argc, char** argv) {
  const char* model = argc > 1 ? argv[1] : "hyperbolic.safetensors";
  SUNContext sunctx = nullptr;
  if (LodestepSUNContext_Create(&sunctx)) return 1;
  N_Vector y = N_VNew_Serial(2, sunctx);
  sunrealtype* x = N_VGetArrayPointer(y);
  x[0] = 0.8;
  x[1] = -0.5;

  LodestepStepper stepper = nullptr;
  // instead of: void* arkode_mem = ERKStepCreate(hyperbolic, 0.0, y, sunctx); ARKodeSStolerances(arkode_mem, ...);
  void* arkode_mem = LodestepStepCreate(model, hyperbolic, 0.0, y, sunctx, &stepper);
  int flag = arkode_mem ? ARK_SUCCESS : ARK_MEM_NULL;
  double largest = 0.0;
  for (int i = 1; i <= 80 && flag >= 0; ++i) {
    sunrealtype t = 0.0;
    // instead of: flag = ARKodeEvolve(arkode_mem, 0.64 * i, y, &t, ARK_NORMAL);
    flag = LodestepStepEvolve(stepper, 0.64 * i, y, &t, ARK_NORMAL);
    largest = std::fmax(largest, error(t, x));
    if (i % 10 == 0) std::printf("%5.2f %14.10f %14.10f\n", t, x[0], x[1]);
  }
  if (arkode_mem) {
    std::printf("largest error %.1e\n", largest);
    LodestepStepper_PrintAllStats(stepper, stdout, SUN_OUTPUTFORMAT_TABLE);
  }

  LodestepStepFree(&arkode_mem, &stepper); // instead of: ARKodeFree(&arkode_mem);
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}
