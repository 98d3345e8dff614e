#pragma once

#include "train/rknn_fit.hpp"

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// The recipe of the RK-NN paper (Guo et al. 2021, algorithm 1): weights by softmax, Adam on all samples at once, the
/// one-step scaled loss (eq. 14) plus the Taylor regulariser (eq. 16) with a weight. The numbers are those of the code
/// published with it.
namespace lodestep::detail {

struct LODESTEP_TRAIN_EXPORT RknnRecipe {
  std::size_t samples = 3000;
  std::size_t epochs = 20000;
  double learning_rate = 0.1;
  std::size_t decay_every = 10000; ///< epochs after which the rate falls to a tenth
  double loss_weight = 1.0;        ///< of eq. 14
  double taylor_weight = 1.0;      ///< of eq. 16: mu of the published code, see fit_rknn_recipe
  double stop_ratio = 0.0;         ///< training ends once eq. 14 is below; 0: never
  std::size_t taylor_tasks = 50;

  /// What was published for the family; for others, what was for the Van der Pol oscillator. With more order than so
  /// many stages can have for any problem: Taylor coefficients alone.
  static RknnRecipe published(const std::string& family, std::size_t stages, unsigned order);
};

struct RknnEpoch {
  std::size_t epoch;
  double scaled_loss;
  double taylor_loss;
};

struct RknnRecipeFit {
  std::vector<double> x; ///< the numbers with the smallest whole loss
  std::size_t epochs = 0;
  bool reached = false;         ///< the ratio that ends training
  std::vector<RknnEpoch> curve; ///< about a hundred epochs, evenly spread, and the last
};

/// The published code takes the regulariser of an order relative to the sum of the squares of step's and flow's
/// derivatives, and half of it; here it is relative to the flow's alone, so a quarter of it is the same near the end.
/// `proceed` false stops with the best so far; it may be empty. The family needs a right-hand side on series, unless
/// the Taylor weight is 0.
LODESTEP_TRAIN_EXPORT RknnRecipeFit fit_rknn_recipe(const Family& family, const ButcherTableau& classical,
                                                    std::size_t stages, unsigned order, const RknnRecipe& recipe,
                                                    std::uint64_t seed, const std::function<bool(double)>& proceed);

/// The tableau that a set of numbers under softmax stands for.
LODESTEP_TRAIN_EXPORT ButcherTableau rknn_recipe_tableau(const std::vector<double>& x, std::size_t stages);

} // namespace lodestep::detail
