#pragma once

#include "train/polynomial_field.hpp"
#include "train/smoothing.hpp"

#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <functional>
#include <optional>

namespace lodestep::detail {

/// A right-hand side found from trajectories, and the trajectories without what it does not explain of them.
struct LearnedField {
  PolynomialField field;
  Trajectories consistent;
  std::size_t segments = 1; ///< that each trajectory had to be cut into, each a solution of its own
  /// Root mean square of what is left of held-out samples, in units of the noise.
  double residual = 0.0;
};

/// Learns the right-hand side behind `measured`: least squares in the weak form on the smoothed trajectories
/// (increments over a window of samples are integrals of W phi) give a first W, and then the solutions of segments of
/// trajectories are fitted to all their samples as measured, W and every segment's initial state by Gauss and Newton's
/// method; the segments are doubled as long as they fit, up to whole trajectories. Noise, which drowns the difference
/// of two samples, is so averaged over all samples of a segment.
///
/// Degrees are tried from one up; the last `held_out` trajectories decide. Nothing where there are too many variables
/// or too few samples, or where no field explains noisy trajectories to within their noise.
LODESTEP_TRAIN_EXPORT std::optional<LearnedField> learn_field(const Trajectories& measured,
                                                              const Trajectories& smoothed, const Smoothing& smoothing,
                                                              std::size_t held_out,
                                                              const std::function<bool()>& proceed);

} // namespace lodestep::detail
