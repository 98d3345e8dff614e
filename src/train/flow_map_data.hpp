#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lodestep::detail {

/// Pairs (x, state one step later) that a flow map is learned from.
struct FlowMapData {
  Eigen::MatrixXd from; ///< [dimension, pairs]
  Eigen::MatrixXd to;
  /// [pairs]: what a pair's error counts, or empty where all count alike.
  Eigen::VectorXd weight;
  std::vector<Interval> box; ///< the states they cover
  std::size_t trajectories = 0;
  /// Neighbours of every pair, one along each variable, for fits of the map's derivative too; empty without:
  /// column k dimension + i starts `distance[i]` along variable i from column k.
  Eigen::MatrixXd near_from; ///< [dimension, pairs dimension]
  Eigen::MatrixXd near_to;
  Eigen::VectorXd distance; ///< [dimension]
};

/// The smallest box around the trajectories and the problem's region, and a margin of 2% on each side; of 6% where
/// there is no region.
std::vector<Interval> box_around(const Problem& problem, const Trajectories& trajectories);

/// `pairs` pairs for steps of dt: from states of `trajectories`, from the region of initial states, and a few, which
/// count little, from anywhere in the box. Of a problem without a region, whose initial states a sampler draws, from
/// such states and from early ones of the trajectories in the place of the region's: of eight variables hardly any
/// state of a box is ever seen. The steps
/// are reference solutions. The i-th pair is the same however many are asked for. Throws InvalidData where a state of
/// the box leads to a solution that diverges. With `neighbours` as many more pairs as there are variables are made for
/// each.
FlowMapData flow_map_data(const Problem& problem, const Trajectories& trajectories, const std::vector<Interval>& box,
                          double dt, std::size_t pairs, std::uint64_t seed, bool neighbours = false);

} // namespace lodestep::detail
