#pragma once

#include <lodestep/train_export.hpp>

#include <functional>
#include <limits>
#include <vector>

/// Which settings of a classical stepper to measure: a coarse range that shows its whole curve, and a fine one around
/// each error that a verdict will ask about, so that the classical side is as cheap there as tuning can make it.
namespace lodestep::report {

struct SweepPoint {
  double parameter;
  double mse;          ///< infinite if the stepper diverged
  double microseconds; ///< of one pass: a first impression
  double evaluations;  ///< of the right-hand side
};

struct SweepOptions {
  std::vector<double> targets; ///< mean squared errors to refine around
  /// A sweep ends behind the first point that took longer, or the eighth of those that diverged and did.
  double longest_microseconds = std::numeric_limits<double>::infinity();
};

/// Measures one setting. Called at most once per parameter.
using Measure = std::function<SweepPoint(double parameter)>;

/// Tolerances from 0.1 down in factors of sqrt(10), until rounding stops the error from falling, the smallest target is
/// met by a margin or time runs over; then sixteen to a decade around each target. Returns the parameters worth
/// keeping: the coarse ones that did not diverge, and the fine ones that meet a target about as cheaply as any.
LODESTEP_TRAIN_EXPORT std::vector<double> sweep_tolerances(const SweepOptions& options, const Measure& measure);

/// Steps output_dt / n: n = 1, 2, 3, 4, 6, 8, 12, ... until the same ends; then the smallest n that meets each target.
LODESTEP_TRAIN_EXPORT std::vector<double> sweep_steps(double output_dt, const SweepOptions& options,
                                                      const Measure& measure);

} // namespace lodestep::report
