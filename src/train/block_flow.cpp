#include "train/block_flow.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::detail {

namespace {

using Eigen::Index;

/// The first try, in steps of the fine scheme, which is of order 4.
constexpr double first_step = 8.0;
constexpr double smallest_step = 1.0 / 16.0;

} // namespace

BlockFlow::BlockFlow(const Problem& problem, double dt, std::size_t times, const Eigen::MatrixXd& samples,
                     const Eigen::VectorXd& accuracy)
    : rhs_(problem::batched_rhs(problem)),
      scheme_(std::make_shared<const ButcherTableau>(classical_tableau("fehlberg78")), problem.dimension()), dt_(dt),
      times_(times) {
  const double fine_dt = problem.fine_dt != 0.0 ? problem.fine_dt : problem.dt;
  const double length = dt / static_cast<double>(times);
  steps_ = static_cast<std::size_t>(std::max(1.0, std::ceil(length / (first_step * fine_dt) - 1e-9)));
  Eigen::MatrixXd coarse = solve(samples, steps_);
  while (length / static_cast<double>(steps_) > smallest_step * fine_dt) {
    Eigen::MatrixXd fine = solve(samples, 2 * steps_);
    bool good = true;
    for (Index n = 0; n < samples.cols(); ++n) {
      if (!fine.col(n).allFinite()) continue;
      const Eigen::VectorXd error = (fine.col(n) - coarse.col(n)).cwiseAbs();
      for (Index i = 0; i < error.size(); ++i) good &= error[i] <= accuracy[i % accuracy.size()]; // NaN compares false
    }
    if (good) return; // the error of the halved steps is 2^8 times smaller still, but half as many do
    steps_ *= 2;
    coarse = std::move(fine);
  }
  throw InvalidData("flow map of dt = " + std::to_string(dt) + ": steps of " +
                    std::to_string(length / static_cast<double>(steps_)) + " are not accurate enough to learn from");
}

Eigen::MatrixXd BlockFlow::operator()(const Eigen::MatrixXd& from) {
  return solve(from, steps_);
}

Eigen::MatrixXd BlockFlow::solve(const Eigen::MatrixXd& from, std::size_t steps) {
  const auto d = static_cast<std::size_t>(from.rows());
  const auto count = static_cast<std::size_t>(from.cols());
  Eigen::MatrixXd to(from.rows() * static_cast<Index>(times_), from.cols());
  std::vector<double> u(d * ensemble_block), members(d * ensemble_block);
  const double h = dt_ / static_cast<double>(times_ * steps);
  for (std::size_t first = 0; first < count; first += ensemble_block) {
    const std::size_t n = std::min(ensemble_block, count - first);
    to_variables(from.data() + first * d, d, n, u.data());
    for (std::size_t s = 0; s < times_; ++s) {
      for (std::size_t k = 0; k < steps; ++k) {
        scheme_.step(rhs_, h * static_cast<double>(s * steps + k), u.data(), h, u.data(), n);
      }
      to_members(u.data(), d, n, members.data());
      for (std::size_t k = 0; k < n; ++k) {
        std::copy_n(members.data() + k * d, d, to.col(static_cast<Index>(first + k)).data() + s * d);
      }
    }
  }
  return to;
}

} // namespace lodestep::detail
