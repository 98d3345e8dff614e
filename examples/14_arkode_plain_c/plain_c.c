/* A mass on a spring that swings in a plane, in C: a learned stepper as ARKODE's integrator, with user data. Written as
 * SUNDIALS' examples are; the lines that differ from a program with ERKStep are marked. */

#include <lodestep/sundials/lodestep_sundials.h> /* instead of <arkode/arkode_erkstep.h> */

#include <nvector/nvector_serial.h>

#include <math.h>
#include <stdio.h>

#if SUNDIALS_VERSION_MAJOR < 7 /* there, each stepper has names of its own */
#define ARKodeEvolve MRIStepEvolve
#define ARKodeSetUserData MRIStepSetUserData
#endif

typedef struct {
  sunrealtype g, k, m, l0;
} Parameters;

static int pendulum(sunrealtype t, N_Vector y, N_Vector ydot, void* user_data) {
  const Parameters* p = (const Parameters*)user_data;
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  (void)t;
  dxdt[0] = x[2];
  dxdt[1] = x[3];
  dxdt[2] = -(p->g * sin(x[0]) + 2.0 * x[2] * x[3]) / x[1];
  dxdt[3] = x[1] * x[2] * x[2] - p->k / p->m * (x[1] - p->l0) + p->g * cos(x[0]);
  return 0;
}

int main(int argc, char** argv) {
  Parameters parameters = {9.81, 40.0, 1.0, 10.0};
  SUNContext sunctx = NULL;
  LodestepStepper stepper = NULL;
  sunrealtype t = 0.0;
  int flag = 0;
  int i;

  if (LodestepSUNContext_Create(&sunctx)) return 1;
  N_Vector y = N_VNew_Serial(4, sunctx);
  sunrealtype* x = N_VGetArrayPointer(y);
  x[0] = 0.3;
  x[1] = 10.0;
  x[2] = x[3] = 0.0;

  /* instead of: void* arkode_mem = ERKStepCreate(pendulum, 0.0, y, sunctx); ARKodeSStolerances(arkode_mem, ...); */
  void* arkode_mem =
      LodestepStepCreate(argc > 1 ? argv[1] : "pendulum.safetensors", pendulum, 0.0, y, sunctx, &stepper);
  if (!arkode_mem) {
    N_VDestroy(y);
    SUNContext_Free(&sunctx);
    return 1;
  }
  ARKodeSetUserData(arkode_mem, &parameters);
  for (i = 1; i <= 10 && flag >= 0; ++i) {
    flag = ARKodeEvolve(arkode_mem, 5.0 * i, y, &t, ARK_NORMAL);
    printf("%4.0f %14.8f %14.8f %14.8f %14.8f\n", t, x[0], x[1], x[2], x[3]);
  }
  LodestepStepper_PrintAllStats(stepper, stdout, SUN_OUTPUTFORMAT_CSV);

  LodestepStepFree(&arkode_mem, &stepper); /* instead of: ARKodeFree(&arkode_mem); */
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}
