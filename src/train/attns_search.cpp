#include "train/attns_search.hpp"

#include "train/least_squares.hpp"
#include "train/variable_projection.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace lodestep::detail {

namespace {

// More features than this take longer to fit, and to evaluate, than a corrector of a small system can be worth.
constexpr std::size_t most_features = 700;

// Samples per feature of a fit: past ten, validation errors on the pendulums no longer fall.
constexpr Eigen::Index samples_per_feature = 30;
constexpr Eigen::Index fewest_samples = 2000;

ApproximatorSpec shape_of(const AttnsPlan& plan, std::size_t inputs, std::size_t outputs) {
  auto spec = ApproximatorSpec::zero(inputs, outputs);
  if (plan.method != AttnsPlan::Method::polynomial) {
    MlpTerm mlp;
    mlp.layers = {{inputs, plan.width, std::vector<double>(inputs * plan.width), std::vector<double>(plan.width)},
                  {plan.width, outputs, std::vector<double>(plan.width * outputs), std::vector<double>(outputs)}};
    spec.term = std::move(mlp);
  } else if (plan.degree >= 2) {
    spec.term = PolynomialTerm{plan.degree, std::vector<double>(outputs * monomial_count(inputs, plan.degree))};
  }
  return spec;
}

/// Evenly spread columns: trajectories and times alike.
Eigen::MatrixXd thin(const Eigen::MatrixXd& m, Eigen::Index most) {
  if (m.cols() <= most) return m;
  Eigen::MatrixXd out(m.rows(), most);
  for (Eigen::Index i = 0; i < most; ++i) out.col(i) = m.col(i * m.cols() / most);
  return out;
}

} // namespace

std::vector<AttnsPlan> make_plans(std::size_t dimension, const std::vector<const ButcherTableau*>& bases,
                                  double rhs_cost_ns) {
  std::vector<AttnsPlan> plans;
  for (std::size_t b = 0; b < bases.size(); ++b) {
    const std::size_t stages = bases[b]->stages();
    const auto add = [&](AttnsPlan plan) {
      const std::size_t inputs = corrector_feature_count(plan.input, dimension, stages);
      plan.base = b;
      plan.cost_ns = static_cast<double>(stages) * rhs_cost_ns + shape_of(plan, inputs, dimension).cost_ns();
      plans.push_back(plan);
    };
    for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
      const std::size_t inputs = corrector_feature_count(input, dimension, stages);
      // With one stage, the stages are the increment.
      if (input == CorrectorInput::stages && stages == 1) continue;
      using Method = AttnsPlan::Method;
      add({0, input, Method::polynomial, 1, 0, 0.0});
      for (unsigned degree = 2; degree <= 9; ++degree) {
        if (1 + inputs + monomial_count(inputs, degree) > most_features) break;
        add({0, input, Method::polynomial, degree, 0, 0.0});
      }
      if (input == CorrectorInput::stages) continue;
      for (std::size_t width : {8, 16, 32}) {
        // The normal matrix of the reduced problem must stay small enough for tens of iterations.
        if (width * (inputs + 1) <= 330) add({0, input, Method::variable_projection, 0, width, 0.0});
      }
      for (std::size_t width : {64, 128, 256, 512}) {
        if (1 + inputs + width <= most_features) add({0, input, Method::random_features, 0, width, 0.0});
      }
    }
  }
  std::stable_sort(plans.begin(), plans.end(),
                   [](const AttnsPlan& a, const AttnsPlan& b) { return a.cost_ns < b.cost_ns; });
  return plans;
}

void fit_plan(const AttnsPlan& plan, const StepData& data, std::uint64_t seed,
              const std::function<bool(const ApproximatorSpec&)>& offer, const std::function<bool()>& proceed) {
  constexpr std::uint64_t hidden_stream = 16; // beside the streams of Split
  const Eigen::MatrixXd raw = make_features(data, plan.input);
  const auto inputs = static_cast<std::size_t>(raw.rows());
  const Standardisation scales(raw, data.target);
  const std::size_t features = plan.method == AttnsPlan::Method::polynomial
                                   ? 1 + inputs + monomial_count(inputs, plan.degree)
                                   : 1 + inputs + plan.width;
  const Eigen::Index most = std::max(fewest_samples, samples_per_feature * static_cast<Eigen::Index>(features));
  const Eigen::MatrixXd z = scales.inputs(thin(raw, most));
  const Eigen::MatrixXd y = scales.outputs(thin(data.target, most));
  if (plan.method == AttnsPlan::Method::polynomial) {
    const RidgeSolver solver(polynomial_basis(z, plan.degree), y);
    for (double ridge : {1e-13, 1e-11, 1e-9}) {
      if (!offer(polynomial_spec(scales, solver.solve(ridge), plan.degree))) return;
    }
    return;
  }
  // The spread of the first layer is worth a factor of 10 to 1000 and has no rule: try, and let roll-outs decide.
  for (double spread : {0.6, 0.25, 1.2}) {
    Random random(seed, hidden_stream, plan.width);
    const AffineLayer hidden = random_layer(random, inputs, plan.width, spread);
    if (plan.method == AttnsPlan::Method::variable_projection) {
      VariableProjectionOptions options;
      options.proceed = proceed;
      auto fit = variable_projection(z, y, hidden, options);
      if (!offer(mlp_spec(scales, fit.weights, fit.hidden, Activation::tanh))) return;
    } else {
      const RidgeSolver solver(hidden_basis(z, hidden, Activation::tanh), y);
      for (double ridge : {1e-13, 1e-10}) {
        if (!offer(mlp_spec(scales, solver.solve(ridge), hidden, Activation::tanh))) return;
      }
    }
  }
}

} // namespace lodestep::detail
