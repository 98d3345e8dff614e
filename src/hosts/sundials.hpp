#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/problem.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Models inside another simulation library, measured against what that library has itself. Linked by the command
/// alone, and only where the host is: neither the runtime nor the trainer knows it.
namespace lodestep::hosts {

struct SundialsOptions {
  std::size_t trajectories = 8; ///< held-out
  double horizon = 0.0;         ///< 0: the problem's
  double output_dt = 0.0;       ///< 0: the longest step among the models
  double error = 0.0;           ///< root mean square that is asked of all; 0: that of each model
  double seconds = 5.0;         ///< roughly how long to repeat the timings that decide
  std::uint64_t seed = 0;
  Backend backend = Backend::automatic;
  Progress progress;
};

struct SundialsModel {
  std::string name;
  std::shared_ptr<const Model> model;
};

/// One integrator at one setting.
struct SundialsPoint {
  std::string integrator; ///< of ERKStep, CVODE, or a model's name
  bool learned = false;
  std::size_t steps = 0;     ///< trained steps in one of ARKODE's; 0 for a classical one
  double tolerance = 0.0;    ///< absolute and relative; 0 for a learned one
  double mse = 0.0;          ///< mean over output times, variables and trajectories; infinite if it failed
  double microseconds = 0.0; ///< a trajectory, of processor time: median over repetitions
};

struct SundialsSpeedup {
  std::string model;
  std::size_t steps = 0;       ///< of it in one of ARKODE's
  double mse = 0.0;            ///< that the classical integrators had to reach
  std::string best;            ///< the fastest of them that does, or ""
  std::optional<double> ratio; ///< its time over the model's; none if the model or all others failed to reach it
};

struct SundialsResult {
  std::string version; ///< of SUNDIALS
  std::string problem;
  double horizon = 0.0;
  double output_dt = 0.0;
  std::size_t trajectories = 0;
  std::vector<SundialsPoint> points; ///< the models, one step and several in one of ARKODE's, then each integrator at
                                     ///< the tolerances that matter
  std::vector<SundialsSpeedup> speedups;
};

/// Each model as ARKODE's main integrator, one trained step and ten in one of ARKODE's, against ERKStep's tables of
/// order 2 to 8 and CVODE's Adams and BDF methods, all asked for the same outputs from the same initial states. Each
/// classical integrator runs at tolerances from 1e-3 down, in steps of half a decade; it is timed at the largest that
/// reaches the error asked for. Memory is made once and initialised again for each trajectory, learned or classical.
/// Throws InvalidArgument if a model does not fit the problem or is a tableau; InvalidData if the reference cannot be
/// computed.
SundialsResult bench_sundials(const Problem& problem, const std::vector<SundialsModel>& models,
                              const SundialsOptions& options);

} // namespace lodestep::hosts
