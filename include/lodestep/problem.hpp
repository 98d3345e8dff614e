#pragma once

#include <lodestep/model.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// A problem is a right-hand side together with what is needed to learn and to judge a stepper for it: a distribution
/// of initial states, a horizon, and a reference solution.
namespace lodestep {

/// Random numbers that are the same on every platform (the standard distributions are not).
class LODESTEP_TRAIN_EXPORT Random {
public:
  /// An independent stream for each (seed, stream, index): the i-th trajectory of a set is the same however many are
  /// drawn, and the sets (training, validation, test) never share one.
  Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept;
  std::uint64_t bits() noexcept;
  double uniform(double lower, double upper) noexcept;
  double normal() noexcept;

private:
  std::uint64_t state_[4];
};

/// Streams of initial states. Training never sees the other two, and nothing is chosen by looking at `test`.
enum class Split : std::uint64_t { train = 1, validation = 2, test = 3 };

/// A named distribution of initial states.
struct InitialStates {
  std::string name;        ///< "paper", "wide", ...
  std::string description; ///< one line for a person
  double horizon = 0.0;    ///< length of a trajectory from one of them
  std::function<void(Random&, double* u0)> sample;
};

struct LODESTEP_TRAIN_EXPORT Problem {
  std::string name;
  /// What make_problem takes for the same problem with other parameters: its name or its plugin's path. "" if it was
  /// made by other means.
  std::string source;
  std::string description; ///< one line for a person
  std::vector<Variable> variables;
  std::vector<Parameter> parameters;
  double horizon = 0.0; ///< length of a trajectory
  double dt = 0.0;      ///< a step worth learning; the default of the commands
  double period = 0.0;  ///< of the right-hand side in t, where it depends on t periodically; else 0
  /// The spacing at which all states are wanted, and the step of the fine solver, for methods that take large steps and
  /// fill in between (HiTS). Divides dt and horizon. 0: dt.
  double fine_dt = 0.0;
  /// The box that initial states are drawn from (HiTS, Table 2: the sampled region), [dimension], or empty where they
  /// are drawn otherwise.
  std::vector<Interval> region;

  std::function<void(double t, const double* u, double* dudt)> rhs;
  /// The same in extended precision, for references beyond double rounding. May be empty.
  std::function<void(long double t, const long double* u, long double* dudt)> rhs_extended;
  /// The exact solution u(t) from u(0) = u0, where there is one. May be empty.
  std::function<void(const double* u0, double t, double* u)> exact;
  /// The problem's own reference solver, for stiff systems of many variables that a general one cannot do: writes
  /// states [times, variable] every dt from u0, and returns what reference_solution does. May be empty.
  std::function<double(const double* u0, double dt, std::size_t times, double* states, bool estimate_error)> solve;
  /// Draws an initial state.
  std::function<void(Random&, double* u0)> sample;
  /// The name of the distribution that `sample` draws from; the others there are to choose from.
  std::string initial = "paper";
  std::vector<InitialStates> distributions;
  /// Modelled cost of one right-hand side in nanoseconds, by counting its operations: the same on every machine.
  double rhs_cost_ns = 0.0;

  std::size_t dimension() const noexcept { return variables.size(); }
};

/// One entry of the registry.
struct LODESTEP_TRAIN_EXPORT ProblemInfo {
  std::string name;
  std::string description;
  std::vector<Parameter> parameters; ///< names and defaults of what may be set
};

/// The built-in problems.
LODESTEP_TRAIN_EXPORT std::vector<ProblemInfo> list_problems();

/// Makes the problem `text`: a name, optionally with parameters, as in "elastic_pendulum" or
/// "k_link_pendulum:K=5,g=1.62", or the path of a plugin (see lodestep/plugin.h), as in "./mine.so:g=1.62".
/// Throws InvalidArgument listing what is known; InvalidData naming the plugin if something is wrong with it.
LODESTEP_TRAIN_EXPORT Problem make_problem(const std::string& text);

/// Makes the problem draw its initial states from the distribution `name`, over that one's horizon. Throws
/// InvalidArgument listing what there is.
LODESTEP_TRAIN_EXPORT void use_initial(Problem& problem, const std::string& name);

/// The problem with other values of some parameters, all else (the distribution of initial states too) as it is.
/// Throws InvalidArgument if it has no such parameter, or cannot be made anew (an empty `source`).
LODESTEP_TRAIN_EXPORT Problem with_parameters(const Problem& problem, const std::vector<Parameter>& values);

/// A parameter that varies from trajectory to trajectory, uniformly.
struct ParameterRange {
  std::string name;
  Interval values;
};

/// Whether the right-hand side depends on t, as far as evaluations at sampled states and times tell.
LODESTEP_TRAIN_EXPORT bool depends_on_time(const Problem& problem, std::uint64_t seed = 0);

/// Trajectories on one uniform grid of times.
struct LODESTEP_TRAIN_EXPORT Trajectories {
  double t0 = 0.0;
  double dt = 0.0;
  std::size_t trajectories = 0;
  std::size_t times = 0; ///< points of time, the initial one included
  std::size_t dimension = 0;
  std::vector<double> states; ///< [trajectory, time, variable]
  /// The reference solver's own estimate of its largest error (see reference_solution); 0 if nobody estimated it.
  double error_estimate = 0.0;

  const double* state(std::size_t trajectory, std::size_t time) const noexcept {
    return states.data() + (trajectory * times + time) * dimension;
  }
  double* state(std::size_t trajectory, std::size_t time) noexcept {
    return states.data() + (trajectory * times + time) * dimension;
  }
};

/// Called with work done so far, in [0, 1]. Returning false asks to stop as soon as a sound result exists.
using Progress = std::function<bool(double fraction, const std::string& what)>;

/// The reference solution from `u0` at t0, t0 + dt, ..., (times points), relative and absolute error 1e-12 or better
/// over the horizons of the registry. Writes [time, variable] and returns an estimate of its own largest error,
/// relative to the larger of 1 and the variable's largest magnitude, obtained by solving again by another method, more
/// tightly, in extended precision where the problem offers it (0 without `estimate_error`: the second solution costs
/// several times the first). Throws InvalidData if the right-hand side gives a non-finite value or the solution
/// diverges (saying when and where).
LODESTEP_TRAIN_EXPORT double reference_solution(const Problem& problem, const double* u0, double t0, double dt,
                                                std::size_t times, double* states, bool estimate_error = true);

struct GenerateOptions {
  std::size_t trajectories = 100;
  double dt = 0.0;      ///< 0: the problem's
  double horizon = 0.0; ///< 0: the problem's; must be a multiple of dt
  std::uint64_t seed = 0;
  Split split = Split::train;
  Progress progress;
  std::size_t first = 0; ///< index of the first: trajectory i is the same in whatever set it is made
};

/// Reference trajectories from sampled initial states, their error estimated on the first few. Asked to stop, it
/// returns the trajectories it has, at least one. Throws InvalidArgument; InvalidData naming trajectory, time and
/// variable.
LODESTEP_TRAIN_EXPORT Trajectories generate_trajectories(const Problem& problem, const GenerateOptions& options);

/// Number of steps of `dt` in `horizon`. Throws InvalidArgument if dt <= 0 or the horizon is no multiple of it, naming
/// the nearest horizons that are.
LODESTEP_TRAIN_EXPORT std::size_t steps_in(double horizon, double dt);

} // namespace lodestep
