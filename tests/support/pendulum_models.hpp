#pragma once

#include <lodestep/corrector_features.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// Correctors for the elastic pendulum with every kind of approximator. Their weights are random and their corrections
/// small: a correction need not be right to be the same everywhere.
namespace lodestep::test {

/// SplitMix64: the same numbers on every platform.
class SmallRandom {
public:
  explicit SmallRandom(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [-1, 1).
  double number() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1.0;
  }
  double uniform(double lower, double upper) { return lower + (upper - lower) * 0.5 * (number() + 1.0); }

private:
  std::uint64_t state_;
};

struct PendulumOptions {
  CorrectorInput input = CorrectorInput::increment;
  std::string base = "rk4";
  Precision precision = Precision::f64;
  Activation activation = Activation::tanh;
  std::vector<std::size_t> hidden{64}; ///< widths of the hidden layers; none: no MLP
  unsigned degree = 0;                 ///< of the polynomial, if at least 2
  double dt = 0.1;
  double correction_limit = 1.0;
  unsigned fallback_substeps = 4;
  bool density = false; ///< one that a good part of the states are outside of
  std::string fallback{};
  double shortest_dt = 0.0; ///< less than dt: a dt-aware model
  CorrectorForm form = CorrectorForm::additive;
  TimeInput time = TimeInput::none;      ///< of a period of 2, or elapsed from -0.5 to 5
  std::vector<std::string> parameters{}; ///< inputs, trained from 0.5 to 1.5
  std::size_t dense_points = 0;
  bool estimate = false;
  std::uint64_t seed = 1;
};

inline Model pendulum_model(const PendulumOptions& options = {}) {
  constexpr std::size_t dimension = 4;
  SmallRandom random(options.seed);
  const auto number = [&](double scale) {
    const double value = scale * random.number();
    return options.precision == Precision::f32 ? static_cast<double>(static_cast<float>(value)) : value;
  };
  const auto layer = [&](std::size_t inputs, std::size_t outputs, double scale) {
    AffineLayer l{inputs, outputs, std::vector<double>(inputs * outputs), std::vector<double>(outputs)};
    for (double& w : l.weight) w = number(scale);
    for (double& b : l.bias) b = number(scale);
    return l;
  };

  CorrectorModel corrector;
  corrector.base = options.base;
  corrector.dt = options.dt;
  corrector.input = options.input;
  corrector.fallback_substeps = options.fallback_substeps;
  corrector.fallback = options.fallback;
  corrector.shortest_dt = options.shortest_dt;
  corrector.form = options.form;
  corrector.time = options.time;
  if (options.time == TimeInput::phase) corrector.period = 2.0;
  if (options.time == TimeInput::elapsed) corrector.time_range = {-0.5, 5.0};
  for (const auto& name : options.parameters) corrector.parameters.push_back({name, 1.0, {0.5, 1.5}});
  if (options.estimate) corrector.estimate = {{1e-5, 2e-5, 3e-5, 4e-5}, 0.7, 0.8, 0.95};
  const std::size_t stages = classical_tableau(options.base).stages();
  const CorrectorFeatures features(corrector, dimension, stages);
  if (options.density) {
    Density density{ApproximatorSpec::zero(features.density_count(), 4), 1.0};
    auto& projection = density.projection;
    projection.input_mean[1] = 10.2;
    for (std::size_t i = dimension; i < projection.inputs; ++i) projection.input_scale[i] = 5.0;
    projection.output_scale = {1.0, 0.5, 2.0, 1.5};
    projection.term = PolynomialTerm{3, std::vector<double>(4 * monomial_count(projection.inputs, 3))};
    for (double& w : std::get<PolynomialTerm>(projection.term).coefficient) w = 0.3 * random.number();
    for (double& w : projection.affine.weight) w = random.number();
    for (double& b : projection.affine.bias) b = 0.1 * random.number();
    corrector.domain.density = density;
  }
  const std::size_t inputs = features.count();
  const std::size_t first = options.input == CorrectorInput::stages ? dimension * stages : dimension;
  auto& spec = corrector.approximator = ApproximatorSpec::zero(inputs, dimension);
  spec.precision = options.precision;
  const double centre[] = {0.0, 10.0, 0.0, 0.0};
  const double spread[] = {0.3, 0.5, 0.3, 2.0};
  for (std::size_t i = first; i < inputs; ++i) { // step, time, parameters
    spec.input_mean[i] = 0.1 * random.number();
    spec.input_scale[i] = 2.0;
  }
  for (std::size_t i = 0; i < first; ++i) {
    const bool state = options.input == CorrectorInput::state;
    spec.input_mean[i] = state ? centre[i % dimension] : 0.01 * random.number();
    spec.input_scale[i] = (state ? 1.0 : options.dt) * spread[i % dimension] * (1.0 + 0.3 * random.number());
  }
  for (double& scale : spec.output_scale) scale = 1e-3 * (1.0 + 0.3 * random.number());
  spec.affine = layer(inputs, dimension, 0.5);
  if (options.degree >= 2) {
    PolynomialTerm polynomial;
    polynomial.degree = options.degree;
    polynomial.coefficient.resize(dimension * monomial_count(inputs, options.degree));
    for (double& c : polynomial.coefficient) c = number(0.05);
    spec.term = polynomial;
  } else if (!options.hidden.empty()) {
    MlpTerm mlp;
    mlp.activation = options.activation;
    std::size_t width = inputs;
    for (std::size_t next : options.hidden) {
      mlp.layers.push_back(layer(width, next, 1.0));
      width = next;
    }
    mlp.layers.push_back(layer(width, dimension, 0.2));
    spec.term = mlp;
  }
  if (options.dense_points > 0) {
    DenseOutput dense{options.dense_points, spec, 1e-6};
    auto& within = dense.approximator;
    within.outputs = options.dense_points * dimension;
    within.output_scale.assign(within.outputs, 1e-3);
    within.affine = layer(inputs, within.outputs, 0.5);
    within.term = PolynomialTerm{2, std::vector<double>(within.outputs * monomial_count(inputs, 2))};
    for (double& c : std::get<PolynomialTerm>(within.term).coefficient) c = number(0.3);
    corrector.dense = dense;
  }
  corrector.domain.state = {{-0.5, 0.5}, {9.5, 11.5}, {-0.5, 0.5}, {-3.0, 3.0}};
  corrector.domain.correction_limit.assign(dimension, options.correction_limit);

  Model model;
  model.variables = {{"theta", "rad"}, {"r", "m"}, {"theta_dot", "rad/s"}, {"r_dot", "m/s"}};
  model.error = {1e-9, 1e-8, 50.0, 1e-6, 1e-4, 32};
  model.provenance.problem = "elastic_pendulum";
  model.method = corrector;
  return model;
}

/// A state inside the domain.
inline void pendulum_state(SmallRandom& random, double* u) {
  u[0] = random.uniform(-0.45, 0.45);
  u[1] = random.uniform(9.6, 11.4);
  u[2] = random.uniform(-0.45, 0.45);
  u[3] = random.uniform(-2.8, 2.8);
}

} // namespace lodestep::test
