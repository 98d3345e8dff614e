#include "train/guard.hpp"

#include "train/density.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

// States a thousandth of the domain off a sheet that training never left are as good as on it: the model's own error
// puts them there.
constexpr double ridge = 1e-6;
// Leverages have as many outputs as monomials, error estimates as many as variables.
constexpr std::size_t most_leverage_features = 40;
constexpr std::size_t most_error_features = 260;
constexpr unsigned highest_degree = 6;
// How far above what the problem's states reach a limit may be, and below the first wrong step it must be, as |y|^2.
constexpr double margin = 3.0;
// In-distribution fallbacks are to stay below 0.1%.
constexpr double fallbacks = 1e-4;
constexpr double slack = 1.5;
// What most learned steps of the problem's states stay below, as a fraction of them, counts as right anywhere.
constexpr double usual = 0.99;
constexpr double tolerated = 2.0;
// A guard may cost this part of the step, and anyway as much.
constexpr double affordable = 0.75;
constexpr double affordable_ns = 40.0;
// States and probes that an error estimate is fitted to.
constexpr Eigen::Index fewest_samples = 1500;
constexpr Eigen::Index samples_per_feature = 15;

Eigen::MatrixXd thin(const Eigen::MatrixXd& m, Eigen::Index most) {
  if (m.cols() <= most) return m;
  Eigen::MatrixXd out(m.rows(), most);
  for (Eigen::Index i = 0; i < most; ++i) out.col(i) = m.col(i * m.cols() / most);
  return out;
}

/// |y|^2 of every column.
Eigen::VectorXd scores(const Density& density, const Eigen::MatrixXd& x) {
  Workspace workspace;
  Eigen::MatrixXd y(static_cast<Eigen::Index>(density.projection.outputs), x.cols());
  Approximator(density.projection).evaluate(x.data(), y.data(), static_cast<std::size_t>(x.cols()), workspace);
  return y.colwise().squaredNorm().transpose();
}

/// What all but the fraction `beyond` of the values stay below.
double quantile(Eigen::VectorXd values, double beyond) {
  if (values.size() == 0) return 0.0;
  const auto last = values.size() - 1 - static_cast<Eigen::Index>(beyond * static_cast<double>(values.size()));
  std::nth_element(values.data(), values.data() + last, values.data() + values.size());
  return values[last];
}

/// Of the logarithms of two sets of numbers >= 0.
double log_correlation(const Eigen::ArrayXd& a, const Eigen::ArrayXd& b) {
  Eigen::ArrayXd x = a.cwiseMax(1e-300).log();
  Eigen::ArrayXd y = b.cwiseMax(1e-300).log();
  x -= x.mean();
  y -= y.mean();
  const double norms = std::sqrt(x.square().sum() * y.square().sum());
  return norms > 0.0 ? (x * y).sum() / norms : 0.0;
}

class Guards {
public:
  explicit Guards(const GuardCase& c) : c_(c), wrong_(c.probes->count()) {
    const double root = std::sqrt(static_cast<double>(c.error.rows()));
    const double level = std::max(quantile(c.held_error.colwise().norm().transpose() / root, 1.0 - usual), 1e-300);
    for (Eigen::Index n = 0; n < wrong_.size(); ++n) {
      const double size = c.probes->error.col(n).norm() / root;
      wrong_[n] = size / std::max(c.probes->fallback[n], level);
    }
    rms_ = std::sqrt(c.held_error.squaredNorm() / static_cast<double>(c.held_error.size()));
    largest_ = c.held_error.cwiseAbs().maxCoeff();
  }

  std::vector<GuardCandidate> run() {
    std::vector<GuardCandidate> tried;
    const double most_ns = std::max(affordable_ns, affordable * c_.step_ns);
    for (const Plan& plan : plans()) {
      if (!tried.empty() && plan.cost_ns > most_ns) break;
      tried.push_back(made(plan));
      if (tried.back().gap >= margin && !c_.controls) break;
    }
    return tried;
  }

private:
  struct Plan {
    bool of_errors;
    unsigned degree;
    double scale; ///< of errors
    double cost_ns;
  };

  std::vector<Plan> plans() const {
    const auto inputs = static_cast<std::size_t>(c_.train.rows());
    std::vector<Plan> plans;
    for (unsigned degree = 1; degree <= highest_degree; ++degree) {
      const std::size_t features = density_features(inputs, degree);
      const auto cost = [&](std::size_t outputs) {
        auto spec = ApproximatorSpec::zero(inputs, outputs);
        if (degree > 1) {
          spec.term = PolynomialTerm{degree, std::vector<double>(outputs * monomial_count(inputs, degree))};
        }
        return spec.cost_ns();
      };
      // Of very many variables, their ellipsoid: there must be some guard.
      if (degree == 1 || features <= most_leverage_features) plans.push_back({false, degree, 0.0, cost(features)});
      if (degree > 1 && features > most_error_features) break;
      const double outputs_cost = cost(static_cast<std::size_t>(c_.error.rows()));
      for (const double scale : {rms_, largest_}) {
        if (scale > 0.0) plans.push_back({true, degree, scale, outputs_cost});
      }
    }
    std::stable_sort(plans.begin(), plans.end(), [](const Plan& a, const Plan& b) { return a.cost_ns < b.cost_ns; });
    return plans;
  }

  /// Half of the probes are fitted, all of them judge.
  Density error_estimate(unsigned degree, double scale) const {
    const auto features =
        static_cast<Eigen::Index>(density_features(static_cast<std::size_t>(c_.train.rows()), degree));
    const Eigen::Index each = std::max(fewest_samples, samples_per_feature * features) / 2;
    const Eigen::MatrixXd states = thin(c_.train, each);
    const Eigen::MatrixXd errors = thin(c_.error, each);
    const Eigen::Index probes = std::min(each, (c_.probes->count() + 1) / 2);
    Eigen::MatrixXd x(states.rows(), states.cols() + probes);
    Eigen::MatrixXd error(errors.rows(), x.cols());
    x.leftCols(states.cols()) = states;
    error.leftCols(states.cols()) = errors;
    for (Eigen::Index i = 0; i < probes; ++i) {
      const Eigen::Index probe = i * c_.probes->count() / probes;
      x.col(states.cols() + i) = c_.probes->inputs.col(probe);
      error.col(states.cols() + i) = c_.probes->error.col(probe);
    }
    return error_density(x, error, degree, scale);
  }

  GuardCandidate made(const Plan& plan) const {
    GuardCandidate candidate{plan.of_errors ? error_estimate(plan.degree, plan.scale)
                                            : leverage_density(c_.train, plan.degree, ridge),
                             plan.of_errors,
                             plan.cost_ns,
                             0.0,
                             0.0,
                             0.0};
    Density& density = candidate.density;
    double least = 1e-300;
    for (const auto* states : {&c_.train, &c_.held, &c_.met}) {
      least = std::max(least, slack * quantile(scores(density, *states), fallbacks));
    }
    candidate.correlation =
        log_correlation(scores(density, c_.held).array(), c_.held_error.colwise().squaredNorm().transpose().array());
    const Eigen::VectorXd score = scores(density, c_.probes->inputs);
    double first_wrong = std::numeric_limits<double>::infinity();
    double last = 0.0;
    for (Eigen::Index n = 0; n < score.size(); ++n) {
      if (!(wrong_[n] <= tolerated)) first_wrong = std::min(first_wrong, score[n]);
      last = std::max(last, score[n]);
    }
    candidate.gap = first_wrong / least;
    if (std::isinf(first_wrong)) {
      // No step is wrong, as where the model is exact: none need be refused for being far away.
      density.limit = std::max(last, margin * least);
    } else {
      // Far enough from both, or what the problem's states need.
      density.limit = std::max(least, std::min(margin * least, std::sqrt(least * first_wrong)));
    }
    for (Eigen::Index n = 0; n < score.size(); ++n) {
      if (score[n] <= density.limit) candidate.worst = std::max(candidate.worst, wrong_[n]);
    }
    return candidate;
  }

  const GuardCase& c_;
  double rms_;            ///< error of learned steps on held-out states
  double largest_;        ///< of a variable
  Eigen::VectorXd wrong_; ///< errors of learned steps, in those that are allowed
};

} // namespace

std::vector<GuardCandidate> guard_candidates(const GuardCase& c) {
  return Guards(c).run();
}

Density choose_guard(const GuardCase& c) {
  const auto candidates = guard_candidates(c);
  // Where no limit serves, the least harm.
  const auto merit = [&](const GuardCandidate& g) {
    if (g.gap < 1.0) return -g.worst;
    return c.controls && g.gap >= margin ? 1e3 + g.correlation : std::min(g.gap, margin);
  };
  const auto lesser = [&](const auto& a, const auto& b) { return merit(a) < merit(b); };
  return std::max_element(candidates.begin(), candidates.end(), lesser)->density;
}

} // namespace lodestep::detail
