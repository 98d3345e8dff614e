#include "exchange/graph.hpp"

#include <lodestep/error.hpp>
#include <lodestep/network_exchange.hpp>

#ifdef LODESTEP_HAVE_ONNX

#include "model/strict_json.hpp"

#include <onnx/onnx_pb.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

namespace lodestep {

namespace {

using detail::Graph;
using detail::GraphConstant;
using detail::GraphNode;
using detail::quoted;

[[noreturn]] void refuse(const std::string& field, const std::string& message) {
  throw InvalidModel(field, message);
}

template <class T> void read_raw(const std::string& raw, std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    unsigned char bytes[sizeof(T)];
    for (std::size_t b = 0; b < sizeof(T); ++b) {
      const std::size_t at = i * sizeof(T) + (std::endian::native == std::endian::little ? b : sizeof(T) - 1 - b);
      bytes[b] = static_cast<unsigned char>(raw[at]);
    }
    T value;
    std::memcpy(&value, bytes, sizeof value);
    values[i] = static_cast<double>(value);
  }
}

GraphConstant constant_of(const onnx::TensorProto& tensor, const std::string& name) {
  const std::string field = "tensor " + quoted(name);
  GraphConstant constant;
  constant.f32 = tensor.data_type() == onnx::TensorProto::FLOAT;
  if (!constant.f32 && tensor.data_type() != onnx::TensorProto::DOUBLE) {
    refuse(field, "expected element type FLOAT or DOUBLE, found number " + std::to_string(tensor.data_type()));
  }
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    refuse(field, "its data are in another file: export the model with all data inside");
  }
  const std::size_t width = constant.f32 ? sizeof(float) : sizeof(double);
  const auto listed = static_cast<std::size_t>(constant.f32 ? tensor.float_data_size() : tensor.double_data_size());
  const std::size_t available = tensor.has_raw_data() ? tensor.raw_data().size() / width : listed;
  std::size_t count = 1;
  for (const auto dimension : tensor.dims()) {
    if (dimension < 1 || static_cast<std::uint64_t>(dimension) > available / count) {
      refuse(field, "its dimensions do not agree with the " + std::to_string(available) + " numbers it holds");
    }
    count *= static_cast<std::size_t>(dimension);
    constant.shape.push_back(static_cast<std::size_t>(dimension));
  }
  if (count != available || (tensor.has_raw_data() && tensor.raw_data().size() != count * width)) {
    refuse(field,
           "its dimensions ask for " + std::to_string(count) + " numbers, it holds " + std::to_string(available));
  }
  constant.values.resize(count);
  if (!tensor.has_raw_data()) {
    for (std::size_t i = 0; i < count; ++i) {
      const int at = static_cast<int>(i);
      constant.values[i] = constant.f32 ? static_cast<double>(tensor.float_data(at)) : tensor.double_data(at);
    }
  } else if (constant.f32) {
    read_raw<float>(tensor.raw_data(), constant.values);
  } else {
    read_raw<double>(tensor.raw_data(), constant.values);
  }
  return constant;
}

void add_constant(Graph& graph, const std::string& name, GraphConstant constant) {
  if (!graph.constants.emplace(name, std::move(constant)).second) {
    refuse("tensor " + quoted(name), "there is another constant of that name");
  }
}

/// A node "Constant" is a constant by another name.
bool take_constant(Graph& graph, const onnx::NodeProto& node) {
  if (node.op_type() != "Constant") return false;
  const std::string name = node.output_size() == 1 ? node.output(0) : "";
  if (name.empty() || node.attribute_size() != 1) refuse("node " + quoted(node.name()), "not a well-formed Constant");
  const auto& attribute = node.attribute(0);
  GraphConstant constant;
  if (attribute.name() == "value" && attribute.has_t()) {
    constant = constant_of(attribute.t(), name);
  } else if (attribute.name() == "value_float") {
    constant = {true, {}, {static_cast<double>(attribute.f())}};
  } else if (attribute.name() == "value_floats" && attribute.floats_size() > 0) {
    constant.f32 = true;
    constant.shape = {static_cast<std::size_t>(attribute.floats_size())};
    for (const float value : attribute.floats()) constant.values.push_back(static_cast<double>(value));
  } else {
    refuse("tensor " + quoted(name), "expected a constant of floating-point numbers");
  }
  add_constant(graph, name, std::move(constant));
  return true;
}

GraphNode node_of(const onnx::NodeProto& node, int position) {
  GraphNode result;
  result.op = node.op_type();
  result.name = node.name().empty() ? "number " + std::to_string(position) : detail::quoted(node.name());
  const std::string field = "node " + result.name + " (" + detail::quoted(result.op) + ")";
  if (!node.domain().empty() && node.domain() != "ai.onnx") {
    refuse(field, "operators of the domain " + quoted(node.domain()) + " are not known");
  }
  for (const auto& input : node.input()) result.inputs.push_back(input);
  for (const auto& output : node.output()) result.outputs.push_back(output);
  for (const auto& attribute : node.attribute()) {
    if (attribute.type() == onnx::AttributeProto::FLOAT) {
      result.numbers[attribute.name()] = static_cast<double>(attribute.f());
    } else if (attribute.type() == onnx::AttributeProto::INT) {
      result.numbers[attribute.name()] = static_cast<double>(attribute.i());
    } else {
      refuse(field, "attribute " + quoted(attribute.name()) + " is not a number");
    }
  }
  return result;
}

Graph graph_of(const onnx::ModelProto& model) {
  bool opset_found = false;
  for (const auto& opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    opset_found = true;
    if (opset.version() < 7) {
      refuse("opset_import", "expected operator set 7 or newer, found " + std::to_string(opset.version()));
    }
  }
  if (!opset_found) refuse("opset_import", "the model does not say which operator set it is written in");
  if (!model.has_graph()) refuse("graph", "missing");
  const auto& source = model.graph();
  Graph graph;
  for (const auto& tensor : source.initializer())
    add_constant(graph, tensor.name(), constant_of(tensor, tensor.name()));
  if (source.sparse_initializer_size() > 0) refuse("graph.sparse_initializer", "sparse weights are not supported");
  int position = 0;
  for (const auto& node : source.node()) {
    ++position;
    if (!take_constant(graph, node)) graph.nodes.push_back(node_of(node, position));
  }
  const onnx::ValueInfoProto* input = nullptr;
  for (const auto& candidate : source.input()) {
    if (graph.constants.count(candidate.name()) > 0) continue; // older files list weights among the inputs
    if (input)
      refuse("graph.input", "expected one input, found " + quoted(input->name()) + " and " + quoted(candidate.name()));
    input = &candidate;
  }
  if (!input) refuse("graph.input", "missing");
  if (source.output_size() != 1) {
    refuse("graph.output", "expected one output, found " + std::to_string(source.output_size()));
  }
  graph.input = input->name();
  graph.output = source.output(0).name();
  const auto& shape = input->type().tensor_type().shape();
  if (shape.dim_size() > 0) {
    const auto size = shape.dim(shape.dim_size() - 1).dim_value();
    if (size > 0) graph.input_size = static_cast<std::size_t>(size);
  }
  return graph;
}

} // namespace

bool onnx_available() noexcept {
  return true;
}

ApproximatorSpec read_onnx(const void* data, std::size_t size) {
  onnx::ModelProto model;
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.ParseFromArray(data, static_cast<int>(size))) {
    refuse("file", "not an ONNX model, or a damaged one");
  }
  return detail::network_of(graph_of(model));
}

} // namespace lodestep

#else

namespace lodestep {

bool onnx_available() noexcept {
  return false;
}

ApproximatorSpec read_onnx(const void*, std::size_t) {
  throw InvalidArgument("this lodestep was built without ONNX: install libonnx-dev and build it again");
}

} // namespace lodestep

#endif
