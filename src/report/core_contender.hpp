#pragma once

#include "report/work_precision.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <memory>
#include <string>

namespace lodestep::report {

/// Whether the steppers of `make_contenders` have a corrector of this base scheme.
LODESTEP_TRAIN_EXPORT bool corrected_in_odeint(const std::string& base);

/// A corrector through the library's own stepper and `problem.rhs`, whatever its base scheme: a few nanoseconds an
/// evaluation slower than through an inlined right-hand side. The problem must outlive the result.
LODESTEP_TRAIN_EXPORT Contender core_contender(const std::shared_ptr<const Corrector>& corrector,
                                               const Problem& problem);

} // namespace lodestep::report
