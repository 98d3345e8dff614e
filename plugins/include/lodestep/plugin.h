/* A problem as a shared object: C99 and C++98.
 *
 * A plugin exports one symbol, the struct below:
 *
 *     #include <lodestep/plugin.h>
 *     LODESTEP_PLUGIN = {LODESTEP_PLUGIN_ABI, sizeof(lodestep_problem), "decay", ...};
 *
 *     cc -shared -fPIC -o decay.so decay.c
 *     lodestep train attns ./decay.so -o decay.safetensors
 *
 * Every verb of the command takes ./decay.so where it takes the name of a problem, "./decay.so:rate=2" setting a
 * parameter. The same struct is what lodestep_train.h trains from. */
#ifndef LODESTEP_PLUGIN_H
#define LODESTEP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* Raised when the struct changes. A plugin of another number is refused, by name. */
#define LODESTEP_PLUGIN_ABI 1

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lodestep_parameter {
  const char* name;
  double value; /* the default */
} lodestep_parameter;

/* Random numbers for a sampler: the same on every platform, for the same seed. */
typedef struct lodestep_random {
  double (*uniform)(void* state, double lower, double upper);
  double (*normal)(void* state); /* mean 0, variance 1 */
  void* state;
} lodestep_random;

/* Functions return 0 for success and, as in SUNDIALS, a positive number for a failure that may be recovered from and a
 * negative one for one that may not. They may be called from several threads at once. What a pointer points to must
 * live as long as the problem is open. Fields marked optional may be null. */
typedef struct lodestep_problem {
  uint32_t abi;  /* LODESTEP_PLUGIN_ABI */
  uint32_t size; /* sizeof(lodestep_problem) */
  const char* name;
  const char* description;      /* optional: one line for a person */
  uint64_t dimension;           /* 1 to 100000 */
  const char* const* variables; /* optional: [dimension] names; u0, u1, ... without */
  const char* const* units;     /* optional: [dimension], "" for none */
  uint64_t parameter_count;
  const lodestep_parameter* parameters; /* [parameter_count] */
  double horizon;                       /* length of a trajectory */
  double dt;                            /* a step worth learning */

  /* dudt = f(t, u). */
  int (*rhs)(double t, const double* u, double* dudt, void* user);
  /* Optional: the same for n states, u and dudt [n, dimension]. */
  int (*rhs_batch)(double t, size_t n, const double* u, double* dudt, void* user);
  /* Optional: jv = (df/du) v at (t, u). */
  int (*jvp)(double t, const double* u, const double* v, double* jv, void* user);
  /* Modelled time of one right-hand side in nanoseconds, the same on every machine; 0 if unknown. */
  double rhs_cost_ns;

  /* The box of initial states, [dimension] each. Without a sampler states are uniform in it; a variable whose bounds
   * are equal is fixed. With a sampler it is optional, and every sample must lie in it. */
  const double* lower;
  const double* upper;
  int (*sample)(const lodestep_random* random, double* u0, void* user);

  /* Optional: called once on a copy of this struct, before anything else, with the values of the parameters. It may
   * change every field but `parameters`, the dimension included; on failure it may set `error`. */
  int (*open)(const double* parameters, struct lodestep_problem* self);
  void (*close)(struct lodestep_problem* self);
  const char* error;
  /* Handed to the functions. Where `open` is null and this is too, it will be the values of the parameters. */
  void* user;
} lodestep_problem;

#if defined(__GNUC__)
#define LODESTEP_PLUGIN_EXPORT_ __attribute__((visibility("default")))
#else
#define LODESTEP_PLUGIN_EXPORT_
#endif

/* The one symbol of a plugin. */
extern LODESTEP_PLUGIN_EXPORT_ const lodestep_problem lodestep_problem_plugin;
#define LODESTEP_PLUGIN const lodestep_problem lodestep_problem_plugin

#ifdef __cplusplus
}
#endif

#endif /* LODESTEP_PLUGIN_H */
