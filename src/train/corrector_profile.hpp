#pragma once

#include "train/cases.hpp"

#include <lodestep/model.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

/// What is measured of a corrector before anybody may use it, however it came to be: where it may be used, and how good
/// it is on states that took no part in making it.
namespace lodestep::detail {

struct CorrectorCases {
  const Cases* train;
  const Cases* validation;
  const Cases* held_out;
  std::vector<std::size_t> strides; ///< the steps it is for, in steps of the grid, ascending
};

/// Fills the domain, the fallback, the error estimate and the error profile of `model`, whose corrector is complete
/// otherwise.
void profile_corrector(Model& model, const CorrectorCases& sets);

} // namespace lodestep::detail
