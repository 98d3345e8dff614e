#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <functional>
#include <vector>

namespace lodestep::detail {

struct MlpFitOptions {
  int iterations = 100;
  double tolerance = 1e-3;       ///< stop when ten accepted steps together gain less than this fraction of the cost
  double target = 0.0;           ///< stop when the root mean square residual is below this
  double spread = 1.5;           ///< the first layer starts uniform in +- this: how sharp bends are expected to be
  double ridge = 1e-9;           ///< of the linear weights, as in RidgeSolver
  std::function<bool()> proceed; ///< asked before every iteration; false stops with the best so far. May be empty.
};

struct MlpFitResult {
  AffineLayer affine; ///< beside the network, of the standardised input
  MlpTerm mlp;
  double rms = 0.0; ///< root mean square residual of the standardised targets, weighted
  int iterations = 0;
};

/// Two samples, and one over their distance.
struct DifferencePair {
  std::size_t from;
  std::size_t to;
  double factor;
};

/// Fits z -> A z + b + N(z), N a tanh network with the given hidden widths, by Levenberg-Marquardt on all weights;
/// after every accepted step those that enter linearly (A, b and the last layer) are put to their least-squares
/// optimum. Weights start at random, as wide as tanh's bend.
///
/// `z` [inputs, samples] and `y` [outputs, samples] are standardised; `weight` [samples] multiplies residuals, or is
/// empty. `pairs` lists samples whose difference quotient is fitted too: with samples j close to
/// samples i this fits the derivative of the map, at the price of a few more rows.
/// An iteration costs O(rows weights^2). Throws InvalidArgument if the shapes do not fit.
LODESTEP_TRAIN_EXPORT MlpFitResult fit_mlp(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y,
                                           const Eigen::VectorXd& weight, const std::vector<DifferencePair>& pairs,
                                           const std::vector<std::size_t>& hidden, Random& random,
                                           const MlpFitOptions& options);

} // namespace lodestep::detail
