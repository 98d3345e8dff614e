#include "report/inspect.hpp"

#include "report/inspect_hierarchy.hpp"
#include "report/inspect_tableau.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
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
  line(page, "%s of %s, dt = %g", model.kind(), corrector.base.c_str(), corrector.dt);
  line(page, "  one step      u' = u + S dt + Q(%s)",
       corrector.input == CorrectorInput::increment ? "S dt"
       : corrector.input == CorrectorInput::state   ? "u"
                                                    : "S dt, (k2 - k1) dt, ...");
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
  page += '\n';

  std::string parameters;
  for (const auto& parameter : provenance.parameters) {
    char text[64];
    std::snprintf(text, sizeof text, "%s=%g", parameter.name.c_str(), parameter.value);
    parameters += (parameters.empty() ? " (" : ", ") + std::string(text);
  }
  if (!parameters.empty()) parameters += ")";
  line(page, "trained on %s%s", provenance.problem.c_str(), parameters.c_str());
  line(page, "  trajectories  %zu, seed %llu", provenance.training_trajectories,
       static_cast<unsigned long long>(provenance.seed));
  line(page, "  recipe        %s", provenance.recipe.empty() ? "-" : provenance.recipe.c_str());
  line(page, "  made by       lodestep %s", provenance.library_version.c_str());
  return page;
}

} // namespace lodestep::report
