#pragma once

#include "report/contender.hpp"

#include <lodestep/problem.hpp>

#include <vector>

namespace lodestep::hosts {

/// SUNDIALS' CVODE as a classical contender for stiff problems: BDF, Newton's iteration with a dense Jacobian by
/// difference quotients, outputs interpolated. Empty where the program is built without SUNDIALS. The problem must
/// outlive the result.
std::vector<report::Contender> cvode_contenders(const Problem& problem);

} // namespace lodestep::hosts
