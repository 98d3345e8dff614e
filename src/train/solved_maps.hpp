#pragma once

#include "train/flow_map_data.hpp"

#include <lodestep/hierarchy_model.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace lodestep::detail {

/// A flow map x + Q(x) with Q from pairs by linear least squares alone, so that many can be tried.
struct SolvedMap {
  FlowMapModel map;      ///< but for its dt
  double base_rms = 0.0; ///< root mean square of the increments
  double step_max = 0.0; ///< largest error of one step on the tested pairs
};

/// Candidates for one step, handed to `offer` one by one from the cheapest up: polynomials of each degree, and networks
/// of one hidden layer of random, fixed units of several widths up to `widest`, each with the ridge (and sharpness)
/// that does best on `tested`. Which is stable and accurate over many steps, roll-outs must tell; `offer` says false
/// where one does well enough. Noise in the states is averaged over, the more the fewer coefficients there are.
void solve_flow_maps(const FlowMapData& learned, const FlowMapData& tested, std::size_t widest, std::uint64_t seed,
                     const std::function<bool(const SolvedMap&)>& offer);

} // namespace lodestep::detail
