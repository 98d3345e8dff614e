#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <functional>

namespace lodestep::detail {

struct VariableProjectionOptions {
  int iterations = 60;
  double ridge = 1e-9;           ///< of the inner linear solve, as in RidgeSolver
  double tolerance = 3e-3;       ///< stop when an accepted step gains less than this fraction
  std::function<bool()> proceed; ///< asked before every iteration; false stops with the best so far. May be empty.
};

struct VariableProjectionResult {
  AffineLayer hidden;      ///< the trained hidden layer
  Eigen::MatrixXd weights; ///< [outputs, 1 + inputs + width], of hidden_basis
  double rms = 0.0;        ///< root mean square residual of the standardised targets
};

/// Trains the hidden layer of z -> c + A z + V tanh(W z + b) by Levenberg-Marquardt on the reduced problem, in which
/// the linear weights (c, A, V) are at their least-squares optimum for every (W, b) (variable projection: Golub and
/// Pereyra 1973, in Kaufman's approximation of 1975).
///
/// All outputs share the hidden layer, so the normal matrix of the reduced problem is the Gram matrix of one set of
/// projected columns, weighted element-wise by sum_o V_oj V_oj': its cost does not grow with the number of outputs.
/// Cost of an iteration: O(samples (width (inputs + 1))^2).
///
/// `z` [inputs, samples] and `y` [outputs, samples] are standardised. tanh only.
LODESTEP_TRAIN_EXPORT VariableProjectionResult variable_projection(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y,
                                                                   const AffineLayer& start,
                                                                   const VariableProjectionOptions& options);

} // namespace lodestep::detail
