#pragma once

#include "train/step_data.hpp"

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>

/// What is measured of a corrector before anybody may use it, however it came to be.
namespace lodestep::detail {

/// The box of states, and the largest corrections, that steps of training give with a margin; how far states not yet
/// seen reach beyond those seen is told by `validation`.
Domain measured_domain(const StepData& train, const StepData& validation);

/// Measures `corrector` on trajectories that took no part in making it, and finds the scheme and the sub-steps that
/// replace it where it may not be used. `horizon_rms` is infinite if a roll-out diverged.
ErrorProfile measure_error(const Problem& problem, const Trajectories& held_out, CorrectorModel& corrector);

} // namespace lodestep::detail
