#pragma once

#include "train/flow_map_data.hpp"
#include "train/polynomial_field.hpp"

#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lodestep::detail {

/// Pairs for ever larger steps that a learned right-hand side makes, as many as one likes and without noise. They start
/// near the trajectories: at their states, moved about a little, half of them at any time, the others early or between
/// the first states of two, variable by variable, which fills the gaps in the region where trajectories start. One in
/// ten starts anywhere in the box and counts little.
class LODESTEP_TRAIN_EXPORT MadePairs {
public:
  MadePairs(const PolynomialField& field, const Trajectories& trajectories, const std::vector<Interval>& box,
            std::size_t count, std::uint64_t seed, std::uint64_t stream);

  /// Pairs `steps` samples apart, no fewer than at the last call: solutions go on from there. Those that leave for
  /// infinity are dropped.
  const FlowMapData& after(std::size_t steps);

private:
  const PolynomialField& field_;
  double dt_;
  FlowMapData data_;
  std::size_t steps_ = 0;
};

} // namespace lodestep::detail
