#pragma once

#include "train/flow_map_fit.hpp"
#include "train/piecewise_fit.hpp"

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace lodestep::detail {

struct PiecewiseMapOptions {
  double tolerance = 1e-8; ///< of one step, in widths of the box; loosened where that takes too many cells
  std::uint64_t seed = 0;
  std::function<bool()> proceed;
};

/// The states that flow maps of a problem are wanted for: its region, and where trajectories go.
WantedStates wanted_states(const Problem& problem, const Trajectories& trajectories);

/// Fits Q of a bare `map`, whose dt and states are given, as piecewise polynomials. Nothing if no grid within reason
/// resolves the map, or `proceed` says no. options.tolerance becomes what was kept.
std::optional<FlowMapFit> fit_piecewise_map(FlowMapModel& map, const Problem& problem, const Trajectories& trajectories,
                                            const std::vector<Interval>& box, PiecewiseMapOptions& options);

} // namespace lodestep::detail
