#pragma once

#include "train/cases.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/corrector_model.hpp>

#include <cstddef>
#include <functional>
#include <limits>

namespace lodestep::detail {

/// How far roll-outs from the initial states of `truth` stray from it.
struct RollOut {
  /// Root mean square over time, variables and trajectories; infinite if any trajectory left all reason.
  double rms = std::numeric_limits<double>::infinity();
  std::size_t diverged = 0; ///< trajectories that did
};

struct RollOutOptions {
  std::size_t stride = 1;                                   ///< grid steps of `truth` in one step
  bool stop_at_divergence = true;                           ///< at the first
  bool base_alone = false;                                  ///< the base scheme without its correction, for comparison
  double give_up = std::numeric_limits<double>::infinity(); ///< an rms beyond which the rest does not matter
  /// Called with every state before a step, if not empty.
  std::function<void(std::size_t trajectory, double t, const double* u)> visit;
};

/// Rolls the base scheme of `shape` plus `approximator` out over the grid of `truth`, without guard or fallback: a
/// corrector is judged by what it does alone.
LODESTEP_TRAIN_EXPORT RollOut roll_out(const CorrectorModel& shape, const Approximator& approximator,
                                       const Cases& truth, const RollOutOptions& options);

/// Whether roll-outs of `times` times the horizon of `truth`, of its first `trajectories`, stay within twice the range
/// that its states span.
bool stays_bounded(const CorrectorModel& shape, const Approximator& approximator, const Cases& truth,
                   std::size_t stride, std::size_t trajectories, std::size_t times);

} // namespace lodestep::detail
