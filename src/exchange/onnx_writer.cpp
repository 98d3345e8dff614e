#include <lodestep/error.hpp>
#include <lodestep/network_exchange.hpp>

#ifdef LODESTEP_HAVE_ONNX

#include <lodestep/version.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>

namespace lodestep {

namespace {

/// Builds a graph of nodes named after what they make.
class Writer {
public:
  explicit Writer(const ApproximatorSpec& spec) : spec_(spec) {}

  std::vector<unsigned char> write(const std::string& name) {
    model_.set_ir_version(7);
    model_.set_producer_name("lodestep");
    model_.set_producer_version(LODESTEP_VERSION_STRING);
    model_.add_opset_import()->set_version(13);
    graph_.set_name(name.empty() ? "network" : name);
    declare(*graph_.add_input(), "features", spec_.inputs);
    declare(*graph_.add_output(), "correction", spec_.outputs);
    constant("input_mean", {spec_.inputs}, spec_.input_mean);
    constant("input_scale", {spec_.inputs}, spec_.input_scale);
    node("Sub", {"features", "input_mean"}, "centred");
    node("Div", {"centred", "input_scale"}, "standardised");
    gemm("standardised", "affine", spec_.affine);
    std::string sum = "affine";
    if (const auto* mlp = std::get_if<MlpTerm>(&spec_.term)) {
      node("Add", {sum, network(*mlp)}, "sum");
      sum = "sum";
    } else if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec_.term)) {
      node("Add", {sum, monomial_sum(*polynomial)}, "sum");
      sum = "sum";
    }
    constant("output_scale", {spec_.outputs}, spec_.output_scale);
    node("Mul", {sum, "output_scale"}, "correction");
    *model_.mutable_graph() = std::move(graph_);
    const std::string bytes = model_.SerializeAsString();
    return {bytes.begin(), bytes.end()};
  }

private:
  using Names = std::vector<std::string>;

  static void declare(onnx::ValueInfoProto& value, const std::string& name, std::size_t size) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::DOUBLE);
    type.mutable_shape()->add_dim()->set_dim_param("batch");
    type.mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(size));
  }

  onnx::TensorProto& tensor(const std::string& name, const std::vector<std::size_t>& shape, int type) {
    auto& result = *graph_.add_initializer();
    result.set_name(name);
    result.set_data_type(type);
    for (std::size_t dimension : shape) result.add_dims(static_cast<std::int64_t>(dimension));
    return result;
  }
  void constant(const std::string& name, const std::vector<std::size_t>& shape, const std::vector<double>& values) {
    if (f32_) {
      auto& result = tensor(name, shape, onnx::TensorProto::FLOAT);
      for (double value : values) result.add_float_data(static_cast<float>(value));
    } else {
      auto& result = tensor(name, shape, onnx::TensorProto::DOUBLE);
      for (double value : values) result.add_double_data(value);
    }
  }
  void indices(const std::string& name, const std::vector<std::size_t>& values) {
    auto& result = tensor(name, {values.size()}, onnx::TensorProto::INT64);
    for (std::size_t value : values) result.add_int64_data(static_cast<std::int64_t>(value));
  }

  onnx::NodeProto& node(const std::string& op, const Names& inputs, const std::string& output) {
    auto& result = *graph_.add_node();
    result.set_op_type(op);
    result.set_name(output);
    for (const auto& input : inputs) result.add_input(input);
    result.add_output(output);
    return result;
  }
  static void attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto& result = *node.add_attribute();
    result.set_name(name);
    result.set_type(onnx::AttributeProto::INT);
    result.set_i(value);
  }
  void gemm(const std::string& input, const std::string& output, const AffineLayer& layer) {
    constant(output + ".weight", {layer.outputs, layer.inputs}, layer.weight);
    constant(output + ".bias", {layer.outputs}, layer.bias);
    attribute(node("Gemm", {input, output + ".weight", output + ".bias"}, output), "transB", 1);
  }

  /// Ours are f64 between the casts of an f32 term.
  std::string enter(const std::string& input) {
    f32_ = spec_.precision == Precision::f32;
    if (!f32_) return input;
    attribute(node("Cast", {input}, input + "_f32"), "to", onnx::TensorProto::FLOAT);
    return input + "_f32";
  }
  std::string leave(const std::string& output) {
    if (!f32_) return output;
    f32_ = false;
    attribute(node("Cast", {output}, output + "_f64"), "to", onnx::TensorProto::DOUBLE);
    return output + "_f64";
  }

  std::string network(const MlpTerm& mlp) {
    std::string in = enter("standardised");
    if (mlp.activation == Activation::rational) {
      for (std::size_t i = 0; i < mlp.numerator.size(); ++i) constant(name("a", i), {}, {mlp.numerator[i]});
      for (std::size_t i = 0; i < mlp.denominator.size(); ++i) constant(name("b", i), {}, {mlp.denominator[i]});
    }
    for (std::size_t l = 0; l < mlp.layers.size(); ++l) {
      const std::string out = name("layers.", l);
      gemm(in, out, mlp.layers[l]);
      in = l + 1 < mlp.layers.size() ? activate(mlp.activation, out) : out;
    }
    return leave(in);
  }
  static std::string name(const char* prefix, std::size_t number) { return prefix + std::to_string(number); }

  std::string activate(Activation activation, const std::string& x) {
    const std::string out = x + ".activation";
    switch (activation) {
    case Activation::tanh:
      node("Tanh", {x}, out);
      break;
    case Activation::relu:
      node("Relu", {x}, out);
      break;
    case Activation::silu:
      node("Sigmoid", {x}, x + ".sigmoid");
      node("Mul", {x, x + ".sigmoid"}, out);
      break;
    case Activation::rational:
      node("Div", {horner(x, "a", 3), horner(x, "b", 2)}, out);
      break;
    }
    return out;
  }
  /// ((c_n x + c_{n-1}) x + ...) + c_0
  std::string horner(const std::string& x, const char* coefficient, std::size_t degree) {
    std::string value = name(coefficient, degree);
    for (std::size_t i = degree; i-- > 0;) {
      const std::string step = x + "." + name(coefficient, i);
      node("Mul", {value, x}, step + ".product");
      node("Add", {step + ".product", name(coefficient, i)}, step);
      value = step;
    }
    return value;
  }

  std::string monomial_sum(const PolynomialTerm& polynomial) {
    const std::string z = enter("standardised");
    const auto list = monomials(spec_.inputs, polynomial.degree);
    // Monomials of one degree are products of those of the degree below and the inputs.
    std::string below = z;
    std::size_t first = 0, begin = 0; // of the degree below, counting the inputs; of this degree
    Names degrees;
    for (unsigned d = 2; d <= polynomial.degree; ++d) {
      std::vector<std::size_t> parent, variable;
      const std::size_t end = monomial_count(spec_.inputs, d);
      for (std::size_t i = begin; i < end; ++i) {
        parent.push_back(list[i].parent - first);
        variable.push_back(list[i].variable);
      }
      const std::string out = name("degree_", d);
      indices(out + ".parent", parent);
      indices(out + ".variable", variable);
      attribute(node("Gather", {below, out + ".parent"}, out + ".parents"), "axis", 1);
      attribute(node("Gather", {z, out + ".variable"}, out + ".variables"), "axis", 1);
      node("Mul", {out + ".parents", out + ".variables"}, out);
      degrees.push_back(out);
      below = out;
      first = spec_.inputs + begin;
      begin = end;
    }
    attribute(node("Concat", degrees, "monomials"), "axis", 1);
    const AffineLayer layer{list.size(), spec_.outputs, polynomial.coefficient,
                            std::vector<double>(spec_.outputs, 0.0)};
    gemm("monomials", "polynomial", layer);
    return leave("polynomial");
  }

  const ApproximatorSpec& spec_;
  bool f32_ = false; ///< what constants are written as
  onnx::ModelProto model_;
  onnx::GraphProto graph_;
};

} // namespace

std::vector<unsigned char> export_onnx(const ApproximatorSpec& spec, const std::string& name) {
  spec.validate();
  if (std::holds_alternative<PiecewiseTerm>(spec.term)) {
    throw InvalidArgument("ONNX: piecewise polynomials are no network of its operators; export C or Fortran, or train "
                          "with --approximator mlp");
  }
  return Writer(spec).write(name);
}

} // namespace lodestep

#else

namespace lodestep {

std::vector<unsigned char> export_onnx(const ApproximatorSpec&, const std::string&) {
  throw InvalidArgument("this lodestep was built without ONNX: install libonnx-dev and build it again");
}

} // namespace lodestep

#endif
