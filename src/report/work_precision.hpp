#pragma once

#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Work against precision: what each stepper costs, in processor time of one thread, for the error it makes, when all
/// are asked for the same outputs (the state at every multiple of output_dt over the horizon, stored) from the same
/// held-out initial states, on one thread.
namespace lodestep::report {

enum class Family { classical, learned };

/// What a stepper's parameter means.
enum class Setting {
  tolerance, ///< absolute and relative
  dt         ///< of a fixed-step or learned stepper
};

LODESTEP_TRAIN_EXPORT const char* to_string(Family) noexcept;
LODESTEP_TRAIN_EXPORT const char* to_string(Setting) noexcept;

/// One stepper at one setting.
struct WorkPrecisionPoint {
  std::string stepper;
  Family family = Family::classical;
  Setting setting = Setting::tolerance;
  double parameter = 0.0;
  double mse = 0.0; ///< mean over output times, variables and trajectories; infinite if it diverged
  double microseconds_per_trajectory = 0.0; ///< median over repetitions
  double rhs_evaluations = 0.0;             ///< per trajectory
};

/// A stepper with one setting left open, ready to be run from any initial state. Everything inside the call is
/// compiled for one state type and one right-hand side, so that a measurement pays one indirect call per trajectory.
struct Contender {
  std::string name;
  Family family = Family::classical;
  Setting setting = Setting::tolerance; ///< a classical dt must divide output_dt
  /// Integrates from u0 [dimension] at t = 0, writes the states at 0, output_dt, 2 output_dt, ... as
  /// [times, dimension], and returns the number of right-hand side evaluations. A stepper that gives up (no progress,
  /// far too many evaluations) leaves NaN in the outputs it did not reach.
  std::function<std::size_t(double parameter, const double* u0, std::size_t times, double output_dt, double* states)>
      run;
};

/// A model and the name it goes by in the result (its path, in the command).
struct NamedModel {
  std::string name;
  std::shared_ptr<const Model> model;
};

struct WorkPrecisionOptions {
  std::size_t trajectories = 50;
  double horizon = 0.0;   ///< 0: the problem's
  double output_dt = 0.0; ///< 0: the largest dt among the models, or the problem's without models
  std::uint64_t seed = 0;
  /// Roughly how long the timed repetitions may take altogether. Every point is measured at least five times, the
  /// points that decide a verdict more often, whatever it says.
  double seconds = 20.0;
  Backend backend = Backend::automatic; ///< of the models' approximators
  std::vector<Contender> beside;        ///< further classical contenders, such as another library's
  Progress progress;
};

struct WorkPrecision {
  std::string problem;
  double horizon = 0.0;
  double output_dt = 0.0;
  std::size_t trajectories = 0;
  double reference_error = 0.0; ///< estimated largest error of the reference on the first trajectory
  std::string state_type;       ///< what the classical steppers ran on
  std::size_t repetitions = 0;  ///< of the points that decide
  std::vector<WorkPrecisionPoint> points;
};

/// Measures every classical choice (Odeint's rk4, dopri5, cash_karp54, fehlberg78, adams_bashforth_moulton of order 8,
/// bulirsch_stoer; fixed steps, controlled to each output, dense output) over a range of steps or tolerances that is
/// refined around the error of each model, and the models: a corrector through the Odeint adapter, a hierarchy by each
/// of its flow maps that gives such outputs. For a stiff problem rosenbrock4 is among the classical ones.
///
/// Throws InvalidArgument if output_dt is no multiple of a model's dt, if the horizon is no multiple of output_dt, or
/// if a model does not fit the problem or the backend; InvalidData if the reference cannot be computed.
LODESTEP_TRAIN_EXPORT WorkPrecision work_precision(const Problem& problem, const std::vector<NamedModel>& models,
                                                   const WorkPrecisionOptions& options);

/// The fastest classical point whose mse is no larger than `mse`; null if there is none.
LODESTEP_TRAIN_EXPORT const WorkPrecisionPoint* fastest_classical(const std::vector<WorkPrecisionPoint>& points,
                                                                  double mse);

/// For each learned point: the time of the fastest classical point whose mse is no larger, over its own. Empty if the
/// learned stepper diverged or if no classical point reaches its error.
LODESTEP_TRAIN_EXPORT std::vector<std::pair<std::string, std::optional<double>>>
speedup_at_equal_error(const std::vector<WorkPrecisionPoint>& points);

/// The document `lodestep bench --json` prints: points, speedup_at_equal_error, and the circumstances.
LODESTEP_TRAIN_EXPORT nlohmann::ordered_json to_json(const WorkPrecision& result);

} // namespace lodestep::report
