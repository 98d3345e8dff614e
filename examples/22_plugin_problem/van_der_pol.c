/* The same in C, in thirty lines: van der Pol's oscillator. */
#include <lodestep/plugin.h>

static const char* const names[] = {"x", "v"};
static const double lower[] = {-2.0, -1.0};
static const double upper[] = {2.0, 1.0};
static const lodestep_parameter parameters[] = {{"mu", 1.0}};

static int rhs(double t, const double* u, double* dudt, void* user) {
  const double mu = *(const double*)user; /* the parameters' values, in order */
  (void)t;
  dudt[0] = u[1];
  dudt[1] = mu * (1.0 - u[0] * u[0]) * u[1] - u[0];
  return 0;
}

LODESTEP_PLUGIN = {LODESTEP_PLUGIN_ABI,
                   sizeof(lodestep_problem),
                   "van_der_pol",
                   "van der Pol's oscillator",
                   2,
                   names,
                   NULL, /* dimension, names, units */
                   1,
                   parameters,
                   20.0,
                   0.05, /* horizon, dt */
                   rhs,
                   NULL,
                   NULL,
                   0.0, /* no batched form, no Jacobian, cost unknown */
                   lower,
                   upper,
                   NULL, /* initial states are uniform in a box */
                   NULL,
                   NULL,
                   NULL,
                   NULL};
