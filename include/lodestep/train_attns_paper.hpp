#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

/// Offline training of a corrector as the AttNS paper does it (Huang et al. 2024): a wide rational network by Adam.
namespace lodestep {

/// The defaults are what was published: the paper leaves its numbers to the code that came with it. They take days on
/// one core; fewer trajectories, epochs, hidden units and smaller batches take seconds to minutes.
struct AttnsPaperOptions {
  std::string base = "rk4";
  double dt = 0.0;      ///< 0: the problem's
  double horizon = 0.0; ///< 0: the problem's
  std::size_t trajectories = 20000;
  std::size_t hidden = 1024; ///< width d_1 of the hidden layers
  std::size_t layers = 2;    ///< depth h: layers of weights, one more than hidden layers
  std::size_t epochs = 500;
  std::size_t batch = 16384; ///< single steps in a batch (T_train = 2 states)
  double learning_rate = 1e-3;
  double loss_scale = 1e6; ///< lambda of eq. 7
  Activation activation = Activation::rational;
  CorrectorInput input = CorrectorInput::increment; ///< increment (AttNS) or state (NeurVec)
  CorrectorForm form = CorrectorForm::additive;     ///< additive (eq. 10) or multiplicative (AttNS-m, eq. 6)
  bool standardised = false; ///< beyond the paper: inputs and targets standardised, which is worth orders of magnitude
  std::uint64_t seed = 0;
  Progress progress;
};

struct AttnsPaperResult {
  Model model;
  std::size_t epochs = 0;  ///< taken
  double first_loss = 0.0; ///< mean squared error over the first epoch, and over the last, in the units learned in
  double last_loss = 0.0;
  bool interrupted = false; ///< by `progress`: the network as it was then
  double seconds = 0.0;
};

/// Trains a corrector by the paper's recipe. Its domain, error estimate and error profile are measured as of any other;
/// whether it does better than its base scheme is in `model.error`. The network is in f32. Throws InvalidArgument;
/// InvalidData if training diverges, saying when.
LODESTEP_TRAIN_EXPORT AttnsPaperResult train_attns_paper(const Problem& problem, const AttnsPaperOptions& options);

} // namespace lodestep
