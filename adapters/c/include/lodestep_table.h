/* lodestep for a host that is not linked against it: open lodestep.so at run time and ask for the table of functions.
 *
 *     void *library = dlopen("lodestep.so", RTLD_NOW | RTLD_LOCAL);
 *     lodestep_table_function table = (lodestep_table_function)dlsym(library, LODESTEP_TABLE_SYMBOL);
 *     const lodestep_functions *lodestep = table ? table(LODESTEP_ABI) : NULL;
 *     if (lodestep) lodestep->model_load("pendulum.safetensors", &model);
 *
 * The host needs this header at compile time and nothing at link time. */
#ifndef LODESTEP_TABLE_H
#define LODESTEP_TABLE_H

#include <lodestep.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The functions of lodestep.h, without the prefix. New ones are added at the end: a host may use those that lie within
 * `size` bytes. */
typedef struct lodestep_functions {
  int abi;     /* LODESTEP_ABI of the library */
  size_t size; /* sizeof(lodestep_functions) of the library */
  const char *(*version)(void);
  const char *(*status_message)(int status);
  const char *(*status_name)(int status);
  const char *(*last_error)(void);
  int (*model_load)(const char *path, lodestep_model **model);
  int (*model_load_memory)(const void *data, size_t size, const char *name, lodestep_model **model);
  int (*model_save)(const lodestep_model *model, const char *path, int overwrite);
  void (*model_free)(lodestep_model *model);
  size_t (*model_dimension)(const lodestep_model *model);
  double (*model_dt)(const lodestep_model *model);
  const char *(*model_base)(const lodestep_model *model);
  const char *(*model_problem)(const lodestep_model *model);
  const char *(*model_variable)(const lodestep_model *model, size_t i);
  const char *(*model_unit)(const lodestep_model *model, size_t i);
  int (*model_domain)(const lodestep_model *model, double *lower, double *upper);
  int (*model_get_errors)(const lodestep_model *model, lodestep_model_errors *errors);
  int (*stepper_create)(const lodestep_model *model, lodestep_rhs rhs, void *user, lodestep_stepper **stepper);
  int (*stepper_set_rhs_batch)(lodestep_stepper *stepper, lodestep_rhs_batch rhs_batch);
  void (*stepper_free)(lodestep_stepper *stepper);
  int (*stepper_check_dimension)(const lodestep_stepper *stepper, size_t dimension);
  int (*step)(lodestep_stepper *stepper, double t, double *y, double dt);
  int (*evolve)(lodestep_stepper *stepper, double *t, double *y, double t_end);
  int (*states_at)(lodestep_stepper *stepper, double *t, double *y, size_t count, const double *times, double *states);
  int (*step_ensemble)(lodestep_stepper *stepper, double t, double *y, size_t n, double dt);
  int (*evolve_ensemble)(lodestep_stepper *stepper, double *t, double *y, size_t n, double t_end);
  int (*estimate_error)(lodestep_stepper *stepper, double t, const double *y, double dt, double *error);
  int (*get_counters)(const lodestep_stepper *stepper, lodestep_counters *counters);
  int (*reset_counters)(lodestep_stepper *stepper);
  int (*last_rhs_result)(const lodestep_stepper *stepper);
  int (*stepper_set_parameter)(lodestep_stepper *stepper, const char *name, double value);
  const char *(*model_kind)(const lodestep_model *model);
  double (*model_shortest_dt)(const lodestep_model *model);
  double (*model_fine_dt)(const lodestep_model *model);
  size_t (*model_parameters)(const lodestep_model *model);
  const char *(*model_parameter)(const lodestep_model *model, size_t i, double *lower, double *upper);
  int (*step_error)(lodestep_stepper *stepper, double t, double *y, double dt, double *error);
  int (*fine_states)(lodestep_stepper *stepper, double *t, double *y, size_t count, double *states);
  int (*parareal_states)(lodestep_stepper *stepper, double *t, double *y, size_t count, double *states, unsigned sweeps,
                         lodestep_parareal_result *result);
  int (*stepper_set_threads)(lodestep_stepper *stepper, unsigned threads);
} lodestep_functions;

#define LODESTEP_TABLE_SYMBOL "lodestep_table"
/* The one symbol of lodestep.so: the table, or null if the library does not speak this ABI. */
typedef const lodestep_functions *(*lodestep_table_function)(int abi);
LODESTEP_C_API const lodestep_functions *lodestep_table(int abi);

#ifdef __cplusplus
}
#endif

#endif /* LODESTEP_TABLE_H */
