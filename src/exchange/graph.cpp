#include "exchange/graph.hpp"

#include "exchange/affine_form.hpp"
#include "model/strict_json.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

namespace lodestep::detail {

namespace {

/// sum_k coefficient[k] base^k, element by element.
struct ElementPolynomial {
  std::string base; ///< a tensor
  std::vector<double> coefficient;
};

/// What is known of a tensor.
struct Value {
  AffineForm form;
  std::optional<ElementPolynomial> polynomial; ///< if it is one of some tensor; then `form` may be empty
  std::string sigmoid_of;                      ///< the tensor it is the sigmoid of, or ""
  bool has_form = true;
};

class Reader {
public:
  explicit Reader(const Graph& graph) : graph_(graph) {
    for (const auto& node : graph.nodes) {
      for (const auto& input : node.inputs) ++uses_[input];
    }
  }

  ApproximatorSpec read() {
    if (graph_.input_size == 0) {
      throw InvalidModel("graph.input",
                         "the last dimension of input " + quoted(graph_.input) + " must be a fixed number");
    }
    if (graph_.input_size > most_inputs) {
      throw InvalidModel("graph.input", "at most " + std::to_string(most_inputs) + " inputs can be taken, found " +
                                            std::to_string(graph_.input_size));
    }
    spec_ = ApproximatorSpec::zero(graph_.input_size, 1);
    sizes_ = {graph_.input_size};
    Value input;
    input.form = AffineForm::source(0, graph_.input_size);
    standardised_ = graph_.input;
    values_.emplace(graph_.input, std::move(input));
    for (const auto& node : graph_.nodes) {
      node_ = &node;
      visit();
    }
    return finish();
  }

private:
  static constexpr std::size_t most_inputs = 1u << 16;

  [[noreturn]] void refuse(const std::string& message) const {
    throw InvalidModel("node " + node_->name + " (" + quoted(node_->op) + ")", message);
  }

  const std::string& input(std::size_t i) const {
    if (i >= node_->inputs.size() || node_->inputs[i].empty()) {
      refuse("input " + std::to_string(i) + " is missing");
    }
    return node_->inputs[i];
  }
  const GraphConstant* constant(const std::string& name) const {
    const auto found = graph_.constants.find(name);
    return found == graph_.constants.end() ? nullptr : &found->second;
  }
  const Value& value(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) refuse("tensor " + quoted(name) + " is made by no node before this one");
    return found->second;
  }
  /// The tensor as an affine function of what the layers before gave.
  const AffineForm& form(const std::string& name) const {
    const Value& v = value(name);
    if (!v.has_form) {
      refuse(quoted(name) + " is neither an affine function of the layer before nor its activation: expected an MLP");
    }
    return v.form;
  }

  void set(Value v) {
    if (node_->outputs.size() != 1) refuse("expected one output, found " + std::to_string(node_->outputs.size()));
    if (!values_.emplace(node_->outputs[0], std::move(v)).second || constant(node_->outputs[0])) {
      refuse(quoted(node_->outputs[0]) + " is made twice");
    }
  }

  void visit() {
    const std::string& op = node_->op;
    if (op == "Identity" || op == "Cast") {
      pass_on();
    } else if (op == "Gemm") {
      gemm();
    } else if (op == "MatMul") {
      matmul();
    } else if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") {
      arithmetic(op[0] == 'A' ? '+' : op[0] == 'S' ? '-' : op[0] == 'M' ? '*' : '/');
    } else if (op == "Tanh") {
      activate(Activation::tanh, input(0));
    } else if (op == "Relu") {
      activate(Activation::relu, input(0));
    } else if (op == "Sigmoid") {
      Value v;
      v.has_form = false;
      v.sigmoid_of = input(0);
      static_cast<void>(form(input(0)));
      set(std::move(v));
    } else {
      refuse("this operator is not part of an MLP: expected Gemm, MatMul, Add, Sub, Mul, Div, Tanh, Relu, Sigmoid, "
             "Cast or Identity");
    }
  }

  void pass_on() {
    const std::string name = input(0);
    if (constant(name)) refuse("a constant is given: fold constants before the export");
    if (name == standardised_ && uses_[name] == 1) standardised_ = node_->outputs.empty() ? "" : node_->outputs[0];
    set(value(name));
  }

  /// Constant numbers for each of `size` elements, from one number or as many.
  std::vector<double> spread(const GraphConstant& c, const std::string& name, std::size_t size) const {
    std::size_t last = 1;
    for (std::size_t dimension : c.shape) last = dimension;
    if (c.values.size() == 1) return std::vector<double>(size, c.values[0]);
    if (c.values.size() != size || last != size) {
      refuse("constant " + quoted(name) + " of shape " + text_of(c.shape) + " does not fit " + std::to_string(size) +
             " elements");
    }
    return c.values;
  }
  static std::string text_of(const std::vector<std::size_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
  }

  const GraphConstant& matrix(const std::string& name) const {
    const GraphConstant* w = constant(name);
    if (!w) refuse("weight " + quoted(name) + " is no constant");
    if (w->shape.size() != 2)
      refuse("weight " + quoted(name) + " has shape " + text_of(w->shape) + ", expected two dimensions");
    return *w;
  }

  void apply_weight(const AffineForm& x, const GraphConstant& w, const std::string& name, bool transposed,
                    double factor, Value& result) const {
    const std::size_t inputs = transposed ? w.shape[1] : w.shape[0], outputs = transposed ? w.shape[0] : w.shape[1];
    if (inputs != x.size) {
      refuse("weight " + quoted(name) + " of shape " + text_of(w.shape) + " takes " + std::to_string(inputs) +
             " numbers, the layer before gives " + std::to_string(x.size));
    }
    std::vector<double> weight(w.values.size());
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        weight[o * inputs + i] = factor * w.values[transposed ? o * inputs + i : i * outputs + o];
      }
    }
    if (!result.form.assign_product(weight, outputs, x, w.f32)) refuse("the layers folded into one are too large");
  }

  double number(const char* name, double otherwise) const {
    const auto found = node_->numbers.find(name);
    return found == node_->numbers.end() ? otherwise : found->second;
  }

  void gemm() {
    if (number("transA", 0.0) != 0.0) refuse("transA is not supported");
    Value v;
    apply_weight(form(input(0)), matrix(input(1)), input(1), number("transB", 0.0) != 0.0, number("alpha", 1.0), v);
    if (node_->inputs.size() > 2 && !node_->inputs[2].empty()) {
      const GraphConstant* bias = constant(input(2));
      if (!bias) refuse("bias " + quoted(input(2)) + " is no constant");
      const auto c = spread(*bias, input(2), v.form.size);
      for (std::size_t i = 0; i < c.size(); ++i) v.form.constant[i] += number("beta", 1.0) * c[i];
    }
    set(std::move(v));
  }

  void matmul() {
    Value v;
    apply_weight(form(input(0)), matrix(input(1)), input(1), false, 1.0, v);
    set(std::move(v));
  }

  void arithmetic(char op) {
    const GraphConstant* a = constant(input(0));
    const GraphConstant* b = constant(input(1));
    if (a && b) refuse("both operands are constants: fold constants before the export");
    if (a || b) {
      with_constant(op, input(a ? 1 : 0), a ? *a : *b, input(a ? 0 : 1), a != nullptr);
    } else if (op == '+' || op == '-') {
      add(op == '+' ? 1.0 : -1.0);
    } else {
      multiply(op);
    }
  }

  void with_constant(char op, const std::string& name, const GraphConstant& c, const std::string& c_name,
                     bool constant_first) {
    const Value& v = value(name);
    if (op == '/' && constant_first) refuse("a constant divided by the network is not part of an MLP");
    const std::size_t size = v.has_form ? v.form.size : element_size(v);
    const auto numbers = spread(c, c_name, size);
    if (op == '/') {
      for (double n : numbers) {
        if (n == 0.0) refuse("constant " + quoted(c_name) + " divides by zero");
      }
    }
    if (name == standardised_ && uses_[name] == 1 && standardise(op, numbers, constant_first)) return;
    if (op == '*' && node_->outputs.size() == 1 && node_->outputs[0] == graph_.output && uses_[graph_.output] == 0 &&
        v.has_form && std::all_of(numbers.begin(), numbers.end(), [](double n) { return n > 0.0; })) {
      output_scale_ = numbers;
      Value result;
      result.form = v.form;
      return set(std::move(result));
    }
    Value result;
    result.has_form = v.has_form;
    if (v.has_form) {
      result.form = v.form;
      if (!result.form.apply(op, numbers, constant_first)) refuse("the layers folded into one are too large");
    }
    if (std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) == numbers.end() && size > 0) {
      result.polynomial = v.polynomial ? *v.polynomial : ElementPolynomial{name, {0.0, 1.0}};
      auto& k = result.polynomial->coefficient;
      const double n = numbers[0];
      if (op == '*' || op == '/') {
        for (double& value : k) value = op == '*' ? value * n : value / n;
      } else {
        if (op == '-' && constant_first) {
          for (double& value : k) value = -value;
        }
        k[0] += op == '-' && !constant_first ? -n : n;
      }
    }
    if (!result.has_form && !result.polynomial) refuse("expected one number for all elements of " + quoted(name) + "");
    set(std::move(result));
  }

  std::size_t element_size(const Value& v) const {
    const std::string& base = v.polynomial ? v.polynomial->base : v.sigmoid_of;
    return form(base).size;
  }

  /// Takes a shift or factor of the input into its standardisation; false if it cannot be.
  bool standardise(char op, const std::vector<double>& c, bool constant_first) {
    if (op == '-' && constant_first) return false;
    const bool scaling = op == '*' || op == '/';
    for (double n : c) {
      if (!std::isfinite(n) || (scaling && !(n > 0.0))) return false;
    }
    for (std::size_t i = 0; i < c.size(); ++i) {
      double& mean = spec_.input_mean[i];
      double& scale = spec_.input_scale[i];
      if (op == '-') mean += c[i] * scale;
      if (op == '+') mean -= c[i] * scale;
      if (op == '/') scale *= c[i];
      if (op == '*') scale /= c[i];
    }
    standardised_ = node_->outputs.empty() ? "" : node_->outputs[0];
    Value v;
    v.form = AffineForm::source(0, graph_.input_size);
    set(std::move(v));
    return true;
  }

  void add(double sign) {
    const AffineForm& a = form(input(0));
    const AffineForm& b = form(input(1));
    if (a.size != b.size) {
      refuse("operands of " + std::to_string(a.size) + " and " + std::to_string(b.size) + " elements");
    }
    Value v;
    v.form = a;
    if (!v.form.add(b, sign)) refuse("the layers folded into one are too large");
    set(std::move(v));
  }

  /// The product or quotient of two polynomials of one tensor, or x sigmoid(x).
  void multiply(char op) {
    const std::string names[] = {input(0), input(1)};
    for (int i = 0; i < 2 && op == '*'; ++i) {
      if (value(names[i]).sigmoid_of == names[1 - i]) return activate(Activation::silu, names[1 - i]);
    }
    std::optional<ElementPolynomial> factor[2];
    for (const auto& base : {base_of(names[0]), base_of(names[1]), names[0], names[1]}) {
      for (int i = 0; i < 2; ++i) {
        factor[i].reset();
        const auto& polynomial = value(names[i]).polynomial;
        if (polynomial && polynomial->base == base) factor[i] = polynomial;
        if (names[i] == base) factor[i] = ElementPolynomial{base, {0.0, 1.0}};
      }
      if (factor[0] && factor[1]) break;
    }
    if (!factor[0] || !factor[1]) {
      refuse("the product or quotient of two parts of the network is not part of an MLP, but for polynomials of one "
             "tensor and x sigmoid(x)");
    }
    if (op == '/') return rational(*factor[0], *factor[1]);
    Value v;
    v.has_form = false;
    const auto& p = factor[0]->coefficient;
    const auto& q = factor[1]->coefficient;
    if (p.size() + q.size() - 1 > 4) refuse("a polynomial activation of degree above 3 is not supported");
    std::vector<double> product(p.size() + q.size() - 1);
    for (std::size_t i = 0; i < p.size(); ++i) {
      for (std::size_t j = 0; j < q.size(); ++j) product[i + j] += p[i] * q[j];
    }
    v.polynomial = ElementPolynomial{factor[0]->base, std::move(product)};
    set(std::move(v));
  }

  std::string base_of(const std::string& name) const {
    const Value& v = value(name);
    return v.polynomial ? v.polynomial->base : name;
  }

  void rational(const ElementPolynomial& p, const ElementPolynomial& q) {
    std::array<double, 4> numerator{};
    std::array<double, 3> denominator{};
    if (q.coefficient.size() > denominator.size()) refuse("a rational activation's denominator has degree 2 at most");
    std::copy(p.coefficient.begin(), p.coefficient.end(), numerator.begin());
    std::copy(q.coefficient.begin(), q.coefficient.end(), denominator.begin());
    if (!mlp_.layers.empty() && (numerator != mlp_.numerator || denominator != mlp_.denominator)) {
      refuse("every layer must have the same rational activation");
    }
    mlp_.numerator = numerator;
    mlp_.denominator = denominator;
    activate(Activation::rational, p.base);
  }

  /// A hidden layer ends here: what follows is a function of its activations.
  void activate(Activation activation, const std::string& of) {
    const AffineForm& x = form(of);
    if (!mlp_.layers.empty() && activation != mlp_.activation) {
      refuse(std::string("every layer must have the same activation: expected ") + to_string(mlp_.activation) +
             ", found " + to_string(activation));
    }
    mlp_.activation = activation;
    const std::size_t last = sizes_.size() - 1;
    AffineLayer layer{sizes_[last], x.size, {}, x.constant};
    layer.weight = x.weight_of(last, sizes_[last]);
    if (layer.weight.empty() || x.parts.size() != 1) {
      refuse(quoted(of) + " must depend on the layer before, and on nothing else: connections that skip layers are not "
                          "supported, but for an affine map of the input beside the network");
    }
    weights_f32_ = weights_f32_ && x.f32_of(last);
    mlp_.layers.push_back(std::move(layer));
    sizes_.push_back(x.size);
    Value v;
    v.form = AffineForm::source(sizes_.size() - 1, x.size);
    set(std::move(v));
  }

  ApproximatorSpec finish() {
    const auto found = values_.find(graph_.output);
    if (found == values_.end() || !found->second.has_form) {
      throw InvalidModel("graph.output", quoted(graph_.output) + " is not the output of an MLP");
    }
    const AffineForm& y = found->second.form;
    spec_.outputs = y.size;
    spec_.output_scale = output_scale_.empty() ? std::vector<double>(y.size, 1.0) : output_scale_;
    spec_.affine = {spec_.inputs, y.size, y.weight_of(0, spec_.inputs), y.constant};
    if (spec_.affine.weight.empty()) spec_.affine.weight.assign(spec_.inputs * y.size, 0.0);
    const std::size_t last = sizes_.size() - 1;
    const std::size_t known = (last > 0 ? y.parts.count(last) : 0) + y.parts.count(0);
    if (y.parts.size() != known) {
      throw InvalidModel("graph.output",
                         quoted(graph_.output) + " must depend on the last hidden layer and the input alone");
    }
    if (last > 0) {
      if (y.parts.count(last) == 0) {
        throw InvalidModel("graph.output", quoted(graph_.output) + " does not depend on the last hidden layer");
      }
      mlp_.layers.push_back({sizes_[last], y.size, y.weight_of(last, sizes_[last]), std::vector<double>(y.size)});
      if (weights_f32_ && y.f32_of(last)) {
        spec_.precision = Precision::f32;
        for (auto& layer : mlp_.layers) {
          for (double& w : layer.weight) w = static_cast<double>(static_cast<float>(w));
          for (double& w : layer.bias) w = static_cast<double>(static_cast<float>(w));
        }
      }
      spec_.term = std::move(mlp_);
    }
    spec_.validate("network");
    return std::move(spec_);
  }

  const Graph& graph_;
  const GraphNode* node_ = nullptr;
  std::map<std::string, std::size_t> uses_;
  std::map<std::string, Value> values_;
  std::string standardised_;       ///< the tensor that is the standardised input, while nothing else has used it
  std::vector<std::size_t> sizes_; ///< of the input and of the hidden layers
  std::vector<double> output_scale_;
  bool weights_f32_ = true;
  MlpTerm mlp_;
  ApproximatorSpec spec_;
};

} // namespace

ApproximatorSpec network_of(const Graph& graph) {
  return Reader(graph).read();
}

} // namespace lodestep::detail
