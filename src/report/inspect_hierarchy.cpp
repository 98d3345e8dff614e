#include "report/inspect_hierarchy.hpp"

#include <cstdio>

namespace lodestep::report {

namespace {

using Json = nlohmann::ordered_json;

template <class... T> void line(std::string& page, const char* format, T... values) {
  char text[512];
  std::snprintf(text, sizeof text, format, values...);
  page += text;
  page += '\n';
}

} // namespace

Json describe_hierarchy_json(const Model& model) {
  const auto& method = std::get<HierarchyModel>(model.method);
  Json variables = Json::array();
  for (const auto& variable : model.variables) variables.push_back({{"name", variable.name}, {"unit", variable.unit}});
  Json maps = Json::array();
  for (std::size_t k = 0; k < method.maps.size(); ++k) {
    const auto& map = method.maps[k];
    Json state = Json::array();
    for (std::size_t i = 0; i < map.state.size(); ++i) {
      state.push_back({{"lower", map.state[i].lower}, {"upper", map.state[i].upper}, {"limit", map.limit[i]}});
    }
    maps.push_back({{"dt", map.dt},
                    {"base", map.base},
                    {"substeps", map.substeps},
                    {"states", map.states},
                    {"approximator", map.approximator.description()},
                    {"parameters", map.approximator.parameters()},
                    {"cost_ns", map.approximator.cost_ns()},
                    {"step_rms", map.step_rms},
                    {"domain", std::move(state)}});
  }
  Json parameters = Json::object();
  for (const auto& parameter : model.provenance.parameters) parameters[parameter.name] = parameter.value;
  return {{"kind", model.kind()},
          {"dimension", model.dimension()},
          {"variables", variables},
          {"modes", method.reduced ? Json(method.reduced->count()) : Json(nullptr)},
          {"fine_dt", method.fine_dt},
          {"fine", method.fine},
          {"lower", method.lower},
          {"upper", method.upper},
          {"placing", method.placing},
          {"maps", maps},
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

std::string describe_hierarchy(const Model& model) {
  const auto& method = std::get<HierarchyModel>(model.method);
  std::string page;
  line(page, "hierarchy of %zu flow map%s, fine states every %g by %s", method.maps.size(),
       method.maps.size() == 1 ? "" : "s", method.fine_dt, method.fine.c_str());
  if (method.reduced) {
    line(page, "maps step %zu principal components of %zu variables", method.reduced->count(), model.dimension());
  }
  for (std::size_t k = 0; k < method.maps.size(); ++k) {
    const auto& map = method.maps[k];
    const std::string base = map.base.empty() ? "x" : std::to_string(map.substeps) + " x " + map.base;
    line(page, "%s %s dt = %-9g %s + Q(x), Q a %s, about %.0f ns; one step rms %.3g", k == method.placing ? "*" : " ",
         k >= method.lower && k <= method.upper ? "|" : " ", map.dt, base.c_str(),
         map.approximator.description().c_str(), map.approximator.cost_ns(), map.step_rms);
    if (map.states > 1) line(page, "    which gives %zu states, the last of them after dt", map.states);
  }
  page += "  (|) used by the multiscale scheme, (*) places states for the hybrid and parareal\n\n";
  line(page, "error over T = %g, measured on %zu held-out trajectories: rms %.3g (mse %.3g)", model.error.horizon,
       model.error.trajectories, model.error.horizon_rms, model.error.horizon_rms * model.error.horizon_rms);
  page += "\ndomain of the placing map; outside it the fine scheme steps\n";
  const auto& placing = method.maps[method.placing];
  constexpr std::size_t shown = 24;
  const std::size_t coordinates = placing.state.size();
  for (std::size_t i = 0; i < coordinates && i < shown; ++i) {
    const Variable variable = method.reduced ? Variable{"mode " + std::to_string(i + 1), ""} : model.variables[i];
    line(page, "  %-14s %-8s %14.6g %14.6g", variable.name.c_str(), variable.unit.empty() ? "-" : variable.unit.c_str(),
         placing.state[i].lower, placing.state[i].upper);
  }
  if (coordinates > shown) line(page, "  ... and %zu more (--json shows all)", coordinates - shown);
  page += '\n';
  line(page, "trained on %s, %zu trajectories, seed %llu, recipe %s, by lodestep %s", model.provenance.problem.c_str(),
       model.provenance.training_trajectories, static_cast<unsigned long long>(model.provenance.seed),
       model.provenance.recipe.c_str(), model.provenance.library_version.c_str());
  return page;
}

} // namespace lodestep::report
