#pragma once

#include "train/network_gradient.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace lodestep::detail {

struct AdamOptions {
  std::size_t epochs = 500;
  std::size_t batch = 1024; ///< samples of a step; at most all there are. What is left over of an epoch is left out.
  double learning_rate = 1e-3;
  bool cosine = true; ///< the rate falls to 0 as (1 + cos(pi step / steps)) / 2; else it is constant
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double loss_scale = 1.0;      ///< the mean squared error is multiplied by it
  bool train_activation = true; ///< rational: its coefficients too
  Precision precision = Precision::f32;
  TrainingBackend backend = TrainingBackend::automatic;
  std::uint64_t seed = 0;                                      ///< of the order of the samples
  std::function<bool(std::size_t epoch, double loss)> proceed; ///< asked after each epoch; false stops. May be empty.
};

struct AdamResult {
  MlpTerm network;          ///< after the last step, or after the last epoch whose loss was finite
  std::vector<double> loss; ///< mean squared error over each epoch, as it was while training
  bool diverged = false;    ///< the loss was not finite: training stopped
  bool interrupted = false; ///< by `proceed`
};

/// Trains an MLP by Adam (Kingma and Ba 2015) on mini-batches, in an order shuffled anew for each epoch. `x`
/// [inputs, samples], `y` [outputs, samples], in whatever units they should be learned; `weights` [outputs, samples],
/// if not empty, multiply what the network gives. The same options and seed give the same network on the same kind of
/// processor. Throws InvalidArgument (no samples, shapes that do not fit).
LODESTEP_TRAIN_EXPORT AdamResult train_adam(const MlpTerm& start, const Eigen::MatrixXd& x, const Eigen::MatrixXd& y,
                                            const AdamOptions& options, const Eigen::MatrixXd& weights = {});

/// An MLP whose weights and biases are drawn uniformly from +- 1 / sqrt(inputs of the layer), the usual start.
/// `widths` are inputs, hidden layers, outputs.
LODESTEP_TRAIN_EXPORT MlpTerm random_network(Random& random, const std::vector<std::size_t>& widths,
                                             Activation activation);

} // namespace lodestep::detail
