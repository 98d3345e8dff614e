#include "report/lipschitz.hpp"

#include "approximator/piecewise.hpp"
#include "approximator/reference.hpp"

#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

namespace lodestep::report {

namespace {

/// The norm that belongs to the maximum norm of vectors: the largest sum of absolute values in a row.
double row_sum_norm(const AffineLayer& layer) {
  double largest = 0.0;
  for (std::size_t o = 0; o < layer.outputs; ++o) {
    double sum = 0.0;
    for (std::size_t i = 0; i < layer.inputs; ++i) sum += std::abs(layer.weight[o * layer.inputs + i]);
    largest = std::max(largest, sum);
  }
  return largest;
}

/// The largest slope of an activation. Of a rational one it is sampled: it has no closed form.
double steepest(const MlpTerm& mlp) {
  switch (mlp.activation) {
  case Activation::tanh:
  case Activation::relu:
    return 1.0;
  case Activation::silu:
    return 1.1; // 1.0998 at 2.3994
  case Activation::rational:
    break;
  }
  constexpr double reach = 50.0;
  constexpr double step = 1e-3;
  double largest = 0.0;
  double before = detail::activate(mlp, -reach);
  for (double x = -reach + step; x <= reach; x += step) {
    const double value = detail::activate(mlp, x);
    largest = std::max(largest, std::abs(value - before) / step);
    before = value;
  }
  return largest;
}

double bound(const MlpTerm& mlp) {
  double product = 1.0;
  for (std::size_t l = 0; l < mlp.layers.size(); ++l) {
    product *= row_sum_norm(mlp.layers[l]) * (l + 1 < mlp.layers.size() ? steepest(mlp) : 1.0);
  }
  return product;
}

/// Degrees of 1, of the inputs and of their monomials.
std::vector<double> degrees(std::size_t inputs, unsigned degree) {
  std::vector<double> all(1, 0.0);
  all.resize(1 + inputs, 1.0);
  for (const auto& monomial : monomials(inputs, degree)) all.push_back(all[1 + monomial.parent] + 1.0);
  return all;
}

/// |d m / d z_1| + ... of a monomial of degree n is at most n where |z_i| <= 1.
double bound(const PolynomialTerm& polynomial, std::size_t inputs, std::size_t outputs) {
  const auto degree = degrees(inputs, polynomial.degree);
  const std::size_t count = degree.size() - 1 - inputs;
  double largest = 0.0;
  for (std::size_t o = 0; o < outputs; ++o) {
    double sum = 0.0;
    for (std::size_t m = 0; m < count; ++m) {
      sum += degree[1 + inputs + m] * std::abs(polynomial.coefficient[o * count + m]);
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

/// The same in the local coordinates of each cell, a unit of which is half a cell.
double bound(const PiecewiseTerm& piecewise, std::size_t inputs, std::size_t outputs) {
  const auto degree = degrees(inputs, piecewise.degree);
  double largest = 0.0;
  detail::for_each_piece(piecewise, inputs, [&](std::size_t piece, const detail::GridCell& cell) {
    double narrowest = cell.width[0];
    for (std::size_t i = 1; i < inputs; ++i) narrowest = std::min(narrowest, cell.width[i]);
    for (std::size_t o = 0; o < outputs; ++o) {
      const double* c = piecewise.coefficient.data() + (piece * outputs + o) * degree.size();
      double sum = 0.0;
      for (std::size_t m = 1; m < degree.size(); ++m) sum += degree[m] * std::abs(c[m]);
      largest = std::max(largest, sum / (0.5 * narrowest));
    }
  });
  return largest;
}

} // namespace

double lipschitz_bound(const ApproximatorSpec& spec) {
  double result = row_sum_norm(spec.affine);
  if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) result += bound(*mlp);
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) {
    result += bound(*polynomial, spec.inputs, spec.outputs);
  }
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) {
    result += bound(*piecewise, spec.inputs, spec.outputs);
  }
  return result;
}

} // namespace lodestep::report
