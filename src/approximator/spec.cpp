#include "approximator/piecewise.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <cmath>
#include <utility>

namespace lodestep {

namespace {

template <class Enum, std::size_t N>
Enum from_name(const char* what, const std::string& name, const Enum (&values)[N]) {
  std::string known;
  for (Enum value : values) {
    if (name == to_string(value)) return value;
    known += std::string(known.empty() ? "" : ", ") + to_string(value);
  }
  throw InvalidArgument(std::string("unknown ") + what + " '" + name + "': expected one of " + known);
}

void check_size(const std::string& field, std::size_t actual, std::size_t expected) {
  if (actual != expected) {
    throw InvalidModel(field, "expected " + std::to_string(expected) + " numbers, found " + std::to_string(actual));
  }
}

void check_finite(const std::string& field, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) throw InvalidModel(field + "[" + std::to_string(i) + "]", "not a finite number");
  }
}

void check_positive(const std::string& field, const std::vector<double>& values) {
  check_finite(field, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] > 0.0)) {
      throw InvalidModel(field + "[" + std::to_string(i) + "]",
                         "a scale must be positive, found " + std::to_string(values[i]));
    }
  }
}

void check_layer(const std::string& field, const AffineLayer& layer, std::size_t inputs) {
  if (layer.inputs != inputs) {
    throw InvalidModel(field + ".weight",
                       "expected " + std::to_string(inputs) + " columns, found " + std::to_string(layer.inputs));
  }
  if (layer.outputs == 0) throw InvalidModel(field + ".weight", "a layer needs at least one row");
  check_size(field + ".weight", layer.weight.size(), layer.inputs * layer.outputs);
  check_size(field + ".bias", layer.bias.size(), layer.outputs);
  check_finite(field + ".weight", layer.weight);
  check_finite(field + ".bias", layer.bias);
}

} // namespace

const char* to_string(Precision precision) noexcept {
  return precision == Precision::f64 ? "f64" : "f32";
}

const char* to_string(Activation activation) noexcept {
  switch (activation) {
  case Activation::tanh:
    return "tanh";
  case Activation::rational:
    return "rational";
  case Activation::silu:
    return "silu";
  case Activation::relu:
    return "relu";
  }
  return "?";
}

const char* to_string(Backend backend) noexcept {
  switch (backend) {
  case Backend::automatic:
    return "automatic";
  case Backend::fused:
    return "fused";
  case Backend::onednn:
    return "onednn";
  case Backend::reference:
    return "reference";
  }
  return "?";
}

Precision precision_from(const std::string& name) {
  return from_name<Precision>("precision", name, {Precision::f64, Precision::f32});
}

Activation activation_from(const std::string& name) {
  return from_name<Activation>("activation", name,
                               {Activation::tanh, Activation::rational, Activation::silu, Activation::relu});
}

Backend backend_from(const std::string& name) {
  return from_name<Backend>("backend", name, {Backend::automatic, Backend::fused, Backend::onednn, Backend::reference});
}

std::size_t monomial_count(std::size_t inputs, unsigned degree) {
  // C(inputs + degree, degree), built so that every intermediate quotient is exact.
  std::size_t binomial = 1;
  for (unsigned k = 1; k <= degree; ++k) binomial = binomial * (inputs + k) / k;
  return binomial - 1 - inputs;
}

std::vector<Monomial> monomials(std::size_t inputs, unsigned degree) {
  std::vector<Monomial> list;
  if (degree < 2) return list;
  list.reserve(monomial_count(inputs, degree));
  // Every monomial of the degree below is extended by the variables from its own last one on: their lists of variables
  // stay non-decreasing, so that each monomial is made once, and in lexicographic order.
  std::size_t first = 0; // of the degree below, counting the inputs
  std::size_t last = inputs;
  for (unsigned d = 2; d <= degree; ++d) {
    for (std::size_t parent = first; parent < last; ++parent) {
      const std::size_t from = parent < inputs ? parent : list[parent - inputs].variable;
      for (std::size_t variable = from; variable < inputs; ++variable) list.push_back({parent, variable});
    }
    first = last;
    last = inputs + list.size();
  }
  return list;
}

ApproximatorSpec ApproximatorSpec::zero(std::size_t inputs, std::size_t outputs) {
  ApproximatorSpec spec;
  spec.inputs = inputs;
  spec.outputs = outputs;
  spec.input_mean.assign(inputs, 0.0);
  spec.input_scale.assign(inputs, 1.0);
  spec.output_scale.assign(outputs, 1.0);
  spec.affine = {inputs, outputs, std::vector<double>(inputs * outputs), std::vector<double>(outputs)};
  return spec;
}

void ApproximatorSpec::validate(const std::string& path) const {
  if (inputs == 0) throw InvalidModel(path + ".inputs", "must be at least 1");
  if (outputs == 0) throw InvalidModel(path + ".outputs", "must be at least 1");
  check_size(path + ".input_mean", input_mean.size(), inputs);
  check_size(path + ".input_scale", input_scale.size(), inputs);
  check_size(path + ".output_scale", output_scale.size(), outputs);
  check_finite(path + ".input_mean", input_mean);
  check_positive(path + ".input_scale", input_scale);
  check_positive(path + ".output_scale", output_scale);
  check_layer(path + ".affine", affine, inputs);
  if (affine.outputs != outputs) {
    throw InvalidModel(path + ".affine.weight",
                       "expected " + std::to_string(outputs) + " rows, found " + std::to_string(affine.outputs));
  }
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&term)) {
    if (polynomial->degree < 2 || polynomial->degree > 9) {
      throw InvalidModel(path + ".polynomial.degree", "expected 2 to 9, found " + std::to_string(polynomial->degree));
    }
    check_size(path + ".polynomial.coefficient", polynomial->coefficient.size(),
               outputs * monomial_count(inputs, polynomial->degree));
    check_finite(path + ".polynomial.coefficient", polynomial->coefficient);
  } else if (const auto* piecewise = std::get_if<PiecewiseTerm>(&term)) {
    detail::validate_piecewise(*piecewise, inputs, outputs, path + ".piecewise");
  } else if (const auto* mlp = std::get_if<MlpTerm>(&term)) {
    if (mlp->layers.size() < 2) {
      throw InvalidModel(path + ".mlp.layers", "expected a hidden layer and an output layer at least, found " +
                                                   std::to_string(mlp->layers.size()));
    }
    std::size_t width = inputs;
    for (std::size_t i = 0; i < mlp->layers.size(); ++i) {
      check_layer(path + ".mlp.layers[" + std::to_string(i) + "]", mlp->layers[i], width);
      width = mlp->layers[i].outputs;
    }
    if (width != outputs) {
      throw InvalidModel(path + ".mlp.layers[" + std::to_string(mlp->layers.size() - 1) + "]",
                         "the output layer must have " + std::to_string(outputs) + " rows, found " +
                             std::to_string(width));
    }
    for (double c : mlp->numerator) {
      if (!std::isfinite(c)) throw InvalidModel(path + ".mlp.numerator", "not a finite number");
    }
    for (double c : mlp->denominator) {
      if (!std::isfinite(c)) throw InvalidModel(path + ".mlp.denominator", "not a finite number");
    }
  }
}

std::string ApproximatorSpec::description() const {
  std::string text = std::to_string(inputs) + "-";
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&term)) {
    return "polynomial of degree " + std::to_string(polynomial->degree) + ", " + text + std::to_string(outputs);
  }
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&term)) {
    const std::size_t each = outputs * PiecewiseTerm::terms(inputs, piecewise->degree);
    return std::to_string(piecewise->coefficient.size() / each) + " polynomials of degree " +
           std::to_string(piecewise->degree) + ", " + text + std::to_string(outputs);
  }
  if (const auto* mlp = std::get_if<MlpTerm>(&term)) {
    for (const auto& layer : mlp->layers) {
      text += std::to_string(layer.outputs);
      if (&layer != &mlp->layers.back()) text += "-";
    }
    return std::string(to_string(mlp->activation)) + " MLP " + text;
  }
  return "affine, " + text + std::to_string(outputs);
}

std::size_t ApproximatorSpec::parameters() const noexcept {
  std::size_t count = affine.weight.size() + affine.bias.size();
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&term)) count += polynomial->coefficient.size();
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&term)) count += piecewise->coefficient.size();
  if (const auto* mlp = std::get_if<MlpTerm>(&term)) {
    for (const auto& layer : mlp->layers) count += layer.weight.size() + layer.bias.size();
  }
  return count;
}

} // namespace lodestep
