#include "train/sequence_fit.hpp"

#include "train/gram.hpp"
#include "train/least_squares.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

using Clock = std::chrono::steady_clock;
using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::uint64_t hidden_stream = 104, jitter_stream = 105;
constexpr double spreads[] = {0.3, 1.0, 3.0, 6.0};
/// Of the mean diagonal of the normal matrix.
constexpr double ridges[] = {1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3};
/// Of each coordinate's own root mean square.
constexpr double jitters[] = {0.0, 0.03};
/// A placed state this good, relative to the variance, wants no more trials with jitter.
constexpr double good_enough = 1e-6;
constexpr double box_margin = 0.1;
constexpr double limit_margin = 1.5;

struct Pairs {
  Eigen::MatrixXd from;
  Eigen::MatrixXd increment;
};

Pairs pairs_of(const Trajectories& set, std::size_t lag) {
  const auto d = static_cast<Index>(set.dimension);
  const std::size_t each = set.times - lag;
  Pairs pairs{Eigen::MatrixXd(d, static_cast<Index>(set.trajectories * each)), {}};
  pairs.increment.resizeLike(pairs.from);
  Index n = 0;
  for (std::size_t i = 0; i < set.trajectories; ++i) {
    for (std::size_t t = 0; t < each; ++t, ++n) {
      const Eigen::Map<const Eigen::VectorXd> from(set.state(i, t), d), to(set.state(i, t + lag), d);
      pairs.from.col(n) = from;
      pairs.increment.col(n) = to - from;
    }
  }
  return pairs;
}

/// The judged trajectories, and what has been placed of them.
class Placed {
public:
  explicit Placed(const Trajectories& truth) : truth_(&truth), states_(truth.states), known_(truth.times, false) {
    known_[0] = true; // the same times of every trajectory
  }

  /// Goes on from all known times by steps of `lag` up to the next known one; `step` maps columns to columns and may
  /// return false. Mean squared error of the states placed, infinite if it failed.
  template <class Step> double extend(std::size_t lag, Step step) {
    const auto d = static_cast<Index>(truth_->dimension);
    std::vector<std::size_t> front;
    for (std::size_t t = 0; t < truth_->times; ++t) {
      if (known_[t]) front.push_back(t);
    }
    double sum = 0.0;
    std::size_t count = 0;
    while (true) {
      std::vector<std::size_t> next;
      for (const std::size_t t : front) {
        if (t + lag < truth_->times && !known_[t + lag]) next.push_back(t);
      }
      if (next.empty()) break;
      Eigen::MatrixXd columns(d, static_cast<Index>(next.size() * truth_->trajectories));
      each(next, 0,
           [&](Index n, double* state, const double*) { columns.col(n) = Eigen::Map<Eigen::VectorXd>(state, d); });
      if (!step(columns)) return std::numeric_limits<double>::infinity();
      each(next, lag, [&](Index n, double* state, const double* truth) {
        sum += (columns.col(n) - Eigen::Map<const Eigen::VectorXd>(truth, d)).squaredNorm();
        Eigen::Map<Eigen::VectorXd>(state, d) = columns.col(n);
        ++count;
      });
      for (std::size_t& t : next) known_[t += lag] = true;
      front = std::move(next);
    }
    const double mean = count == 0 ? 0.0 : sum / static_cast<double>(count * truth_->dimension);
    return std::isfinite(mean) ? mean : std::numeric_limits<double>::infinity();
  }

private:
  template <class Visit> void each(const std::vector<std::size_t>& times, std::size_t later, Visit visit) {
    Index n = 0;
    for (std::size_t i = 0; i < truth_->trajectories; ++i) {
      for (const std::size_t t : times) {
        const std::size_t at = (i * truth_->times + t + later) * truth_->dimension;
        visit(n++, states_.data() + at, truth_->states.data() + at);
      }
    }
  }

  const Trajectories* truth_;
  std::vector<double> states_;
  std::vector<bool> known_;
};

class SequenceFit {
public:
  SequenceFit(const Trajectories& learned, const Trajectories& judged, const SequenceFitOptions& options)
      : learned_(learned), options_(options), placed_(judged) {
    const auto d = static_cast<Index>(learned.dimension);
    const Eigen::Map<const Eigen::MatrixXd> states(learned.states.data(), d,
                                                   static_cast<Index>(learned.states.size()) / d);
    spread_ = (states.array().square().rowwise().mean()).sqrt();
    // One unit for all: a coordinate of little variance must not count as much as the first.
    unit_ = std::max(spread_.maxCoeff(), std::numeric_limits<double>::min());
    for (Index i = 0; i < d; ++i) {
      const double low = states.row(i).minCoeff(), high = states.row(i).maxCoeff();
      const double margin = box_margin * std::max(high - low, 1e-3 * unit_);
      box_.push_back({low - margin, high + margin});
    }
  }

  std::vector<SequenceMap> run(const std::vector<std::size_t>& lags) {
    std::vector<SequenceMap> maps;
    trials_ = std::size(spreads) * lags.size();
    for (auto lag = lags.rbegin(); lag != lags.rend() && !stopped_; ++lag) {
      const auto start = Clock::now();
      SequenceMap map;
      map.lag = *lag;
      if (!fit(map)) continue;
      map.seconds = std::chrono::duration<double>(Clock::now() - start).count();
      maps.push_back(std::move(map));
    }
    std::reverse(maps.begin(), maps.end());
    return maps;
  }

private:
  bool fit(SequenceMap& result) {
    const Pairs pairs = pairs_of(learned_, result.lag);
    limit_ =
        limit_margin * pairs.increment.cwiseAbs().rowwise().maxCoeff().array() + std::numeric_limits<double>::min();
    Trial best;
    Placed best_placed = placed_;
    const double variance = unit_ * unit_ / static_cast<double>(learned_.dimension);
    for (const double jitter : jitters) {
      if (best.placed_mse <= good_enough * variance) break;
      for (std::size_t s = 0; s < std::size(spreads); ++s) {
        if (options_.proceed &&
            !options_.proceed(std::min(1.0, static_cast<double>(tried_++) / static_cast<double>(2 * trials_)))) {
          stopped_ = true;
          return false;
        }
        try_spread(pairs, jitter, spreads[s], result.lag, best, best_placed);
      }
    }
    if (!std::isfinite(best.placed_mse)) return false;
    placed_ = std::move(best_placed);
    result.placed_mse = best.placed_mse;
    result.map.state = box_;
    result.map.limit.assign(limit_.data(), limit_.data() + limit_.size());
    Standardisation scales(pairs.from.leftCols(1), pairs.increment.leftCols(1));
    scales.input_mean.setZero();
    scales.input_scale.setConstant(unit_);
    scales.output_scale.setConstant(unit_);
    result.map.approximator = mlp_spec(scales, best.weights, best.hidden, Activation::tanh);
    const Eigen::MatrixXd left =
        unit_ * (best.weights * hidden_basis(pairs.from / unit_, best.hidden, Activation::tanh)) - pairs.increment;
    const auto count = static_cast<double>(left.size());
    result.map.step_rms = std::sqrt(left.squaredNorm() / count);
    result.step_max = left.cwiseAbs().maxCoeff();
    result.base_rms = std::sqrt(pairs.increment.squaredNorm() / count);
    return true;
  }

  struct Trial {
    AffineLayer hidden;
    Eigen::MatrixXd weights;
    double placed_mse = std::numeric_limits<double>::infinity();
  };

  void try_spread(const Pairs& pairs, double jitter, double spread, std::size_t lag, Trial& best,
                  Placed& best_placed) const {
    const auto d = static_cast<std::size_t>(pairs.from.rows());
    Random random(options_.seed, hidden_stream, lag);
    AffineLayer hidden = random_layer(random, d, options_.width, spread);
    for (double& w : hidden.weight) w /= std::sqrt(static_cast<double>(d));
    Eigen::MatrixXd z = pairs.from / unit_, y = pairs.increment / unit_;
    if (jitter > 0.0) {
      const Index n = z.cols();
      z = z.replicate(1, 2).eval();
      y = y.replicate(1, 2).eval();
      Random noise(options_.seed, jitter_stream, lag);
      for (Index c = n; c < 2 * n; ++c) {
        for (Index i = 0; i < z.rows(); ++i) {
          const double moved = jitter * spread_[i] / unit_ * noise.normal();
          z(i, c) += moved;
          y(i, c) -= moved; // the same end
        }
      }
    }
    const Eigen::MatrixXd basis = hidden_basis(z, hidden, Activation::tanh);
    const Index features = basis.rows();
    RowMajor gram = RowMajor::Zero(features, features);
    // Columns of `basis` are rows to add_gram.
    add_gram(basis.data(), static_cast<std::size_t>(basis.cols()), static_cast<std::size_t>(features), gram.data());
    const Eigen::MatrixXd target = basis * y.transpose();
    const double mean = gram.diagonal().mean();
    for (const double ridge : ridges) {
      Eigen::MatrixXd damped = gram;
      damped.diagonal().array() += ridge * mean;
      const Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> solver(damped);
      if (solver.info() != Eigen::Success) continue;
      Trial trial{hidden, solver.solve(target).transpose(), 0.0};
      Placed placed = placed_;
      trial.placed_mse = placed.extend(lag, [&](Eigen::MatrixXd& columns) { return step(trial, columns); });
      if (!(trial.placed_mse < best.placed_mse)) continue;
      best = std::move(trial);
      best_placed = std::move(placed);
    }
  }

  /// False where FlowMap would not believe the step.
  bool step(const Trial& trial, Eigen::MatrixXd& columns) const {
    const Eigen::MatrixXd added =
        unit_ * (trial.weights * hidden_basis(columns / unit_, trial.hidden, Activation::tanh));
    for (Index i = 0; i < columns.rows(); ++i) {
      const auto& box = box_[static_cast<std::size_t>(i)];
      if (!(columns.row(i).minCoeff() >= box.lower && columns.row(i).maxCoeff() <= box.upper &&
            added.row(i).cwiseAbs().maxCoeff() <= limit_[i])) {
        return false;
      }
    }
    columns += added;
    return true;
  }

  const Trajectories& learned_;
  const SequenceFitOptions& options_;
  Placed placed_;
  Eigen::ArrayXd spread_; ///< root mean square of each coordinate
  double unit_ = 1.0;
  std::vector<Interval> box_;
  Eigen::ArrayXd limit_;
  std::size_t trials_ = 1;
  std::size_t tried_ = 0;
  bool stopped_ = false;
};

} // namespace

std::vector<SequenceMap> fit_sequence_maps(const Trajectories& learned, const Trajectories& judged,
                                           const std::vector<std::size_t>& lags, const SequenceFitOptions& options) {
  return SequenceFit(learned, judged, options).run(lags);
}

} // namespace lodestep::detail
