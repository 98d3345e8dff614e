#pragma once

#include "report/study.hpp"

namespace lodestep::report {

StudyResult study_attns_table6(const StudyOptions& options);

} // namespace lodestep::report
