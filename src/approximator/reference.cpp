#include "approximator/reference.hpp"

#include "approximator/piecewise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

double activate(const MlpTerm& mlp, double x) noexcept {
  switch (mlp.activation) {
  case Activation::tanh:
    return std::tanh(x);
  case Activation::silu:
    return x / (1.0 + std::exp(-x));
  case Activation::relu:
    return x < 0.0 ? 0.0 : x; // NaN stays NaN
  case Activation::rational:
    break;
  }
  const auto& a = mlp.numerator;
  const auto& b = mlp.denominator;
  return (((a[3] * x + a[2]) * x + a[1]) * x + a[0]) / ((b[2] * x + b[1]) * x + b[0]);
}

ReferenceApproximator::ReferenceApproximator(const ApproximatorSpec& spec) : spec_(spec), widest_(spec.inputs) {
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec_.term)) {
    monomials_ = monomials(spec_.inputs, polynomial->degree);
    widest_ = spec_.inputs + monomials_.size();
  } else if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec_.term)) {
    monomials_ = monomials(spec_.inputs, piecewise->degree);
    widest_ = 1 + spec_.inputs + monomials_.size();
  } else if (const auto* mlp = std::get_if<MlpTerm>(&spec_.term)) {
    for (const auto& layer : mlp->layers) widest_ = std::max(widest_, layer.outputs);
  }
}

void ReferenceApproximator::evaluate(const double* x, double* y, Workspace& workspace) const {
  auto* z = static_cast<double*>(workspace.require(2 * widest_ * sizeof(double)));
  for (std::size_t i = 0; i < spec_.inputs; ++i) z[i] = (x[i] - spec_.input_mean[i]) / spec_.input_scale[i];
  const auto layer = [](const AffineLayer& l, const double* in, double* out) {
    for (std::size_t o = 0; o < l.outputs; ++o) {
      out[o] = l.bias[o];
      for (std::size_t i = 0; i < l.inputs; ++i) out[o] += l.weight[o * l.inputs + i] * in[i];
    }
  };
  layer(spec_.affine, z, y);
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec_.term)) {
    double* all = z; // the inputs, then the monomials
    for (std::size_t m = 0; m < monomials_.size(); ++m) {
      all[spec_.inputs + m] = all[monomials_[m].parent] * z[monomials_[m].variable];
    }
    for (std::size_t o = 0; o < spec_.outputs; ++o) {
      const double* c = polynomial->coefficient.data() + o * monomials_.size();
      for (std::size_t m = 0; m < monomials_.size(); ++m) y[o] += c[m] * all[spec_.inputs + m];
    }
  } else if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec_.term)) {
    double* all = z + widest_; // one, the local coordinates, then their monomials
    double* local = all + 1;
    const std::int32_t piece = locate(*piecewise, spec_.inputs, z, local);
    all[0] = 1.0;
    for (std::size_t m = 0; piece >= 0 && m < monomials_.size(); ++m) {
      local[spec_.inputs + m] = local[monomials_[m].parent] * local[monomials_[m].variable];
    }
    for (std::size_t o = 0; o < spec_.outputs; ++o) {
      if (piece < 0) {
        y[o] = std::numeric_limits<double>::quiet_NaN();
        continue;
      }
      const double* c = piecewise->coefficient.data() + (static_cast<std::size_t>(piece) * spec_.outputs + o) * widest_;
      for (std::size_t m = 0; m < widest_; ++m) y[o] += c[m] * all[m];
    }
  } else if (const auto* mlp = std::get_if<MlpTerm>(&spec_.term)) {
    double* in = z;
    double* out = z + widest_;
    for (std::size_t i = 0; i < mlp->layers.size(); ++i) {
      layer(mlp->layers[i], in, out);
      const bool hidden = i + 1 < mlp->layers.size();
      for (std::size_t o = 0; hidden && o < mlp->layers[i].outputs; ++o) out[o] = activate(*mlp, out[o]);
      std::swap(in, out);
    }
    for (std::size_t o = 0; o < spec_.outputs; ++o) y[o] += in[o];
  }
  for (std::size_t o = 0; o < spec_.outputs; ++o) y[o] *= spec_.output_scale[o];
}

} // namespace lodestep::detail
