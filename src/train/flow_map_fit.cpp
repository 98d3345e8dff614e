#include "train/flow_map_fit.hpp"

#include "train/least_squares.hpp"
#include "train/mlp_fit.hpp"

#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;

constexpr std::uint64_t weights_stream = 102;
/// Every so many pairs one is held out.
constexpr Index held_out = 5;
/// How sharp the first layer's bends may start, each from two draws: which is right depends on the map and on luck, and
/// is worth a factor of ten.
constexpr double spreads[] = {3.0, 6.0};
constexpr std::uint64_t draws = 2;
/// Trials see a third of the pairs; fewer iterations would prefer starts that are quick at first.
constexpr Index trial_share = 3;
constexpr int trial_iterations = 30;
/// Of a polynomial: beyond, a network is cheaper to evaluate and as accurate.
constexpr std::size_t most_terms = 250;
/// Of Q beyond the largest seen in training, before it is no longer believed.
constexpr double limit_margin = 1.25;
/// What an error of the derivative counts, in standardised coordinates, where derivatives are fitted: errors of a map
/// that is composed grow by its derivative's.
constexpr double slope_weight = 0.2;
/// Classical steps that end so many widths of the box away diverge: what corrects them would be all of the map, times
/// rounding.
constexpr double far_away = 1e3;

/// Of groups of `width` columns those that are held out, or the others.
Eigen::MatrixXd every(const Eigen::MatrixXd& columns, bool held, Index width = 1) {
  Eigen::MatrixXd chosen(columns.rows(), columns.cols());
  Index n = 0;
  for (Index k = 0; k < columns.cols(); ++k) {
    if ((k / width % held_out == held_out - 1) == held) chosen.col(n++) = columns.col(k);
  }
  return chosen.leftCols(n);
}

/// What `spec` leaves of the targets.
Eigen::MatrixXd residual(const ApproximatorSpec& spec, const Eigen::MatrixXd& from, const Eigen::MatrixXd& target) {
  const Approximator approximator(spec);
  Workspace workspace;
  Eigen::MatrixXd found(target.rows(), target.cols());
  approximator.evaluate(from.data(), found.data(), static_cast<std::size_t>(from.cols()), workspace);
  return found - target;
}

/// Root mean square of weighted columns.
double weighted_rms(const Eigen::MatrixXd& columns, const Eigen::MatrixXd& weight) {
  const double rms = std::sqrt((columns * weight.row(0).asDiagonal()).squaredNorm() /
                               (static_cast<double>(columns.rows()) * weight.squaredNorm()));
  return std::isfinite(rms) ? rms : std::numeric_limits<double>::infinity();
}

struct Best {
  ApproximatorSpec spec;
  double rms = std::numeric_limits<double>::infinity();
  /// Takes `other` if it is better by a factor.
  void offer(ApproximatorSpec other, double other_rms, double factor) {
    if (other_rms >= factor * rms) return;
    spec = std::move(other);
    rms = other_rms;
  }
};

/// Standardised samples, their weights, and the difference quotients between some of them that are fitted too.
struct Samples {
  Eigen::MatrixXd z;
  Eigen::MatrixXd y;
  Eigen::VectorXd weight;
  std::vector<DifferencePair> pairs;
};

/// The pairs learned from, and the neighbours of each if the data has them: these count in difference quotients alone.
Samples with_neighbours(const Standardisation& scales, const Eigen::MatrixXd& z, const Eigen::MatrixXd& y,
                        const Eigen::MatrixXd& weight, const FlowMapModel& map, const FlowMapData& data,
                        const Problem* problem) {
  Samples all{z, y, weight.transpose(), {}};
  if (data.near_from.size() == 0) return all;
  const Index d = z.rows(), count = z.cols();
  const Eigen::MatrixXd from = every(data.near_from, false, d);
  const Eigen::MatrixXd near_z = scales.inputs(from);
  const Eigen::MatrixXd near_y = scales.outputs(every(data.near_to, false, d) - base_steps(map, problem, from));
  all.z.conservativeResize(Eigen::NoChange, count * (1 + d));
  all.y.conservativeResize(Eigen::NoChange, count * (1 + d));
  all.z.rightCols(count * d) = near_z;
  all.y.rightCols(count * d) = near_y;
  all.weight.conservativeResize(count * (1 + d));
  all.weight.tail(count * d).setZero();
  for (Index k = 0; k < count; ++k) {
    for (Index i = 0; i < d; ++i) {
      const double apart = near_z(i, k * d + i) - z(i, k);
      all.pairs.push_back({static_cast<std::size_t>(k), static_cast<std::size_t>(count + k * d + i),
                           slope_weight * weight(0, k) / apart});
    }
  }
  return all;
}

ApproximatorSpec network(const Standardisation& scales, const Eigen::MatrixXd& z, const Eigen::MatrixXd& y,
                         const Eigen::MatrixXd& weight, const Samples& all, const FlowMapFitOptions& options) {
  MlpFitOptions fit;
  fit.proceed = options.proceed;
  MlpFitResult best;
  best.rms = std::numeric_limits<double>::infinity();
  double best_spread = spreads[0];
  std::uint64_t best_draw = 0;
  const auto run = [&](const Samples& samples, double spread, std::uint64_t draw, int iterations) {
    Random random(options.seed, weights_stream, draw);
    fit.spread = spread;
    fit.iterations = iterations;
    return fit_mlp(samples.z, samples.y, samples.weight, samples.pairs, options.hidden, random, fit);
  };
  const auto some = Eigen::seqN(0, z.cols() / trial_share, trial_share);
  const Eigen::MatrixXd some_weight = weight(Eigen::all, some);
  const Samples few{z(Eigen::all, some), y(Eigen::all, some), some_weight.transpose(), {}};
  for (const double spread : spreads) {
    for (std::uint64_t draw = 0; draw < draws; ++draw) {
      const double rms = run(few, spread, draw, trial_iterations).rms;
      if (!(rms < best.rms)) continue;
      best.rms = rms;
      best_spread = spread;
      best_draw = draw;
    }
  }
  best = run(all, best_spread, best_draw, options.iterations);
  ApproximatorSpec spec = scales.spec();
  spec.affine = std::move(best.affine);
  spec.term = std::move(best.mlp);
  return spec;
}

} // namespace

Eigen::MatrixXd base_steps(const FlowMapModel& map, const Problem* problem, const Eigen::MatrixXd& from) {
  if (map.base.empty()) return from;
  RungeKutta base(classical_tableau(map.base), static_cast<std::size_t>(from.rows()));
  Eigen::MatrixXd to = from;
  const double h = map.dt / static_cast<double>(map.substeps);
  for (Index n = 0; n < to.cols(); ++n) {
    for (unsigned s = 0; s < map.substeps; ++s) base.step(problem->rhs, 0.0, to.col(n).data(), h, to.col(n).data());
  }
  return to;
}

FlowMapFit fit_flow_map(FlowMapModel& map, const FlowMapData& data, const Problem* problem,
                        const FlowMapFitOptions& options) {
  const Eigen::MatrixXd target = data.to - base_steps(map, problem, data.from);
  for (Index i = 0; i < target.rows(); ++i) {
    const auto& side = data.box[static_cast<std::size_t>(i)];
    const double largest = far_away * (side.upper - side.lower);
    if ((target.row(i).array().abs() <= largest).all()) continue; // NaN compares false
    throw InvalidData("flow map of dt = " + std::to_string(map.dt) + ": " + map.base + " steps from the box of " +
                      "training diverge; take more substeps or a smaller dt");
  }
  const Eigen::MatrixXd from = every(data.from, false), tested_from = every(data.from, true);
  const Eigen::MatrixXd learned = every(target, false), tested = every(target, true);
  const Eigen::MatrixXd all_weight =
      data.weight.size() > 0 ? Eigen::MatrixXd(data.weight.transpose()) : Eigen::MatrixXd::Ones(1, target.cols());
  const Eigen::MatrixXd weight = every(all_weight, false), tested_weight = every(all_weight, true);
  const Standardisation scales(from, learned);
  const Eigen::MatrixXd z = scales.inputs(from), y = scales.outputs(learned);
  const double size = weighted_rms(target, all_weight);
  Best best;
  bool exact = false;
  for (unsigned degree = 1; degree <= options.largest_degree && !exact; ++degree) {
    const auto inputs = static_cast<std::size_t>(from.rows());
    const std::size_t terms = 1 + inputs + (degree > 1 ? monomial_count(inputs, degree) : 0);
    if (terms * 3 > static_cast<std::size_t>(from.cols()) || terms > most_terms) break;
    const RidgeSolver solver(polynomial_basis(z, degree) * weight.row(0).asDiagonal(), y * weight.row(0).asDiagonal());
    auto spec = polynomial_spec(scales, solver.solve(1e-14), degree);
    const double rms = weighted_rms(residual(spec, tested_from, tested), tested_weight);
    // A higher degree must earn its keep.
    best.offer(std::move(spec), rms, 0.7);
    exact = best.rms <= exact_rms * size;
  }
  if (!exact && options.iterations > 0 && best.rms > options.good_enough) {
    auto spec = network(scales, z, y, weight, with_neighbours(scales, z, y, weight, map, data, problem), options);
    const double rms = weighted_rms(residual(spec, tested_from, tested), tested_weight);
    best.offer(std::move(spec), rms, 1.0);
  }
  map.approximator = std::move(best.spec);
  map.step_rms = best.rms;
  map.state = data.box;
  map.limit.clear();
  for (Index i = 0; i < target.rows(); ++i) {
    map.limit.push_back(limit_margin * target.row(i).cwiseAbs().maxCoeff() + std::numeric_limits<double>::min());
  }
  FlowMapFit fit;
  fit.exact = exact;
  fit.base_rms = size;
  fit.step_max =
      (residual(map.approximator, tested_from, tested) * tested_weight.row(0).asDiagonal()).cwiseAbs().maxCoeff();
  return fit;
}

} // namespace lodestep::detail
