#pragma once

#include "train/adam.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <vector>

/// The recipe of the AttNS paper (Huang et al. 2024) for the network Q of one corrector: eq. 8 trained on eq. 7. The
/// paper leaves the numbers to the code published with it: Adam at 1e-3 with a cosine to 0 over 500 epochs, batches of
/// 16384 single steps (T_train = 2 states), loss times 1e6, f32, uniform +- 1 / sqrt(inputs) at the start, one rational
/// activation whose seven coefficients are trained.
///
/// One departure: the corrections that would be exact are computed in f64. The published code compares states in f32,
/// whose rounding (1e-6 at r = 10 m) is as large as the corrections.
namespace lodestep::detail {

struct AttnsRecipe {
  std::vector<std::size_t> hidden{1024}; ///< widths of the hidden layers: h - 1 times d_1
  Activation activation = Activation::rational;
  /// The network is fed with the inputs divided by it: with the increment S dt divided by dt, it sees the paper's S.
  double input_unit = 1.0;
  /// Inputs and targets standardised instead, and the loss not scaled: beyond the paper, and better by orders of
  /// magnitude.
  bool standardised = false;
  bool skip = false; ///< the network's input is added to its output (the paper's Table 2); as many inputs as outputs
  AdamOptions adam = published();

  static AdamOptions published();
};

struct AttnsRecipeFit {
  ApproximatorSpec approximator;
  std::vector<double> loss; ///< of each epoch, as trained
  bool diverged = false;
  bool interrupted = false;
};

/// Fits `inputs` [features, samples] to `targets` [dimension, samples]. `weights`: see train_adam. Throws
/// InvalidArgument (no hidden layer, a skip between unequal sizes).
LODESTEP_TRAIN_EXPORT AttnsRecipeFit fit_attns_recipe(const Eigen::MatrixXd& inputs, const Eigen::MatrixXd& targets,
                                                      const AttnsRecipe& recipe, const Eigen::MatrixXd& weights = {});

} // namespace lodestep::detail
