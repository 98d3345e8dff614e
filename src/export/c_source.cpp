#include "export/source_text.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace lodestep {

namespace {

using source::fill;
using source::hexadecimal;
using source::round_up;

/// Inputs of a layer are taken four at a time, and sums kept in eight lanes: what vector units of two to eight doubles
/// can be given without permission to reorder sums.
constexpr std::size_t block = 4;
constexpr std::size_t lanes = 8;
/// More monomials than this are made in a loop over tables instead of one statement each.
constexpr std::size_t most_statements = 256;

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

constexpr const char* prologue = R"(#include "@name@.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIMENSION = @dimension@, FEATURES = @features@, STAGES = @stages@ };

)";

/// Shared by tanh and SiLU. The coefficients are those of the library's own kernels.
constexpr const char* exp2_helper = R"(
/* 2^t = scale (even + odd) / (even - odd) for |t| <= 1000, without a branch, so that compilers vectorise it. It needs
 * arithmetic in double, done as written; elsewhere libm serves. */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0 && !defined(__FAST_MATH__)
#define VECTORISABLE 1
typedef struct {
  double scale, odd, even;
} exp2_ratio;

static inline exp2_ratio exp2_of(double t) {
  const double shifted = t + 0x1.8p+52; /* the integer nearest to t is in the lowest bits */
  const double f = t - (shifted - 0x1.8p+52);
  const double s = f * f;
  uint64_t bits;
  exp2_ratio r;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 52) + UINT64_C(0x3FF0000000000000);
  memcpy(&r.scale, &bits, sizeof bits);
  r.odd = f * (65550.99013061200912 + s * (874.7432766047970757 + s));
  r.even = 189140.17677359065943 + s * (10096.722906408309556 + s * 43.300541414777668750);
  return r;
}
#endif
)";

constexpr const char* tanh_source = R"(
static inline double activation(double x) {
#ifdef VECTORISABLE
  double t = x * 2.885390081777926815; /* tanh(x) = (2^t - 1) / (2^t + 1), t = 2 x / ln 2 */
  exp2_ratio e;
  t = t > 64.0 ? 64.0 : t;
  t = t < -64.0 ? -64.0 : t;
  e = exp2_of(t);
  return ((e.scale + 1.0) * e.odd + (e.scale - 1.0) * e.even) / ((e.scale - 1.0) * e.odd + (e.scale + 1.0) * e.even);
#else
  return tanh(x);
#endif
}
)";

constexpr const char* silu_source = R"(
static inline double activation(double x) {
#ifdef VECTORISABLE
  double t = x * -1.442695040888963407; /* x / (1 + 2^t), t = -x / ln 2 */
  exp2_ratio e;
  t = t > 1000.0 ? 1000.0 : t;
  t = t < -1000.0 ? -1000.0 : t;
  e = exp2_of(t);
  return x * (e.even - e.odd) / (e.scale * (e.even + e.odd) + (e.even - e.odd));
#else
  return x / (1.0 + exp(-x));
#endif
}
)";

constexpr const char* relu_source = R"(
static inline double activation(double x) {
  return x < 0.0 ? 0.0 : x; /* NaN stays NaN */
}
)";

constexpr const char* rational_source = R"(
static inline double activation(double x) {
  return (((@a3@ * x + @a2@) * x + @a1@) * x + @a0@) /
         ((@b2@ * x + @b1@) * x + @b0@);
}
)";

constexpr const char* layer_helper = R"(
/* y = bias + weight' x; weight is [inputs, outputs], inputs a multiple of four. */
static inline void layer(size_t inputs, size_t outputs, const @number@ *restrict weight, const @number@ *restrict bias,
                         const double *restrict x, double *restrict y) {
  size_t i, o;
  for (o = 0; o < outputs; ++o) y[o] = bias[o];
  for (i = 0; i < inputs; i += 4) {
    const @number@ *restrict w = weight + i * outputs;
    for (o = 0; o < outputs; ++o) {
      y[o] += (w[o] * x[i] + w[outputs + o] * x[i + 1]) + (w[2 * outputs + o] * x[i + 2] + w[3 * outputs + o] * x[i + 3]);
    }
  }
}
)";

constexpr const char* dot_helper = R"(
/* sum of w a; count is a multiple of eight. */
static inline double dot(size_t count, const @number@ *restrict w, const double *restrict a) {
  double s[8] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
  size_t i, l;
  for (i = 0; i < count; i += 8) {
    for (l = 0; l < 8; ++l) s[l] += w[i + l] * a[i + l];
  }
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
)";

constexpr const char* epilogue = R"(
@scalar@/* One step of @base@ from u; k receives the stage derivatives. next may be u. */
@scalar_attribute@static int base_step(@name@_rhs rhs, void *user, double t, const double *u, double dt, double *next,
                     double (*k)[DIMENSION]) {
@stage_state@  int result;
  size_t n;
@steps@  return 0;
}

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
  }
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
  const double start = *t, h = t_end < start ? -@dt@ : @dt@;
  const double whole = floor((t_end - start) / h + 1e-9);
  const double rest = t_end - (start + whole * h);
  const int exact = fabs(rest) <= 1e-9 * @dt@;
  double i;
  int result;
  if (!(fabs(start) <= DBL_MAX && fabs(t_end) <= DBL_MAX && whole < 0x1p+53)) return -1;
  if (start + h / 2 == start || t_end + h / 2 == t_end) return -1;
  for (i = 0.0; i < whole; i += 1.0) {
    result = @name@_step(rhs, user, start + i * h, u, h, counters);
    if (result != 0) return result;
    *t = exact && i + 1.0 == whole ? t_end : start + (i + 1.0) * h;
  }
  if (!exact) {
    result = @name@_step(rhs, user, *t, u, rest, counters);
    if (result != 0) return result;
    *t = t_end;
  }
  return 0;
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

class CWriter {
public:
  CWriter(const Model& model, std::string name)
      : model_(model), corrector_(std::get<CorrectorModel>(model.method)), spec_(corrector_.approximator),
        tableau_(classical_tableau(corrector_.base)), fallback_(classical_tableau(corrector_.fallback_scheme())),
        name_(std::move(name)) {
    number_ = spec_.precision == Precision::f32 ? "float" : "double";
  }

  CSource write() {
    std::string upper = name_;
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const std::string description = described();
    char dt[64];
    std::snprintf(dt, sizeof dt, "%.17g", corrector_.dt);
    std::string dt_text = dt;
    if (dt_text.find_first_of(".e") == std::string::npos) dt_text += ".0";
    keys_ = {{"name", name_},
             {"NAME", upper},
             {"description", description},
             {"dimension", std::to_string(model_.dimension())},
             {"features", std::to_string(spec_.inputs)},
             {"stages", std::to_string(std::max(tableau_.stages(), fallback_.stages()))},
             {"number", number_},
             {"base", corrector_.base},
             {"fallback", corrector_.fallback_scheme()},
             {"fallback_step", own_fallback() ? "fallback_step" : "base_step"},
             {"fallback_function", own_fallback() ? fallback_function() : ""},
             {"fallback_dt", hexadecimal(corrector_.dt / corrector_.fallback_substeps)},
             {"stage_state", stage_state(tableau_)},
             {"scalar", model_.dimension() <= small_dimension ? scalar_macro : ""},
             {"scalar_attribute", model_.dimension() <= small_dimension ? "SCALAR " : ""},
             {"steps", steps(tableau_)},
             {"features_code", features()},
             {"dt", dt_text}};
    CSource result;
    result.header = fill(header_template, keys_);
    out_ = "/*\n" + description + " */\n" + fill(prologue, keys_);
    tables();
    helpers();
    correction();
    out_ += fill(epilogue, keys_);
    result.source = std::move(out_);
    return result;
  }

private:
  std::string described() const {
    std::string text;
    for (const auto& line : source::describe_model(model_)) text += line.empty() ? " *\n" : " * " + line + "\n";
    return text;
  }

  /// static const <type> <name>[count] = {...}; with the number of columns that make it readable.
  void table(const char* type, const std::string& name, const std::vector<std::string>& entries, std::size_t columns) {
    out_ += std::string("static const ") + type + " " + name + "[" + std::to_string(entries.size()) + "] = {";
    for (std::size_t i = 0; i < entries.size(); ++i) {
      out_ += i % columns == 0 ? "\n  " : " ";
      out_ += entries[i] + (i + 1 < entries.size() ? "," : "");
    }
    out_ += "};\n";
  }
  void table(const std::string& type, const std::string& name, const std::vector<double>& values) {
    std::vector<std::string> entries;
    for (double value : values) entries.push_back(hexadecimal(value) + (type == "float" ? "f" : ""));
    table(type.c_str(), name, entries, 4);
  }

  const MlpTerm* mlp() const { return std::get_if<MlpTerm>(&spec_.term); }
  const PolynomialTerm* polynomial() const { return std::get_if<PolynomialTerm>(&spec_.term); }
  /// Padded width of the values that the last layer, or the polynomial, sums.
  std::size_t sum_width() const {
    if (mlp()) return round_up(mlp()->layers.back().inputs, lanes);
    return polynomial() ? round_up(monomial_count(spec_.inputs, polynomial()->degree), lanes) : 0;
  }

  void tables() {
    const auto& domain = corrector_.domain;
    std::vector<double> lower, upper, inverse;
    for (const auto& interval : domain.state) {
      lower.push_back(interval.lower);
      upper.push_back(interval.upper);
    }
    for (double scale : spec_.input_scale) inverse.push_back(1.0 / scale);
    out_ += "/* Where the model may be used, and the largest correction it may apply. */\n";
    table("double", "lower", lower);
    table("double", "upper", upper);
    table("double", "limit", domain.correction_limit);
    out_ +=
        "\n/* The approximator, of z = (x - input_mean) * input_factor. Layers are transposed, and padded with zeros. "
        "*/\n";
    table("double", "input_mean", spec_.input_mean);
    table("double", "input_factor", inverse);
    table("double", "output_scale", spec_.output_scale);
    const std::size_t inputs = round_up(spec_.inputs, block);
    table(number_, "affine_weight",
          source::transposed(spec_.affine.weight, spec_.outputs, spec_.inputs, inputs, spec_.outputs));
    std::vector<double> bias = spec_.affine.bias;
    if (mlp()) {
      std::size_t width = inputs;
      for (std::size_t l = 0; l + 1 < mlp()->layers.size(); ++l) {
        const auto& layer = mlp()->layers[l];
        const std::size_t outputs = round_up(layer.outputs, lanes);
        table(number_, "weight_" + std::to_string(l),
              source::transposed(layer.weight, layer.outputs, layer.inputs, width, outputs));
        table(number_, "bias_" + std::to_string(l), source::padded(layer.bias, 1, layer.outputs, outputs));
        width = outputs;
      }
      const auto& last = mlp()->layers.back();
      table(number_, "sum_weight", source::padded(last.weight, last.outputs, last.inputs, sum_width()));
      table(number_, "sum_bias", last.bias);
    } else if (polynomial()) {
      const std::size_t count = monomial_count(spec_.inputs, polynomial()->degree);
      table(number_, "sum_weight", source::padded(polynomial()->coefficient, spec_.outputs, count, sum_width()));
      if (count > most_statements) {
        std::vector<std::string> parent, variable;
        for (const auto& monomial : monomials(spec_.inputs, polynomial()->degree)) {
          parent.push_back(std::to_string(monomial.parent));
          variable.push_back(std::to_string(monomial.variable));
        }
        table("uint32_t", "parent", parent, 16);
        table("uint32_t", "variable", variable, 16);
      }
    }
    table(number_, "affine_bias", bias);
  }

  void helpers() {
    if (const auto* m = mlp()) {
      switch (m->activation) {
      case Activation::tanh:
        out_ += exp2_helper;
        out_ += tanh_source;
        break;
      case Activation::silu:
        out_ += exp2_helper;
        out_ += silu_source;
        break;
      case Activation::relu:
        out_ += relu_source;
        break;
      case Activation::rational:
        out_ += fill(rational_source, {{"a0", hexadecimal(m->numerator[0])},
                                       {"a1", hexadecimal(m->numerator[1])},
                                       {"a2", hexadecimal(m->numerator[2])},
                                       {"a3", hexadecimal(m->numerator[3])},
                                       {"b0", hexadecimal(m->denominator[0])},
                                       {"b1", hexadecimal(m->denominator[1])},
                                       {"b2", hexadecimal(m->denominator[2])}});
        break;
      }
    }
    out_ += fill(layer_helper, keys_);
    if (mlp() || polynomial()) out_ += fill(dot_helper, keys_);
  }

  void correction() {
    const std::string inputs = std::to_string(round_up(spec_.inputs, block));
    out_ += "\n/* q = output_scale (affine(z) + " +
            std::string(mlp()          ? "network(z)"
                        : polynomial() ? "polynomial(z)"
                                       : "0") +
            ") */\nstatic void correction(const double *restrict x, double *restrict q) {\n";
    out_ += "  double z[" + inputs + "]";
    if (spec_.inputs % block != 0) out_ += " = {0.0}";
    std::string in = "z", in_size = inputs;
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l + 1 < m->layers.size(); ++l) {
        out_ += ", a" + std::to_string(l) + "[" + std::to_string(round_up(m->layers[l].outputs, lanes)) + "]";
      }
    }
    const std::size_t monomial_total = polynomial() ? monomial_count(spec_.inputs, polynomial()->degree) : 0;
    if (polynomial()) {
      // The tables' loop finds parents among inputs and monomials alike, so that both lie in one array.
      out_ += ", m[" + std::to_string(sum_width()) + "]";
      if (monomial_total % lanes != 0) out_ += " = {0.0}";
    }
    out_ += ";\n  size_t i;\n";
    out_ += "  for (i = 0; i < FEATURES; ++i) z[i] = (x[i] - input_mean[i]) * input_factor[i];\n";
    out_ += "  layer(" + inputs + ", DIMENSION, affine_weight, affine_bias, z, q);\n";
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l + 1 < m->layers.size(); ++l) {
        const std::string n = std::to_string(l), size = std::to_string(round_up(m->layers[l].outputs, lanes));
        out_ += "  layer(" + in_size + ", " + size + ", weight_" + n + ", bias_" + n + ", " + in + ", a" + n + ");\n";
        out_ += "  for (i = 0; i < " + size + "; ++i) a" + n + "[i] = activation(a" + n + "[i]);\n";
        in = "a" + n;
        in_size = size;
      }
      out_ += "  for (i = 0; i < DIMENSION; ++i) q[i] += sum_bias[i] + dot(" + in_size + ", sum_weight + " + in_size +
              " * i, " + in + ");\n";
    } else if (polynomial()) {
      polynomial_terms(monomial_total);
      const std::string width = std::to_string(sum_width());
      out_ += "  for (i = 0; i < DIMENSION; ++i) q[i] += dot(" + width + ", sum_weight + " + width + " * i, m);\n";
    }
    out_ += "  for (i = 0; i < DIMENSION; ++i) q[i] *= output_scale[i];\n}\n";
  }

  void polynomial_terms(std::size_t total) {
    if (total > most_statements) {
      out_ += "  for (i = 0; i < " + std::to_string(total) +
              "; ++i) {\n    m[i] = (parent[i] < FEATURES ? z[parent[i]] : m[parent[i] - FEATURES]) * z[variable[i]];\n"
              "  }\n";
      return;
    }
    const auto list = monomials(spec_.inputs, polynomial()->degree);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::size_t parent = list[i].parent;
      const std::string factor = parent < spec_.inputs ? "z[" + std::to_string(parent) + "]"
                                                       : "m[" + std::to_string(parent - spec_.inputs) + "]";
      out_ += "  m[" + std::to_string(i) + "] = " + factor + " * z[" + std::to_string(list[i].variable) + "];\n";
    }
  }

  /// "u[n] + (dt * 0x1p-1 * k[0][n] + ...)", in the order of RungeKutta::step, whose bits these are; zero weights left
  /// out.
  static std::string weighted(const double* weight, std::size_t count) {
    std::string sum;
    for (std::size_t j = 0; j < count; ++j) {
      if (weight[j] == 0.0) continue;
      sum += (sum.empty() ? "dt * " : " + dt * ") + hexadecimal(weight[j]) + " * k[" + std::to_string(j) + "][n]";
    }
    return "u[n] + (" + (sum.empty() ? "0.0" : sum) + ")";
  }

  static std::string stage_state(const ButcherTableau& tableau) {
    return tableau.stages() > 1 ? "  double v[DIMENSION];\n" : "";
  }

  bool own_fallback() const { return corrector_.fallback_scheme() != corrector_.base; }

  std::string fallback_function() const {
    return "/* One step of " + fallback_.name + ", which takes over. */\nstatic int fallback_step(" + name_ +
           "_rhs rhs, void *user, double t, const double *u, double dt, double *next,\n"
           "                         double (*k)[DIMENSION]) {\n" +
           stage_state(fallback_) + "  int result;\n  size_t n;\n" + steps(fallback_) + "  return 0;\n}\n\n";
  }

  static std::string steps(const ButcherTableau& tableau) {
    std::string text;
    const std::size_t s = tableau.stages();
    for (std::size_t i = 0; i < s; ++i) {
      std::string at = "u";
      if (i > 0) {
        text += "  for (n = 0; n < DIMENSION; ++n) v[n] = " + weighted(tableau.a.data() + i * s, i) + ";\n";
        at = "v";
      }
      const std::string time = tableau.c[i] == 0.0 ? "t" : "t + " + hexadecimal(tableau.c[i]) + " * dt";
      text += "  result = rhs(" + time + ", " + at + ", k[" + std::to_string(i) + "], user);\n";
      text += "  if (result != 0) return result;\n";
    }
    return text + "  for (n = 0; n < DIMENSION; ++n) next[n] = " + weighted(tableau.b.data(), s) + ";\n";
  }

  std::string features() const {
    if (corrector_.input == CorrectorInput::state) return "    memcpy(x, u, sizeof x);\n";
    std::string text = "    for (n = 0; n < DIMENSION; ++n) x[n] = next[n] - u[n];\n";
    if (corrector_.input == CorrectorInput::stages) {
      for (std::size_t s = 1; s < tableau_.stages(); ++s) {
        const std::string i = std::to_string(s);
        text += "    for (n = 0; n < DIMENSION; ++n) x[" + i + " * DIMENSION + n] = " + hexadecimal(corrector_.dt) +
                " * (k[" + i + "][n] - k[" + std::to_string(s - 1) + "][n]);\n";
      }
    }
    return text;
  }

  const Model& model_;
  const CorrectorModel& corrector_;
  const ApproximatorSpec& spec_;
  const ButcherTableau& tableau_;
  const ButcherTableau& fallback_;
  std::string name_;
  std::string number_;
  std::vector<source::Replacement> keys_;
  std::string out_;
};

} // namespace

CSource export_c(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  return CWriter(model, name).write();
}

} // namespace lodestep
