#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>

namespace lodestep {

namespace {

std::string at(const char* field, std::size_t i) {
  return std::string(field) + "[" + std::to_string(i) + "]";
}

void check(bool sound, const std::string& field, const std::string& message) {
  if (!sound) throw InvalidModel(field, message);
}

void validate_corrector(const CorrectorModel& corrector, std::size_t dimension) {
  std::size_t stages = 0;
  try {
    stages = classical_tableau(corrector.base).stages();
  } catch (const InvalidArgument& error) {
    throw InvalidModel("base", error.what());
  }
  check(std::isfinite(corrector.dt) && corrector.dt > 0.0, "dt",
        "must be a positive number, found " + std::to_string(corrector.dt));
  check(corrector.fallback.empty() || corrector.fallback == "rk4", "fallback",
        "expected \"\" (the base scheme) or \"rk4\", found \"" + corrector.fallback + "\"");
  check(corrector.fallback_substeps >= 1, "fallback_substeps", "must be at least 1");
  corrector.approximator.validate();
  const std::size_t features = corrector_feature_count(corrector.input, dimension, stages);
  check(corrector.approximator.inputs == features, "approximator.inputs",
        "expected " + std::to_string(features) + " for input '" + to_string(corrector.input) + "' of dimension " +
            std::to_string(dimension) + ", found " + std::to_string(corrector.approximator.inputs));
  check(corrector.approximator.outputs == dimension, "approximator.outputs",
        "expected the dimension, " + std::to_string(dimension) + ", found " +
            std::to_string(corrector.approximator.outputs));
  const auto& domain = corrector.domain;
  check(domain.state.size() == dimension, "domain.state",
        "expected one interval for each of " + std::to_string(dimension) + " variables, found " +
            std::to_string(domain.state.size()));
  for (std::size_t i = 0; i < dimension; ++i) {
    check(std::isfinite(domain.state[i].lower) && std::isfinite(domain.state[i].upper) &&
              domain.state[i].lower <= domain.state[i].upper,
          at("domain.state", i), "expected a finite interval with lower <= upper");
  }
  check(domain.correction_limit.size() == dimension, "domain.correction_limit",
        "expected " + std::to_string(dimension) + " numbers, found " + std::to_string(domain.correction_limit.size()));
  for (std::size_t i = 0; i < dimension; ++i) {
    check(std::isfinite(domain.correction_limit[i]) && domain.correction_limit[i] >= 0.0,
          at("domain.correction_limit", i), "expected a finite number >= 0");
  }
}

} // namespace

const char* to_string(CorrectorInput input) noexcept {
  switch (input) {
  case CorrectorInput::increment:
    return "increment";
  case CorrectorInput::state:
    return "state";
  case CorrectorInput::stages:
    return "stages";
  }
  return "?";
}

CorrectorInput corrector_input_from(const std::string& name) {
  for (auto input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    if (name == to_string(input)) return input;
  }
  throw InvalidArgument("unknown corrector input '" + name + "': expected one of increment, state, stages");
}

const char* Model::kind() const noexcept {
  return "corrector";
}

void Model::validate() const {
  check(!variables.empty(), "variables", "a model needs at least one variable");
  for (std::size_t i = 0; i < variables.size(); ++i) {
    check(!variables[i].name.empty(), at("variables", i) + ".name", "must not be empty");
  }
  const auto measured = [](double value, const char* field) {
    check(std::isfinite(value) && value >= 0.0, field, "expected a finite number >= 0");
  };
  measured(error.step_rms, "error.step_rms");
  measured(error.step_max, "error.step_max");
  measured(error.horizon, "error.horizon");
  measured(error.horizon_rms, "error.horizon_rms");
  measured(error.base_step_rms, "error.base_step_rms");
  for (std::size_t i = 0; i < provenance.parameters.size(); ++i) {
    check(std::isfinite(provenance.parameters[i].value), at("provenance.parameters", i), "not a finite number");
  }
  validate_corrector(std::get<CorrectorModel>(method), dimension());
}

} // namespace lodestep
