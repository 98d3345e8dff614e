#include "stepper.hpp"

#include <lodestep/error.hpp>

#include <cstring>

using lodestep::arkode::Outcome;

namespace {

struct Line {
  const char* name;
  long int LodestepStats::*value;
};

constexpr Line lines[] = {
    {"Learned stepper steps", &LodestepStats::steps},
    {"Learned cell steps", &LodestepStats::learned},
    {"Fallbacks, step size", &LodestepStats::fallback_step_size},
    {"Fallbacks, domain", &LodestepStats::fallback_domain},
    {"Fallbacks, correction", &LodestepStats::fallback_correction},
    {"Fallbacks, forcing", &LodestepStats::fallback_forcing},
    {"Fallbacks, RHS failure", &LodestepStats::fallback_rhs},
    {"Failures", &LodestepStats::failures},
    {"RHS fn evals", &LodestepStats::rhs_evals},
    {"Network evals", &LodestepStats::network_evals},
};

} // namespace

int LodestepStepper_GetStats(LodestepStepper stepper, LodestepStats* stats) {
  if (!stepper || !stats) {
    lodestep::arkode::report(stderr, "LodestepStepper_GetStats", "no stepper or no place for its statistics given");
    return ARK_MEM_NULL;
  }
  const auto& cells = *stepper->cells;
  const auto of = [&](Outcome o) { return static_cast<long int>(cells.outcomes[static_cast<std::size_t>(o)]); };
  *stats = {static_cast<long int>(cells.steps),
            of(Outcome::learned),
            of(Outcome::step_size),
            of(Outcome::domain),
            of(Outcome::correction),
            of(Outcome::forcing),
            of(Outcome::rhs),
            stepper->failures,
            stepper->rhs_evaluations,
            static_cast<long int>(cells.network_evaluations)};
  return ARK_SUCCESS;
}

int LodestepStepper_ResetStats(LodestepStepper stepper) {
  if (!stepper) return ARK_MEM_NULL;
  auto& cells = *stepper->cells;
  cells.steps = 0;
  cells.network_evaluations = 0;
  std::memset(cells.outcomes, 0, sizeof cells.outcomes);
  stepper->rhs_evaluations = 0;
  stepper->failures = 0;
  return ARK_SUCCESS;
}

int LodestepStepper_PrintAllStats(LodestepStepper stepper, FILE* outfile, SUNOutputFormat fmt) {
  LodestepStats stats;
  if (const int flag = LodestepStepper_GetStats(stepper, &stats)) return flag;
  if (!outfile || (fmt != SUN_OUTPUTFORMAT_TABLE && fmt != SUN_OUTPUTFORMAT_CSV)) {
    lodestep::arkode::report(stepper->errfp, "LodestepStepper_PrintAllStats",
                             "expected a file and SUN_OUTPUTFORMAT_TABLE or SUN_OUTPUTFORMAT_CSV");
    return ARK_ILL_INPUT;
  }
  for (const Line& line : lines) {
    if (fmt == SUN_OUTPUTFORMAT_TABLE) {
      std::fprintf(outfile, "%-28s = %ld\n", line.name, stats.*line.value);
    } else {
      // A comma within a name would be read as a separator.
      std::string name = line.name;
      if (const auto comma = name.find(','); comma != std::string::npos) name.erase(comma, 1);
      std::fprintf(outfile, "%s%s,%ld", &line == lines ? "" : ",", name.c_str(), stats.*line.value);
    }
  }
  if (fmt == SUN_OUTPUTFORMAT_CSV) std::fprintf(outfile, "\n");
  return ARK_SUCCESS;
}
