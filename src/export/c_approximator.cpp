#include "export/c_approximator.hpp"

#include "export/c_text.hpp"
#include "export/source_text.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

/// Inputs of a layer are taken four at a time, and sums kept in eight lanes: what vector units of two to eight doubles
/// can be given without permission to reorder sums.
constexpr std::size_t block = 4;
constexpr std::size_t lanes = 8;
/// More monomials than this are made in a loop over tables instead of one statement each.
constexpr std::size_t most_statements = 256;

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
static inline double tanh_of(double x) {
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
static inline double silu_of(double x) {
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
static inline double relu_of(double x) {
  return x < 0.0 ? 0.0 : x; /* NaN stays NaN */
}
)";

constexpr const char* rational_source = R"(
static inline double @prefix@rational_of(double x) {
  return (((@a3@ * x + @a2@) * x + @a1@) * x + @a0@) /
         ((@b2@ * x + @b1@) * x + @b0@);
}
)";

constexpr const char* layer_helper = R"(
/* y = bias + weight' x; weight is [inputs, outputs], inputs a multiple of four. */
static inline void layer@suffix@(size_t inputs, size_t outputs, const @number@ *restrict weight, const @number@ *restrict bias,
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
static inline double dot@suffix@(size_t count, const @number@ *restrict w, const double *restrict a) {
  double s[8] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
  size_t i, l;
  for (i = 0; i < count; i += 8) {
    for (l = 0; l < 8; ++l) s[l] += w[i + l] * a[i + l];
  }
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
)";

constexpr const char* find_cell_helper = R"(
/* The polynomial of the cell that z is in, and the place within the cell, from -1 to 1; -1 if there is none. An entry of
 * the tree is a polynomial, -1 for none, or -1 - n where the cell is halved into those from entry n on. */
static inline int32_t find_cell(size_t inputs, const int32_t *tree, const uint32_t *cells, const double *z,
                                double *local) {
  size_t i, entry = 0;
  for (i = 0; i < inputs; ++i) {
    const double place = (z[i] + 1.0) * 0.5 * (double)cells[i];
    size_t cell;
    if (!(place >= 0.0 && place <= (double)cells[i])) return -1; /* NaN is in no cell */
    cell = place < (double)cells[i] ? (size_t)place : cells[i] - 1;
    local[i] = place - (double)cell;
    entry = entry * cells[i] + cell;
  }
  while (tree[entry] < -1) {
    size_t child = 0;
    for (i = 0; i < inputs; ++i) {
      const int right = local[i] >= 0.5;
      local[i] = 2.0 * local[i] - (right ? 1.0 : 0.0);
      child = 2 * child + (size_t)right;
    }
    entry = (size_t)(-1 - tree[entry]) + child;
  }
  for (i = 0; i < inputs; ++i) local[i] = 2.0 * local[i] - 1.0;
  return tree[entry];
}
)";

class Writer {
public:
  Writer(const ApproximatorSpec& spec, const CFunction& function, std::set<std::string>& written)
      : spec_(spec), function_(function), written_(written),
        number_(spec.precision == Precision::f32 ? "float" : "double"),
        suffix_(spec.precision == Precision::f32 ? "_f32" : "") {}

  std::string write() {
    tables();
    helpers();
    evaluation();
    return std::move(out_);
  }

private:
  const MlpTerm* mlp() const { return std::get_if<MlpTerm>(&spec_.term); }
  const PolynomialTerm* polynomial() const { return std::get_if<PolynomialTerm>(&spec_.term); }
  const PiecewiseTerm* piecewise() const { return std::get_if<PiecewiseTerm>(&spec_.term); }
  /// Padded width of the values that the last layer, or the polynomial, sums.
  std::size_t sum_width() const {
    if (mlp()) return round_up(mlp()->layers.back().inputs, lanes);
    if (piecewise()) return round_up(PiecewiseTerm::terms(spec_.inputs, piecewise()->degree), lanes);
    return polynomial() ? round_up(monomial_count(spec_.inputs, polynomial()->degree), lanes) : 0;
  }
  /// The name of a table of this approximator's.
  std::string own(const std::string& name) const { return function_.prefix + name; }
  /// What several approximators share is written before the first that needs it.
  void once(const std::string& name, const std::string& text) {
    if (written_.insert(name).second) out_ += text;
  }

  void table(const std::string& type, const std::string& name, const std::vector<double>& values) {
    out_ += c_table(type, own(name), values);
  }

  void tables() {
    std::vector<double> inverse;
    for (double scale : spec_.input_scale) inverse.push_back(1.0 / scale);
    out_ += "/* " + function_.comment +
            ", of z = (x - input_mean) * input_factor. Layers are transposed, and padded with zeros. */\n";
    table("double", "input_mean", spec_.input_mean);
    table("double", "input_factor", inverse);
    table("double", "output_scale", spec_.output_scale);
    const std::size_t inputs = round_up(spec_.inputs, block);
    table(number_, "affine_weight",
          transposed(spec_.affine.weight, spec_.outputs, spec_.inputs, inputs, spec_.outputs));
    std::vector<double> bias = spec_.affine.bias;
    if (mlp()) {
      std::size_t width = inputs;
      for (std::size_t l = 0; l + 1 < mlp()->layers.size(); ++l) {
        const auto& layer = mlp()->layers[l];
        const std::size_t outputs = round_up(layer.outputs, lanes);
        table(number_, "weight_" + std::to_string(l),
              transposed(layer.weight, layer.outputs, layer.inputs, width, outputs));
        table(number_, "bias_" + std::to_string(l), padded(layer.bias, 1, layer.outputs, outputs));
        width = outputs;
      }
      const auto& last = mlp()->layers.back();
      table(number_, "sum_weight", padded(last.weight, last.outputs, last.inputs, sum_width()));
      table(number_, "sum_bias", last.bias);
    } else if (const auto* p = piecewise()) {
      const std::size_t count = PiecewiseTerm::terms(spec_.inputs, p->degree);
      table(number_, "sum_weight", padded(p->coefficient, p->coefficient.size() / count, count, sum_width()));
      std::vector<std::string> cells, tree;
      for (const std::size_t n : p->cells) cells.push_back(std::to_string(n));
      for (const std::int32_t entry : p->tree) tree.push_back(std::to_string(entry));
      out_ += c_table("uint32_t", own("grid_cells"), cells, 16);
      out_ += c_table("int32_t", own("grid_tree"), tree, 16);
    } else if (polynomial()) {
      const std::size_t count = monomial_count(spec_.inputs, polynomial()->degree);
      table(number_, "sum_weight", padded(polynomial()->coefficient, spec_.outputs, count, sum_width()));
      if (count > most_statements) {
        std::vector<std::string> parent, variable;
        for (const auto& monomial : monomials(spec_.inputs, polynomial()->degree)) {
          parent.push_back(std::to_string(monomial.parent));
          variable.push_back(std::to_string(monomial.variable));
        }
        out_ += c_table("uint32_t", own("parent"), parent, 16);
        out_ += c_table("uint32_t", own("variable"), variable, 16);
      }
    }
    table(number_, "affine_bias", bias);
  }

  void helpers() {
    if (const auto* m = mlp()) {
      switch (m->activation) {
      case Activation::tanh:
        activation_ = "tanh_of";
        once("exp2_of", exp2_helper);
        once(activation_, tanh_source);
        break;
      case Activation::silu:
        activation_ = "silu_of";
        once("exp2_of", exp2_helper);
        once(activation_, silu_source);
        break;
      case Activation::relu:
        activation_ = "relu_of";
        once(activation_, relu_source);
        break;
      case Activation::rational:
        activation_ = own("rational_of");
        once(activation_, fill(rational_source, {{"prefix", function_.prefix},
                                                 {"a0", hexadecimal(m->numerator[0])},
                                                 {"a1", hexadecimal(m->numerator[1])},
                                                 {"a2", hexadecimal(m->numerator[2])},
                                                 {"a3", hexadecimal(m->numerator[3])},
                                                 {"b0", hexadecimal(m->denominator[0])},
                                                 {"b1", hexadecimal(m->denominator[1])},
                                                 {"b2", hexadecimal(m->denominator[2])}}));
        break;
      }
    }
    const std::vector<Replacement> keys{{"number", number_}, {"suffix", suffix_}};
    once("layer" + suffix_, fill(layer_helper, keys));
    if (piecewise()) once("find_cell", find_cell_helper);
    if (mlp() || polynomial() || piecewise()) once("dot" + suffix_, fill(dot_helper, keys));
  }

  void evaluation() {
    const std::string inputs = std::to_string(round_up(spec_.inputs, block));
    const std::string outputs = std::to_string(spec_.outputs);
    const auto dot = [&](const std::string& width, const std::string& values) {
      const std::string row = piecewise() ? "((size_t)piece * " + outputs + " + i)" : "i";
      out_ += "  for (i = 0; i < " + outputs + "; ++i) q[i] += " + (mlp() ? own("sum_bias") + "[i] + " : "") + "dot" +
              suffix_ + "(" + width + ", " + own("sum_weight") + " + " + width + " * " + row + ", " + values + ");\n";
    };
    out_ += "\n/* q = output_scale (affine(z) + " +
            std::string(mlp()          ? "network(z)"
                        : piecewise()  ? "polynomial of z's cell"
                        : polynomial() ? "polynomial(z)"
                                       : "0") +
            ") */\nstatic void " + function_.name + "(const double *restrict x, double *restrict q) {\n";
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
    if (piecewise()) {
      out_ += ", local[" + std::to_string(spec_.inputs) + "], m[" + std::to_string(sum_width()) + "] = {0.0}";
    }
    out_ += ";\n  size_t i;\n";
    if (piecewise()) out_ += "  int32_t piece;\n";
    out_ += "  for (i = 0; i < " + std::to_string(spec_.inputs) + "; ++i) z[i] = (x[i] - " + own("input_mean") +
            "[i]) * " + own("input_factor") + "[i];\n";
    out_ += "  layer" + suffix_ + "(" + inputs + ", " + outputs + ", " + own("affine_weight") + ", " +
            own("affine_bias") + ", z, q);\n";
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l + 1 < m->layers.size(); ++l) {
        const std::string n = std::to_string(l), size = std::to_string(round_up(m->layers[l].outputs, lanes));
        out_ += "  layer" + suffix_ + "(" + in_size + ", " + size + ", " + own("weight_") + n + ", " + own("bias_") +
                n + ", " + in + ", a" + n + ");\n";
        out_ += "  for (i = 0; i < " + size + "; ++i) a" + n + "[i] = " + activation_ + "(a" + n + "[i]);\n";
        in = "a" + n;
        in_size = size;
      }
      dot(in_size, in);
    } else if (piecewise()) {
      piecewise_terms();
      dot(std::to_string(sum_width()), "m");
    } else if (polynomial()) {
      polynomial_terms(monomial_total);
      dot(std::to_string(sum_width()), "m");
    }
    out_ += "  for (i = 0; i < " + outputs + "; ++i) q[i] *= " + own("output_scale") + "[i];\n}\n";
  }

  /// 1, the local coordinates and their monomials, in one array.
  void piecewise_terms() {
    const std::string inputs = std::to_string(spec_.inputs), outputs = std::to_string(spec_.outputs);
    out_ += "  piece = find_cell(" + inputs + ", " + own("grid_tree") + ", " + own("grid_cells") + ", z, local);\n" +
            "  if (piece < 0) {\n    for (i = 0; i < " + outputs + "; ++i) q[i] = NAN;\n    return;\n  }\n" +
            "  m[0] = 1.0;\n  for (i = 0; i < " + inputs + "; ++i) m[1 + i] = local[i];\n";
    const auto list = monomials(spec_.inputs, piecewise()->degree);
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_ += "  m[" + std::to_string(1 + spec_.inputs + i) + "] = m[" + std::to_string(1 + list[i].parent) +
              "] * local[" + std::to_string(list[i].variable) + "];\n";
    }
  }

  void polynomial_terms(std::size_t total) {
    if (total > most_statements) {
      out_ += "  for (i = 0; i < " + std::to_string(total) + "; ++i) {\n    const size_t p = " + own("parent") +
              "[i];\n    m[i] = (p < " + std::to_string(spec_.inputs) + " ? z[p] : m[p - " +
              std::to_string(spec_.inputs) + "]) * z[" + own("variable") + "[i]];\n  }\n";
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

  const ApproximatorSpec& spec_;
  const CFunction& function_;
  std::set<std::string>& written_;
  std::string number_;
  std::string suffix_; ///< of helpers that depend on it
  std::string activation_;
  std::string out_;
};

} // namespace

std::string CApproximators::write(const ApproximatorSpec& spec, const CFunction& function) {
  return Writer(spec, function, written_).write();
}

} // namespace lodestep::source
