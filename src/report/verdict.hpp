#pragma once

#include "report/work_precision.hpp"

#include <string>
#include <vector>

namespace lodestep::report {

/// For each learned stepper, in words: which stepper is cheapest at its error and by what ratio, also when it is the
/// classical one. One paragraph each.
LODESTEP_TRAIN_EXPORT std::vector<std::string> verdict(const WorkPrecision& result);

} // namespace lodestep::report
