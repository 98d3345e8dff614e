#pragma once

#include "train/flow_map_data.hpp"

#include <lodestep/model.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lodestep::detail {

struct FlowMapFitOptions {
  std::vector<std::size_t> hidden{24, 24};
  int iterations = 120; ///< of the network's fit; 0: polynomials only
  unsigned largest_degree = 5;
  double good_enough = 0.0; ///< a polynomial whose error is below this is kept, without a try of networks
  std::uint64_t seed = 0;
  std::function<bool()> proceed;
};

/// A polynomial this close to its targets, relative to their root mean square, is the flow map itself but for rounding.
constexpr double exact_rms = 1e-9;

struct FlowMapFit {
  bool exact = false;    ///< a polynomial that is the flow map itself but for rounding
  double base_rms = 0.0; ///< root mean square of what Q must add: the base scheme's own error
  double step_max = 0.0; ///< largest error of one step on held-out pairs
};

/// The base scheme's result over one step of `map` from every column.
Eigen::MatrixXd base_steps(const FlowMapModel& map, const Problem* problem, const Eigen::MatrixXd& from);

/// Fits Q of `map`, whose dt, base and substeps are given, to pairs: polynomials from the affine one up, and unless one
/// of them is exact a tanh network, started from several spreads. The best on every fifth pair, which is held out, is
/// kept, with the box, the largest |Q| and the error of one step. `problem` is not used without a base. Where the data
/// has neighbours the network's derivative is fitted as well.
FlowMapFit fit_flow_map(FlowMapModel& map, const FlowMapData& data, const Problem* problem,
                        const FlowMapFitOptions& options);

} // namespace lodestep::detail
