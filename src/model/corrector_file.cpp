#include "model/corrector_file.hpp"

#include "model/approximator_file.hpp"

#include <lodestep/error.hpp>

#include <limits>

namespace lodestep::detail {

namespace {

constexpr const char* dense_path = "dense.approximator";
constexpr const char* density_path = "domain.density.projection";

Json write_interval(const Interval& interval) {
  return {{"lower", interval.lower}, {"upper", interval.upper}};
}

Interval read_interval(ObjectReader json) {
  Interval interval{};
  interval.lower = json.number("lower");
  interval.upper = json.number("upper");
  json.finish();
  return interval;
}

std::string at(const std::string& path, std::size_t i) {
  return path + "[" + std::to_string(i) + "]";
}

Json write_domain(const Domain& domain, Tensors& tensors) {
  Json state = Json::array();
  for (const auto& interval : domain.state) state.push_back(write_interval(interval));
  Json json = {{"state", std::move(state)}, {"correction_limit", domain.correction_limit}, {"density", nullptr}};
  if (domain.density) {
    json["density"] = {{"projection", write_approximator(domain.density->projection, density_path, tensors)},
                       {"limit", domain.density->limit}};
  }
  return json;
}

Domain read_domain(ObjectReader json, TensorReader& tensors) {
  Domain domain;
  const auto& state = json.array("state");
  for (std::size_t i = 0; i < state.size(); ++i) {
    domain.state.push_back(read_interval(ObjectReader(state[i], at(json.path("state"), i))));
  }
  domain.correction_limit = json.numbers("correction_limit");
  if (!json.null("density")) {
    ObjectReader density = json.object("density");
    Density value;
    value.projection = read_approximator(density.object("projection"), density_path, tensors);
    value.limit = density.number("limit");
    density.finish();
    domain.density = std::move(value);
  }
  json.finish();
  return domain;
}

Json write_parameters(const std::vector<CorrectorParameter>& parameters) {
  Json json = Json::array();
  for (const auto& p : parameters) {
    check_utf8(p.name, at("parameters", json.size()) + ".name");
    json.push_back({{"name", p.name}, {"nominal", p.nominal}, {"trained", write_interval(p.trained)}});
  }
  return json;
}

std::vector<CorrectorParameter> read_parameters(ObjectReader& description) {
  std::vector<CorrectorParameter> parameters;
  const auto& list = description.array("parameters");
  for (std::size_t i = 0; i < list.size(); ++i) {
    ObjectReader json(list[i], at("parameters", i));
    CorrectorParameter parameter{json.text("name"), json.number("nominal"), {}};
    parameter.trained = read_interval(json.object("trained"));
    json.finish();
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

/// One of an enumeration's names.
template <class From> auto read_name(ObjectReader& description, const char* field, From from) {
  try {
    return from(description.text(field));
  } catch (const InvalidArgument& error) {
    throw InvalidModel(field, error.what());
  }
}

} // namespace

void write_method(const CorrectorModel& corrector, Json& description, Tensors& tensors) {
  description["base"] = corrector.base;
  description["dt"] = corrector.dt;
  description["shortest_dt"] = corrector.shortest_dt;
  description["form"] = to_string(corrector.form);
  description["input"] = to_string(corrector.input);
  description["time"] = to_string(corrector.time);
  description["period"] = corrector.period;
  description["time_range"] = write_interval(corrector.time_range);
  description["parameters"] = write_parameters(corrector.parameters);
  description["fallback"] = corrector.fallback;
  description["fallback_substeps"] = corrector.fallback_substeps;
  description["domain"] = write_domain(corrector.domain, tensors);
  description["estimate"] = {{"scale", corrector.estimate.scale},
                             {"growth", corrector.estimate.growth},
                             {"correlation", corrector.estimate.correlation},
                             {"coverage", corrector.estimate.coverage}};
  description["approximator"] = write_approximator(corrector.approximator, "approximator", tensors);
  description["dense"] = nullptr;
  if (corrector.dense) {
    description["dense"] = {{"points", corrector.dense->points},
                            {"rms", corrector.dense->rms},
                            {"approximator", write_approximator(corrector.dense->approximator, dense_path, tensors)}};
  }
}

CorrectorModel read_corrector(ObjectReader& description, TensorReader& tensors) {
  CorrectorModel corrector;
  corrector.base = description.text("base");
  corrector.dt = description.number("dt");
  corrector.shortest_dt = description.number("shortest_dt");
  corrector.form = read_name(description, "form", corrector_form_from);
  corrector.input = read_name(description, "input", corrector_input_from);
  corrector.time = read_name(description, "time", time_input_from);
  corrector.period = description.number("period");
  corrector.time_range = read_interval(description.object("time_range"));
  corrector.parameters = read_parameters(description);
  corrector.fallback = description.text("fallback");
  corrector.fallback_substeps = description.small_integer("fallback_substeps", std::numeric_limits<unsigned>::max());
  corrector.domain = read_domain(description.object("domain"), tensors);
  ObjectReader estimate = description.object("estimate");
  corrector.estimate.scale = estimate.numbers("scale");
  corrector.estimate.growth = estimate.number("growth");
  corrector.estimate.correlation = estimate.number("correlation");
  corrector.estimate.coverage = estimate.number("coverage");
  estimate.finish();
  corrector.approximator = read_approximator(description.object("approximator"), "approximator", tensors);
  if (!description.null("dense")) {
    ObjectReader json = description.object("dense");
    DenseOutput dense;
    dense.points = json.size("points");
    dense.rms = json.number("rms");
    dense.approximator = read_approximator(json.object("approximator"), dense_path, tensors);
    json.finish();
    corrector.dense = std::move(dense);
  }
  return corrector;
}

} // namespace lodestep::detail
