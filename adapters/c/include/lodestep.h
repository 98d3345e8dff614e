/* lodestep in C: load a learned stepper and take steps with it.
 *
 * The header is C99 and C++98. The library throws nothing across this boundary, never exits and prints nothing.
 *
 *     lodestep_model *model;
 *     lodestep_stepper *stepper;
 *     if (lodestep_model_load("pendulum.safetensors", &model) != LODESTEP_SUCCESS)
 *       die(lodestep_last_error());
 *     lodestep_stepper_create(model, rhs, NULL, &stepper);
 *     lodestep_step(stepper, t, u, lodestep_model_dt(model));
 *     lodestep_stepper_free(stepper);
 *     lodestep_model_free(model);
 *
 * Threads: a model is immutable and may be shared by any number of threads; a stepper belongs to one thread at a time.
 * The same input gives the same bits, whatever the number of threads.
 *
 * Every function that can fail returns a lodestep_status; lodestep_last_error() then says what was wrong, where, what
 * was expected and what was found. A null handle or pointer where one is needed is LODESTEP_INVALID_ARGUMENT. */
#ifndef LODESTEP_H
#define LODESTEP_H

#include <stddef.h>
#include <stdint.h>

/* Raised when a function here changes its meaning or a struct its layout; new functions leave it as it is.
 * lodestep_abi() is the number of the library that is really loaded. */
#define LODESTEP_ABI 1

#if defined(__GNUC__)
#define LODESTEP_C_API __attribute__((visibility("default")))
#else
#define LODESTEP_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is success. As in SUNDIALS a positive status may be recovered from (take a smaller step, say), a negative one
 * may not. */
#define LODESTEP_STATUS_TABLE(X)                                                                                       \
  X(LODESTEP_SUCCESS, 0, "success")                                                                                    \
  X(LODESTEP_RHS_RECOVERABLE, 1, "the right-hand side reported a recoverable failure")                                 \
  X(LODESTEP_RHS_FATAL, -1, "the right-hand side reported a failure that cannot be recovered from")                    \
  X(LODESTEP_INVALID_ARGUMENT, -2, "an argument is outside its documented range")                                      \
  X(LODESTEP_INVALID_MODEL, -3, "the model is not sound")                                                              \
  X(LODESTEP_INVALID_DATA, -4, "the data cannot be used")                                                              \
  X(LODESTEP_IO_ERROR, -5, "a file could not be read or written")                                                      \
  X(LODESTEP_NOT_FINITE, -6, "the state after the step is not finite")                                                 \
  X(LODESTEP_RHS_THREW, -7, "the right-hand side threw a C++ exception")                                               \
  X(LODESTEP_OUT_OF_MEMORY, -8, "out of memory")                                                                       \
  X(LODESTEP_INTERNAL_ERROR, -9, "internal error: please report it")

#define LODESTEP_STATUS_ENUMERATOR_(name, value, text) name = value,
typedef enum lodestep_status {
  LODESTEP_STATUS_TABLE(LODESTEP_STATUS_ENUMERATOR_) LODESTEP_STATUS_END_ = 127
} lodestep_status;
#undef LODESTEP_STATUS_ENUMERATOR_

/* What a status means, in one line; never null. */
LODESTEP_C_API const char *lodestep_status_message(int status);
/* The name of a status as above, "LODESTEP_IO_ERROR" say; never null. */
LODESTEP_C_API const char *lodestep_status_name(int status);
/* The message of the last failure in the calling thread, "" if there was none; valid until the next failure there. */
LODESTEP_C_API const char *lodestep_last_error(void);
/* Sets that message (a long one is cut) and returns `status`: for libraries that extend this one. */
LODESTEP_C_API int lodestep_set_last_error(int status, const char *message);
/* LODESTEP_ABI and the version of the library that is loaded. */
LODESTEP_C_API int lodestep_abi(void);
LODESTEP_C_API const char *lodestep_version(void);

/* ---- Models ----------------------------------------------------------------------------------------------------- */

typedef struct lodestep_model lodestep_model;

/* Reads a model file, checking every byte and every field. On failure *model is null. */
LODESTEP_C_API int lodestep_model_load(const char *path, lodestep_model **model);
/* The same from memory, which may be given back afterwards; `name` stands for the path in messages. */
LODESTEP_C_API int lodestep_model_load_memory(const void *data, size_t size, const char *name, lodestep_model **model);
/* Writes a model file, whole or not at all. An existing file is replaced only if `overwrite` is not 0. */
LODESTEP_C_API int lodestep_model_save(const lodestep_model *model, const char *path, int overwrite);
/* Steppers made from a model keep what they need: it may be freed before them. Null is allowed. */
LODESTEP_C_API void lodestep_model_free(lodestep_model *model);

/* "corrector" (AttNS), "hierarchy" (flow maps, HiTS) or "tableau" (RK-NN); null for a null model. Strings live as long
 * as the model. */
LODESTEP_C_API const char *lodestep_model_kind(const lodestep_model *model);
/* Number of variables; 0 for a null model. */
LODESTEP_C_API size_t lodestep_model_dimension(const lodestep_model *model);
/* The step the model was trained for (the longest where it takes any up to it; of a hierarchy, that of the flow map
 * which places states), and the shortest that is learned: the same, or 0 for any. 0 for a null model. */
LODESTEP_C_API double lodestep_model_dt(const lodestep_model *model);
LODESTEP_C_API double lodestep_model_shortest_dt(const lodestep_model *model);
/* The spacing of the states that the model gives within a step; 0 if it gives none: see lodestep_fine_states. */
LODESTEP_C_API double lodestep_model_fine_dt(const lodestep_model *model);
/* "euler", "heun", "rk3", "rk4" ...: the scheme a corrector corrects, the one that fills in between flow maps' states,
 * or the classical tableau that takes a learned one's place where that may not be used. */
LODESTEP_C_API const char *lodestep_model_base(const lodestep_model *model);
/* The problem it was trained on. */
LODESTEP_C_API const char *lodestep_model_problem(const lodestep_model *model);
/* Name and unit ("" if it has none) of variable i; null if i is out of range. */
LODESTEP_C_API const char *lodestep_model_variable(const lodestep_model *model, size_t i);
LODESTEP_C_API const char *lodestep_model_unit(const lodestep_model *model, size_t i);
/* Parameters of the right-hand side that are inputs of the model: how many, and the name of the i-th with the interval
 * of values it may be used at (`lower` and `upper` may be null); null if i is out of range. */
LODESTEP_C_API size_t lodestep_model_parameters(const lodestep_model *model);
LODESTEP_C_API const char *lodestep_model_parameter(const lodestep_model *model, size_t i, double *lower,
                                                    double *upper);
/* The box of states the model may be used in: lower[dimension], upper[dimension]; infinite if it may be in any. */
LODESTEP_C_API int lodestep_model_domain(const lodestep_model *model, double *lower, double *upper);

/* Errors measured after training on held-out initial states, root mean squares over variables. */
typedef struct lodestep_model_errors {
  double step_rms;      /* of one step */
  double step_max;      /* the largest of one step */
  double horizon;       /* length of the roll-outs */
  double horizon_rms;   /* over time and trajectories */
  double base_step_rms; /* one step of the base scheme alone */
} lodestep_model_errors;
LODESTEP_C_API int lodestep_model_get_errors(const lodestep_model *model, lodestep_model_errors *errors);

/* ---- Steppers --------------------------------------------------------------------------------------------------- */

/* The right-hand side: ydot = f(t, y), both [dimension]. As in SUNDIALS, 0 is success, a positive result a recoverable
 * failure and a negative one a fatal failure; either ends the step at once, and the state is what it was before. */
typedef int (*lodestep_rhs)(double t, const double *y, double *ydot, void *user);
/* The right-hand side of n states at once: y and ydot are [n, dimension], one state after the other. */
typedef int (*lodestep_rhs_batch)(double t, size_t n, const double *y, double *ydot, void *user);

typedef struct lodestep_stepper lodestep_stepper;

/* A stepper; nothing is allocated by its single-state functions after the first step. `user` is handed to `rhs`. */
LODESTEP_C_API int lodestep_stepper_create(const lodestep_model *model, lodestep_rhs rhs, void *user,
                                           lodestep_stepper **stepper);
/* Gives ensembles a right-hand side that takes many states at once. It must agree with `rhs`. Null takes it away. */
LODESTEP_C_API int lodestep_stepper_set_rhs_batch(lodestep_stepper *stepper, lodestep_rhs_batch rhs_batch);
/* Sets a parameter of the right-hand side that is an input of the model, for the next steps. A value outside the
 * trained interval is accepted, and no step is then learned. LODESTEP_INVALID_ARGUMENT if the model has no such input.
 * A corrector starts with the values it was trained around; a tableau whose coefficients depend on parameters takes
 * classical steps until all of them are set. */
LODESTEP_C_API int lodestep_stepper_set_parameter(lodestep_stepper *stepper, const char *name, double value);
/* Null is allowed. */
LODESTEP_C_API void lodestep_stepper_free(lodestep_stepper *stepper);

/* LODESTEP_INVALID_ARGUMENT, with a message, unless the stepper's states have `dimension` variables: for callers whose
 * arrays know their size. */
LODESTEP_C_API int lodestep_stepper_check_dimension(const lodestep_stepper *stepper, size_t dimension);

/* Advances y by dt in place. The step is learned if dt is one the model was trained for and y lies in the domain;
 * otherwise, or if the correction is larger than any in training, a classical scheme takes it in sub-steps that keep
 * the model's accuracy, and the reason is counted. On failure y is unchanged. */
LODESTEP_C_API int lodestep_step(lodestep_stepper *stepper, double t, double *y, double dt);
/* The same, and the model's own estimate of the step's local error, one standard deviation of each variable,
 * error[dimension]. It costs no right-hand side. A model without an estimate of single steps gives its mean error;
 * a tableau with an embedded row what that says. */
LODESTEP_C_API int lodestep_step_error(lodestep_stepper *stepper, double t, double *y, double dt, double *error);

/* Evolves y from *t to t_end in steps of the trained dt and, where the interval is no multiple of it, a last shorter
 * one. On failure *t and y are those of the last good step. t_end < *t integrates backwards, never learned. */
LODESTEP_C_API int lodestep_evolve(lodestep_stepper *stepper, double *t, double *y, double t_end);

/* The states at times[0] <= times[1] <= ... (none before *t), states[count, dimension]. The trajectory is that of steps
 * of the trained dt, whatever the times. A state between two steps is the model's own where it has one there; otherwise
 * it is reached from the nearest one before, by a shorter learned step if the model takes any, or else by the classical
 * scheme in sub-steps that keep the model's accuracy. On return *t and y are the last whole step not after
 * times[count-1], so that the next call continues the same trajectory. On failure they are those of the last good step.
 */
LODESTEP_C_API int lodestep_states_at(lodestep_stepper *stepper, double *t, double *y, size_t count,
                                      const double *times, double *states);

/* All fine states, as far apart as lodestep_model_fine_dt says: states[count + 1, dimension], the first of them y; on
 * return *t and y are the last. A hierarchy places states by its flow map and fills in between by the fine scheme, all
 * segments at once (the hybrid scheme of HiTS): many right-hand sides are evaluated together, ahead of each other and
 * at whatever t, so that the system must be autonomous, and lodestep_stepper_set_rhs_batch pays. A corrector gives the
 * states it has learned within its steps. LODESTEP_INVALID_ARGUMENT for a model without any; on failure *t and y are
 * as before. Whole steps continue one trajectory from call to call: ask for multiples of dt / fine_dt states. */
LODESTEP_C_API int lodestep_fine_states(lodestep_stepper *stepper, double *t, double *y, size_t count, double *states);

/* The same from a hierarchy, corrected by at most `sweeps` sweeps of parareal (Lions, Maday and Turinici 2001), which
 * take the flow map's error to the fine scheme's own. `result` may be null. */
typedef struct lodestep_parareal_result {
  size_t sweeps; /* corrections done: fewer than asked for if nothing was left to correct */
  double jump;   /* the largest gap left between segments: about the error against the fine scheme's serial solution */
  int converged; /* whether it is within rounding */
} lodestep_parareal_result;
LODESTEP_C_API int lodestep_parareal_states(lodestep_stepper *stepper, double *t, double *y, size_t count,
                                            double *states, unsigned sweeps, lodestep_parareal_result *result);

/* Threads that a hierarchy's fine states are computed by, the calling one included: 1 at first. The right-hand sides
 * are then called by several at once. The same bits whatever their number. */
LODESTEP_C_API int lodestep_stepper_set_threads(lodestep_stepper *stepper, unsigned threads);

/* lodestep_step and lodestep_evolve for n states at once, y[n, dimension], each what it would be alone, to rounding. On
 * failure of any state, all are as they were before that step. */
LODESTEP_C_API int lodestep_step_ensemble(lodestep_stepper *stepper, double t, double *y, size_t n, double dt);
LODESTEP_C_API int lodestep_evolve_ensemble(lodestep_stepper *stepper, double *t, double *y, size_t n, double t_end);

/* Measures the error of the step that lodestep_step would take from y: error[dimension] is that step minus the
 * classical scheme in twice as many sub-steps as keep the model's accuracy. Nothing is advanced, and of the counts only
 * rhs_evaluations grows. */
LODESTEP_C_API int lodestep_estimate_error(lodestep_stepper *stepper, double t, const double *y, double dt,
                                           double *error);

/* What became of the steps of a stepper (of all states, in an ensemble). */
typedef struct lodestep_counters {
  uint64_t learned;         /* taken by the model */
  uint64_t step_size;       /* by the classical scheme: dt is not the trained one */
  uint64_t domain;          /* by the classical scheme: the state is outside the domain of training */
  uint64_t correction;      /* by the classical scheme: the correction was larger than any in training */
  uint64_t rhs_evaluations; /* right-hand sides, of one state each */
} lodestep_counters;
LODESTEP_C_API int lodestep_get_counters(const lodestep_stepper *stepper, lodestep_counters *counters);
LODESTEP_C_API int lodestep_reset_counters(lodestep_stepper *stepper);

/* What the right-hand side returned when it last failed; 0 if it never did. */
LODESTEP_C_API int lodestep_last_rhs_result(const lodestep_stepper *stepper);

#ifdef __cplusplus
}
#endif

#endif /* LODESTEP_H */
