#include "train/attns_search.hpp"

#include "train/least_squares.hpp"
#include "train/variable_projection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lodestep::detail {

namespace {

using Method = AttnsPlan::Method;

// More features than this take longer to fit, and to evaluate, than a corrector of a small system can be worth.
constexpr std::size_t most_features = 800;
constexpr unsigned highest_degree = 9;

// What waiting for the base step's result costs, beside what is computed: measured on the elastic pendulum.
constexpr double serial_ns = 8.0;

// Samples per feature of a fit: past ten, validation errors on the pendulums no longer fall.
constexpr Eigen::Index samples_per_feature = 30;
constexpr Eigen::Index samples_per_feature_of_many = 12;
constexpr Eigen::Index many_features = 150;
constexpr Eigen::Index fewest_samples = 2000;
constexpr std::size_t dense_samples = 20000; // of dense output

ApproximatorSpec shape_of(const AttnsPlan& plan, std::size_t inputs, std::size_t outputs) {
  auto spec = ApproximatorSpec::zero(inputs, outputs);
  spec.precision = plan.precision;
  if (plan.method != Method::polynomial) {
    MlpTerm mlp;
    mlp.layers = {{inputs, plan.width, std::vector<double>(inputs * plan.width), std::vector<double>(plan.width)},
                  {plan.width, outputs, std::vector<double>(plan.width * outputs), std::vector<double>(outputs)}};
    spec.term = std::move(mlp);
  } else if (plan.degree >= 2) {
    spec.term = PolynomialTerm{plan.degree, std::vector<double>(outputs * monomial_count(inputs, plan.degree))};
  }
  return spec;
}

/// Size of polynomial_basis.
std::size_t polynomial_features(std::size_t inputs, unsigned degree) {
  return 1 + inputs + (degree < 2 ? 0 : monomial_count(inputs, degree));
}

Eigen::Index samples_for(std::size_t features) {
  const auto count = static_cast<Eigen::Index>(features);
  return std::max(fewest_samples,
                  std::max(samples_per_feature * std::min(count, many_features), samples_per_feature_of_many * count));
}

/// A polynomial in single precision: its coefficients are floats, as a file holds them.
void round_to_float(ApproximatorSpec& spec) {
  spec.precision = Precision::f32;
  auto* polynomial = std::get_if<PolynomialTerm>(&spec.term);
  for (auto* numbers : {&spec.affine.weight, &spec.affine.bias, polynomial ? &polynomial->coefficient : nullptr}) {
    if (!numbers) continue;
    for (double& number : *numbers) number = static_cast<double>(static_cast<float>(number));
  }
}

/// Evenly spread columns: trajectories, times and strides alike.
Eigen::MatrixXd thin(const Eigen::MatrixXd& m, Eigen::Index most) {
  if (m.cols() <= most) return m;
  Eigen::MatrixXd out(m.rows(), most);
  for (Eigen::Index i = 0; i < most; ++i) out.col(i) = m.col(i * m.cols() / most);
  return out;
}

/// Standardised pairs for one fit.
struct Pairs {
  Standardisation scales;
  Eigen::MatrixXd z;
  Eigen::MatrixXd y;
  Eigen::MatrixXd weights; ///< as Targets::weights, of mean square 1; or empty

  Pairs(const StepData& data, const CorrectorModel& shape, std::size_t features)
      : Pairs(make_features(data, shape), make_targets(data, shape), samples_for(features)) {}

  /// min |W basis - y|^2 with every output's own weights, for the leading `features` features.
  class Solver {
  public:
    Solver(const Pairs& pairs, const Eigen::MatrixXd& basis) {
      if (pairs.weights.size() == 0) {
        solvers_.emplace_back(basis, pairs.y);
        return;
      }
      for (Eigen::Index o = 0; o < pairs.y.rows(); ++o) {
        solvers_.emplace_back(basis.array().rowwise() * pairs.weights.row(o).array(), pairs.y.row(o));
      }
    }
    Eigen::MatrixXd solve(double ridge, Eigen::Index features) const {
      if (solvers_.size() == 1) return solvers_.front().solve(ridge, features);
      Eigen::MatrixXd weights(static_cast<Eigen::Index>(solvers_.size()), features);
      for (std::size_t o = 0; o < solvers_.size(); ++o) {
        weights.row(static_cast<Eigen::Index>(o)) = solvers_[o].solve(ridge, features);
      }
      return weights;
    }

  private:
    std::vector<RidgeSolver> solvers_;
  };

private:
  Pairs(const Eigen::MatrixXd& features, const Targets& targets, Eigen::Index most)
      : scales(features, targets.values), z(scales.inputs(thin(features, most))),
        y(scales.outputs(thin(targets.values, most))) {
    if (targets.weights.size() == 0) return;
    weights = thin(targets.weights, most);
    for (Eigen::Index o = 0; o < weights.rows(); ++o) {
      const double rms = std::sqrt(weights.row(o).squaredNorm() / static_cast<double>(weights.cols()));
      if (!(rms > 0.0)) continue;
      weights.row(o) /= rms;
      scales.output_scale[o] /= rms;
    }
  }
};

} // namespace

CorrectorModel AttnsShape::of(const AttnsPlan& plan) const {
  CorrectorModel result = model;
  result.base = bases[plan.base]->name;
  result.input = plan.input;
  return result;
}

std::size_t AttnsShape::features(const AttnsPlan& plan) const {
  return CorrectorFeatures(of(plan), dimension, bases[plan.base]->stages()).count();
}

std::vector<AttnsPlan> make_plans(const AttnsShape& shape, std::size_t stride) {
  std::vector<AttnsPlan> plans;
  for (std::size_t b = 0; b < shape.bases.size(); ++b) {
    const std::size_t stages = shape.bases[b]->stages();
    for (const CorrectorInput input : shape.inputs) {
      // With one stage, the stages are the increment.
      if (input == CorrectorInput::stages && stages == 1) continue;
      AttnsPlan plan;
      plan.base = b;
      plan.stride = stride;
      plan.input = input;
      const std::size_t inputs = shape.features(plan);
      const auto add = [&](Method method, unsigned degree, std::size_t width, Precision precision) {
        plan.method = method;
        plan.degree = degree;
        plan.width = width;
        plan.precision = precision;
        plan.cost_ns =
            static_cast<double>(stages) * shape.rhs_cost_ns + shape_of(plan, inputs, shape.dimension).cost_ns();
        if (const std::size_t points = shape.points(stride)) {
          AttnsPlan dense = plan;
          dense.precision = Precision::f32;
          if (method != Method::polynomial) dense.method = Method::polynomial, dense.degree = 5;
          // What is not carried on needs fewer digits, hence seldom a higher degree.
          dense.degree = std::min(dense.degree, 6U);
          plan.cost_ns += shape_of(dense, inputs, points * shape.dimension).cost_ns();
        }
        // What is fed with the state need not wait for the base step: the processor evaluates the two side by side.
        if (input != CorrectorInput::state) plan.cost_ns += serial_ns;
        plans.push_back(plan);
      };
      for (unsigned degree = 1; degree <= highest_degree; ++degree) {
        if (degree > 1 && polynomial_features(inputs, degree) > most_features) break;
        add(Method::polynomial, degree, 0, Precision::f64);
      }
      if (input == CorrectorInput::stages) continue;
      for (std::size_t width : {8, 16, 32, 64}) {
        // The normal matrix of the reduced problem must stay small enough for tens of iterations. Only the additive
        // form's reduced problem is solved.
        if (shape.model.form == CorrectorForm::multiplicative || width * (inputs + 1) > 330) continue;
        add(Method::variable_projection, 0, width, Precision::f64);
      }
      for (std::size_t width : {64, 128, 256, 512}) {
        if (1 + inputs + width <= most_features) add(Method::random_features, 0, width, Precision::f64);
      }
    }
  }
  std::stable_sort(plans.begin(), plans.end(),
                   [](const AttnsPlan& a, const AttnsPlan& b) { return a.cost_ns < b.cost_ns; });
  return plans;
}

/// A factorisation from which polynomials up to a degree are solved.
struct AttnsFitter::Polynomials {
  std::size_t inputs;
  Pairs pairs;
  Pairs::Solver solver;

  Polynomials(const StepData& data, const CorrectorModel& shape, std::size_t input_count, unsigned degree)
      : inputs(input_count), pairs(data, shape, polynomial_features(input_count, degree)),
        solver(pairs, polynomial_basis(pairs.z, degree)) {}

  ApproximatorSpec spec(unsigned degree, double ridge) const {
    const auto features = static_cast<Eigen::Index>(polynomial_features(inputs, degree));
    return polynomial_spec(pairs.scales, solver.solve(ridge, features), degree);
  }
};

AttnsFitter::AttnsFitter(const AttnsShape& shape, std::uint64_t seed, Data data)
    : shape_(shape), seed_(seed), data_(std::move(data)) {}

AttnsFitter::~AttnsFitter() = default;

void AttnsFitter::clear() {
  polynomials_.clear();
}

const AttnsFitter::Polynomials& AttnsFitter::polynomials(const AttnsPlan& plan) {
  const std::size_t inputs = shape_.features(plan);
  // One factorisation serves a few degrees: the lower ones are wanted far more often than the highest.
  unsigned highest = plan.degree <= 2 ? 2 : plan.degree <= 4 ? 4 : plan.degree <= 7 ? 7 : highest_degree;
  while (highest > plan.degree && polynomial_features(inputs, highest) > most_features) --highest;
  auto& entry = polynomials_[{plan.base, plan.stride, plan.input, highest}];
  if (!entry) {
    entry = std::make_unique<Polynomials>(data_(plan.base, plan.stride), shape_.of(plan), inputs, highest);
  }
  return *entry;
}

DenseOutput AttnsFitter::fit_dense(const AttnsPlan& plan, const Cases& cases, double error) const {
  const std::size_t inputs = shape_.features(plan);
  const std::size_t points = shape_.points(plan.stride);
  const StepData data = make_step_data(cases, *shape_.bases[plan.base], {plan.stride}, dense_samples);
  const Eigen::MatrixXd x = make_features(data, shape_.of(plan));
  const Eigen::MatrixXd targets = make_dense_targets(data, cases, plan.stride, points);
  const Standardisation scales(x, targets);
  DenseOutput dense;
  dense.points = points;
  Workspace workspace;
  Eigen::MatrixXd y(targets.rows(), targets.cols());
  for (unsigned degree = 3; degree <= highest_degree; ++degree) {
    const std::size_t features = polynomial_features(inputs, degree);
    if (features > most_features) break;
    const Eigen::Index most = samples_for(features);
    const RidgeSolver solver(polynomial_basis(scales.inputs(thin(x, most)), degree),
                             scales.outputs(thin(targets, most)));
    const ApproximatorSpec fit = polynomial_spec(scales, solver.solve(1e-11), degree);
    // No error of these states is carried on to the next step, so that f32 is mostly enough, and half the memory.
    for (const Precision precision : {Precision::f32, Precision::f64}) {
      dense.approximator = fit;
      if (precision == Precision::f32) round_to_float(dense.approximator);
      Approximator(dense.approximator).evaluate(x.data(), y.data(), static_cast<std::size_t>(x.cols()), workspace);
      dense.rms = std::sqrt((y - targets).squaredNorm() / static_cast<double>(y.size()));
      if (dense.rms <= error) return dense;
    }
  }
  return dense;
}

void AttnsFitter::fit(const AttnsPlan& plan, const std::function<bool(const ApproximatorSpec&)>& offer,
                      const std::function<bool()>& proceed) {
  constexpr std::uint64_t hidden_stream = 16; // beside the streams of Split
  if (plan.method == Method::polynomial) {
    const Polynomials& fits = polynomials(plan);
    for (double ridge : {1e-13, 1e-11, 1e-9}) {
      if (!offer(fits.spec(plan.degree, ridge))) return;
    }
    return;
  }
  const std::size_t inputs = shape_.features(plan);
  const std::size_t features = 1 + inputs + plan.width;
  const Pairs pairs(data_(plan.base, plan.stride), shape_.of(plan), features);
  // The spread of the first layer is worth a factor of 10 to 1000 and has no rule: try, and let roll-outs decide.
  for (double spread : {0.6, 0.25, 1.2}) {
    Random random(seed_, hidden_stream, plan.width);
    const AffineLayer hidden = random_layer(random, inputs, plan.width, spread);
    if (plan.method == Method::variable_projection) {
      VariableProjectionOptions options;
      options.proceed = proceed;
      auto fit = variable_projection(pairs.z, pairs.y, hidden, options);
      if (!offer(mlp_spec(pairs.scales, fit.weights, fit.hidden, Activation::tanh))) return;
    } else {
      const Pairs::Solver solver(pairs, hidden_basis(pairs.z, hidden, Activation::tanh));
      for (double ridge : {1e-13, 1e-10}) {
        const Eigen::MatrixXd weights = solver.solve(ridge, static_cast<Eigen::Index>(features));
        if (!offer(mlp_spec(pairs.scales, weights, hidden, Activation::tanh))) return;
      }
    }
  }
}

} // namespace lodestep::detail
