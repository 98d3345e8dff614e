#pragma once

#include "report/contender.hpp"

#include <lodestep/train_export.hpp>

#include <vector>

namespace lodestep::report {

/// Whether stability rather than accuracy would hold explicit steppers back, so that implicit ones are the rivals: the
/// largest row sum of the Jacobian at sampled initial states, times a step worth learning (Problem::dt), is above 20,
/// seven steps of any explicit Runge-Kutta method of order 4 or 5. Not beyond 64 variables, where rivals with a dense
/// Jacobian are none.
LODESTEP_TRAIN_EXPORT bool is_stiff(const Problem& problem);

/// Odeint's implicit stepper with error control, for problems that explicit ones cannot step over: rosenbrock4 with
/// dense output, the Jacobian by difference quotients, whose evaluations count. The problem must outlive the result.
LODESTEP_TRAIN_EXPORT std::vector<Contender> stiff_contenders(const Problem& problem);

} // namespace lodestep::report
