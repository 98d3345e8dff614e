#pragma once

#include "stepper.hpp"

namespace lodestep::arkode {

/// An MRIStepInnerStepper that steps with `stepper`, which must outlive it. Throws.
MRIStepInnerStepper make_inner_stepper(LodestepStepper stepper);

} // namespace lodestep::arkode
