#include "model/approximator_file.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

Dtype term_dtype(Precision precision) {
  return precision == Precision::f32 ? Dtype::f32 : Dtype::f64;
}

std::string layer_name(const std::string& path, std::size_t i) {
  return path + ".mlp.layers[" + std::to_string(i) + "]";
}

void write_layer(const AffineLayer& layer, const std::string& name, Dtype dtype, Tensors& tensors) {
  tensors[name + ".weight"] = {dtype, {layer.outputs, layer.inputs}, layer.weight};
  tensors[name + ".bias"] = {dtype, {layer.bias.size()}, layer.bias};
}

AffineLayer read_layer(const std::string& name, Dtype dtype, TensorReader& tensors) {
  Tensor weight = tensors.matrix(name + ".weight", dtype);
  AffineLayer layer;
  layer.outputs = weight.shape[0];
  layer.inputs = weight.shape[1];
  layer.weight = std::move(weight.values);
  layer.bias = tensors.vector(name + ".bias", dtype);
  return layer;
}

/// The enumerator of that name, with the field in the message.
template <class Enum> Enum named(ObjectReader& json, const std::string& key, Enum (*from)(const std::string&)) {
  const std::string name = json.text(key);
  try {
    return from(name);
  } catch (const InvalidArgument& error) {
    throw InvalidModel(json.path(key), error.what());
  }
}

template <std::size_t N> std::array<double, N> coefficients(ObjectReader& json, const std::string& key) {
  const auto values = json.numbers(key, N);
  std::array<double, N> result;
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

PolynomialTerm read_polynomial(ObjectReader json, const std::string& path, const ApproximatorSpec& spec,
                               TensorReader& tensors) {
  PolynomialTerm term;
  term.degree = json.small_integer("degree", 9);
  json.finish();
  const std::string name = path + ".polynomial.coefficient";
  Tensor coefficient = tensors.matrix(name, term_dtype(spec.precision));
  // Compared as reals first: for very many inputs the number of monomials overflows an integer.
  double expected = 1.0;
  for (unsigned k = 1; k <= term.degree; ++k) expected *= (static_cast<double>(spec.inputs) + k) / k;
  if (!(expected < 1e15) || coefficient.shape[0] != spec.outputs ||
      coefficient.shape[1] != monomial_count(spec.inputs, term.degree)) {
    throw InvalidModel(name + ".shape", "expected a row for each of " + std::to_string(spec.outputs) +
                                            " outputs and a column for each monomial of degree 2 to " +
                                            std::to_string(term.degree) + " in " + std::to_string(spec.inputs) +
                                            " inputs, found [" + std::to_string(coefficient.shape[0]) + ", " +
                                            std::to_string(coefficient.shape[1]) + "]");
  }
  term.coefficient = std::move(coefficient.values);
  return term;
}

PiecewiseTerm read_piecewise(ObjectReader json, const std::string& path, const ApproximatorSpec& spec,
                             TensorReader& tensors) {
  if (spec.inputs > PiecewiseTerm::most_inputs) {
    throw InvalidModel(path + ".piecewise", "piecewise polynomials have 1 to " +
                                                std::to_string(PiecewiseTerm::most_inputs) + " inputs, found " +
                                                std::to_string(spec.inputs));
  }
  PiecewiseTerm term;
  term.degree = json.small_integer("degree", PiecewiseTerm::highest_degree);
  term.cells = json.sizes("cells");
  json.finish();
  for (const double entry : tensors.vector(path + ".piecewise.tree", Dtype::i32)) {
    term.tree.push_back(static_cast<std::int32_t>(entry));
  }
  const std::string name = path + ".piecewise.coefficient";
  Tensor coefficient = tensors.matrix(name, term_dtype(spec.precision));
  const std::size_t terms = PiecewiseTerm::terms(spec.inputs, term.degree);
  if (spec.outputs != 0 && (coefficient.shape[1] % spec.outputs != 0 || coefficient.shape[1] / spec.outputs != terms)) {
    throw InvalidModel(name + ".shape", "expected " + std::to_string(terms) + " columns for each of " +
                                            std::to_string(spec.outputs) + " outputs, found " +
                                            std::to_string(coefficient.shape[1]));
  }
  term.coefficient = std::move(coefficient.values);
  return term;
}

MlpTerm read_mlp(ObjectReader json, const std::string& path, Precision precision, TensorReader& tensors) {
  MlpTerm term;
  term.activation = named(json, "activation", activation_from);
  term.numerator = coefficients<4>(json, "numerator");
  term.denominator = coefficients<3>(json, "denominator");
  const std::size_t layers = json.size("layers");
  if (layers > tensors.count()) {
    throw InvalidModel(json.path("layers"), std::to_string(layers) + " layers announced, the file has " +
                                                std::to_string(tensors.count()) + " arrays in all");
  }
  json.finish();
  for (std::size_t i = 0; i < layers; ++i) {
    term.layers.push_back(read_layer(layer_name(path, i), term_dtype(precision), tensors));
  }
  return term;
}

} // namespace

Json write_approximator(const ApproximatorSpec& spec, const std::string& path, Tensors& tensors) {
  Json json = {{"inputs", spec.inputs}, {"outputs", spec.outputs}, {"precision", to_string(spec.precision)}};
  const auto vector = [&](const char* name, const std::vector<double>& values) {
    tensors[path + name] = {Dtype::f64, {values.size()}, values};
  };
  vector(".input_mean", spec.input_mean);
  vector(".input_scale", spec.input_scale);
  vector(".output_scale", spec.output_scale);
  write_layer(spec.affine, path + ".affine", Dtype::f64, tensors);

  const Dtype dtype = term_dtype(spec.precision);
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) {
    json["term"] = "polynomial";
    json["polynomial"] = {{"degree", polynomial->degree}};
    tensors[path + ".polynomial.coefficient"] = {
        dtype, {spec.outputs, monomial_count(spec.inputs, polynomial->degree)}, polynomial->coefficient};
  } else if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) {
    json["term"] = "piecewise";
    json["piecewise"] = {{"degree", piecewise->degree}, {"cells", piecewise->cells}};
    tensors[path + ".piecewise.tree"] = {
        Dtype::i32, {piecewise->tree.size()}, {piecewise->tree.begin(), piecewise->tree.end()}};
    const std::size_t each = spec.outputs * PiecewiseTerm::terms(spec.inputs, piecewise->degree);
    tensors[path + ".piecewise.coefficient"] = {
        dtype, {piecewise->coefficient.size() / each, each}, piecewise->coefficient};
  } else if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    json["term"] = "mlp";
    json["mlp"] = {{"activation", to_string(mlp->activation)},
                   {"numerator", mlp->numerator},
                   {"denominator", mlp->denominator},
                   {"layers", mlp->layers.size()}};
    for (std::size_t i = 0; i < mlp->layers.size(); ++i) {
      write_layer(mlp->layers[i], layer_name(path, i), dtype, tensors);
    }
  } else {
    json["term"] = "none";
  }
  return json;
}

ApproximatorSpec read_approximator(ObjectReader json, const std::string& path, TensorReader& tensors) {
  ApproximatorSpec spec;
  spec.inputs = json.size("inputs");
  spec.outputs = json.size("outputs");
  spec.precision = named(json, "precision", precision_from);
  spec.input_mean = tensors.vector(path + ".input_mean", Dtype::f64);
  spec.input_scale = tensors.vector(path + ".input_scale", Dtype::f64);
  spec.output_scale = tensors.vector(path + ".output_scale", Dtype::f64);
  spec.affine = read_layer(path + ".affine", Dtype::f64, tensors);
  const std::string term = json.text("term");
  if (term == "polynomial") {
    spec.term = read_polynomial(json.object("polynomial"), path, spec, tensors);
  } else if (term == "piecewise") {
    spec.term = read_piecewise(json.object("piecewise"), path, spec, tensors);
  } else if (term == "mlp") {
    spec.term = read_mlp(json.object("mlp"), path, spec.precision, tensors);
  } else if (term != "none") {
    throw InvalidModel(json.path("term"),
                       "unknown term " + quoted(term) + ": expected none, polynomial, piecewise or mlp");
  }
  json.finish();
  return spec;
}

} // namespace lodestep::detail
