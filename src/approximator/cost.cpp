#include <lodestep/approximator.hpp>

namespace lodestep {

double ApproximatorSpec::cost_ns() const {
  // A linear model of the fused kernels at batch 1, fitted to the inference benchmark on AVX2 hardware: a call, the
  // multiply-adds, and the activations.
  const double per_fma = precision == Precision::f64 ? 0.07 : 0.04;
  double ns = 4.0 + per_fma * static_cast<double>(affine.weight.size());
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&term)) {
    const auto count = static_cast<double>(monomial_count(inputs, polynomial->degree));
    ns += 0.3 * count + per_fma * static_cast<double>(polynomial->coefficient.size());
  } else if (const auto* mlp = std::get_if<MlpTerm>(&term)) {
    const double per_unit = mlp->activation == Activation::relu ? 0.1 : precision == Precision::f64 ? 0.5 : 0.2;
    for (std::size_t i = 0; i < mlp->layers.size(); ++i) {
      ns += per_fma * static_cast<double>(mlp->layers[i].weight.size());
      if (i + 1 < mlp->layers.size()) ns += 4.0 + per_unit * static_cast<double>(mlp->layers[i].outputs);
    }
  }
  return ns;
}

} // namespace lodestep
