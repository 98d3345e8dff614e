/* Training in C: a problem in, a model out. In a library of its own, liblodestep_train_c, so that a program that only
 * takes steps links no trainer. */
#ifndef LODESTEP_TRAIN_H
#define LODESTEP_TRAIN_H

#include <lodestep/plugin.h>
#include <lodestep.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeros (after lodestep_train_options_init) are the defaults. */
typedef struct lodestep_train_options {
  size_t size;         /* sizeof(lodestep_train_options) */
  const char *base;    /* "rk4", "rk3", "heun", "euler"; null: the cheapest that reaches `error` */
  double dt;           /* the step to learn; 0: the problem's */
  double horizon;      /* of the roll-outs that judge candidates; 0: the problem's */
  double error;        /* the root mean square error asked for; 0: as small as it gets */
  size_t trajectories; /* for training; 0: as many as it needs */
  uint64_t seed;
  double time_limit; /* seconds; 0: 60 */
  /* Called with the work done, in [0, 1], and what is being done; a result other than 0 asks to stop as soon as there
   * is a model. May be null. */
  int (*progress)(double fraction, const char *what, void *user);
  void *user; /* handed to `progress` */
} lodestep_train_options;

typedef struct lodestep_train_report {
  int reached;     /* whether the error asked for was reached on validation states */
  int interrupted; /* stopped by `progress` */
  int timed_out;   /* stopped by time_limit */
  double seconds;
} lodestep_train_report;

LODESTEP_C_API void lodestep_train_options_init(lodestep_train_options *options);

/* Trains a corrector of the problem. `options` may be null for the defaults, `report` if it is not wanted. The problem
 * need only live during the call. LODESTEP_INVALID_DATA, with a message that says what, if something is wrong with it.
 */
LODESTEP_C_API int lodestep_train_attns(const lodestep_problem *problem, const lodestep_train_options *options,
                                        lodestep_model **model, lodestep_train_report *report);

#ifdef __cplusplus
}
#endif

#endif /* LODESTEP_TRAIN_H */
