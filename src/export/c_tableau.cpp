#include "export/c_tableau.hpp"

#include "export/c_steps.hpp"
#include "export/c_text.hpp"
#include "export/source_text.hpp"
#include "export/tableau_pattern.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
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
@parameter_macros@/* Step sizes the learned coefficients are used for. */
#define @NAME@_SMALLEST_DT @smallest_dt@
#define @NAME@_LARGEST_DT @largest_dt@

/* The right-hand side: dudt = f(t, u). A result other than 0 ends the step at once, the state unchanged. */
typedef int (*@name@_rhs)(double t, const double *u, double *dudt, void *user);

/* What became of the steps. Start from zeros. */
typedef struct @name@_counters {
  unsigned long learned;   /* taken with the learned coefficients */
  unsigned long step_size; /* with the classical ones: dt or a parameter is outside the range of the learned ones */
  unsigned long domain;    /* with the classical ones: the state is outside the domain */
} @name@_counters;

/* Advances u by dt in place. `user` is handed to `rhs`; `counters` may be null. Returns 0, or what `rhs` returned.@parameter_comment@@error_comment@ */
int @name@_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, @error@@name@_counters *counters);

/* Advances u from *t to t_end in steps of |dt| and, where the interval is no multiple of it, a last shorter one.
 * Returns 0, or what `rhs` returned, *t and u being those of the last good step; -1 if the interval cannot be counted
 * in steps. */
int @name@_evolve(@name@_rhs rhs, void *user, @parameters@double *t, double *u, double t_end, double dt, @name@_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
)";

constexpr const char* source_template = R"(/*
@description@ */
#include "@name@.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { DIMENSION = @dimension@, STAGES = @stages@ };

@tables@@coefficients@@learned_step@
@classical_step@
int @name@_step(@name@_rhs rhs, void *user, @parameters@double t, double *u, double dt, @error@@name@_counters *counters) {
  enum { LEARNED, STEP_SIZE, DOMAIN_LEFT } verdict = LEARNED;
  double next[DIMENSION], k[STAGES][DIMENSION];
  int result;
@guard@  if (verdict == LEARNED) {
@take@  } else {
    result = classical_step(rhs, user, t, u, dt, next, @error_argument@k);
  }
  if (result != 0) return result;
  memcpy(u, next, sizeof next);
  if (counters) {
    counters->learned += verdict == LEARNED;
    counters->step_size += verdict == STEP_SIZE;
    counters->domain += verdict == DOMAIN_LEFT;
  }
  return 0;
}

int @name@_evolve(@name@_rhs rhs, void *user, @parameters@double *t, double *u, double t_end, double dt, @name@_counters *counters) {
  const double size = fabs(dt);
@evolve@}
)";

/// static void coefficients(...): those of a step size and parameters, in the order of LearnedTableau::coefficients.
std::string coefficients(const TableauModel& model, const ButcherTableau& pattern) {
  const std::size_t s = pattern.stages();
  std::string text = "/* The learned coefficients of a step of dt";
  text += model.parameters.empty() ? ". */\n" : " and of parameters. */\n";
  text += "static void coefficients(double dt, ";
  if (!model.parameters.empty()) text += "const double *parameters, ";
  text += "double *a, double *b, double *c) {\n";
  std::vector<bool> used(1 + model.parameters.size(), false);
  for (const auto& term : model.terms) {
    for (std::size_t i = 0; i < used.size(); ++i) used[i] = used[i] || term.powers[i] > 0;
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const Interval& trained = i == 0 ? model.trained_dt : model.parameters[i - 1].trained;
    const std::string value = i == 0 ? "dt" : "parameters[" + std::to_string(i - 1) + "]";
    const double half_width = 0.5 * (trained.upper - trained.lower);
    text += "  const double x" + std::to_string(i) + " = " +
            (half_width > 0.0 ? "(" + value + " - " + hexadecimal(0.5 * (trained.lower + trained.upper)) + ") / " +
                                    hexadecimal(half_width)
                              : "0.0") +
            ";\n";
  }
  for (std::size_t n = 0; n < model.terms.size(); ++n) {
    std::string product;
    for (std::size_t i = 0; i < used.size(); ++i) {
      const unsigned power = model.terms[n].powers[i];
      std::string factor;
      for (unsigned p = 0; p < power; ++p) factor += (p > 0 ? " * x" : "x") + std::to_string(i);
      if (power == 0) continue;
      product += product.empty() ? factor : power == 1 ? " * " + factor : " * (" + factor + ")";
    }
    text += "  const double m" + std::to_string(n) + " = " + product + ";\n";
  }
  if (!used[0]) text += "  (void)dt;\n";
  if (!model.parameters.empty() && std::find(used.begin() + 1, used.end(), true) == used.end()) {
    text += "  (void)parameters;\n";
  }
  const auto assign = [&](const std::string& target, double constant, auto&& term) {
    text += "  " + target + " = " + hexadecimal(constant);
    for (std::size_t n = 0; n < model.terms.size(); ++n) {
      text += " + m" + std::to_string(n) + " * " + hexadecimal(term(n));
    }
    text += ";\n";
  };
  for (std::size_t i = 0; i < s; ++i) {
    std::string sum;
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t at = i * s + j;
      if (pattern.a[at] == 0.0) continue;
      const std::string target = "a[" + std::to_string(at) + "]";
      assign(target, model.tableau.a[at], [&](std::size_t n) { return model.terms[n].a[at]; });
      sum += (sum.empty() ? "" : " + ") + target;
    }
    text += "  c[" + std::to_string(i) + "] = " + (sum.empty() ? "0.0" : sum) + ";\n";
  }
  for (std::size_t i = 0; i < s; ++i) {
    assign("b[" + std::to_string(i) + "]", model.tableau.b[i], [&](std::size_t n) { return model.terms[n].b[i]; });
  }
  return text + "}\n\n";
}

std::string tables(const TableauModel& model) {
  std::vector<double> bounds[4];
  for (const auto& interval : model.state) {
    bounds[0].push_back(interval.lower);
    bounds[1].push_back(interval.upper);
  }
  for (const auto& parameter : model.parameters) {
    bounds[2].push_back(parameter.valid.lower);
    bounds[3].push_back(parameter.valid.upper);
  }
  std::string text;
  const char* names[] = {"lower", "upper", "parameter_lower", "parameter_upper"};
  for (int i = 0; i < 4; ++i) {
    if (!bounds[i].empty()) text += c_table("double", names[i], bounds[i]);
  }
  return text.empty() ? text : "/* Where the learned coefficients may be used. */\n" + text + "\n";
}

/// Statements that choose the verdict; NaN is outside of everything.
std::string guard(const TableauModel& model, const std::string& upper_name) {
  std::string text;
  if (!model.parameters.empty() || !model.state.empty()) text += "  int inside = 1;\n  size_t n;\n";
  if (!model.state.empty()) {
    text += "  for (n = 0; n < DIMENSION; ++n) inside &= (u[n] >= lower[n]) & (u[n] <= upper[n]);\n"
            "  if (!inside) verdict = DOMAIN_LEFT;\n";
  }
  if (!model.parameters.empty()) {
    const std::string count = upper_name + "_PARAMETERS";
    text += "  inside = " + std::string(depends_on_parameters(model) ? "parameters != NULL" : "1") +
            ";\n  for (n = 0; n < " + count +
            " && parameters; ++n) {\n    inside &= (parameters[n] >= parameter_lower[n]) & (parameters[n] <= "
            "parameter_upper[n]);\n  }\n  if (!inside) verdict = STEP_SIZE;\n";
  }
  return text + "  if (!(dt >= " + upper_name + "_SMALLEST_DT && dt <= " + upper_name +
         "_LARGEST_DT)) verdict = STEP_SIZE;\n";
}

std::string parameter_macros(const TableauModel& model, const std::string& upper_name) {
  if (model.parameters.empty()) return "";
  std::string text = "/* Parameters of the family, in this order:";
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    text += (i > 0 ? ", " : " ") + comment(model.parameters[i].name);
  }
  return text + ". */\n#define " + upper_name + "_PARAMETERS " + std::to_string(model.parameters.size()) + "\n";
}

} // namespace

CSource c_tableau(const Model& model, const std::string& name) {
  const auto& method = std::get<TableauModel>(model.method);
  const ButcherTableau pattern = tableau_pattern(method);
  const ButcherTableau& classical = classical_tableau(method.classical);
  const bool estimate = !method.tableau.b_embedded.empty();
  const bool given = !method.terms.empty();
  const bool parameters = !method.parameters.empty();
  const std::string upper_name = upper_case(name);
  const std::string error_argument = estimate ? "error, " : "";
  std::string take;
  if (given) {
    take = "    double a[STAGES * STAGES], b[STAGES], c[STAGES];\n    coefficients(dt, " +
           std::string(parameters ? "parameters, " : "") + "a, b, c);\n";
  }
  take += "    result = learned_step(rhs, user, t, u, dt, next, " + std::string(given ? "a, b, c, " : "") +
          error_argument + "k);\n";
  const std::string unknown =
      depends_on_parameters(method) ? "every step is then taken with the classical ones" : "they are then not checked";
  const std::vector<Replacement> keys{
      {"name", name},
      {"NAME", upper_name},
      {"description", c_comment(describe_model(model))},
      {"dimension", std::to_string(model.dimension())},
      {"stages", std::to_string(std::max(pattern.stages(), classical.stages()))},
      {"smallest_dt", c_constant(method.dt.lower)},
      {"largest_dt", c_constant(method.dt.upper)},
      {"parameter_macros", parameter_macros(method, upper_name)},
      {"parameter_comment", parameters ? "\n * `parameters`, [" + upper_name +
                                             "_PARAMETERS], may be null if they are not known: " + unknown + "."
                                       : ""},
      {"error_comment", estimate ? "\n * `error`, [" + upper_name +
                                       "_DIMENSION], may be null; it receives the embedded method's estimate."
                                 : ""},
      {"parameters", parameters ? "const double *parameters, " : ""},
      {"error", estimate ? "double *error, " : ""},
      {"error_argument", error_argument},
      {"tables", tables(method)},
      {"coefficients", given ? coefficients(method, pattern) : ""},
      {"learned_step", c_step(pattern, {name, "learned_step", "One step with the learned coefficients from u.", "",
                                        given, false, estimate})},
      {"classical_step",
       c_step(classical, {name, "classical_step", "One step of " + classical.name + ", which takes over.", "", false,
                          false, estimate})},
      {"guard", guard(method, upper_name)},
      {"take", take},
      {"evolve", c_evolve(name, "size", parameters ? "parameters, " : "", estimate ? "NULL, " : "")}};
  return {fill(header_template, keys), fill(source_template, keys)};
}

} // namespace lodestep::source
