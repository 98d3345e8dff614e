#pragma once

#include <lodestep/family.hpp>
#include <lodestep/model.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// What a learned tableau with an embedded row saves under step-size control.
namespace lodestep {

struct ControlledEvaluateOptions {
  std::vector<double> tolerances{1e-3, 1e-4, 1e-5, 1e-6}; ///< of the classical pair, absolute and relative
  double horizon = 0.0;                                   ///< zero: the family's
  std::size_t tasks = 100;
  std::uint64_t seed = 0;
};

/// At the error that the classical pair has at a tolerance.
struct ControlledErrors {
  double tolerance;
  double error; ///< the largest over the horizon, geometric mean over tasks
  double classical_evaluations;
  double evaluations;        ///< of the learned pair, its own tolerance tuned to that error; NaN: not reached
  double error_at_tolerance; ///< of the learned pair, at the same tolerance
  double saving() const noexcept { return 1.0 - evaluations / classical_evaluations; }
};

struct ControlledEvaluation {
  std::vector<ControlledErrors> by_tolerance;
  double horizon = 0.0;
  /// Correlation of log |estimate| and log |local error|, on steps from along the trajectories, of sizes spread evenly
  /// in log(dt) over the model's trained step sizes.
  double correlation = 0.0;
  double classical_correlation = 0.0;
  double seconds = 0.0;
};

/// Evaluations of the right-hand side, rejected steps among them, that a learned tableau with an embedded row and the
/// classical pair it falls back on need for the same error on held-out tasks: both under Odeint's step-size control,
/// the learned one as steppers use it, with its tolerance tuned. Where its work-precision curve meets an error more
/// than once, the most evaluations count. Throws InvalidModel (no tableau, or no embedded row), InvalidArgument (a
/// tolerance or horizon that is not positive, a family of other dimension or parameters).
LODESTEP_TRAIN_EXPORT ControlledEvaluation evaluate_controlled(const Model& model, const Family& family,
                                                               const ControlledEvaluateOptions& options);

} // namespace lodestep
