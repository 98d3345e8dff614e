#pragma once

#include <lodestep/hierarchy.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep::detail {

/// What a trajectory counts that left the domain of the maps: its states could have been anywhere in the range of all.
double square_of_range(const Trajectories& truth);

/// Mean squared error, over all times but the first, variables and trajectories, of the multiscale scheme with the maps
/// lower .. upper on `truth`, whose spacing is the hierarchy's fine_dt. A trajectory that leaves the domain of the
/// maps, with no right-hand side to fall back to, counts as the square of the range of states; infinite where all do or
/// one diverges. `problem` is null where only trajectories are known.
LODESTEP_TRAIN_EXPORT double multiscale_mse(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t lower,
                                            std::size_t upper, const Problem* problem, const Trajectories& truth,
                                            Interpolation interpolation = Interpolation::cubic);
/// The same of the hybrid scheme that places with one map.
double hybrid_mse(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t map, const Problem& problem,
                  const Trajectories& truth);

/// The cross-validated range of maps (HiTS, Liu et al. 2022, section 2.3): first the upper map u for which {0 .. u}
/// does best, then the lower one l for which {l .. u} does.
struct MapRange {
  std::size_t lower;
  std::size_t upper;
  double mse;
};
MapRange choose_range(const std::shared_ptr<const Hierarchy>& hierarchy, const Problem* problem,
                      const Trajectories& truth);

} // namespace lodestep::detail
