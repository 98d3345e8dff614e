#include "train/solved_maps.hpp"

#include "train/least_squares.hpp"

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
constexpr std::size_t widths[] = {32, 96};
constexpr double spreads[] = {0.5, 1.5, 4.0};
constexpr double ridges[] = {1e-13, 1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2};
/// Coefficients each want so many pairs.
constexpr std::size_t pairs_each = 3;
constexpr double limit_margin = 1.25;

struct Solution {
  ApproximatorSpec spec;
  double mean_square = std::numeric_limits<double>::infinity(); ///< of the standardised errors on the tested pairs
};

/// Of all ridges the one that does best on the tested pairs; `spec_of` makes the spec of a solution.
template <class SpecOf>
void solve(const Eigen::MatrixXd& basis, const Eigen::MatrixXd& y, const Eigen::MatrixXd& tested_basis,
           const Eigen::MatrixXd& tested_y, SpecOf spec_of, Solution& best) {
  const RidgeSolver solver(basis, y);
  Eigen::MatrixXd weights;
  for (const double ridge : ridges) {
    const Eigen::MatrixXd trial = solver.solve(ridge);
    const double mean_square = (trial * tested_basis - tested_y).squaredNorm() / static_cast<double>(tested_y.size());
    // A larger ridge that does as well is the safer one.
    if (!(mean_square <= best.mean_square * (1.0 + 1e-4))) continue;
    best.mean_square = std::min(best.mean_square, mean_square);
    weights = trial;
  }
  if (weights.size() != 0) best.spec = spec_of(weights);
}

} // namespace

std::vector<SolvedMap> solve_flow_maps(const FlowMapData& learned, const FlowMapData& tested, std::uint64_t seed) {
  const Eigen::MatrixXd target = learned.to - learned.from, tested_target = tested.to - tested.from;
  const Standardisation scales(learned.from, target);
  const Eigen::MatrixXd z = scales.inputs(learned.from), y = scales.outputs(target);
  const Eigen::MatrixXd tested_z = scales.inputs(tested.from), tested_y = scales.outputs(tested_target);
  const auto inputs = static_cast<std::size_t>(z.rows());
  const auto pairs = static_cast<std::size_t>(z.cols());

  std::vector<Solution> solutions;
  for (unsigned degree = 1; degree <= largest_degree; ++degree) {
    const std::size_t terms = 1 + inputs + (degree > 1 ? monomial_count(inputs, degree) : 0);
    if (terms * pairs_each > pairs || terms > most_terms) break;
    Solution solution;
    solve(
        polynomial_basis(z, degree), y, polynomial_basis(tested_z, degree), tested_y,
        [&](const Eigen::MatrixXd& weights) { return polynomial_spec(scales, weights, degree); }, solution);
    solutions.push_back(std::move(solution));
  }
  for (const std::size_t width : widths) {
    if ((width + inputs + 1) * pairs_each > pairs) break;
    Solution solution;
    for (const double spread : spreads) {
      Random random(seed, hidden_stream, width);
      const AffineLayer hidden = random_layer(random, inputs, width, spread);
      solve(
          hidden_basis(z, hidden, Activation::tanh), y, hidden_basis(tested_z, hidden, Activation::tanh), tested_y,
          [&](const Eigen::MatrixXd& weights) { return mlp_spec(scales, weights, hidden, Activation::tanh); },
          solution);
    }
    solutions.push_back(std::move(solution));
  }

  std::vector<SolvedMap> maps;
  for (auto& solution : solutions) {
    if (!std::isfinite(solution.mean_square)) continue;
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
    maps.push_back(std::move(solved));
  }
  return maps;
}

} // namespace lodestep::detail
