/* A host that was not linked against lodestep: it opens lodestep.so when it runs, and does without where there is none.
 *
 *     ./host path/to/lodestep.so pendulum.safetensors */
#include <dlfcn.h>
#include <lodestep_table.h>
#include <math.h>
#include <stdio.h>

static int rhs(double t, const double* u, double* dudt, void* user) {
  (void)t;
  (void)user;
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * cos(u[0]);
  return 0;
}

static const lodestep_functions* open_lodestep(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  lodestep_table_function table;
  if (!library) return NULL;
  *(void**)&table = dlsym(library, LODESTEP_TABLE_SYMBOL); /* as POSIX writes it: C has no such cast */
  return table ? table(LODESTEP_ABI) : NULL;
}

int main(int argc, char** argv) {
  const lodestep_functions* lodestep = argc == 3 ? open_lodestep(argv[1]) : NULL;
  lodestep_model* model = NULL;
  lodestep_stepper* stepper = NULL;
  lodestep_counters counters = {0, 0, 0, 0, 0};
  double t = 0.0, u[4] = {0.2, 10.0, 0.0, 0.0};
  int status;

  if (!lodestep) {
    printf("no lodestep here: taking classical steps\n");
    return 0;
  }
  status = lodestep->model_load(argv[2], &model);
  if (status == LODESTEP_SUCCESS) status = lodestep->stepper_create(model, rhs, NULL, &stepper);
  if (status == LODESTEP_SUCCESS) status = lodestep->stepper_check_dimension(stepper, 4);
  if (status == LODESTEP_SUCCESS) status = lodestep->evolve(stepper, &t, u, 50.0);
  if (status == LODESTEP_SUCCESS) status = lodestep->get_counters(stepper, &counters);
  if (status != LODESTEP_SUCCESS) fprintf(stderr, "host: %s\n", lodestep->last_error());
  printf("lodestep %s, %s\n", lodestep->version(), lodestep->status_message(status));
  printf("%lu learned steps to t = %g: %.6f %.6f %.6f %.6f\n", (unsigned long)counters.learned, t, u[0], u[1], u[2],
         u[3]);
  lodestep->stepper_free(stepper);
  lodestep->model_free(model);
  return status == LODESTEP_SUCCESS ? 0 : 1;
}
