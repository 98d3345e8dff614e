#pragma once

#include <lodestep/hierarchy_model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// Mean squared error of the states that `map`, learned from data alone, places one after the other from the first of
/// each trajectory. One that leaves the map's domain counts as the square of the width of the domain.
LODESTEP_TRAIN_EXPORT double placing_mse(const FlowMapModel& map, const std::vector<Variable>& variables,
                                         const Trajectories& truth);

/// What a perfect map leaves: mean squared error, between every `steps`-th state and the next, of straight lines or of
/// Hermite's cubics, whichever does better, away from the ends. 0 where trajectories are too short, or `steps` below 4.
LODESTEP_TRAIN_EXPORT double interpolation_mse(const Trajectories& truth, std::size_t steps);

} // namespace lodestep::detail
