#include "export/c_steps.hpp"

#include "export/source_text.hpp"

#include <cstddef>

namespace lodestep::source {

namespace {

/// "dt * 0x1p-1 * k[0][n] + ...", those of weight zero left out; `text(j)` writes weight j.
template <class Text> std::string weighted(const double* weight, std::size_t count, const Text& text) {
  std::string sum;
  for (std::size_t j = 0; j < count; ++j) {
    if (weight[j] == 0.0) continue;
    sum += (sum.empty() ? "dt * " : " + dt * ") + text(j) + " * k[" + std::to_string(j) + "][n]";
  }
  return sum.empty() ? "0.0" : sum;
}

std::string element(const char* array, std::size_t i) {
  return std::string(array) + "[" + std::to_string(i) + "]";
}

} // namespace

std::string c_step(const ButcherTableau& tableau, const CStep& step) {
  const std::size_t s = tableau.stages();
  // f(t + dt, u') belongs to the next step, and to the estimate.
  const std::size_t stages = tableau.fsal && !step.all_stages ? s - 1 : s;
  const bool given = step.coefficients_given;
  std::string text = "/* " + step.comment + " */\n" + step.attribute + "static int " + step.function + "(" +
                     step.prefix + "_rhs rhs, void *user, double t, const double *u, double dt, double *next,\n" +
                     "    " + (given ? "const double *a, const double *b, const double *c, " : "") +
                     (step.estimates_error ? "double *error, " : "") + "double (*k)[DIMENSION]) {\n";
  if (s > 1) text += "  double v[DIMENSION];\n";
  text += "  int result;\n  size_t n;\n";
  const auto stage = [&](std::size_t i, const std::string& at, const std::string& indent) {
    const std::string time = tableau.c[i] == 0.0 && !(given && i > 0)
                                 ? "t"
                                 : "t + " + (given ? element("c", i) : hexadecimal(tableau.c[i])) + " * dt";
    return indent + "result = rhs(" + time + ", " + at + ", " + element("k", i) + ", user);\n" + indent +
           "if (result != 0) return result;\n";
  };
  for (std::size_t i = 0; i < stages; ++i) {
    if (i > 0) {
      const double* row = tableau.a.data() + i * s;
      text += "  for (n = 0; n < DIMENSION; ++n) v[n] = u[n] + (" +
              weighted(row, i, [&](std::size_t j) { return given ? element("a", i * s + j) : hexadecimal(row[j]); }) +
              ");\n";
    }
    text += stage(i, i > 0 ? "v" : "u", "  ");
  }
  text += "  for (n = 0; n < DIMENSION; ++n) next[n] = u[n] + (" +
          weighted(tableau.b.data(), s,
                   [&](std::size_t j) { return given ? element("b", j) : hexadecimal(tableau.b[j]); }) +
          ");\n";
  if (step.estimates_error) {
    std::vector<double> difference(s);
    for (std::size_t i = 0; i < s; ++i) difference[i] = tableau.b[i] - tableau.b_embedded[i];
    text += "  if (error) {\n";
    if (stages < s) text += stage(s - 1, "next", "    ");
    text += "    for (n = 0; n < DIMENSION; ++n) error[n] = " +
            weighted(difference.data(), s, [&](std::size_t j) { return hexadecimal(difference[j]); }) + ";\n  }\n";
  }
  return text + "  return 0;\n}\n";
}

std::string c_evolve(const std::string& prefix, const std::string& size, const std::string& arguments,
                     const std::string& arguments_after_size) {
  return fill(R"(  const double start = *t, h = t_end < start ? -@size@ : @size@;
  const double whole = floor((t_end - start) / h + 1e-9);
  const double rest = t_end - (start + whole * h);
  const int exact = fabs(rest) <= 1e-9 * @size@;
  double i;
  int result;
  if (!(fabs(start) <= DBL_MAX && fabs(t_end) <= DBL_MAX && whole < 0x1p+53)) return -1;
  if (start + h / 2 == start || t_end + h / 2 == t_end) return -1;
  for (i = 0.0; i < whole; i += 1.0) {
    result = @prefix@_step(rhs, user, @arguments@start + i * h, u, h, @after@counters);
    if (result != 0) return result;
    *t = exact && i + 1.0 == whole ? t_end : start + (i + 1.0) * h;
  }
  if (!exact) {
    result = @prefix@_step(rhs, user, @arguments@*t, u, rest, @after@counters);
    if (result != 0) return result;
    *t = t_end;
  }
  return 0;
)",
              {{"prefix", prefix}, {"size", size}, {"arguments", arguments}, {"after", arguments_after_size}});
}

} // namespace lodestep::source
