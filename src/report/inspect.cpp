#include "report/inspect.hpp"

#include "report/inspect_hierarchy.hpp"
#include "report/inspect_tableau.hpp"
#include "report/lipschitz.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace lodestep::report {

namespace {

using Json = nlohmann::ordered_json;

/// Appends one formatted line.
[[gnu::format(printf, 2, 3)]] void line(std::string& page, const char* format, ...) {
  char text[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  page += text;
  page += '\n';
}

Json term_json(const ApproximatorSpec& spec) {
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) {
    return {{"kind", "polynomial"}, {"degree", polynomial->degree}};
  }
  if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) {
    const std::size_t each = spec.outputs * PiecewiseTerm::terms(spec.inputs, piecewise->degree);
    return {{"kind", "piecewise"},
            {"degree", piecewise->degree},
            {"grid", piecewise->cells},
            {"cells", piecewise->coefficient.size() / each}};
  }
  if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    Json widths = Json::array({spec.inputs});
    for (const auto& layer : mlp->layers) widths.push_back(layer.outputs);
    return {{"kind", "mlp"}, {"activation", to_string(mlp->activation)}, {"widths", widths}};
  }
  return {{"kind", "none"}};
}

/// Who evaluates at each of these batch sizes, as automatic choice has it on this machine.
Json backends_json(const Approximator& approximator) {
  Json backends = Json::array();
  for (std::size_t batch : {1, 16, 256, 4096}) {
    backends.push_back({{"batch", batch}, {"backend", to_string(approximator.backend(batch))}});
  }
  return backends;
}

/// "fused, onednn from batches of 4 on, fused from batches of 12 on"
std::string backends_text(const Approximator& approximator) {
  constexpr std::size_t largest = 4096;
  Backend runs = approximator.backend(1);
  std::string text = to_string(runs);
  for (std::size_t batch = 2; batch <= largest; ++batch) {
    if (approximator.backend(batch) == runs) continue;
    runs = approximator.backend(batch);
    text += std::string(", ") + to_string(runs) + " from batches of " + std::to_string(batch) + " on";
  }
  return text;
}

/// One step as an equation.
std::string equation(const CorrectorModel& corrector) {
  std::string inputs = corrector.input == CorrectorInput::increment ? "S dt"
                       : corrector.input == CorrectorInput::state   ? "u"
                                                                    : "S dt, (k2 - k1) dt, ...";
  if (corrector.dt_aware()) inputs += ", dt";
  if (corrector.time == TimeInput::phase) {
    char period[48];
    std::snprintf(period, sizeof period, ", phase of %g", corrector.period);
    inputs += period;
  }
  if (corrector.time == TimeInput::elapsed) inputs += ", t";
  for (const auto& parameter : corrector.parameters) inputs += ", " + parameter.name;
  const bool additive = corrector.form == CorrectorForm::additive;
  const unsigned power = classical_tableau(corrector.base).order + (additive ? 1 : 0);
  const std::string factor = corrector.dt_aware() ? "(dt / dt0)^" + std::to_string(power) + " " : "";
  return std::string("u' = u + S dt + ") + (additive ? "" : "S dt * ") + factor + "Q(" + inputs + ")";
}

nlohmann::ordered_json inputs_json(const CorrectorModel& corrector) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& p : corrector.parameters) {
    list.push_back({{"name", p.name}, {"nominal", p.nominal}, {"lower", p.trained.lower}, {"upper", p.trained.upper}});
  }
  return list;
}

} // namespace

Json describe_json(const Model& model) {
  if (std::holds_alternative<TableauModel>(model.method)) return describe_tableau_json(model);
  if (std::holds_alternative<HierarchyModel>(model.method)) return describe_hierarchy_json(model);
  const auto& corrector = std::get<CorrectorModel>(model.method);
  const auto& approximator = corrector.approximator;
  const Approximator packed(approximator);
  Json variables = Json::array();
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const auto& variable = model.variables[i];
    const auto& interval = corrector.domain.state[i];
    variables.push_back({{"name", variable.name},
                         {"unit", variable.unit},
                         {"lower", interval.lower},
                         {"upper", interval.upper},
                         {"correction_limit", corrector.domain.correction_limit[i]}});
  }
  Json parameters = Json::object();
  for (const auto& parameter : model.provenance.parameters) parameters[parameter.name] = parameter.value;
  return {{"kind", model.kind()},
          {"base", corrector.base},
          {"dt", corrector.dt},
          {"input", to_string(corrector.input)},
          {"dimension", model.dimension()},
          {"variables", variables},
          {"approximator",
           {{"description", approximator.description()},
            {"inputs", approximator.inputs},
            {"outputs", approximator.outputs},
            {"precision", to_string(approximator.precision)},
            {"parameters", approximator.parameters()},
            {"cost_ns", approximator.cost_ns()},
            {"backends", backends_json(packed)},
            {"instruction_set", Approximator::instruction_set()},
            {"term", term_json(approximator)}}},
          {"form", to_string(corrector.form)},
          {"shortest_dt", corrector.dt_aware() ? corrector.shortest_dt : corrector.dt},
          {"time", to_string(corrector.time)},
          {"input_parameters", inputs_json(corrector)},
          {"dense_points", corrector.dense ? corrector.dense->points : 0},
          {"density", corrector.domain.density ? corrector.domain.density->projection.description() : "none"},
          {"estimate",
           {{"scale", corrector.estimate.scale},
            {"growth", corrector.estimate.growth},
            {"correlation", corrector.estimate.correlation},
            {"coverage", corrector.estimate.coverage}}},
          {"lipschitz_bound", lipschitz_bound(approximator)},
          {"fallback", corrector.fallback_scheme()},
          {"fallback_substeps", corrector.fallback_substeps},
          {"error",
           {{"step_rms", model.error.step_rms},
            {"step_max", model.error.step_max},
            {"base_step_rms", model.error.base_step_rms},
            {"horizon", model.error.horizon},
            {"horizon_rms", model.error.horizon_rms},
            {"trajectories", model.error.trajectories}}},
          {"provenance",
           {{"problem", model.provenance.problem},
            {"parameters", parameters},
            {"initial", model.provenance.initial},
            {"seed", model.provenance.seed},
            {"training_trajectories", model.provenance.training_trajectories},
            {"recipe", model.provenance.recipe},
            {"library_version", model.provenance.library_version}}}};
}

std::string describe(const Model& model) {
  if (std::holds_alternative<TableauModel>(model.method)) return describe_tableau(model);
  if (std::holds_alternative<HierarchyModel>(model.method)) return describe_hierarchy(model);
  const auto& corrector = std::get<CorrectorModel>(model.method);
  const auto& approximator = corrector.approximator;
  const auto& error = model.error;
  const auto& provenance = model.provenance;
  std::string page;
  if (corrector.dt_aware()) {
    line(page, "%s of %s, any dt up to %g (trained from %g)", model.kind(), corrector.base.c_str(), corrector.dt,
         corrector.shortest_dt);
  } else {
    line(page, "%s of %s, dt = %g", model.kind(), corrector.base.c_str(), corrector.dt);
  }
  line(page, "  one step      %s", equation(corrector).c_str());
  for (const auto& parameter : corrector.parameters) {
    line(page, "  parameter     %s from %g to %g, %g unless set", parameter.name.c_str(), parameter.trained.lower,
         parameter.trained.upper, parameter.nominal);
  }
  if (corrector.dense) {
    line(page, "  within a step %zu states, rms %.3g, by a %s", corrector.dense->points, corrector.dense->rms,
         corrector.dense->approximator.description().c_str());
  }
  line(page, "  Q             %s, %s, %zu coefficients, about %.0f ns", approximator.description().c_str(),
       to_string(approximator.precision), approximator.parameters(), approximator.cost_ns());
  line(page, "  runs here on  %s; instruction set %s", backends_text(Approximator(approximator)).c_str(),
       Approximator::instruction_set());
  line(page, "  fallback      %u step%s of %s alone, dt = %g", corrector.fallback_substeps,
       corrector.fallback_substeps == 1 ? "" : "s", corrector.fallback_scheme().c_str(),
       corrector.dt / corrector.fallback_substeps);
  page += '\n';

  line(page, "error, measured on %zu held-out trajectories", error.trajectories);
  line(page, "  one step      rms %.3g, largest %.3g (base scheme alone: rms %.3g)", error.step_rms, error.step_max,
       error.base_step_rms);
  if (!corrector.estimate.scale.empty()) {
    line(page, "  its estimate  correlation of the logarithms %.2f; %.1f%% of the errors within two deviations",
         corrector.estimate.correlation, 100.0 * corrector.estimate.coverage);
  }
  line(page, "  T = %-9g rms %.3g (mse %.3g)", error.horizon, error.horizon_rms, error.horizon_rms * error.horizon_rms);
  page += '\n';

  line(page, "domain: %zu variable%s; outside it the base scheme steps", model.dimension(),
       model.dimension() == 1 ? "" : "s");
  line(page, "  %-14s %-8s %14s %14s %16s", "variable", "unit", "from", "to", "largest |Q|");
  constexpr std::size_t shown = 24;
  for (std::size_t i = 0; i < std::min(shown, model.dimension()); ++i) {
    const auto& variable = model.variables[i];
    const auto& interval = corrector.domain.state[i];
    line(page, "  %-14s %-8s %14.6g %14.6g %16.3g", variable.name.c_str(),
         variable.unit.empty() ? "-" : variable.unit.c_str(), interval.lower, interval.upper,
         corrector.domain.correction_limit[i]);
  }
  if (model.dimension() > shown) line(page, "  ... and %zu more (--json shows all)", model.dimension() - shown);
  if (corrector.domain.density) {
    line(page, "  and inside the density of training states, by a %s",
         corrector.domain.density->projection.description().c_str());
  }
  const double lipschitz = lipschitz_bound(approximator);
  const double steps = error.horizon / corrector.dt;
  line(page,
       "  |Q(x) - Q(y)| <= %.3g |x - y| on it, in standardised inputs and outputs: with it alone, errors grow by at",
       lipschitz);
  line(page, "  most 10^%.3g over T = %g (an a-priori bound after AttNS, theorem 5.1; mostly far too large)",
       steps * std::log10(1.0 + lipschitz), error.horizon);
  page += '\n';

  std::string parameters;
  for (const auto& parameter : provenance.parameters) {
    char text[64];
    std::snprintf(text, sizeof text, "%s=%g", parameter.name.c_str(), parameter.value);
    parameters += (parameters.empty() ? " (" : ", ") + std::string(text);
  }
  if (!parameters.empty()) parameters += ")";
  line(page, "trained on %s%s%s%s", provenance.problem.c_str(), parameters.c_str(),
       provenance.initial.empty() ? "" : ", initial states: ", provenance.initial.c_str());
  line(page, "  trajectories  %zu, seed %llu", provenance.training_trajectories,
       static_cast<unsigned long long>(provenance.seed));
  line(page, "  recipe        %s", provenance.recipe.empty() ? "-" : provenance.recipe.c_str());
  line(page, "  made by       lodestep %s", provenance.library_version.c_str());
  return page;
}

} // namespace lodestep::report
