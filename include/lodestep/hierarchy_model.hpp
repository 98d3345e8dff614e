#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/export.hpp>
#include <lodestep/variables.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace lodestep {

/// A learned flow map: one large step of an autonomous system,
///
///     x(t + dt) = B(x(t)) + Q(x(t)),
///
/// B the identity (HiTS, Liu et al. 2022, eq. 7) or `substeps` equal steps of a classical scheme, which Q corrects.
struct LODESTEP_EXPORT FlowMapModel {
  double dt = 0.0;
  std::string base;      ///< "" for the identity, or a classical tableau's name
  unsigned substeps = 0; ///< of `base` over dt; 0 without one
  /// States that Q gives on the way, at equal distances in time, the last of them after dt; 1 with a base.
  std::size_t states = 1;
  ApproximatorSpec approximator; ///< Q, of the state: [states, dimension] outputs
  std::vector<Interval> state;   ///< [dimension]: box of states it was trained on; outside, it is not used
  std::vector<double> limit;     ///< [dimension]: largest |Q| seen in training, with a margin
  double step_rms = 0.0;         ///< root mean square error of one step on held-out states, over variables
};

/// Coordinates of states of many variables that lie close to few directions: z = modes (x - mean) and back
/// x = mean + modes' z (proper orthogonal decomposition, also known as principal component analysis).
struct LODESTEP_EXPORT ReducedCoordinates {
  std::vector<double> mean;  ///< [dimension]
  std::vector<double> modes; ///< [count, dimension], orthonormal rows

  std::size_t count() const noexcept { return mean.empty() ? 0 : modes.size() / mean.size(); }
};

/// Flow maps over a range of steps (HiTS), for schemes that place states by large steps and fill in between.
struct LODESTEP_EXPORT HierarchyModel {
  /// By ascending dt, each a whole multiple (2, or 4, 5, 6 ...) of the one before, the first of `fine_dt`.
  std::vector<FlowMapModel> maps;
  /// If given, maps know states by these coordinates only: their dimension is its count. The multiscale scheme alone
  /// can use them: a classical scheme needs whole states.
  std::optional<ReducedCoordinates> reduced;
  /// The maps from `lower` to `upper` are those that together do best on validation trajectories (section 2.3): what
  /// the multiscale scheme uses.
  std::size_t lower = 0;
  std::size_t upper = 0;
  /// The map that places states for the hybrid scheme and is the coarse propagator of parareal.
  std::size_t placing = 0;
  double fine_dt = 0.0; ///< spacing of the fine states, and the step of the fine scheme
  /// The classical tableau that fills in between, and takes the steps that may not be learned.
  std::string fine = "rk4";
};

} // namespace lodestep
