#include "export/c_guard.hpp"

#include "export/c_text.hpp"
#include "export/density.hpp"
#include "export/source_text.hpp"

#include <string>
#include <vector>

namespace lodestep::source {

namespace {

/// The density: its tables, and the function density_distance, at most 1 inside.
std::string density_code(const Density& density) {
  const DensityTables tables = density_tables(density);
  const auto indices = [](const std::vector<std::size_t>& values) {
    std::vector<std::string> text;
    for (std::size_t value : values) text.push_back(std::to_string(value));
    return text;
  };
  std::string code =
      "/* The density: where learned steps are good. */\n" + c_table("double", "density_mean", tables.mean) +
      c_table("double", "density_factor", tables.factor) + c_table("double", "density_weight", tables.weight);
  std::string products;
  if (!tables.parent.empty()) {
    code += c_table("unsigned char", "density_parent", indices(tables.parent), 16);
    code += c_table("unsigned char", "density_variable", indices(tables.variable), 16);
    products = "  for (i = @first@; i < @terms@; ++i) m[i] = m[density_parent[i - @first@]] * "
               "m[density_variable[i - @first@]];\n";
  }
  return code + fill(R"(
/* How far x is from where learned steps are good: up to 1 is inside. */
static double density_distance(const double *x) {
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

} // namespace

std::string c_guard(const CorrectorModel& corrector) {
  const Domain& domain = corrector.domain;
  std::vector<double> lower, upper;
  for (const auto& interval : domain.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  std::string text = "/* Where the model may be used, and the largest correction it may apply. */\n" +
                     c_table("double", "lower", lower) + c_table("double", "upper", upper) +
                     c_table("double", "limit", domain.correction_limit);
  if (!corrector.parameters.empty()) {
    std::vector<double> nominal, least, most;
    for (const auto& parameter : corrector.parameters) {
      nominal.push_back(parameter.nominal);
      least.push_back(parameter.trained.lower);
      most.push_back(parameter.trained.upper);
    }
    text += c_table("double", "nominal", nominal) + c_table("double", "parameter_lower", least) +
            c_table("double", "parameter_upper", most);
  }
  if (!corrector.estimate.scale.empty()) text += c_table("double", "error_scale", corrector.estimate.scale);
  return text + "\n" + (domain.density ? density_code(*domain.density) : "");
}

} // namespace lodestep::source
