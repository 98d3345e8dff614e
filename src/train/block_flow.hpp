#pragma once

#include "problem/batched.hpp"

#include <lodestep/ensemble_block.hpp>
#include <lodestep/problem.hpp>

#include <Eigen/Core>

#include <cstddef>

namespace lodestep::detail {

/// Solutions from very many states over one and the same time: equal steps of order 8, all states of a block at once,
/// as small as some of the states show to be needed. A hundred times cheaper than reference solutions one by one.
class BlockFlow {
public:
  /// Solutions over dt at `times` equally spaced times, the last at dt, to `accuracy` [dimension] from the columns of
  /// `samples`; those that diverge are passed over. Throws InvalidData where no step of a size worth trying is
  /// accurate enough. Must not outlive the problem.
  BlockFlow(const Problem& problem, double dt, std::size_t times, const Eigen::MatrixXd& samples,
            const Eigen::VectorXd& accuracy);

  /// From every column, [times dimension, columns]; not finite where a solution diverges.
  Eigen::MatrixXd operator()(const Eigen::MatrixXd& from);

private:
  Eigen::MatrixXd solve(const Eigen::MatrixXd& from, std::size_t steps);

  problem::BatchedFunction rhs_;
  BlockRungeKutta scheme_;
  double dt_;
  std::size_t times_;
  std::size_t steps_ = 1; ///< from one of the times to the next
};

} // namespace lodestep::detail
