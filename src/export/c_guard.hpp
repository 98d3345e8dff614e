#pragma once

#include <lodestep/corrector_model.hpp>

#include <string>

namespace lodestep::source {

/// What exported C knows of where a corrector may be used: the tables lower, upper and limit, those of its parameters
/// and its error estimate, and with a density the function density_distance(x), at most 1 inside.
std::string c_guard(const CorrectorModel& corrector);

} // namespace lodestep::source
