#include <lodestep/approximator.hpp>

#include <algorithm>

namespace lodestep {

namespace {

/// A model of the fused kernels at batch 1 fitted to lodestep_bench_inference and to chains of dependent evaluations
/// (as a stepper makes them) on an AVX-512 processor at 3.5 GHz: within 25% for the shapes that training tries.
std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Affine maps and polynomials: one multiply-add per coefficient and vector of four outputs. Shapes that are not
/// unrolled pay for loops, most where the innermost ones are short.
double polynomial_ns(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree) {
  const double nodes =
      1.0 + static_cast<double>(inputs) + (degree < 2 ? 0.0 : static_cast<double>(monomial_count(inputs, degree)));
  const double vectors = static_cast<double>(round_up(outputs, 4) / 4);
  const bool few = outputs <= 4;
  const bool unrolled =
      (few && (inputs <= 4 || (inputs == 5 && degree <= 7) || (inputs == 6 && degree <= 5))) ||
      (!few && ((inputs >= 2 && inputs <= 4 && degree <= 8) || ((inputs == 5 || inputs == 6) && degree <= 4))) ||
      (inputs == 8 && degree <= 3);
  const bool unrolled_f32 = precision == Precision::f32 && inputs == 4 && !few && degree >= 2 && degree <= 6;
  if ((unrolled && precision == Precision::f64) || unrolled_f32) {
    const double coefficient = unrolled_f32 ? 0.11 : 0.15;
    // Coefficients that do not fit the first-level cache are waited for.
    const double bytes = (precision == Precision::f64 ? 8.0 : 4.0) * nodes * static_cast<double>(outputs);
    return 11.5 + coefficient * nodes * vectors * (bytes > 32768.0 ? 2.1 : 1.0);
  }
  const auto n = static_cast<double>(inputs);
  return 16.0 + 1.4 * n + (0.33 + 1.2 / n) * nodes * vectors;
}

/// Finding the cell, two halvings of it on the way, then the polynomial.
double piecewise_ns(const ApproximatorSpec& spec, const PiecewiseTerm& piecewise) {
  return 12.0 + polynomial_ns(Precision::f64, spec.inputs, spec.outputs, piecewise.degree);
}

struct MlpCost {
  double weight; ///< ns per multiply-add
  double tanh;   ///< ns per unit
  double silu;
  double rational;
  double streamed;            ///< ns per weight that comes from the second-level cache
  std::size_t cached_weights; ///< as many fit the first level
  std::size_t lanes;          ///< units are padded to
};

double mlp_ns(const ApproximatorSpec& spec, const MlpTerm& mlp) {
  const MlpCost c = spec.precision == Precision::f64 ? MlpCost{0.035, 0.54, 0.48, 0.15, 0.069, 4096, 8}
                                                     : MlpCost{0.0186, 0.215, 0.187, 0.056, 0.033, 8192, 16};
  double per_unit = 0.0;
  switch (mlp.activation) {
  case Activation::tanh:
    per_unit = c.tanh;
    break;
  case Activation::silu:
    per_unit = c.silu;
    break;
  case Activation::rational:
    per_unit = c.rational;
    break;
  case Activation::relu:
    break;
  }
  const std::size_t hidden = mlp.layers.size() - 1;
  const bool one_pass = hidden == 1 && spec.outputs <= 8;
  double compute = one_pass ? 23.0 : 25.0 + 8.0 * static_cast<double>(hidden);
  if (spec.inputs != spec.outputs || spec.inputs > 4) compute += 1.2 * static_cast<double>(spec.inputs);
  std::size_t width = spec.inputs;
  std::size_t weights = spec.affine.weight.size();
  for (std::size_t l = 0; l < mlp.layers.size(); ++l) {
    const std::size_t rows = l < hidden ? round_up(mlp.layers[l].outputs, c.lanes) : spec.outputs;
    if (l < hidden) compute += per_unit * static_cast<double>(rows);
    weights += rows * (width + 1);
    width = rows;
  }
  compute += c.weight * static_cast<double>(weights);
  return weights > c.cached_weights ? std::max(compute, c.streamed * static_cast<double>(weights)) : compute;
}

} // namespace

double ApproximatorSpec::cost_ns() const {
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&term)) return piecewise_ns(*this, *piecewise);
  if (const auto* mlp = std::get_if<MlpTerm>(&term)) return mlp_ns(*this, *mlp);
  const auto* polynomial = std::get_if<PolynomialTerm>(&term);
  return polynomial_ns(precision, inputs, outputs, polynomial ? polynomial->degree : 1);
}

} // namespace lodestep
