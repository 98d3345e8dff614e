#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/tableau.hpp>

#include <Eigen/Core>

namespace lodestep::detail {

/// One-step pairs of a base scheme against the reference: what a corrector learns from. Columns are samples.
struct StepData {
  Eigen::MatrixXd state;     ///< u_n, [dimension, samples]
  Eigen::MatrixXd base_next; ///< the base scheme's result from u_n
  Eigen::MatrixXd stages;    ///< its k_1 .. k_s, [stages * dimension, samples]
  Eigen::MatrixXd target;    ///< u_{n+1} - base_next: the correction that would be exact
  std::size_t stage_count = 0;
  double dt = 0.0;

  Eigen::Index samples() const { return state.cols(); }
};

/// The pairs of every step of every trajectory, whose grid must have the step `trajectories.dt`.
StepData make_step_data(const Problem& problem, const ButcherTableau& base, const Trajectories& trajectories);

/// What the approximator is fed for each sample, [features, samples].
Eigen::MatrixXd make_features(const StepData& data, CorrectorInput input);

} // namespace lodestep::detail
