#pragma once

#include "train/cases.hpp"

#include <lodestep/corrector_features.hpp>
#include <lodestep/tableau.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// One-step pairs of a base scheme against the reference: what a corrector learns from. Columns are samples.
struct StepData {
  Eigen::MatrixXd state;                      ///< u_n, [dimension, samples]
  Eigen::MatrixXd base_next;                  ///< the base scheme's result from u_n
  Eigen::MatrixXd stages;                     ///< its k_1 .. k_s, [stages * dimension, samples]
  Eigen::MatrixXd target;                     ///< u_{n+1} - base_next: the correction that would be exact
  Eigen::MatrixXd parameters;                 ///< [varied parameters, samples]
  Eigen::VectorXd time;                       ///< [samples]
  Eigen::VectorXd dt;                         ///< [samples]
  std::vector<std::size_t> trajectory, start; ///< [samples]: where each begins, in trajectories and grid points
  std::size_t stage_count = 0;

  Eigen::Index samples() const { return state.cols(); }
};

/// Pairs of steps of `strides` grid steps each, `most` at most, spread evenly over trajectories, times and strides. A
/// single stride of 1 with room for all gives every step of every trajectory. Pairs whose base step is not finite are
/// left out.
LODESTEP_TRAIN_EXPORT StepData make_step_data(const Cases& cases, const ButcherTableau& base,
                                              const std::vector<std::size_t>& strides, std::size_t most);

/// What the approximator of `shape` (whose own approximator is not read) is fed for each sample, [features, samples].
Eigen::MatrixXd make_features(const StepData& data, const CorrectorModel& shape);
/// What its density is fed.
Eigen::MatrixXd make_density_features(const StepData& data, const CorrectorModel& shape);

/// What a dense output of `points` states within steps of `stride` grid steps should give, [points * dimension,
/// samples]. `points` + 1 must divide `stride`.
Eigen::MatrixXd make_dense_targets(const StepData& data, const Cases& cases, std::size_t stride, std::size_t points);

/// What the approximator should give, [dimension, samples], and in the multiplicative form the weights (the base
/// scheme's increments) with which its error enters the step; additive: no weights.
struct Targets {
  Eigen::MatrixXd values;
  Eigen::MatrixXd weights; ///< [dimension, samples], or empty
};
Targets make_targets(const StepData& data, const CorrectorModel& shape);

} // namespace lodestep::detail
