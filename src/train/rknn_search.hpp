#pragma once

#include "train/rknn_fit.hpp"

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

/// The first part of train_rknn: from a family to the numbers of a tableau.
namespace lodestep::detail {

struct RknnCoefficients {
  RknnShape shape;
  std::vector<double> x;
  std::string recipe;    ///< how they were found
  std::size_t tasks = 0; ///< they were fitted to
  double dropped_fraction = 0.0;
  double taylor_mismatch = std::numeric_limits<double>::quiet_NaN(); ///< see RknnResult
  std::vector<double> start_ratios;
};

/// The degree in the step size that is asked for, or taken where none is.
unsigned dt_degree_of(const RknnOptions& options);
/// The monomials that coefficients of the options' degrees are made of, the constant first.
std::vector<std::vector<unsigned>> coefficient_monomials(const Family& family, const RknnOptions& options);

/// Nonlinear least squares from many starts, on roll-outs in log weights, or on Taylor coefficients alone where the
/// order asked for is one of the family's own. The options are checked.
RknnCoefficients search_coefficients(const Family& family, const ButcherTableau& classical, const RknnOptions& options,
                                     const std::vector<double>& horizons);

} // namespace lodestep::detail
