#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>
#include <lodestep/variables.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace lodestep::detail {

struct PiecewiseFitOptions {
  unsigned degree = 5;
  std::size_t cells = 16; ///< of the grid, along each input
  unsigned deepest = 12;  ///< halvings of a cell, after which it is left without a polynomial
  /// As many polynomials; what more would be needed for is left without.
  std::size_t most_pieces = 8000;
  /// Of the visited states, and of the region, more than this must not be left without one.
  double unresolved_share = 0.01;
  std::vector<double> tolerance; ///< [outputs]: largest error of a cell's polynomial
  std::function<bool()> proceed;
};

/// Where a function is wanted: cells that meet the region, or that a visited state lies in or beside.
struct WantedStates {
  std::vector<Interval> region; ///< empty, or [inputs]
  Eigen::MatrixXd visited;      ///< [inputs, states]
};

struct PiecewiseFit {
  ApproximatorSpec spec;
  std::vector<double> largest; ///< [outputs]: |f|, of all that was fitted
  std::size_t unresolved = 0;  ///< cells left without a polynomial: none is good enough, or f is not finite there
};

/// f of every column: [outputs, columns].
using Columns = std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)>;

/// Polynomials on the cells of a grid over the box, by least squares at Chebyshev's points of each cell; cells where
/// one misses its own points by more than the tolerance are halved. Nothing if too much is left without a polynomial,
/// or `proceed` says no. f is evaluated once for all cells of a depth.
LODESTEP_TRAIN_EXPORT std::optional<PiecewiseFit> fit_piecewise(const std::vector<Interval>& box,
                                                                const WantedStates& wanted, const Columns& f,
                                                                const PiecewiseFitOptions& options);

} // namespace lodestep::detail
