#pragma once

#include "train/attns_search.hpp"

#include <lodestep/problem.hpp>
#include <lodestep/train.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace lodestep::detail {

/// A number as messages have it.
std::string short_text(double value);

/// The steps to try and the grid they are multiples of.
struct AttnsSteps {
  double grid = 0.0;
  std::vector<std::size_t> strides; ///< ascending
  bool aware = false;               ///< one model for all of them
};

/// What a training is asked for, checked and completed: everything that is known before there is data.
struct AttnsTask {
  /// Throws InvalidArgument where options contradict each other or the problem.
  AttnsTask(const Problem& problem, const AttnsOptions& asked);

  AttnsOptions options; ///< with the horizon
  AttnsSteps steps;
  AttnsShape shape;

  double dt_of(std::size_t stride) const { return static_cast<double>(stride) * steps.grid; }
  /// Features of an affine corrector.
  std::size_t least_features() const;
};

} // namespace lodestep::detail
