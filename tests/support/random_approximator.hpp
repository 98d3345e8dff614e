#pragma once

#include <lodestep/approximator.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

/// Random approximators for tests: weights of the size training makes, a standardisation that brings
/// inputs in [-1.5, 1.5] near to [-1, 1].
namespace lodestep::test {

using Engine = std::mt19937_64;

inline double uniform(Engine& engine, double lower, double upper) {
  return lower + (upper - lower) * (static_cast<double>(engine() >> 11) * 0x1p-53);
}

inline std::vector<double> uniform(Engine& engine, std::size_t n, double lower, double upper) {
  std::vector<double> values(n);
  for (auto& v : values) v = uniform(engine, lower, upper);
  return values;
}

inline AffineLayer random_layer(Engine& engine, std::size_t inputs, std::size_t outputs) {
  const double size = 1.0 / std::sqrt(static_cast<double>(inputs));
  return {inputs, outputs, uniform(engine, inputs * outputs, -size, size), uniform(engine, outputs, -1.0, 1.0)};
}

/// Weights of an f32 model are f32 numbers.
inline void round_to_precision(ApproximatorSpec& spec) {
  if (spec.precision == Precision::f64) return;
  const auto round = [](std::vector<double>& values) {
    for (auto& v : values) v = static_cast<double>(static_cast<float>(v));
  };
  round(spec.affine.weight);
  round(spec.affine.bias);
  if (auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) round(polynomial->coefficient);
  if (auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) round(piecewise->coefficient);
  if (auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    for (auto& layer : mlp->layers) {
      round(layer.weight);
      round(layer.bias);
    }
  }
}

inline ApproximatorSpec random_affine(Engine& engine, Precision precision, std::size_t inputs, std::size_t outputs) {
  auto spec = ApproximatorSpec::zero(inputs, outputs);
  spec.precision = precision;
  spec.input_mean = uniform(engine, inputs, -0.5, 0.5);
  spec.input_scale = uniform(engine, inputs, 1.5, 3.0);
  spec.output_scale = uniform(engine, outputs, 1e-6, 1e-3);
  spec.affine = random_layer(engine, inputs, outputs);
  round_to_precision(spec);
  return spec;
}

inline ApproximatorSpec random_polynomial(Engine& engine, Precision precision, std::size_t inputs, std::size_t outputs,
                                          unsigned degree) {
  auto spec = random_affine(engine, precision, inputs, outputs);
  spec.term = PolynomialTerm{degree, uniform(engine, outputs * monomial_count(inputs, degree), -1.0, 1.0)};
  round_to_precision(spec);
  return spec;
}

/// A grid of one to four cells along each input, a third of which are halved, and some of the halves again. Every cell
/// has a polynomial.
inline PiecewiseTerm random_piecewise(Engine& engine, std::size_t inputs, std::size_t outputs, unsigned degree) {
  PiecewiseTerm term;
  term.degree = degree;
  std::size_t open = 1;
  for (std::size_t i = 0; i < inputs; ++i) {
    term.cells.push_back(1 + engine() % 4);
    open *= term.cells.back();
  }
  term.tree.resize(open);
  std::int32_t pieces = 0;
  for (std::size_t entry = 0; entry < term.tree.size(); ++entry) {
    if (engine() % 3 == 0 && term.tree.size() < 60) {
      term.tree[entry] = -1 - static_cast<std::int32_t>(term.tree.size());
      term.tree.resize(term.tree.size() + (std::size_t{1} << inputs));
    } else {
      term.tree[entry] = pieces++;
    }
  }
  term.coefficient =
      uniform(engine, static_cast<std::size_t>(pieces) * outputs * PiecewiseTerm::terms(inputs, degree), -1.0, 1.0);
  return term;
}

/// Inputs in [-1.5, 1.5] are in its box.
inline ApproximatorSpec random_piecewise(Engine& engine, Precision precision, std::size_t inputs, std::size_t outputs,
                                         unsigned degree) {
  auto spec = random_affine(engine, precision, inputs, outputs);
  spec.input_scale = uniform(engine, inputs, 2.0, 3.0);
  spec.term = random_piecewise(engine, inputs, outputs, degree);
  round_to_precision(spec);
  return spec;
}

inline ApproximatorSpec random_mlp(Engine& engine, Precision precision, Activation activation, std::size_t inputs,
                                   const std::vector<std::size_t>& hidden, std::size_t outputs) {
  auto spec = random_affine(engine, precision, inputs, outputs);
  MlpTerm mlp;
  mlp.activation = activation;
  std::size_t width = inputs;
  for (std::size_t h : hidden) {
    mlp.layers.push_back(random_layer(engine, width, h));
    width = h;
  }
  mlp.layers.push_back(random_layer(engine, width, outputs));
  spec.term = mlp;
  round_to_precision(spec);
  return spec;
}

} // namespace lodestep::test
