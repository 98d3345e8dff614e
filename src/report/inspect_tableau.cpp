#include "report/inspect_tableau.hpp"

#include <lodestep/tableau.hpp>

#include <nlohmann/json.hpp>

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

Json interval_json(const Interval& interval) {
  return {{"lower", interval.lower}, {"upper", interval.upper}};
}

std::string row(const double* values, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    char number[40];
    std::snprintf(number, sizeof number, " %24.17g", values[i]);
    text += number;
  }
  return text;
}

} // namespace

Json describe_tableau_json(const Model& model) {
  const auto& method = std::get<TableauModel>(model.method);
  Json parameters = Json::array();
  for (const auto& parameter : method.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"trained", interval_json(parameter.trained)},
                          {"valid", interval_json(parameter.valid)}});
  }
  Json variables = Json::array();
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    Json variable = {{"name", model.variables[i].name}, {"unit", model.variables[i].unit}};
    if (!method.state.empty()) {
      variable["lower"] = method.state[i].lower;
      variable["upper"] = method.state[i].upper;
    }
    variables.push_back(std::move(variable));
  }
  Json terms = Json::array();
  for (const auto& term : method.terms) terms.push_back({{"powers", term.powers}, {"a", term.a}, {"b", term.b}});
  return {{"kind", model.kind()},
          {"family", method.family},
          {"family_order", method.family_order},
          {"classical", method.classical},
          {"trained_dt", interval_json(method.trained_dt)},
          {"dt", interval_json(method.dt)},
          {"controlled_dt", method.tableau.embedded_order > 0 ? interval_json(method.controlled_dt) : Json()},
          {"dimension", model.dimension()},
          {"variables", variables},
          {"parameters", parameters},
          {"tableau", Json::parse(to_json(method.tableau))},
          {"terms", terms},
          {"provenance",
           {{"problem", model.provenance.problem},
            {"seed", model.provenance.seed},
            {"training_trajectories", model.provenance.training_trajectories},
            {"recipe", model.provenance.recipe},
            {"library_version", model.provenance.library_version}}}};
}

std::string describe_tableau(const Model& model) {
  const auto& method = std::get<TableauModel>(model.method);
  const ButcherTableau& tableau = method.tableau;
  const std::size_t s = tableau.stages();
  std::string page;
  line(page, "tableau of %zu stages learned for family %s", s, method.family.c_str());
  line(page, "  aimed at      order %u on the family; order %u for any problem", method.family_order, tableau.order);
  line(page, "  step sizes    trained %g to %g, used from %g to %g", method.trained_dt.lower, method.trained_dt.upper,
       method.dt.lower, method.dt.upper);
  if (tableau.embedded_order > 0) {
    line(page, "                under step-size control from %g to %g", method.controlled_dt.lower,
         method.controlled_dt.upper);
  }
  line(page, "  elsewhere     %s", method.classical.c_str());
  for (const auto& parameter : method.parameters) {
    line(page, "  %-13s trained %g to %g, used from %g to %g", parameter.name.c_str(), parameter.trained.lower,
         parameter.trained.upper, parameter.valid.lower, parameter.valid.upper);
  }
  for (std::size_t i = 0; i < method.state.size(); ++i) {
    line(page, "  %-13s used from %g to %g", model.variables[i].name.c_str(), method.state[i].lower,
         method.state[i].upper);
  }
  page += "\n  c, a\n";
  for (std::size_t i = 0; i < s; ++i) {
    page += row(&tableau.c[i], 1) + " |" + row(tableau.a.data() + i * s, i) + "\n";
  }
  page += "  b\n" + row(tableau.b.data(), s) + "\n";
  if (tableau.embedded_order > 0) {
    line(page, "  b_embedded, order %u", tableau.embedded_order);
    page += row(tableau.b_embedded.data(), s) + "\n";
  }
  if (!method.terms.empty()) {
    line(page, "  and %zu more sets of coefficients, polynomial in dt and the parameters (--json shows them)",
         method.terms.size());
  }
  page += '\n';
  line(page, "trained with %zu tasks, seed %llu, recipe %s, by lodestep %s", model.provenance.training_trajectories,
       static_cast<unsigned long long>(model.provenance.seed), model.provenance.recipe.c_str(),
       model.provenance.library_version.c_str());
  return page;
}

} // namespace lodestep::report
