/* Training from plain C: a problem in, a model out, and a step taken with it. */
#include <lodestep_train.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, lodestep_last_error());                       \
      return 1;                                                                                                        \
    }                                                                                                                  \
  } while (0)

static int rhs(double t, const double *u, double *dudt, void *user) {
  (void)t;
  (void)user;
  dudt[0] = u[1];
  dudt[1] = -u[0];
  return 0;
}

static int calls = 0;
static int progress(double fraction, const char *what, void *user) {
  *(int *)user += fraction >= 0.0 && fraction <= 1.0 && what != NULL;
  return 0;
}

int main(void) {
  static const char *const names[] = {"x", "v"};
  static const double lower[] = {-1.0, -1.0}, upper[] = {1.0, 1.0};
  lodestep_problem problem;
  lodestep_train_options options;
  lodestep_train_report report;
  lodestep_model *model = NULL;
  lodestep_stepper *stepper = NULL;
  double u[2] = {0.5, 0.0}, t = 0.0;

  memset(&problem, 0, sizeof problem);
  problem.abi = LODESTEP_PLUGIN_ABI;
  problem.size = sizeof problem;
  problem.name = "oscillator";
  problem.dimension = 2;
  problem.variables = names;
  problem.horizon = 10.0;
  problem.dt = 0.5;
  problem.rhs = rhs;
  problem.lower = lower;
  problem.upper = upper;

  lodestep_train_options_init(&options);
  options.base = "rk4";
  options.error = 1e-9;
  options.progress = progress;
  options.user = &calls;
  CHECK(lodestep_train_attns(&problem, &options, &model, &report) == LODESTEP_SUCCESS);
  CHECK(report.reached && !report.interrupted && !report.timed_out && report.seconds > 0.0);
  CHECK(calls > 0);
  CHECK(strcmp(lodestep_model_problem(model), "oscillator") == 0);
  CHECK(strcmp(lodestep_model_variable(model, 1), "v") == 0);
  CHECK(lodestep_stepper_create(model, rhs, NULL, &stepper) == LODESTEP_SUCCESS);
  CHECK(lodestep_evolve(stepper, &t, u, 10.0) == LODESTEP_SUCCESS);
  /* RK4 alone at this step is off by 1e-2. */
  CHECK(fabs(u[0] - 0.5 * cos(10.0)) < 1e-8 && fabs(u[1] + 0.5 * sin(10.0)) < 1e-8);
  lodestep_stepper_free(stepper);
  lodestep_model_free(model);

  options.base = "rk5";
  CHECK(lodestep_train_attns(&problem, &options, &model, NULL) == LODESTEP_INVALID_ARGUMENT);
  CHECK(model == NULL && strstr(lodestep_last_error(), "rk5") != NULL);
  problem.dimension = 0;
  CHECK(lodestep_train_attns(&problem, NULL, &model, NULL) == LODESTEP_INVALID_DATA);
  CHECK(strstr(lodestep_last_error(), "dimension is 0") != NULL);
  options.size = 3;
  CHECK(lodestep_train_attns(&problem, &options, &model, NULL) == LODESTEP_INVALID_ARGUMENT);
  CHECK(lodestep_train_attns(NULL, NULL, &model, NULL) == LODESTEP_INVALID_ARGUMENT);
  return 0;
}
