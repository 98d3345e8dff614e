#include "export/c_corrector.hpp"

#include "export/c_approximator.hpp"
#include "export/c_guard.hpp"
#include "export/c_steps.hpp"
#include "export/c_text.hpp"
#include "export/source_text.hpp"

#include <lodestep/corrector_features.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
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
/* The step it was trained for@or_longest@. */
#define @NAME@_DT @dt@
@parameter_macros@@dense_macros@
/* The right-hand side: dudt = f(t, u). A result other than 0 ends the step at once, the state unchanged. */
typedef int (*@name@_rhs)(double t, const double *u, double *dudt, void *user);

/* What became of the steps. Start from zeros. */
typedef struct @name@_counters {
  unsigned long learned;    /* taken by the model */
  unsigned long step_size;  /* by the fallback scheme: dt is not the trained one */
  unsigned long domain;     /* by the fallback scheme: the state@or_else@ is outside the domain */
  unsigned long correction; /* by the fallback scheme: the correction was larger than any in training */
} @name@_counters;

/* Advances u by dt in place. `user` is handed to `rhs`; `counters` may be null. Returns 0, or what `rhs` returned.@parameter_comment@ */
int @name@_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, @name@_counters *counters);
@error_declaration@@states_declaration@
/* Advances u from *t to t_end in steps of @NAME@_DT and, where the interval is no multiple of it, a last shorter one.
 * Returns 0, or what `rhs` returned, *t and u being those of the last good step; -1 if the interval cannot be counted
 * in steps. */
int @name@_evolve(@name@_rhs rhs, void *user, @parameters@double *t, double *u, double t_end, @name@_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
)";

constexpr const char* error_declaration = R"(
/* The same, and an estimate of the step's local error: one standard deviation of each variable, error[@NAME@_DIMENSION]. */
int @name@_step_error(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, double *error,
    @name@_counters *counters);
)";

constexpr const char* states_declaration = R"(
/* Advances u by @NAME@_DT in place, and gives the states within the step, @NAME@_DT / @NAME@_STATES apart:
 * states[@NAME@_STATES][@NAME@_DIMENSION], the last of them u. */
int @name@_step_states(@name@_rhs rhs, void *user, @parameters@double t, double *u, double *states,
    @name@_counters *counters);
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

@step_head@ {
  enum { LEARNED, STEP_SIZE, DOMAIN_LEFT, CORRECTION } verdict = LEARNED;
  double next[DIMENSION], k[STAGES][DIMENSION];@step_variables@
  int inside = 1, small = 1, result;
  size_t n;
@context_test@  for (n = 0; n < DIMENSION; ++n) inside &= (u[n] >= lower[n]) & (u[n] <= upper[n]); /* NaN is outside */
  if (!inside) verdict = DOMAIN_LEFT;
  if (!(@step_test@)) verdict = STEP_SIZE;
  if (verdict == LEARNED) {
    double x[FEATURES], q[DIMENSION];
    result = base_step(rhs, user, t, u, dt, next, k);
    if (result != 0) return result;
@features_code@    correction(x, q);
@factor_code@    /* NaN is not small, and 0 times what is not finite is NaN. */
    for (n = 0; n < DIMENSION; ++n) small &= fabs(q[n]) + 0.0 * next[n] <= @factor@limit[n];
    for (n = 0; n < DIMENSION; ++n) next[n] += q[n];
    if (!small) verdict = CORRECTION;
@density_test@@states_code@  }
  if (verdict != LEARNED) {
    memcpy(next, u, sizeof next);
@fall_back_code@  }
@error_code@  memcpy(u, next, sizeof next);
  if (counters) {
    counters->learned += verdict == LEARNED;
    counters->step_size += verdict == STEP_SIZE;
    counters->domain += verdict == DOMAIN_LEFT;
    counters->correction += verdict == CORRECTION;
  }
  return 0;
}
@step_functions@
int @name@_evolve(@name@_rhs rhs, void *user, @parameters@double *t, double *u, double t_end, @name@_counters *counters) {
@evolve@}
)";

constexpr const char* step_head = "int @name@_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double "
                                  "dt, @name@_counters *counters)";

/// Where a step gives more than its end. `error` and `states` are null if they are not wanted.
constexpr const char* take_step_head =
    "static int take_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, @error@@states@"
    "@name@_counters *counters)";

constexpr const char* plain_step = R"(
int @name@_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, @name@_counters *counters) {
  return take_step(rhs, user, @given@t, u, dt, @no_error@@no_states@counters);
}
)";

constexpr const char* error_step = R"(
int @name@_step_error(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, double *error,
    @name@_counters *counters) {
  return take_step(rhs, user, @given@t, u, dt, error, @no_states@counters);
}
)";

constexpr const char* states_step = R"(
int @name@_step_states(@name@_rhs rhs, void *user, @parameters@double t, double *u, double *states,
    @name@_counters *counters) {
  return take_step(rhs, user, @given@t, u, @NAME@_DT, @no_error@states, counters);
}
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

/// Every piece of the step that depends on the kind of the corrector, in the words of CorrectorFeatures and Corrector.
class Pieces {
public:
  Pieces(const CorrectorModel& corrector, std::size_t dimension)
      : corrector_(corrector), base_(classical_tableau(corrector.base)),
        features_(corrector, dimension, base_.stages()), context_(features_.time_inputs() + features_.parameters()),
        density_of_state_(features_.density_count() == dimension) {}

  bool gives_error() const { return !corrector_.estimate.scale.empty(); }
  bool gives_states() const { return corrector_.dense.has_value(); }

  /// Statements that say whether time and parameters are such as in training.
  std::string context_test() const {
    std::string text;
    if (features_.parameters() > 0) {
      const std::string count = std::to_string(features_.parameters());
      text += "  if (!parameters) parameters = nominal;\n"
              "  for (n = 0; n < " +
              count +
              "; ++n) inside &= (parameters[n] >= parameter_lower[n]) & (parameters[n] <= parameter_upper[n]);\n";
    }
    if (corrector_.time == TimeInput::elapsed) {
      const double slack = 1e-9 * corrector_.dt;
      text += "  inside &= (t >= " + hexadecimal(corrector_.time_range.lower - slack) +
              ") & (t + dt <= " + hexadecimal(corrector_.time_range.upper + slack) + ");\n";
    }
    return text;
  }

  std::string step_test() const {
    const std::string dt = c_constant(corrector_.dt);
    if (corrector_.dt_aware()) return "dt >= DBL_MIN && dt <= " + hexadecimal(corrector_.dt * (1.0 + 1e-9));
    return "fabs(dt - " + dt + ") <= 1e-9 * " + dt;
  }

  /// Statements that fill x, what the approximator is fed.
  std::string features() const {
    const bool aware = corrector_.dt_aware();
    const bool state = corrector_.input == CorrectorInput::state;
    std::string text;
    if (aware && !state) {
      text += "    /* Increments shrink with the step, and what they tell should not. */\n    const double ratio = " +
              hexadecimal(corrector_.dt) + " / dt;\n";
    }
    if (state) {
      text += "    for (n = 0; n < DIMENSION; ++n) x[n] = u[n];\n";
    } else {
      text += std::string("    for (n = 0; n < DIMENSION; ++n) x[n] = ") +
              (aware ? "ratio * (next[n] - u[n])" : "next[n] - u[n]") + ";\n";
    }
    for (std::size_t s = 1; s < features_.stages(); ++s) {
      const std::string i = std::to_string(s);
      text += "    for (n = 0; n < DIMENSION; ++n) x[" + i +
              " * DIMENSION + n] = " + (aware ? "ratio * dt" : hexadecimal(corrector_.dt)) + " * (k[" + i +
              "][n] - k[" + std::to_string(s - 1) + "][n]);\n";
    }
    std::size_t at = features_.count() - context_ - (aware ? 1 : 0);
    if (aware) {
      const std::string shortest = hexadecimal(corrector_.shortest_dt);
      text += "    x[" + std::to_string(at++) + "] = dt > " + shortest + " ? dt : " + shortest + ";\n";
    }
    return text + context("x", at, "    ");
  }

  /// Statements that make of q, the approximator's output, the correction.
  std::string factor_code() const {
    std::string text;
    if (corrector_.dt_aware()) {
      const unsigned power = corrector_.form == CorrectorForm::additive ? base_.order + 1 : base_.order;
      text += "    factor = 1.0;\n    for (n = 0; n < " + std::to_string(power) + "; ++n) factor *= dt / " +
              hexadecimal(corrector_.dt) + ";\n";
    }
    const std::string factor = corrector_.dt_aware() ? "factor" : "";
    const std::string increment = corrector_.form == CorrectorForm::multiplicative ? "(next[n] - u[n])" : "";
    if (factor.empty() && increment.empty()) return text;
    return text + "    for (n = 0; n < DIMENSION; ++n) q[n] *= " + factor +
           (factor.empty() || increment.empty() ? "" : " * ") + increment + ";\n";
  }

  std::string density_test() const {
    if (!corrector_.domain.density) return "";
    std::string text = "    if (small) {\n";
    std::string state = "u";
    if (!density_of_state_) {
      state = "z";
      text += "      double z[" + std::to_string(features_.density_count()) +
              "];\n      for (n = 0; n < DIMENSION; ++n) z[n] = u[n];\n" +
              context("z", features_.density_count() - context_, "      ");
    }
    const std::string measure =
        gives_error() ? "distance = density_distance(" + state + ")" : "density_distance(" + state + ")";
    return text + "      if (!((" + measure + ") <= 1.0)) verdict = DOMAIN_LEFT; /* NaN is outside */\n    }\n";
  }

  std::string variables() const {
    std::string text;
    if (corrector_.dt_aware()) text += "\n  double factor = 1.0;";
    if (gives_error() && corrector_.domain.density) text += "\n  double distance = 0.0;";
    return text;
  }

  /// Statements that give the states within a learned step.
  std::string states_code() const {
    if (!gives_states()) return "";
    return fill(R"(    if (states && verdict == LEARNED) {
      size_t j;
      within(x, states);
      for (j = 0; j < @points@; ++j) {
        const double s = (double)(j + 1) / @parts@.0;
        for (n = 0; n < DIMENSION; ++n) states[j * DIMENSION + n] += u[n] + s * (next[n] - u[n]);
      }
      memcpy(states + @points@ * DIMENSION, next, sizeof next);
    }
)",
                {{"points", std::to_string(corrector_.dense->points)},
                 {"parts", std::to_string(corrector_.dense->points + 1)}});
  }

  std::string fall_back_code() const {
    const std::string plain = "result = fall_back(rhs, user, t, dt, next, k);\n";
    if (!gives_states()) return "    " + plain + "    if (result != 0) return result;\n";
    return fill(R"(    if (states) { /* its steps end where the states are */
      for (n = 0; n < @parts@; ++n) {
        result = fall_back(rhs, user, t + (double)n * (dt / @parts@.0), dt / @parts@.0, next, k);
        if (result != 0) return result;
        memcpy(states + n * DIMENSION, next, sizeof next);
      }
    } else {
      @plain@      if (result != 0) return result;
    }
)",
                {{"parts", std::to_string(corrector_.dense->points + 1)}, {"plain", plain}});
  }

  std::string error_code() const {
    if (!gives_error()) return "";
    const auto& estimate = corrector_.estimate;
    std::string learned = corrector_.dt_aware() ? "factor" : "1.0";
    if (corrector_.domain.density) learned += " * sqrt(1.0 + " + hexadecimal(estimate.growth) + " * distance)";
    const unsigned power = classical_tableau(corrector_.fallback_scheme()).order + 1;
    return fill(R"(  if (error) {
    /* As many steps of the fallback as make one of the model's have about its error; a shorter one has less. */
    const double h = fabs(dt) / @fallback_dt@;
    const double size = verdict == LEARNED ? @learned@
                                           : (h >= 1.0 ? h : pow(h, @power@.0)) * @share@;
    for (n = 0; n < DIMENSION; ++n) error[n] = size * error_scale[n];
  }
)",
                {{"fallback_dt", hexadecimal(corrector_.dt / corrector_.fallback_substeps)},
                 {"learned", learned},
                 {"power", std::to_string(power)},
                 {"share", hexadecimal(corrector_.dt / corrector_.fallback_substeps / corrector_.dt)}});
  }

private:
  /// Statements that write time inputs and parameters to `array` from index `at` on.
  std::string context(const std::string& array, std::size_t at, const std::string& indent) const {
    std::string text;
    const auto set = [&](const std::string& value) {
      text += indent + array + "[" + std::to_string(at++) + "] = " + value + ";\n";
    };
    if (corrector_.time == TimeInput::phase) {
      const std::string angle = hexadecimal(2.0 * 3.14159265358979323846 / corrector_.period) + " * t";
      set("cos(" + angle + ")");
      set("sin(" + angle + ")");
    } else if (corrector_.time == TimeInput::elapsed) {
      set("t");
    }
    for (std::size_t i = 0; i < features_.parameters(); ++i) set("parameters[" + std::to_string(i) + "]");
    return text;
  }

  const CorrectorModel& corrector_;
  const ButcherTableau& base_;
  CorrectorFeatures features_;
  std::size_t context_; ///< features that are times or parameters
  bool density_of_state_;
};

std::string parameter_macros(const CorrectorModel& corrector, const std::string& upper_name) {
  if (corrector.parameters.empty()) return "";
  std::string names;
  for (const auto& parameter : corrector.parameters) names += (names.empty() ? "" : ", ") + comment(parameter.name);
  return "/* Parameters of the right-hand side, in this order: " + names + ". */\n#define " + upper_name +
         "_PARAMETERS " + std::to_string(corrector.parameters.size()) + "\n";
}

} // namespace

CSource c_corrector(const Model& model, const std::string& name) {
  const auto& corrector = std::get<CorrectorModel>(model.method);
  const ButcherTableau& base = classical_tableau(corrector.base);
  const ButcherTableau& fallback = classical_tableau(corrector.fallback_scheme());
  const bool own_fallback = corrector.fallback_scheme() != corrector.base;
  const bool small = model.dimension() <= small_dimension;
  const Pieces pieces(corrector, model.dimension());
  const bool error = pieces.gives_error(), states = pieces.gives_states();
  const bool parameters = !corrector.parameters.empty();
  const std::string upper_name = upper_case(name);
  const std::string base_function =
      c_step(base, {name, "base_step",
                    "One step of " + corrector.base + " from u; k receives the stage derivatives. next may be u.",
                    small ? "SCALAR " : ""});
  const std::string fallback_function =
      own_fallback
          ? c_step(fallback, {name, "fallback_step", "One step of " + fallback.name + ", which takes over.", ""}) + "\n"
          : "";
  const std::string dt = c_constant(corrector.dt);
  std::vector<Replacement> keys{
      {"name", name},
      {"NAME", upper_name},
      {"description", c_comment(describe_model(model))},
      {"dimension", std::to_string(model.dimension())},
      {"features", std::to_string(corrector.approximator.inputs)},
      {"stages", std::to_string(std::max(base.stages(), fallback.stages()))},
      {"or_longest", corrector.dt_aware() ? ", the longest: any shorter one is learned too" : ""},
      {"or_else", corrector.time == TimeInput::elapsed || parameters ? ", a parameter or the time" : ""},
      {"parameter_macros", parameter_macros(corrector, upper_name)},
      {"parameter_comment",
       parameters ? "\n * `parameters`, [" + upper_name + "_PARAMETERS], may be null: the values it was trained around."
                  : ""},
      {"dense_macros", states ? "/* States that it gives of a step. */\n#define " + upper_name + "_STATES " +
                                    std::to_string(corrector.dense->points + 1) + "\n"
                              : ""},
      {"parameters", parameters ? "const double *parameters, " : ""},
      {"given", parameters ? "parameters, " : ""},
      {"error", error ? "double *error, " : ""},
      {"states", states ? "double *states, " : ""},
      {"no_error", error ? "NULL, " : ""},
      {"no_states", states ? "NULL, " : ""},
      {"fallback", corrector.fallback_scheme()},
      {"fallback_step", own_fallback ? "fallback_step" : "base_step"},
      {"fallback_function", fallback_function},
      {"fallback_dt", hexadecimal(corrector.dt / corrector.fallback_substeps)},
      {"scalar", small ? scalar_macro : ""},
      {"base_function", base_function},
      {"step_variables", pieces.variables()},
      {"context_test", pieces.context_test()},
      {"step_test", pieces.step_test()},
      {"features_code", pieces.features()},
      {"factor_code", pieces.factor_code()},
      {"factor", corrector.dt_aware() ? "factor * " : ""},
      {"density_test", pieces.density_test()},
      {"states_code", pieces.states_code()},
      {"fall_back_code", pieces.fall_back_code()},
      {"error_code", pieces.error_code()},
      {"evolve", c_evolve(name, dt, parameters ? "parameters, " : "", "")},
      {"dt", dt}};
  const auto add = [&](const char* key, std::string text) { keys.push_back({key, std::move(text)}); };
  add("error_declaration", error ? fill(error_declaration, keys) : "");
  add("states_declaration", states ? fill(states_declaration, keys) : "");
  add("step_head", fill(error || states ? take_step_head : step_head, keys));
  add("step_functions", (error || states ? fill(plain_step, keys) : "") + (error ? fill(error_step, keys) : "") +
                            (states ? fill(states_step, keys) : ""));
  CApproximators approximators;
  std::string functions = approximators.write(corrector.approximator, {"correction", "", "The correction"});
  if (states) {
    functions += "\n" + approximators.write(corrector.dense->approximator,
                                            {"within", "within_", "The states within a step, beside a straight line"});
  }
  CSource source;
  source.header = fill(header_template, keys);
  source.source = fill(prologue, keys) + c_guard(corrector) + functions + fill(epilogue, keys);
  return source;
}

} // namespace lodestep::source
