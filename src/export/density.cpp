#include "export/density.hpp"

#include <lodestep/error.hpp>

#include <string>
#include <variant>

namespace lodestep::source {

DensityTables density_tables(const Density& density) {
  const ApproximatorSpec& spec = density.projection;
  const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term);
  if (!polynomial && !std::holds_alternative<std::monostate>(spec.term)) {
    throw InvalidArgument("export: the model's density is a " + spec.description() +
                          "; exported code has affine maps and polynomials there");
  }
  DensityTables tables;
  tables.inputs = spec.inputs;
  tables.outputs = spec.outputs;
  tables.mean = spec.input_mean;
  for (const double scale : spec.input_scale) tables.factor.push_back(1.0 / scale);
  if (polynomial) {
    for (const auto& monomial : monomials(spec.inputs, polynomial->degree)) {
      tables.parent.push_back(1 + monomial.parent);
      tables.variable.push_back(1 + monomial.variable);
    }
  }
  tables.terms = 1 + spec.inputs + tables.parent.size();
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    const double scale = spec.output_scale[o];
    tables.weight.push_back(scale * spec.affine.bias[o]);
    for (std::size_t i = 0; i < spec.inputs; ++i) {
      tables.weight.push_back(scale * spec.affine.weight[o * spec.inputs + i]);
    }
    for (std::size_t i = 0; i < tables.parent.size(); ++i) {
      tables.weight.push_back(scale * polynomial->coefficient[o * tables.parent.size() + i]);
    }
  }
  return tables;
}

} // namespace lodestep::source
