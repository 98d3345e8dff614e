#include "train/solved_maps.hpp"

#include "train/gram.hpp"
#include "train/least_squares.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;

constexpr std::uint64_t hidden_stream = 106;
constexpr unsigned largest_degree = 7;
constexpr std::size_t most_terms = 250;
constexpr std::size_t widths[] = {32, 96, 384, 768};
/// Wider ones are solved for with fewer ridges and the sharpness that served the width before best, and its neighbour.
constexpr std::size_t wide = 200;
constexpr double spreads[] = {0.5, 1.5, 4.0, 10.0};
constexpr double ridges[] = {1e-13, 1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2};
constexpr double few_ridges[] = {3e-8, 1e-6, 1e-4, 1e-2};
/// Coefficients each want so many pairs.
constexpr std::size_t pairs_each = 3;
constexpr double limit_margin = 1.25;

/// The same as RidgeSolver by normal equations, ten times faster and only to half the digits: for networks so wide that
/// they are no more accurate.
class GramSolver {
public:
  GramSolver(const Eigen::MatrixXd& basis, const Eigen::MatrixXd& targets) : features_(basis.rows()) {
    Eigen::MatrixXd all(basis.rows() + targets.rows(), basis.cols());
    all << basis, targets;
    gram_ = RowMajor::Zero(all.rows(), all.rows());
    add_gram(all.data(), static_cast<std::size_t>(all.cols()), static_cast<std::size_t>(all.rows()), gram_.data());
  }
  Eigen::MatrixXd solve(double ridge) const {
    Eigen::MatrixXd normal = gram_.topLeftCorner(features_, features_).triangularView<Eigen::Lower>();
    normal.diagonal().array() += ridge * ridge * normal.diagonal().mean();
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factors(normal);
    if (factors.info() != Eigen::Success)
      return Eigen::MatrixXd::Constant(gram_.rows() - features_, features_, std::nan(""));
    return factors.solve(gram_.bottomLeftCorner(gram_.rows() - features_, features_).transpose()).transpose();
  }

private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Index features_;
  RowMajor gram_; ///< its lower triangle, of features and targets
};

struct Solution {
  ApproximatorSpec spec;
  double mean_square = std::numeric_limits<double>::infinity(); ///< of the standardised errors on the tested pairs
};

/// Of all ridges the one that does best on the tested pairs; `spec_of` makes the spec of a solution.
template <class Solver, class Ridges, class SpecOf>
bool solve(const Ridges& tried, const Eigen::MatrixXd& basis, const Eigen::MatrixXd& y,
           const Eigen::MatrixXd& tested_basis, const Eigen::MatrixXd& tested_y, SpecOf spec_of, Solution& best) {
  const Solver solver(basis, y);
  Eigen::MatrixXd weights;
  for (const double ridge : tried) {
    const Eigen::MatrixXd trial = solver.solve(ridge);
    const double mean_square = (trial * tested_basis - tested_y).squaredNorm() / static_cast<double>(tested_y.size());
    // A larger ridge that does as well is the safer one.
    if (!(mean_square <= best.mean_square * (1.0 + 1e-4))) continue;
    best.mean_square = std::min(best.mean_square, mean_square);
    weights = trial;
  }
  if (weights.size() != 0) best.spec = spec_of(weights);
  return weights.size() != 0;
}

/// Puts the bend of every unit through a pair's state, drawn at random: sharp units are worth nothing elsewhere.
void bend_at_data(AffineLayer& hidden, const Eigen::MatrixXd& z, Random& random) {
  for (std::size_t unit = 0; unit < hidden.outputs; ++unit) {
    const auto drawn = static_cast<Index>(random.uniform(0.0, static_cast<double>(z.cols())));
    const auto state = z.col(std::min(drawn, z.cols() - 1));
    double at = 0.0;
    for (std::size_t i = 0; i < hidden.inputs; ++i) {
      at += hidden.weight[unit * hidden.inputs + i] * state[static_cast<Index>(i)];
    }
    hidden.bias[unit] = -at;
  }
}

} // namespace

void solve_flow_maps(const FlowMapData& learned, const FlowMapData& tested, std::size_t widest, std::uint64_t seed,
                     const std::function<bool(const SolvedMap&)>& offer) {
  const Eigen::MatrixXd target = learned.to - learned.from, tested_target = tested.to - tested.from;
  const Standardisation scales(learned.from, target);
  const Eigen::MatrixXd z = scales.inputs(learned.from), y = scales.outputs(target);
  const Eigen::MatrixXd tested_z = scales.inputs(tested.from), tested_y = scales.outputs(tested_target);
  const auto inputs = static_cast<std::size_t>(z.rows());
  const auto pairs = static_cast<std::size_t>(z.cols());

  // Rows of pairs that count less are scaled down.
  const auto weighted = [](Eigen::MatrixXd columns, const Eigen::VectorXd& weight) {
    if (weight.size() != 0) columns *= weight.asDiagonal();
    return columns;
  };
  const Eigen::MatrixXd y_weighted = weighted(y, learned.weight), tested_weighted = weighted(tested_y, tested.weight);

  const auto enough = [&](Solution& solution) {
    if (!std::isfinite(solution.mean_square)) return false;
    SolvedMap solved;
    FlowMapModel& map = solved.map;
    map.approximator = std::move(solution.spec);
    map.state = learned.box;
    for (Index i = 0; i < target.rows(); ++i) {
      map.limit.push_back(limit_margin * target.row(i).cwiseAbs().maxCoeff() + std::numeric_limits<double>::min());
    }
    const Approximator approximator(map.approximator);
    Workspace workspace;
    Eigen::MatrixXd found(tested_target.rows(), tested_target.cols());
    approximator.evaluate(tested.from.data(), found.data(), static_cast<std::size_t>(found.cols()), workspace);
    const Eigen::MatrixXd error = found - tested_target;
    map.step_rms = std::sqrt(error.squaredNorm() / static_cast<double>(error.size()));
    solved.step_max = error.cwiseAbs().maxCoeff();
    solved.base_rms = std::sqrt(target.squaredNorm() / static_cast<double>(target.size()));
    return !offer(solved);
  };
  for (unsigned degree = 1; degree <= largest_degree; ++degree) {
    const std::size_t terms = 1 + inputs + (degree > 1 ? monomial_count(inputs, degree) : 0);
    if (terms * pairs_each > pairs || terms > most_terms) break;
    Solution solution;
    solve<RidgeSolver>(
        ridges, weighted(polynomial_basis(z, degree), learned.weight), y_weighted,
        weighted(polynomial_basis(tested_z, degree), tested.weight), tested_weighted,
        [&](const Eigen::MatrixXd& weights) { return polynomial_spec(scales, weights, degree); }, solution);
    if (enough(solution)) return;
  }
  std::size_t sharpness = 0;
  for (const std::size_t width : widths) {
    if ((width + inputs + 1) * pairs_each > pairs || width > widest) break;
    Solution solution;
    const bool few = width > wide;
    for (std::size_t k = few ? sharpness : 0;
         k < (few ? std::min(sharpness + 2, std::size(spreads)) : std::size(spreads)); ++k) {
      Random random(seed, hidden_stream, width);
      AffineLayer hidden = random_layer(random, inputs, width, spreads[k]);
      bend_at_data(hidden, z, random);
      const auto spec_of = [&](const Eigen::MatrixXd& weights) {
        return mlp_spec(scales, weights, hidden, Activation::tanh);
      };
      const Eigen::MatrixXd basis = weighted(hidden_basis(z, hidden, Activation::tanh), learned.weight);
      const Eigen::MatrixXd tested_basis = weighted(hidden_basis(tested_z, hidden, Activation::tanh), tested.weight);
      const bool better =
          few ? solve<GramSolver>(few_ridges, basis, y_weighted, tested_basis, tested_weighted, spec_of, solution)
              : solve<RidgeSolver>(ridges, basis, y_weighted, tested_basis, tested_weighted, spec_of, solution);
      if (better) sharpness = k;
    }
    if (enough(solution)) return;
  }
}

} // namespace lodestep::detail
