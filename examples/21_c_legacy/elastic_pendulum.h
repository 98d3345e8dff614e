/*
 * A learned ODE stepper, written by lodestep 0.1.0. Do not edit: export it again.
 *
 * Problem   elastic_pendulum
 * Method    rk4 corrected by a polynomial of degree 3, 4-4 of its state
 * Step      0.1; any other is taken by rk4 in sub-steps of at most 0.0125
 * Error     1.69e-07 rms of one step, 2.49e-06 rms over 50 (measured on held-out initial states)
 * Domain    outside of which rk4 takes over:
 *             -0.427394 <= theta <= 0.42746 rad
 *             9.94802 <= r <= 10.5568 m
 *             -0.431064 <= theta_dot <= 0.431892 rad/s
 *             -1.8705 <= r_dot <= 1.87052 m/s
 */
#ifndef ELASTIC_PENDULUM_H
#define ELASTIC_PENDULUM_H

#ifdef __cplusplus
extern "C" {
#endif

#define ELASTIC_PENDULUM_DIMENSION 4
/* The step it was trained for. */
#define ELASTIC_PENDULUM_DT 0.10000000000000001

/* The right-hand side: dudt = f(t, u). A result other than 0 ends the step at once, the state unchanged. */
typedef int (*elastic_pendulum_rhs)(double t, const double *u, double *dudt, void *user);

/* What became of the steps. Start from zeros. */
typedef struct elastic_pendulum_counters {
  unsigned long learned;    /* taken by the model */
  unsigned long step_size;  /* by the fallback scheme: dt is not the trained one */
  unsigned long domain;     /* by the fallback scheme: the state is outside the domain */
  unsigned long correction; /* by the fallback scheme: the correction was larger than any in training */
} elastic_pendulum_counters;

/* Advances u by dt in place. `user` is handed to `rhs`; `counters` may be null. Returns 0, or what `rhs` returned. */
int elastic_pendulum_step(elastic_pendulum_rhs rhs, void *user, double t, double *u, double dt, elastic_pendulum_counters *counters);

/* The same, and an estimate of the step's local error: one standard deviation of each variable, error[ELASTIC_PENDULUM_DIMENSION]. */
int elastic_pendulum_step_error(elastic_pendulum_rhs rhs, void *user, double t, double *u, double dt, double *error,
    elastic_pendulum_counters *counters);

/* Advances u from *t to t_end in steps of ELASTIC_PENDULUM_DT and, where the interval is no multiple of it, a last shorter one.
 * Returns 0, or what `rhs` returned, *t and u being those of the last good step; -1 if the interval cannot be counted
 * in steps. */
int elastic_pendulum_evolve(elastic_pendulum_rhs rhs, void *user, double *t, double *u, double t_end, elastic_pendulum_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
