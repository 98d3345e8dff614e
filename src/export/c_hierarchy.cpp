#include "export/c_hierarchy.hpp"

#include "export/c_approximator.hpp"
#include "export/c_steps.hpp"
#include "export/c_text.hpp"
#include "export/source_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

constexpr const char* header_template = R"(/*
@description@ */
#ifndef @NAME@_H
#define @NAME@_H

#ifdef __cplusplus
extern "C" {
#endif

#define @NAME@_DIMENSION @dimension@
/* The step of the flow map. */
#define @NAME@_DT @dt@
/* States that it gives of a step, and how far apart they are. */
#define @NAME@_STATES @fine_steps@
#define @NAME@_FINE_DT @fine_dt@

/* The right-hand side: dudt = f(t, u). A result other than 0 ends the step at once, the state unchanged. */
typedef int (*@name@_rhs)(double t, const double *u, double *dudt, void *user);

/* What became of the steps. Start from zeros. */
typedef struct @name@_counters {
  unsigned long learned;    /* taken by the flow map */
  unsigned long step_size;  /* by @fine@: dt is not the flow map's */
  unsigned long domain;     /* by @fine@: the state is outside the domain */
  unsigned long correction; /* by @fine@: what the map adds was larger than any in training */
} @name@_counters;

/* Advances u by dt in place. `user` is handed to `rhs`; `counters` may be null. Returns 0, or what `rhs` returned. */
int @name@_step(@name@_rhs rhs, void *user, double t, double *u, double dt, @name@_counters *counters);

/* Advances u by @NAME@_DT in place, and gives the states within the step, @NAME@_FINE_DT apart:
 * states[@NAME@_STATES][@NAME@_DIMENSION], the last of them u. They are @fine@'s, from the beginning of the step. */
int @name@_step_states(@name@_rhs rhs, void *user, double t, double *u, double *states, @name@_counters *counters);

/* Advances u from *t to t_end in steps of @NAME@_DT and, where the interval is no multiple of it, a last shorter one.
 * Returns 0, or what `rhs` returned, *t and u being those of the last good step; -1 if the interval cannot be counted
 * in steps. */
int @name@_evolve(@name@_rhs rhs, void *user, double *t, double *u, double t_end, @name@_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
)";

constexpr const char* prologue = R"(/*
@description@ */
#include "@name@.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIMENSION = @dimension@, STAGES = @stages@, FINE_STEPS = @fine_steps@, GIVEN = @given@ };

)";

constexpr const char* epilogue = R"(
@base_function@@fine_function@
/* @fine@ from next over dt, in `count` equal steps. */
static int fine_steps(@name@_rhs rhs, void *user, double t, double dt, double count, double *next) {
  double k[STAGES][DIMENSION];
  const double h = dt / count;
  double i;
  for (i = 0.0; i < count; i += 1.0) {
    const int result = fine_step(rhs, user, t + i * h, next, h, next, k);
    if (result != 0) return result;
  }
  return 0;
}

int @name@_step(@name@_rhs rhs, void *user, double t, double *u, double dt, @name@_counters *counters) {
  enum { LEARNED, STEP_SIZE, DOMAIN_LEFT, CORRECTION } verdict = LEARNED;
  double next[DIMENSION];
  int inside = 1, small = 1, result;
  size_t n;
  memcpy(next, u, sizeof next);
  for (n = 0; n < DIMENSION; ++n) inside &= (u[n] >= lower[n]) & (u[n] <= upper[n]); /* NaN is outside */
  if (!inside) verdict = DOMAIN_LEFT;
  if (!(fabs(dt - @dt@) <= 1e-9 * @dt@)) verdict = STEP_SIZE;
  if (verdict == LEARNED) {
    double given[GIVEN * DIMENSION], *added = given + (GIVEN - 1) * DIMENSION;
@base_steps@    flow(u, given);
    /* NaN is not small, and 0 times what is not finite is NaN. */
    for (n = 0; n < DIMENSION; ++n) small &= fabs(added[n]) + 0.0 * next[n] <= limit[n];
    for (n = 0; n < DIMENSION; ++n) next[n] += added[n];
    if (!small) verdict = added[0] != added[0] ? DOMAIN_LEFT : CORRECTION;
  }
  if (verdict != LEARNED) {
    const double ratio = ceil(fabs(dt) / @fine_dt@ * (1.0 - 1e-9));
    memcpy(next, u, sizeof next);
    result = fine_steps(rhs, user, t, dt, ratio < 1.0 ? 1.0 : ratio, next);
    if (result != 0) return result;
  }
  memcpy(u, next, sizeof next);
  if (counters) {
    counters->learned += verdict == LEARNED;
    counters->step_size += verdict == STEP_SIZE;
    counters->domain += verdict == DOMAIN_LEFT;
    counters->correction += verdict == CORRECTION;
  }
  return 0;
}

int @name@_step_states(@name@_rhs rhs, void *user, double t, double *u, double *states, @name@_counters *counters) {
  double next[DIMENSION];
  int result;
  size_t j;
  memcpy(next, u, sizeof next);
  for (j = 0; j + 1 < FINE_STEPS; ++j) {
    result = fine_steps(rhs, user, t + (double)j * @fine_dt@, @fine_dt@, 1.0, next);
    if (result != 0) return result;
    memcpy(states + j * DIMENSION, next, sizeof next);
  }
  result = @name@_step(rhs, user, t, u, @dt@, counters);
  if (result != 0) return result;
  memcpy(states + j * DIMENSION, u, sizeof next);
  return 0;
}

int @name@_evolve(@name@_rhs rhs, void *user, double *t, double *u, double t_end, @name@_counters *counters) {
@evolve@}
)";

/// Statements that take the base scheme's steps, for a flow map that has one.
constexpr const char* base_steps = R"(    double k[STAGES][DIMENSION];
    for (n = 0; n < @substeps@; ++n) {
      result = base_step(rhs, user, t + (double)n * (@dt@ / @substeps@.0), next, @dt@ / @substeps@.0, next, k);
      if (result != 0) return result;
    }
)";

} // namespace

CSource c_hierarchy(const Model& model, const std::string& name) {
  const auto& hierarchy = whole_states(model);
  const FlowMapModel& map = hierarchy.maps[hierarchy.placing];
  const ButcherTableau& fine = classical_tableau(hierarchy.fine);
  const bool based = !map.base.empty();
  const ButcherTableau& base = based ? classical_tableau(map.base) : fine;
  std::vector<double> lower, upper;
  for (const auto& interval : map.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  std::vector<Replacement> keys{
      {"name", name},
      {"NAME", upper_case(name)},
      {"description", c_comment(describe_model(model))},
      {"dimension", std::to_string(model.dimension())},
      {"stages", std::to_string(std::max(base.stages(), fine.stages()))},
      {"fine", hierarchy.fine},
      {"fine_dt", c_constant(hierarchy.fine_dt)},
      {"fine_steps", std::to_string(std::llround(map.dt / hierarchy.fine_dt))},
      {"dt", c_constant(map.dt)},
      {"given", std::to_string(map.states)},
      {"substeps", std::to_string(map.substeps)},
      {"base_function",
       based ? c_step(base, {name, "base_step", "One step of " + base.name + ", which the map corrects.", ""}) + "\n"
             : ""},
      {"fine_function", c_step(fine, {name, "fine_step", "One step of " + fine.name + ". next may be u.", ""})},
      {"evolve", c_evolve(name, c_constant(map.dt), "", "")}};
  keys.push_back({"base_steps", based ? fill(base_steps, keys) : ""});
  CSource source;
  source.header = fill(header_template, keys);
  source.source = fill(prologue, keys) + "/* Where the flow map may be used, and the largest change it may add. */\n" +
                  c_table("double", "lower", lower) + c_table("double", "upper", upper) +
                  c_table("double", "limit", map.limit) + "\n" +
                  CApproximators().write(map.approximator, {"flow", "", "What the flow map adds to a state"}) +
                  fill(epilogue, keys);
  return source;
}

} // namespace lodestep::source
