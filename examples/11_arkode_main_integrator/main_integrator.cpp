// A mass on a spring swings in a plane: ARKODE finds when it passes the vertical, with a learned stepper in place of
// ERKStep. Written as SUNDIALS' examples are; the lines that differ from a program with ERKStep are marked.

#include <lodestep/sundials/lodestep_sundials.h> // instead of <arkode/arkode_erkstep.h>

#include <nvector/nvector_serial.h>

#include <cmath>
#include <cstdio>

#if SUNDIALS_VERSION_MAJOR < 7 // there, each stepper has names of its own
#define ARKodeEvolve MRIStepEvolve
#define ARKodeRootInit MRIStepRootInit
#define ARKodeSetMaxNumSteps MRIStepSetMaxNumSteps
#define ARKodePrintAllStats MRIStepPrintAllStats
#endif

static int pendulum(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  const sunrealtype g = 9.81, k = 40.0, m = 1.0, l0 = 10.0;
  dxdt[0] = x[2];
  dxdt[1] = x[3];
  dxdt[2] = -(g * std::sin(x[0]) + 2.0 * x[2] * x[3]) / x[1];
  dxdt[3] = x[1] * x[2] * x[2] - k / m * (x[1] - l0) + g * std::cos(x[0]);
  return 0;
}

static int vertical(sunrealtype, N_Vector y, sunrealtype* g, void*) {
  g[0] = N_VGetArrayPointer(y)[0];
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

  LodestepStepper stepper = nullptr;
  // instead of: void* arkode_mem = ERKStepCreate(pendulum, 0.0, y, sunctx); ARKodeSStolerances(arkode_mem, ...);
  void* arkode_mem = LodestepStepCreate(model, pendulum, 0.0, y, sunctx, &stepper);
  int flag = arkode_mem ? ARK_SUCCESS : ARK_MEM_NULL;
  if (arkode_mem) {
    ARKodeRootInit(arkode_mem, 1, vertical);
    ARKodeSetMaxNumSteps(arkode_mem, 100000);
    sunrealtype t = 0.0;
    while (t < 50.0) {
      flag = ARKodeEvolve(arkode_mem, 50.0, y, &t, ARK_NORMAL);
      if (flag < 0) break;
      std::printf("%-8s t = %12.8f   %13.8f %13.8f %13.8f %13.8f\n", flag == ARK_ROOT_RETURN ? "vertical" : "end", t,
                  x[0], x[1], x[2], x[3]);
    }
    LodestepStepper_PrintAllStats(stepper, stdout, SUN_OUTPUTFORMAT_TABLE);
  }

  LodestepStepFree(&arkode_mem, &stepper); // instead of: ARKodeFree(&arkode_mem);
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}
