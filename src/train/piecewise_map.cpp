#include "train/piecewise_map.hpp"

#include "train/block_flow.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;

constexpr std::uint64_t samples_stream = 107;
constexpr Index samples = 128;
constexpr std::size_t tested_pairs = 500;
/// Each try takes a few times fewer cells than the one before.
constexpr double loosening = 10.0;
constexpr double loosest = 1e-4;
/// Of what the polynomials may err, what the solutions that they are fitted to do.
constexpr double solution_share = 0.02;
constexpr double limit_margin = 1.25;

/// Columns to try step sizes on: some where trajectories go, some of the region.
Eigen::MatrixXd samples_of(const WantedStates& wanted, std::uint64_t seed) {
  Eigen::MatrixXd columns(wanted.visited.rows(), samples);
  Random random(seed, samples_stream, 0);
  for (Index n = 0; n < samples; ++n) {
    if (n % 2 == 0 || wanted.region.empty()) {
      const auto drawn = static_cast<Index>(random.uniform(0.0, static_cast<double>(wanted.visited.cols())));
      columns.col(n) = wanted.visited.col(std::min(drawn, wanted.visited.cols() - 1));
      continue;
    }
    for (Index i = 0; i < columns.rows(); ++i) {
      const auto& side = wanted.region[static_cast<std::size_t>(i)];
      columns(i, n) = random.uniform(side.lower, side.upper);
    }
  }
  return columns;
}

/// One step on pairs that nothing was fitted to, where the map has a polynomial: its errors, and what it had to add.
void test(FlowMapModel& map, const Problem& problem, const Trajectories& trajectories, std::uint64_t seed,
          FlowMapFit& fit) {
  const auto data = flow_map_data(problem, trajectories, map.state, map.dt, tested_pairs, seed);
  const Approximator approximator(map.approximator);
  Workspace workspace;
  const Index d = data.from.rows();
  Eigen::MatrixXd found(d * static_cast<Index>(map.states), data.from.cols());
  approximator.evaluate(data.from.data(), found.data(), tested_pairs, workspace);
  const Eigen::MatrixXd target = data.to - data.from;
  const Eigen::MatrixXd error = found.bottomRows(d) - target;
  double errors = 0.0, targets = 0.0, count = 0.0;
  for (Index n = 0; n < error.cols(); ++n) {
    if (!error.col(n).allFinite()) continue; // in no cell
    errors += error.col(n).squaredNorm();
    targets += target.col(n).squaredNorm();
    fit.step_max = std::max(fit.step_max, error.col(n).cwiseAbs().maxCoeff());
    count += static_cast<double>(d);
  }
  map.step_rms = std::sqrt(errors / std::max(count, 1.0));
  fit.base_rms = std::sqrt(targets / std::max(count, 1.0));
}

} // namespace

WantedStates wanted_states(const Problem& problem, const Trajectories& trajectories) {
  WantedStates wanted;
  if (problem.region.size() == problem.dimension()) wanted.region = problem.region;
  wanted.visited =
      Eigen::Map<const Eigen::MatrixXd>(trajectories.states.data(), static_cast<Index>(trajectories.dimension),
                                        static_cast<Index>(trajectories.trajectories * trajectories.times));
  return wanted;
}

std::optional<FlowMapFit> fit_piecewise_map(FlowMapModel& map, const Problem& problem, const Trajectories& trajectories,
                                            const std::vector<Interval>& box, PiecewiseMapOptions& options) {
  const std::size_t d = problem.dimension();
  const WantedStates wanted = wanted_states(problem, trajectories);
  const Eigen::MatrixXd tried = samples_of(wanted, options.seed);
  PiecewiseFitOptions fit;
  fit.degree = d == 3 ? 4 : 5;
  fit.cells = d == 3 ? 8 : 16;
  fit.proceed = options.proceed;
  fit.tolerance.resize(d * map.states);
  for (double& tolerance = options.tolerance; tolerance <= loosest * (1.0 + 1e-9); tolerance *= loosening) {
    Eigen::VectorXd accuracy(static_cast<Index>(d));
    for (std::size_t o = 0; o < fit.tolerance.size(); ++o) {
      fit.tolerance[o] = tolerance * (box[o % d].upper - box[o % d].lower);
      accuracy[static_cast<Index>(o % d)] = solution_share * fit.tolerance[o];
    }
    std::optional<BlockFlow> flow;
    try {
      flow.emplace(problem, map.dt, map.states, tried, accuracy);
    } catch (const InvalidData&) { // solutions are not to be had as exactly as that
      continue;
    }
    const auto increments = [&](const Eigen::MatrixXd& from) {
      Eigen::MatrixXd to = (*flow)(from);
      for (std::size_t s = 0; s < map.states; ++s) to.middleRows(static_cast<Index>(s * d), from.rows()) -= from;
      return to;
    };
    auto fitted = fit_piecewise(box, wanted, increments, fit);
    if (options.proceed && !options.proceed()) return std::nullopt;
    if (!fitted) continue;
    map.approximator = std::move(fitted->spec);
    map.state = box;
    map.limit.assign(d, std::numeric_limits<double>::min());
    for (std::size_t o = 0; o < fitted->largest.size(); ++o) {
      map.limit[o % d] = std::max(map.limit[o % d], limit_margin * fitted->largest[o]);
    }
    FlowMapFit result;
    test(map, problem, trajectories, options.seed, result);
    return result;
  }
  return std::nullopt;
}

} // namespace lodestep::detail
