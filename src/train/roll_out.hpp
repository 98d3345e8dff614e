#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/tableau.hpp>

#include <limits>

namespace lodestep::detail {

/// How far roll-outs from the initial states of `truth` stray from it.
struct RollOut {
  /// Root mean square over time, variables and trajectories; infinite if any trajectory left `bound`.
  double rms = std::numeric_limits<double>::infinity();
  std::size_t diverged = 0; ///< trajectories that did
};

/// Rolls the base scheme plus `approximator` out over the grid of `truth`, without guard or fallback: a corrector is
/// judged by what it does alone. Stops at the first divergence when `stop_at_divergence`.
RollOut roll_out(const Problem& problem, const ButcherTableau& base, CorrectorInput input,
                 const Approximator& approximator, const Trajectories& truth, bool stop_at_divergence = true);

} // namespace lodestep::detail
