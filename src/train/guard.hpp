#pragma once

#include "train/guard_probes.hpp"

#include <lodestep/corrector_model.hpp>

#include <Eigen/Core>

#include <vector>

namespace lodestep::detail {

/// What a guard is chosen by. Inputs are a density's, columns are states.
struct GuardCase {
  Eigen::MatrixXd train; ///< inputs of states of training, [inputs, samples]
  Eigen::MatrixXd error; ///< of the learned steps from them over the correction's factor, [dimension, samples]
  Eigen::MatrixXd held;  ///< inputs of states of the same problem that took no part in the fit
  Eigen::MatrixXd held_error;
  Eigen::MatrixXd met; ///< inputs of states of other solutions, exact and as the model rolls them out
  const GuardProbes* probes;
  double step_ns; ///< modelled cost of a learned step
  /// Whether steps are chosen by the model's error estimate, which grows with |y|^2: the density then is the one whose
  /// |y|^2 tells errors best, of those that guard.
  bool controls = false;
};

/// One density that was tried.
struct GuardCandidate {
  Density density; ///< with its limit
  bool of_errors;  ///< an estimate of the error, else a leverage
  double cost_ns;  ///< modelled
  /// The lowest |y|^2 of a probe from which the learned step is wrong, over what nearly all states of the problem stay
  /// below. Below 1 the two cannot be told apart.
  double gap;
  double correlation; ///< of the logarithms of |y|^2 and of the error, on held-out states
  /// Largest error of a learned step from a probe inside, over what would be right: twice is let pass.
  double worst;
};

/// Every density that is tried, cheapest first: leverages and error estimates of rising degree. A learned step is wrong
/// where its error is more than twice the fallback's and twice what nearly all learned steps from states of the problem
/// have. The limit lies between what states of the problem reach, or they would fall back, and the first wrong step.
/// Ends with the first density whose gap is comfortable (unless errors are to be told as well), or with what the step
/// can bear.
LODESTEP_TRAIN_EXPORT std::vector<GuardCandidate> guard_candidates(const GuardCase& c);

/// The one with the widest gap (or that which tells errors best, see GuardCase), or that which lets in the least wrong
/// if none has any.
LODESTEP_TRAIN_EXPORT Density choose_guard(const GuardCase& c);

} // namespace lodestep::detail
