/* A reactor code that takes the exported stepper of the brusselator:
 *
 *     lodestep train attns ./brusselator.so --base rk4 --error 1e-6 -o brusselator.safetensors
 *     lodestep export brusselator.safetensors --c
 *     cc -O3 reactor.c brusselator.c -lm -o reactor */
#include "brusselator.h"

#include <stdio.h>

static int reaction(double t, const double* u, double* dudt, void* user) {
  (void)t;
  (void)user;
  dudt[0] = 1.0 + u[0] * (u[0] * u[1] - 3.5);
  dudt[1] = u[0] * (2.5 - u[0] * u[1]);
  return 0;
}

int main(void) {
  double u[2] = {1.0, 2.4}, t = 0.0;
  brusselator_counters counters = {0, 0, 0, 0};
  if (brusselator_evolve(reaction, NULL, &t, u, 20.0, &counters) != 0) return 1;
  printf("at t = %g: %.6f %.6f\n", t, u[0], u[1]);
  printf("%lu steps learned, %lu taken by the base scheme\n", counters.learned,
         counters.step_size + counters.domain + counters.correction);
  return 0;
}
