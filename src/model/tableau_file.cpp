#include "model/tableau_file.hpp"

#include <lodestep/error.hpp>

#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr unsigned any = std::numeric_limits<unsigned>::max();

Json write_interval(const Interval& interval) {
  return {{"lower", interval.lower}, {"upper", interval.upper}};
}

Interval read_interval(ObjectReader json) {
  const double lower = json.number("lower");
  const Interval interval{lower, json.number("upper")};
  json.finish();
  return interval;
}

std::string element(const std::string& list, std::size_t i) {
  return list + "[" + std::to_string(i) + "]";
}

} // namespace

void write_method(const TableauModel& model, Json& description, Tensors& tensors) {
  const ButcherTableau& tableau = model.tableau;
  const std::size_t s = tableau.stages();
  check_utf8(tableau.name, "tableau.name");
  check_utf8(model.family, "family");
  description["tableau"] = {{"name", tableau.name},
                            {"order", tableau.order},
                            {"embedded_order", tableau.embedded_order},
                            {"fsal", tableau.fsal}};
  tensors["tableau.a"] = {Dtype::f64, {s, s}, tableau.a};
  tensors["tableau.b"] = {Dtype::f64, {s}, tableau.b};
  tensors["tableau.c"] = {Dtype::f64, {s}, tableau.c};
  if (tableau.embedded_order > 0) tensors["tableau.b_embedded"] = {Dtype::f64, {s}, tableau.b_embedded};
  description["family"] = model.family;
  description["family_order"] = model.family_order;
  description["classical"] = model.classical;
  description["trained_dt"] = write_interval(model.trained_dt);
  description["dt"] = write_interval(model.dt);
  if (tableau.embedded_order > 0) description["controlled_dt"] = write_interval(model.controlled_dt);
  Json parameters = Json::array();
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    const auto& parameter = model.parameters[i];
    check_utf8(parameter.name, element("parameters", i) + ".name");
    parameters.push_back({{"name", parameter.name},
                          {"trained", write_interval(parameter.trained)},
                          {"valid", write_interval(parameter.valid)}});
  }
  description["parameters"] = std::move(parameters);
  Json state = Json::array();
  for (const auto& interval : model.state) state.push_back(write_interval(interval));
  description["state"] = std::move(state);
  Json terms = Json::array();
  for (std::size_t i = 0; i < model.terms.size(); ++i) {
    const auto& term = model.terms[i];
    terms.push_back({{"powers", term.powers}});
    tensors[element("terms", i) + ".a"] = {Dtype::f64, {s, s}, term.a};
    tensors[element("terms", i) + ".b"] = {Dtype::f64, {s}, term.b};
  }
  description["terms"] = std::move(terms);
}

TableauModel read_tableau(ObjectReader& description, TensorReader& tensors) {
  TableauModel model;
  ButcherTableau& tableau = model.tableau;
  ObjectReader json = description.object("tableau");
  tableau.name = json.text("name");
  tableau.order = json.small_integer("order", any);
  tableau.embedded_order = json.small_integer("embedded_order", any);
  tableau.fsal = json.boolean("fsal");
  json.finish();
  tableau.a = tensors.matrix("tableau.a", Dtype::f64).values;
  tableau.b = tensors.vector("tableau.b", Dtype::f64);
  tableau.c = tensors.vector("tableau.c", Dtype::f64);
  if (tableau.embedded_order > 0) tableau.b_embedded = tensors.vector("tableau.b_embedded", Dtype::f64);
  model.family = description.text("family");
  model.family_order = description.small_integer("family_order", any);
  model.classical = description.text("classical");
  model.trained_dt = read_interval(description.object("trained_dt"));
  model.dt = read_interval(description.object("dt"));
  if (tableau.embedded_order > 0) model.controlled_dt = read_interval(description.object("controlled_dt"));
  const auto& parameters = description.array("parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    ObjectReader parameter(parameters[i], element("parameters", i));
    TableauParameter read;
    read.name = parameter.text("name");
    read.trained = read_interval(parameter.object("trained"));
    read.valid = read_interval(parameter.object("valid"));
    parameter.finish();
    model.parameters.push_back(std::move(read));
  }
  const auto& state = description.array("state");
  for (std::size_t i = 0; i < state.size(); ++i) {
    model.state.push_back(read_interval(ObjectReader(state[i], element("state", i))));
  }
  const auto& terms = description.array("terms");
  for (std::size_t i = 0; i < terms.size(); ++i) {
    ObjectReader term(terms[i], element("terms", i));
    TableauTerm read;
    for (std::size_t power : term.sizes("powers")) {
      if (power > any) throw InvalidModel(element("terms", i) + ".powers", "expected small integers");
      read.powers.push_back(static_cast<unsigned>(power));
    }
    term.finish();
    read.a = tensors.matrix(element("terms", i) + ".a", Dtype::f64).values;
    read.b = tensors.vector(element("terms", i) + ".b", Dtype::f64);
    model.terms.push_back(std::move(read));
  }
  return model;
}

} // namespace lodestep::detail
