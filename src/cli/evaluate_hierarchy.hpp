#pragma once

#include <lodestep/train_hits.hpp>

namespace lodestep::cli {

/// `lodestep evaluate` of a hierarchy: measures and prints.
int evaluate_hierarchy_and_print(const Model& model, const Problem& problem, const HierarchyEvaluateOptions& options,
                                 bool json);

} // namespace lodestep::cli
