/* A host in plain C: everything a C program does with the library, compiled as C99. */
#include <lodestep.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, lodestep_last_error());                       \
      return 1;                                                                                                        \
    }                                                                                                                  \
  } while (0)

struct parameters {
  double g;
  long calls;
};

static int rhs(double t, const double *u, double *dudt, void *user) {
  struct parameters *p = user;
  (void)t;
  ++p->calls;
  if (u[1] <= 0.0) return 1;
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(p->g * sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + p->g * cos(u[0]);
  return 0;
}

int main(int argc, char **argv) {
  lodestep_model *model = NULL;
  lodestep_stepper *stepper = NULL;
  lodestep_counters counters;
  lodestep_model_errors errors;
  struct parameters p = {9.81, 0};
  double u[4] = {0.2, 10.2, 0.0, 0.3}, lower[4], upper[4], t = 0.0, change = 0.0;
  int i;

  CHECK(argc == 2);
  CHECK(lodestep_abi() == LODESTEP_ABI);
  CHECK(lodestep_version()[0] != '\0');
  CHECK(strcmp(lodestep_status_name(LODESTEP_IO_ERROR), "LODESTEP_IO_ERROR") == 0);
  CHECK(strcmp(lodestep_status_message(LODESTEP_SUCCESS), "success") == 0);
  CHECK(strcmp(lodestep_status_message(12345), "no status of lodestep") == 0);

  CHECK(lodestep_model_load(argv[1], &model) == LODESTEP_SUCCESS);
  CHECK(lodestep_model_dimension(model) == 4);
  CHECK(lodestep_model_dt(model) == 0.1);
  CHECK(strcmp(lodestep_model_base(model), "rk4") == 0);
  CHECK(strcmp(lodestep_model_problem(model), "elastic_pendulum") == 0);
  CHECK(strcmp(lodestep_model_variable(model, 2), "theta_dot") == 0);
  CHECK(strcmp(lodestep_model_unit(model, 2), "rad/s") == 0);
  CHECK(lodestep_model_domain(model, lower, upper) == LODESTEP_SUCCESS);
  for (i = 0; i < 4; ++i) CHECK(lower[i] < u[i] && u[i] < upper[i]);
  CHECK(lodestep_model_get_errors(model, &errors) == LODESTEP_SUCCESS);
  CHECK(errors.step_rms == 1e-9 && errors.base_step_rms == 1e-4);
  CHECK(lodestep_model_save(model, argv[1], 0) == LODESTEP_IO_ERROR);
  CHECK(lodestep_model_save(model, argv[1], 1) == LODESTEP_SUCCESS);

  CHECK(lodestep_stepper_create(model, rhs, &p, &stepper) == LODESTEP_SUCCESS);
  lodestep_model_free(model); /* the stepper keeps what it needs */
  CHECK(lodestep_evolve(stepper, &t, u, 2.0) == LODESTEP_SUCCESS);
  CHECK(t == 2.0);
  for (i = 0; i < 4; ++i) change += fabs(u[i]);
  CHECK(change > 1.0 && change < 100.0);
  CHECK(lodestep_get_counters(stepper, &counters) == LODESTEP_SUCCESS);
  CHECK(counters.learned + counters.domain + counters.correction + counters.step_size == 20);
  CHECK(counters.rhs_evaluations == (uint64_t)p.calls);
  u[1] = -1.0;
  CHECK(lodestep_step(stepper, t, u, 0.1) == LODESTEP_RHS_RECOVERABLE);
  CHECK(u[1] == -1.0);
  lodestep_stepper_free(stepper);
  return 0;
}
