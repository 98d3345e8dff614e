#include "export/c_corrector.hpp"

#include "export/c_approximator.hpp"
#include "export/c_steps.hpp"
#include "export/c_text.hpp"
#include "export/density.hpp"
#include "export/source_text.hpp"

#include <algorithm>
#include <cstddef>
#include <variant>

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
/* The step it was trained for. */
#define @NAME@_DT @dt@

/* The right-hand side: dudt = f(t, u). A result other than 0 ends the step at once, the state unchanged. */
typedef int (*@name@_rhs)(double t, const double *u, double *dudt, void *user);

/* What became of the steps. Start from zeros. */
typedef struct @name@_counters {
  unsigned long learned;    /* taken by the model */
  unsigned long step_size;  /* by the fallback scheme: dt is not the trained one */
  unsigned long domain;     /* by the fallback scheme: the state is outside the domain */
  unsigned long correction; /* by the fallback scheme: the correction was larger than any in training */
} @name@_counters;

/* Advances u by dt in place. `user` is handed to `rhs`; `counters` may be null. Returns 0, or what `rhs` returned. */
int @name@_step(@name@_rhs rhs, void *user, double t, double *u, double dt, @name@_counters *counters);

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

enum { DIMENSION = @dimension@, FEATURES = @features@, STAGES = @stages@ };

)";

constexpr const char* epilogue = R"(
@scalar@@base_function@
@fallback_function@/* @fallback@ in sub-steps that keep the model's accuracy. */
static int fall_back(@name@_rhs rhs, void *user, double t, double dt, double *next, double (*k)[DIMENSION]) {
  const double ratio = ceil(fabs(dt) / @fallback_dt@ * (1.0 - 1e-9));
  const double count = ratio < 1.0 ? 1.0 : ratio;
  const double h = dt / count;
  double i;
  for (i = 0.0; i < count; i += 1.0) {
    const int result = @fallback_step@(rhs, user, t + i * h, next, h, next, k);
    if (result != 0) return result;
  }
  return 0;
}

int @name@_step(@name@_rhs rhs, void *user, double t, double *u, double dt, @name@_counters *counters) {
  enum { LEARNED, STEP_SIZE, DOMAIN_LEFT, CORRECTION } verdict = LEARNED;
  double next[DIMENSION], k[STAGES][DIMENSION];
  int inside = 1, small = 1, result;
  size_t n;
  for (n = 0; n < DIMENSION; ++n) inside &= (u[n] >= lower[n]) & (u[n] <= upper[n]); /* NaN is outside */
  if (!inside) verdict = DOMAIN_LEFT;
  if (!(fabs(dt - @dt@) <= 1e-9 * @dt@)) verdict = STEP_SIZE;
  if (verdict == LEARNED) {
    double x[FEATURES], q[DIMENSION];
    result = base_step(rhs, user, t, u, dt, next, k);
    if (result != 0) return result;
@features_code@    correction(x, q);
    for (n = 0; n < DIMENSION; ++n) small &= fabs(q[n]) <= limit[n]; /* NaN is not small */
    for (n = 0; n < DIMENSION; ++n) next[n] += q[n];
    if (!small) verdict = CORRECTION;
@density_test@  }
  if (verdict != LEARNED) {
    memcpy(next, u, sizeof next);
    result = fall_back(rhs, user, t, dt, next, k);
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

int @name@_evolve(@name@_rhs rhs, void *user, double *t, double *u, double t_end, @name@_counters *counters) {
@evolve@}
)";

/// Before the base step of small systems: a third of a step's time on current x86 processors.
constexpr const char* scalar_macro =
    R"(/* What a right-hand side has just stored number by number is not loaded back by the vector: that would wait for the
 * stores to reach the cache. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-vectorize", "no-tree-slp-vectorize")))
#else
#define SCALAR
#endif

)";
constexpr std::size_t small_dimension = 16;

constexpr const char* density_test =
    "    if (small && !(leverage(u) <= 1.0)) verdict = DOMAIN_LEFT; /* NaN is outside */\n";

/// Statements that fill x, what the approximator is fed.
std::string features(const CorrectorModel& corrector, std::size_t stages) {
  if (corrector.input == CorrectorInput::state) return "    memcpy(x, u, sizeof x);\n";
  std::string text = "    for (n = 0; n < DIMENSION; ++n) x[n] = next[n] - u[n];\n";
  if (corrector.input == CorrectorInput::stages) {
    for (std::size_t s = 1; s < stages; ++s) {
      const std::string i = std::to_string(s);
      text += "    for (n = 0; n < DIMENSION; ++n) x[" + i + " * DIMENSION + n] = " + hexadecimal(corrector.dt) +
              " * (k[" + i + "][n] - k[" + std::to_string(s - 1) + "][n]);\n";
    }
  }
  return text;
}

/// The density: its tables, and the function leverage, at most 1 inside.
std::string density_code(const Density& density) {
  const DensityTables tables = density_tables(density);
  const auto indices = [](const std::vector<std::size_t>& values) {
    std::vector<std::string> text;
    for (std::size_t value : values) text.push_back(std::to_string(value));
    return text;
  };
  std::string code = "/* The density of training states. */\n" + c_table("double", "density_mean", tables.mean) +
                     c_table("double", "density_factor", tables.factor) +
                     c_table("double", "density_weight", tables.weight);
  std::string products;
  if (!tables.parent.empty()) {
    code += c_table("unsigned char", "density_parent", indices(tables.parent), 16);
    code += c_table("unsigned char", "density_variable", indices(tables.variable), 16);
    products = "  for (i = @first@; i < @terms@; ++i) m[i] = m[density_parent[i - @first@]] * "
               "m[density_variable[i - @first@]];\n";
  }
  return code + fill(R"(
/* How far x is from the states of training: up to 1 is inside. */
static double leverage(const double *x) {
  double m[@terms@], sum = 0.0;
  size_t i, o;
  m[0] = 1.0;
  for (i = 0; i < @inputs@; ++i) m[1 + i] = (x[i] - density_mean[i]) * density_factor[i];
)" + products + R"(  for (o = 0; o < @outputs@; ++o) {
    double y = 0.0;
    for (i = 0; i < @terms@; ++i) y += density_weight[o * @terms@ + i] * m[i];
    sum += y * y;
  }
  return sum * @inverse_limit@;
}

)",
                     {{"inputs", std::to_string(tables.inputs)},
                      {"first", std::to_string(1 + tables.inputs)},
                      {"terms", std::to_string(tables.terms)},
                      {"outputs", std::to_string(tables.outputs)},
                      {"inverse_limit", hexadecimal(1.0 / density.limit)}});
}

std::string guard_tables(const Domain& domain) {
  std::vector<double> lower, upper;
  for (const auto& interval : domain.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  return "/* Where the model may be used, and the largest correction it may apply. */\n" +
         c_table("double", "lower", lower) + c_table("double", "upper", upper) +
         c_table("double", "limit", domain.correction_limit) + "\n" +
         (domain.density ? density_code(*domain.density) : "");
}

} // namespace

CSource c_corrector(const Model& model, const std::string& name) {
  const auto& corrector = std::get<CorrectorModel>(model.method);
  require_exportable(corrector);
  const ButcherTableau& base = classical_tableau(corrector.base);
  const ButcherTableau& fallback = classical_tableau(corrector.fallback_scheme());
  const bool own_fallback = corrector.fallback_scheme() != corrector.base;
  const bool small = model.dimension() <= small_dimension;
  const std::string base_function =
      c_step(base, {name, "base_step",
                    "One step of " + corrector.base + " from u; k receives the stage derivatives. next may be u.",
                    small ? "SCALAR " : ""});
  const std::string fallback_function =
      own_fallback
          ? c_step(fallback, {name, "fallback_step", "One step of " + fallback.name + ", which takes over.", ""}) + "\n"
          : "";
  const std::string dt = c_constant(corrector.dt);
  const std::vector<Replacement> keys{{"name", name},
                                      {"NAME", upper_case(name)},
                                      {"description", c_comment(describe_model(model))},
                                      {"dimension", std::to_string(model.dimension())},
                                      {"features", std::to_string(corrector.approximator.inputs)},
                                      {"stages", std::to_string(std::max(base.stages(), fallback.stages()))},
                                      {"fallback", corrector.fallback_scheme()},
                                      {"fallback_step", own_fallback ? "fallback_step" : "base_step"},
                                      {"fallback_function", fallback_function},
                                      {"fallback_dt", hexadecimal(corrector.dt / corrector.fallback_substeps)},
                                      {"scalar", small ? scalar_macro : ""},
                                      {"base_function", base_function},
                                      {"features_code", features(corrector, base.stages())},
                                      {"density_test", corrector.domain.density ? density_test : ""},
                                      {"evolve", c_evolve(name, dt, "", "")},
                                      {"dt", dt}};
  CSource source;
  source.header = fill(header_template, keys);
  source.source = fill(prologue, keys) + guard_tables(corrector.domain) + c_approximator(corrector.approximator) +
                  fill(epilogue, keys);
  return source;
}

} // namespace lodestep::source
