#pragma once

#include "problem/trajectory_file.hpp"

#include <lodestep/train_hits.hpp>

#include <string>

namespace lodestep::cli {

/// `lodestep evaluate` of a hierarchy: measures and prints.
int evaluate_hierarchy_and_print(const Model& model, const Problem& problem, const HierarchyEvaluateOptions& options,
                                 bool json);
/// The same against trajectories alone, those of the file `name`.
int evaluate_on_data_and_print(const Model& model, const TrajectorySet& data, const HierarchyEvaluateOptions& options,
                               const std::string& name, bool json);

} // namespace lodestep::cli
