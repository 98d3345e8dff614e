#include "model/safetensors.hpp"

#include <lodestep/error.hpp>
#include <lodestep/network_exchange.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace lodestep {

namespace {

using detail::Dtype;
using detail::Tensor;
using detail::Tensors;

struct Layer {
  std::string name;
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;
};

/// "net.12.weight": the number before the last dot, and what is before the number.
bool split(const std::string& name, std::string& prefix, std::uint64_t& number, std::string& kind) {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return false;
  kind = name.substr(dot + 1);
  std::size_t begin = dot;
  while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') --begin;
  if (begin == dot || dot - begin > 9) return false;
  prefix = name.substr(0, begin);
  number = std::stoull(name.substr(begin, dot - begin));
  return kind == "weight" || kind == "bias";
}

std::vector<double> vector_of(const Tensors& tensors, const std::string& name, std::size_t size, double otherwise) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return std::vector<double>(size, otherwise);
  if (found->second.shape != std::vector<std::size_t>{size}) {
    throw InvalidModel(name, "expected shape [" + std::to_string(size) + "]");
  }
  return found->second.values;
}

/// The layers in the order of their numbers.
std::map<std::uint64_t, Layer> layers_of(const Tensors& tensors) {
  std::map<std::uint64_t, Layer> layers;
  std::string first_prefix;
  for (const auto& [name, tensor] : tensors) {
    if (name == "input_mean" || name == "input_scale" || name == "output_scale") continue;
    std::string prefix, kind;
    std::uint64_t number = 0;
    if (!split(name, prefix, number, kind)) {
      throw InvalidModel(name, "unknown tensor: expected layers \"<name><number>.weight\" and \"<name><number>.bias\", "
                               "input_mean, input_scale and output_scale");
    }
    if (layers.empty()) first_prefix = prefix;
    if (prefix != first_prefix) {
      throw InvalidModel(name, "expected layers of one network, found \"" + first_prefix + "\" and \"" + prefix + "\"");
    }
    Layer& layer = layers[number];
    layer.name = prefix + std::to_string(number);
    (kind == "weight" ? layer.weight : layer.bias) = &tensor;
  }
  if (layers.empty()) throw InvalidModel("file", "there is no layer in it");
  return layers;
}

AffineLayer affine_layer(const Layer& layer, std::size_t inputs) {
  const std::string weight = layer.name + ".weight", bias = layer.name + ".bias";
  if (!layer.weight) throw InvalidModel(weight, "missing");
  const auto& shape = layer.weight->shape;
  if (shape.size() != 2 || shape[0] == 0 || shape[1] == 0) {
    throw InvalidModel(weight,
                       "expected shape [outputs, inputs], found " + std::to_string(shape.size()) + " dimensions");
  }
  if (inputs != 0 && shape[1] != inputs) {
    throw InvalidModel(weight, "expected " + std::to_string(inputs) +
                                   " columns, as many as the layer before has rows, "
                                   "found " +
                                   std::to_string(shape[1]));
  }
  AffineLayer result{shape[1], shape[0], layer.weight->values, std::vector<double>(shape[0])};
  if (layer.bias) {
    if (layer.bias->shape != std::vector<std::size_t>{shape[0]}) {
      throw InvalidModel(bias, "expected shape [" + std::to_string(shape[0]) + "]");
    }
    result.bias = layer.bias->values;
  }
  return result;
}

} // namespace

ApproximatorSpec read_safetensors_network(const void* data, std::size_t size, Activation activation) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  const auto header = detail::read_safetensors_header(bytes, size);
  if (header.metadata.count("lodestep") > 0) {
    throw InvalidModel("file", "this is a model of lodestep already, not a network to make one from");
  }
  const Tensors tensors = detail::read_safetensors_tensors(header, bytes, size);
  bool f32 = true;
  std::vector<AffineLayer> layers;
  for (const auto& [number, layer] : layers_of(tensors)) {
    layers.push_back(affine_layer(layer, layers.empty() ? 0 : layers.back().outputs));
    f32 = f32 && layer.weight->dtype == Dtype::f32 && (!layer.bias || layer.bias->dtype == Dtype::f32);
  }
  auto spec = ApproximatorSpec::zero(layers.front().inputs, layers.back().outputs);
  spec.input_mean = vector_of(tensors, "input_mean", spec.inputs, 0.0);
  spec.input_scale = vector_of(tensors, "input_scale", spec.inputs, 1.0);
  spec.output_scale = vector_of(tensors, "output_scale", spec.outputs, 1.0);
  if (layers.size() == 1) {
    spec.affine = std::move(layers.front());
  } else {
    MlpTerm mlp;
    mlp.activation = activation;
    mlp.layers = std::move(layers);
    spec.term = std::move(mlp);
    if (f32) spec.precision = Precision::f32;
  }
  spec.validate("network");
  return spec;
}

} // namespace lodestep
