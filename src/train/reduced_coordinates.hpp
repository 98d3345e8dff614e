#pragma once

#include <lodestep/hierarchy_model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>

namespace lodestep::detail {

/// The principal components of all states of `trajectories`, by descending variance: the fewest that leave no more than
/// the fraction `neglected` of the variance, at most `most`. O(samples min(samples, variables)^2).
LODESTEP_TRAIN_EXPORT ReducedCoordinates principal_components(const Trajectories& trajectories, double neglected,
                                                              std::size_t most);

/// The trajectories in those coordinates.
LODESTEP_TRAIN_EXPORT Trajectories reduce(const ReducedCoordinates& reduced, const Trajectories& trajectories);

} // namespace lodestep::detail
