#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Offline training: from a problem to a model.
namespace lodestep {

struct AttnsOptions {
  std::string base = "auto"; ///< a classical tableau, or "auto": the cheapest that reaches `error` (rk4 without one)
  double dt = 0.0;           ///< 0: the problem's
  /// Search for the step too: the one with the cheapest unit of time that reaches `error`, which must be asked for.
  bool search_dt = false;
  /// With search_dt: states are wanted as often. A longer step learns those within it too (dense output). 0: at the
  /// steps of the model.
  double output_dt = 0.0;
  /// A dt-aware model for every step from `lower` to `upper`, and for shorter ones: both 0: a model of one step.
  Interval dt_range{0.0, 0.0};
  CorrectorForm form = CorrectorForm::additive;
  std::optional<CorrectorInput> input; ///< what the approximator is fed; none: whatever serves best
  /// How time is fed. None: not at all to an autonomous right-hand side; to one that depends on time as the phase of
  /// the problem's period or, if it has none, as the time elapsed.
  std::optional<TimeInput> time;
  double period = 0.0;                    ///< of `phase`; 0: the problem's
  std::vector<ParameterRange> parameters; ///< parameters of the problem that are inputs of the model
  double horizon = 0.0;                   ///< of the roll-outs that judge candidates; 0: the problem's
  /// The error asked for: root mean square over time, variables and trajectories, in the problem's units.
  /// 0: the smallest the search reaches.
  double error = 0.0;
  std::size_t trajectories = 0; ///< for training; 0: as many as it turns out to need
  std::uint64_t seed = 0;
  double time_limit = 60.0; ///< seconds; a search that hits it is no longer reproducible, and says so
  Progress progress;
};

/// One approximator that was tried.
struct AttnsCandidate {
  double dt = 0.0;
  CorrectorInput input;
  std::string description;
  double cost_ns = 0.0;        ///< modelled time of one step's right-hand sides and approximator
  double validation_rms = 0.0; ///< over the horizon, on validation states; infinite if it diverged
};

struct AttnsResult {
  Model model;
  bool reached = false;     ///< whether the error asked for was reached on validation states
  bool interrupted = false; ///< stopped by `progress`: the best model so far
  bool timed_out = false;   ///< stopped by `time_limit`: another machine may get further
  double seconds = 0.0;
  std::vector<AttnsCandidate> candidates; ///< in the order tried
};

/// Trains a corrector (AttNS, Huang et al. 2024). Candidates from the cheapest up (affine, polynomials, narrow MLPs,
/// wide random-feature MLPs; fed with the increment, the state or the stages) are fitted and judged by roll-outs on
/// validation states; the cheapest that reaches `error` is kept. With `search_dt` the step is searched as well, and
/// what does not stay bounded over ten horizons is refused. Throws InvalidArgument, also if the right-hand side depends
/// on time and `time` says that it does not; InvalidData.
LODESTEP_TRAIN_EXPORT AttnsResult train_attns(const Problem& problem, const AttnsOptions& options);

/// How a model does on held-out initial states, without timing: see `evaluate`.
struct Evaluation {
  std::string problem;
  std::string kind;
  double dt = 0.0;
  double horizon = 0.0;
  std::size_t trajectories = 0;
  double mse_mean = 0.0;   ///< mean over time, variables and trajectories of the squared error
  double mse_median = 0.0; ///< median over trajectories
  double mse_max = 0.0;
  double base_mse_mean = 0.0; ///< of the base scheme at the same dt
  double rhs_evaluations_per_time = 0.0;
  double microseconds_per_trajectory = 0.0;
  double fallback_fraction = 0.0;
};

struct EvaluateOptions {
  std::size_t trajectories = 200;
  double horizon = 0.0; ///< 0: the problem's
  double dt = 0.0;      ///< of the steps; 0: the model's (the longest of a dt-aware one)
  std::uint64_t seed = 0;
  Progress progress;
  Backend backend = Backend::automatic; ///< of the approximator
};

/// Rolls a model out on held-out (test) initial states and compares it with the reference solution. Throws
/// InvalidArgument if the model does not fit the problem, or if the backend cannot run it.
LODESTEP_TRAIN_EXPORT Evaluation evaluate(const Model& model, const Problem& problem, const EvaluateOptions& options);

} // namespace lodestep
