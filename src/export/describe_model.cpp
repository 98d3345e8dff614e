#include "export/source_text.hpp"

#include <lodestep/version.hpp>

#include <cstddef>
#include <cstdio>
#include <variant>

namespace lodestep::source {

namespace {

using Lines = std::vector<std::string>;

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void add_intervals(Lines& lines, const Model& model, const std::vector<Interval>& intervals) {
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    const std::string unit = model.variables[i].unit.empty() ? "" : " " + comment(model.variables[i].unit);
    lines.push_back("            " + formatted("%.6g", intervals[i].lower) + " <= " + comment(model.variables[i].name) +
                    " <= " + formatted("%.6g", intervals[i].upper) + unit);
  }
}

void describe(Lines& lines, const Model& model, const CorrectorModel& corrector) {
  lines.push_back("Method    " + corrector.base + " corrected by a " + corrector.approximator.description() +
                  " of its " + to_string(corrector.input));
  const std::string range = corrector.dt_aware() ? "any up to " : "";
  lines.push_back("Step      " + range + formatted("%.10g", corrector.dt) + "; any other is taken by " +
                  corrector.fallback_scheme() + " in sub-steps of at most " +
                  formatted("%.6g", corrector.dt / corrector.fallback_substeps));
  lines.push_back("Error     " + formatted("%.3g", model.error.step_rms) + " rms of one step, " +
                  formatted("%.3g", model.error.horizon_rms) + " rms over " + formatted("%g", model.error.horizon) +
                  " (measured on held-out initial states)");
  for (const auto& parameter : corrector.parameters) {
    lines.push_back("Parameter " + formatted("%.6g", parameter.trained.lower) + " <= " + comment(parameter.name) +
                    " <= " + formatted("%.6g", parameter.trained.upper));
  }
  if (corrector.time == TimeInput::phase) lines.push_back("Time      period " + formatted("%.10g", corrector.period));
  if (corrector.time == TimeInput::elapsed) {
    lines.push_back("Time      from " + formatted("%.10g", corrector.time_range.lower) + " to " +
                    formatted("%.10g", corrector.time_range.upper));
  }
  lines.push_back("Domain    outside of which " + corrector.fallback_scheme() + " takes over:");
  add_intervals(lines, model, corrector.domain.state);
}

void describe(Lines& lines, const Model& model, const TableauModel& tableau) {
  lines.push_back("Method    " + std::to_string(tableau.tableau.stages()) +
                  " Runge-Kutta stages with coefficients learned for the family " + comment(tableau.family));
  lines.push_back("Order     " + std::to_string(tableau.tableau.order) + " on any problem, like " +
                  std::to_string(tableau.family_order) + " on its family");
  lines.push_back("Step      " + formatted("%.10g", tableau.dt.lower) + " to " + formatted("%.10g", tableau.dt.upper) +
                  "; any other is taken by " + tableau.classical);
  for (const auto& parameter : tableau.parameters) {
    lines.push_back("Parameter " + formatted("%.6g", parameter.valid.lower) + " <= " + comment(parameter.name) +
                    " <= " + formatted("%.6g", parameter.valid.upper));
  }
  if (tableau.state.empty()) return;
  lines.push_back("Domain    outside of which " + tableau.classical + " takes over:");
  add_intervals(lines, model, tableau.state);
}

void describe(Lines& lines, const Model& model, const HierarchyModel& hierarchy) {
  const FlowMapModel& map = hierarchy.maps[hierarchy.placing];
  const std::string base = map.base.empty() ? "the state" : std::to_string(map.substeps) + " steps of " + map.base;
  lines.push_back("Method    flow map, a " + map.approximator.description() + " added to " + base + "; " +
                  hierarchy.fine + " fills in between");
  lines.push_back("Step      " + formatted("%.10g", map.dt) + ", fine states every " +
                  formatted("%.10g", hierarchy.fine_dt) + "; any other step is taken by " + hierarchy.fine);
  lines.push_back("Error     " + formatted("%.3g", map.step_rms) + " rms of one step (measured on held-out states)");
  lines.push_back("Domain    outside of which " + hierarchy.fine + " takes over:");
  add_intervals(lines, model, map.state);
}

} // namespace

std::vector<std::string> describe_model(const Model& model) {
  Lines lines{"A learned ODE stepper, written by lodestep " LODESTEP_VERSION_STRING ". Do not edit: export it again.",
              "", "Problem   " + comment(model.provenance.problem)};
  std::visit([&](const auto& method) { describe(lines, model, method); }, model.method);
  return lines;
}

} // namespace lodestep::source
