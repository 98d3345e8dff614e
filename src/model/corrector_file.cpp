#include "model/corrector_file.hpp"

#include "model/approximator_file.hpp"

#include <lodestep/error.hpp>

#include <limits>

namespace lodestep::detail {

namespace {

Json write_domain(const Domain& domain) {
  Json state = Json::array();
  for (const auto& interval : domain.state) state.push_back({{"lower", interval.lower}, {"upper", interval.upper}});
  return {{"state", std::move(state)}, {"correction_limit", domain.correction_limit}};
}

Domain read_domain(ObjectReader json) {
  Domain domain;
  const auto& state = json.array("state");
  for (std::size_t i = 0; i < state.size(); ++i) {
    ObjectReader interval(state[i], json.path("state") + "[" + std::to_string(i) + "]");
    const double lower = interval.number("lower");
    domain.state.push_back({lower, interval.number("upper")});
    interval.finish();
  }
  domain.correction_limit = json.numbers("correction_limit");
  json.finish();
  return domain;
}

} // namespace

void write_method(const CorrectorModel& corrector, Json& description, Tensors& tensors) {
  description["base"] = corrector.base;
  description["dt"] = corrector.dt;
  description["input"] = to_string(corrector.input);
  description["fallback"] = corrector.fallback;
  description["fallback_substeps"] = corrector.fallback_substeps;
  description["domain"] = write_domain(corrector.domain);
  description["approximator"] = write_approximator(corrector.approximator, "approximator", tensors);
}

CorrectorModel read_corrector(ObjectReader& description, TensorReader& tensors) {
  CorrectorModel corrector;
  corrector.base = description.text("base");
  corrector.dt = description.number("dt");
  try {
    corrector.input = corrector_input_from(description.text("input"));
  } catch (const InvalidArgument& error) {
    throw InvalidModel("input", error.what());
  }
  corrector.fallback = description.text("fallback");
  corrector.fallback_substeps = description.small_integer("fallback_substeps", std::numeric_limits<unsigned>::max());
  corrector.domain = read_domain(description.object("domain"));
  corrector.approximator = read_approximator(description.object("approximator"), "approximator", tensors);
  return corrector;
}

} // namespace lodestep::detail
