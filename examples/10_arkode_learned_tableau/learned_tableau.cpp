// Van der Pol's oscillator by ERKStep, its steps controlled by the error estimate, with a tableau learned for this
// family of problems in place of a classical one. Written as SUNDIALS' examples are; the lines that differ are marked.

#include <lodestep/sundials/lodestep_sundials.h> // new

#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>

#include <cstdio>

#if SUNDIALS_VERSION_MAJOR < 7 // there, each stepper has names of its own
#define ARKodeEvolve ERKStepEvolve
#define ARKodeFree ERKStepFree
#define ARKodePrintAllStats ERKStepPrintAllStats
#define ARKodeSetMaxStep ERKStepSetMaxStep
#define ARKodeSStolerances ERKStepSStolerances
#endif

static int van_der_pol(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const sunrealtype* x = N_VGetArrayPointer(y);
  sunrealtype* dxdt = N_VGetArrayPointer(ydot);
  const sunrealtype mu = 1.5;
  dxdt[0] = x[1];
  dxdt[1] = mu * (1.0 - x[0] * x[0]) * x[1] - x[0];
  return 0;
}

int main(int argc, char** argv) {
  const char* model = argc > 1 ? argv[1] : "van_der_pol.safetensors";
  SUNContext sunctx = nullptr;
  if (LodestepSUNContext_Create(&sunctx)) return 1;
  N_Vector y = N_VNew_Serial(2, sunctx);
  sunrealtype* x = N_VGetArrayPointer(y);
  x[0] = -2.0;
  x[1] = 1.0;

  void* arkode_mem = ERKStepCreate(van_der_pol, 0.0, y, sunctx);
  ARKodeSStolerances(arkode_mem, 1e-4, 1e-6);

  // instead of: ERKStepSetTableNum(arkode_mem, ARKODE_BOGACKI_SHAMPINE_4_2_3);
  sunrealtype hmax = 0.0;
  ARKodeButcherTable table = LodestepButcherTable_Load(model, 0.0, nullptr, &hmax);
  int flag = table ? ERKStepSetTable(arkode_mem, table) : ARK_ILL_INPUT;
  if (flag == ARK_SUCCESS) {
    ARKodeSetMaxStep(arkode_mem, hmax); // beyond, the tableau was not measured to be any good
    for (int i = 1; i <= 10 && flag >= 0; ++i) {
      sunrealtype t = 0.0;
      flag = ARKodeEvolve(arkode_mem, 1.0 * i, y, &t, ARK_NORMAL);
      std::printf("%4.1f %14.8f %14.8f\n", t, x[0], x[1]);
    }
    ARKodePrintAllStats(arkode_mem, stdout, SUN_OUTPUTFORMAT_TABLE);
  }

  ARKodeButcherTable_Free(table);
  ARKodeFree(&arkode_mem);
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}
