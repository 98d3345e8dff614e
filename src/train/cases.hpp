#pragma once

#include <lodestep/corrector_model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::detail {

/// Reference trajectories, each of a problem with parameters of its own where they vary.
struct Cases {
  Trajectories trajectories;
  std::vector<Problem> problems;  ///< one for all trajectories, or one for each
  std::vector<double> parameters; ///< [trajectory, parameter]: of those that vary
  std::size_t varied = 0;         ///< how many do

  const Problem& problem(std::size_t trajectory) const { return problems[problems.size() == 1 ? 0 : trajectory]; }
  const double* values(std::size_t trajectory) const { return parameters.data() + trajectory * varied; }
};

/// generate_trajectories with parameters drawn uniformly from `ranges` for each trajectory. Trajectory i and its
/// parameters are the same however many are asked for.
LODESTEP_TRAIN_EXPORT Cases generate_cases(const Problem& problem, const std::vector<ParameterRange>& ranges,
                                           const GenerateOptions& options);

} // namespace lodestep::detail
