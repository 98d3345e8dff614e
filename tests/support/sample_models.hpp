#pragma once

#include <lodestep/corrector_features.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/version.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

/// Sound models of every kind of approximator, with numbers that use every bit.
namespace lodestep::test {

struct SampleModel {
  std::string name;
  Model model;
};

class SampleNumbers {
public:
  explicit SampleNumbers(unsigned seed) : engine_(seed) {}
  double positive() { return 0.5 + unit(); }
  double number() { return 2.0 * unit() - 1.0; }
  std::vector<double> numbers(std::size_t n) {
    std::vector<double> values(n);
    for (double& value : values) value = number();
    return values;
  }
  /// As a term of that precision holds them.
  std::vector<double> weights(std::size_t n, Precision precision) {
    auto values = numbers(n);
    if (precision == Precision::f32) {
      for (double& value : values) value = static_cast<double>(static_cast<float>(value));
    }
    return values;
  }
  AffineLayer layer(std::size_t inputs, std::size_t outputs, Precision precision) {
    return {inputs, outputs, weights(inputs * outputs, precision), weights(outputs, precision)};
  }

private:
  // 53 random bits; the distributions of the standard library differ between implementations.
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  std::mt19937_64 engine_;
};

inline Model sample_model(CorrectorInput input, Precision precision, const std::string& term, Activation activation) {
  SampleNumbers random(7);
  const std::size_t dimension = 2;
  Model model;
  model.variables = {{"theta", "rad"}, {"θ̇ \"quoted\"\n\\", ""}};
  model.error = {random.positive() * 1e-9, random.positive() * 1e-8, 50.0, random.positive() * 1e-6, 1.0 / 3.0, 200};
  model.provenance.problem = "elastic_pendulum";
  model.provenance.parameters = {{"g", 9.81}, {"tiny", std::numeric_limits<double>::denorm_min()}, {"minus", -0.0}};
  model.provenance.initial = "wide";
  model.provenance.seed = std::numeric_limits<std::uint64_t>::max();
  model.provenance.training_trajectories = 123;
  model.provenance.recipe = "least squares, \"checksum\":\"crc64:\"";
  model.provenance.library_version = LODESTEP_VERSION_STRING;

  CorrectorModel corrector;
  corrector.base = "rk3";
  corrector.dt = 0.1;
  corrector.input = input;
  if (term == "polynomial") { // one term has all that the others lack
    corrector.shortest_dt = 0.025;
    corrector.form = CorrectorForm::multiplicative;
    corrector.time = TimeInput::phase;
    corrector.period = random.positive();
    corrector.time_range = {-random.positive(), random.positive()};
    corrector.parameters = {{"k \"1\"", random.number(), {-random.positive(), random.positive()}}};
    corrector.estimate = {{random.positive(), random.positive()}, random.positive(), random.number(), 1.0 / 3.0};
  }
  corrector.fallback = "rk4";
  corrector.fallback_substeps = 7;
  for (std::size_t i = 0; i < dimension; ++i) {
    corrector.domain.state.push_back({-random.positive(), random.positive()});
    corrector.domain.correction_limit.push_back(random.positive());
  }
  auto& spec = corrector.approximator;
  const CorrectorFeatures features(corrector, dimension, 3);
  spec.inputs = features.count();
  spec.outputs = dimension;
  spec.precision = precision;
  spec.input_mean = random.numbers(spec.inputs);
  for (std::size_t i = 0; i < spec.inputs; ++i) spec.input_scale.push_back(random.positive());
  for (std::size_t i = 0; i < spec.outputs; ++i) spec.output_scale.push_back(random.positive() * 1e-300);
  spec.affine = random.layer(spec.inputs, spec.outputs, Precision::f64);
  if (term == "polynomial") {
    PolynomialTerm polynomial;
    polynomial.degree = 3;
    polynomial.coefficient = random.weights(spec.outputs * monomial_count(spec.inputs, 3), precision);
    spec.term = polynomial;
  } else if (term == "piecewise" && spec.inputs <= PiecewiseTerm::most_inputs) {
    PiecewiseTerm piecewise;
    piecewise.degree = 2;
    piecewise.cells.assign(spec.inputs, 1);
    piecewise.tree = {-1 - 1, 0, -1}; // halved, one half empty
    piecewise.tree.resize(1 + (std::size_t{1} << spec.inputs), -1);
    piecewise.coefficient = random.weights(spec.outputs * PiecewiseTerm::terms(spec.inputs, 2), precision);
    spec.term = piecewise;
  } else if (term == "mlp") {
    MlpTerm mlp;
    mlp.activation = activation;
    mlp.layers = {random.layer(spec.inputs, 5, precision), random.layer(5, 3, precision),
                  random.layer(3, spec.outputs, precision)};
    if (activation == Activation::rational) mlp.numerator[1] = random.number();
    spec.term = mlp;
  }
  if (term == "polynomial") {
    auto projection = ApproximatorSpec::zero(features.density_count(), 4);
    projection.affine = random.layer(projection.inputs, 4, Precision::f64);
    projection.term = PolynomialTerm{2, random.numbers(4 * monomial_count(projection.inputs, 2))};
    corrector.domain.density = Density{projection, random.positive()};
  }
  model.method = corrector;
  return model;
}

/// Every term and activation, in both precisions, fed with everything a corrector may be fed with.
inline std::vector<SampleModel> sample_models() {
  std::vector<SampleModel> models;
  for (const auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    for (const auto precision : {Precision::f64, Precision::f32}) {
      const auto add = [&](const std::string& term, Activation activation, const std::string& name) {
        models.push_back({name + " of " + to_string(input) + " in " + to_string(precision),
                          sample_model(input, precision, term, activation)});
      };
      add("none", Activation::tanh, "affine");
      add("polynomial", Activation::tanh, "polynomial");
      add("piecewise", Activation::tanh, "piecewise");
      for (const auto activation : {Activation::tanh, Activation::rational, Activation::silu, Activation::relu}) {
        add("mlp", activation, std::string(to_string(activation)) + " MLP");
      }
    }
  }
  return models;
}

/// Whether two numbers are the same bit for bit: 0 and -0 are not.
inline bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

template <class Range> bool same_numbers(const Range& a, const Range& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

inline bool same(const AffineLayer& a, const AffineLayer& b) {
  return a.inputs == b.inputs && a.outputs == b.outputs && same_numbers(a.weight, b.weight) &&
         same_numbers(a.bias, b.bias);
}

inline bool same(const ApproximatorSpec& a, const ApproximatorSpec& b) {
  if (a.inputs != b.inputs || a.outputs != b.outputs || a.precision != b.precision) return false;
  if (!same_numbers(a.input_mean, b.input_mean) || !same_numbers(a.input_scale, b.input_scale)) return false;
  if (!same_numbers(a.output_scale, b.output_scale) || !same(a.affine, b.affine)) return false;
  if (a.term.index() != b.term.index()) return false;
  if (const auto* p = std::get_if<PolynomialTerm>(&a.term)) {
    const auto& q = std::get<PolynomialTerm>(b.term);
    return p->degree == q.degree && same_numbers(p->coefficient, q.coefficient);
  }
  if (const auto* p = std::get_if<PiecewiseTerm>(&a.term)) {
    const auto& q = std::get<PiecewiseTerm>(b.term);
    return p->degree == q.degree && p->cells == q.cells && p->tree == q.tree &&
           same_numbers(p->coefficient, q.coefficient);
  }
  if (const auto* p = std::get_if<MlpTerm>(&a.term)) {
    const auto& q = std::get<MlpTerm>(b.term);
    if (p->activation != q.activation || p->layers.size() != q.layers.size()) return false;
    for (std::size_t i = 0; i < p->layers.size(); ++i) {
      if (!same(p->layers[i], q.layers[i])) return false;
    }
    return same_numbers(p->numerator, q.numerator) && same_numbers(p->denominator, q.denominator);
  }
  return true;
}

/// Field by field, bit for bit.
inline bool same(const Model& a, const Model& b) {
  if (a.variables.size() != b.variables.size()) return false;
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    if (a.variables[i].name != b.variables[i].name || a.variables[i].unit != b.variables[i].unit) return false;
  }
  if (!same(a.error.step_rms, b.error.step_rms) || !same(a.error.step_max, b.error.step_max) ||
      !same(a.error.horizon, b.error.horizon) || !same(a.error.horizon_rms, b.error.horizon_rms) ||
      !same(a.error.base_step_rms, b.error.base_step_rms) || a.error.trajectories != b.error.trajectories) {
    return false;
  }
  const auto& p = a.provenance;
  const auto& q = b.provenance;
  if (p.problem != q.problem || p.initial != q.initial || p.seed != q.seed ||
      p.training_trajectories != q.training_trajectories || p.recipe != q.recipe ||
      p.library_version != q.library_version || p.parameters.size() != q.parameters.size()) {
    return false;
  }
  for (std::size_t i = 0; i < p.parameters.size(); ++i) {
    if (p.parameters[i].name != q.parameters[i].name || !same(p.parameters[i].value, q.parameters[i].value)) {
      return false;
    }
  }
  if (a.method.index() != b.method.index()) return false;
  const auto& c = std::get<CorrectorModel>(a.method);
  const auto& d = std::get<CorrectorModel>(b.method);
  if (!same(c.shortest_dt, d.shortest_dt) || c.form != d.form || c.time != d.time || !same(c.period, d.period) ||
      !same(c.time_range.lower, d.time_range.lower) || !same(c.time_range.upper, d.time_range.upper) ||
      c.parameters.size() != d.parameters.size() || !same_numbers(c.estimate.scale, d.estimate.scale) ||
      !same(c.estimate.growth, d.estimate.growth) || !same(c.estimate.correlation, d.estimate.correlation) ||
      !same(c.estimate.coverage, d.estimate.coverage) || bool(c.domain.density) != bool(d.domain.density)) {
    return false;
  }
  for (std::size_t i = 0; i < c.parameters.size(); ++i) {
    const auto& e = c.parameters[i];
    const auto& f = d.parameters[i];
    if (e.name != f.name || !same(e.nominal, f.nominal) || !same(e.trained.lower, f.trained.lower) ||
        !same(e.trained.upper, f.trained.upper)) {
      return false;
    }
  }
  if (c.domain.density && (!same(c.domain.density->limit, d.domain.density->limit) ||
                           !same(c.domain.density->projection, d.domain.density->projection))) {
    return false;
  }
  if (c.base != d.base || !same(c.dt, d.dt) || c.input != d.input || c.fallback != d.fallback ||
      c.fallback_substeps != d.fallback_substeps ||
      !same_numbers(c.domain.correction_limit, d.domain.correction_limit) ||
      c.domain.state.size() != d.domain.state.size()) {
    return false;
  }
  for (std::size_t i = 0; i < c.domain.state.size(); ++i) {
    if (!same(c.domain.state[i].lower, d.domain.state[i].lower) ||
        !same(c.domain.state[i].upper, d.domain.state[i].upper)) {
      return false;
    }
  }
  return same(c.approximator, d.approximator);
}

} // namespace lodestep::test
