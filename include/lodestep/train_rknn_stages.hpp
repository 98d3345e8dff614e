#pragma once

#include <lodestep/family.hpp>
#include <lodestep/train_export.hpp>
#include <lodestep/train_rknn.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

/// The number of stages searched for: more stages cost more a step and take longer steps.
namespace lodestep {

/// What one tableau costs at the error asked for.
struct RknnStages {
  std::string name; ///< of the classical tableau, or of the learned one
  bool learned = false;
  std::size_t stages = 0;
  unsigned order = 0;
  double dt = 0.0; ///< the largest step, of those learned for, whose error over the horizon is small enough
  /// Evaluations of the right-hand side in a unit of time at that step; infinite if no step is small enough.
  double evaluations = std::numeric_limits<double>::infinity();
};

struct RknnStagesResult {
  RknnResult best;               ///< the learned tableau of fewest evaluations
  std::vector<RknnStages> tried; ///< learned and classical, as they were tried
  bool reached = false;          ///< false: none reaches the error in its steps, `best` is the most accurate
  double seconds = 0.0;
};

/// Learns tableaux of 1 to 5 stages, each aimed at the order its stages can have for any problem (a family's own order
/// is found on the way), and keeps the one that needs the fewest evaluations for `error`: the geometric mean over
/// held-out tasks of the largest error over the horizon. Euler to Dormand-Prince are measured beside them. `stages` and
/// `order` of the options are not read. Throws InvalidArgument (an error that is not positive), and as train_rknn.
LODESTEP_TRAIN_EXPORT RknnStagesResult search_rknn_stages(const Family& family, const RknnOptions& options,
                                                          double error);

} // namespace lodestep
