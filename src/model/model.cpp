#include "model/validate_hierarchy.hpp"

#include <lodestep/corrector_features.hpp>
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

void validate_interval(const Interval& interval, const std::string& field) {
  check(std::isfinite(interval.lower) && std::isfinite(interval.upper) && interval.lower <= interval.upper, field,
        "expected a finite interval with lower <= upper");
}

void validate_shape(const ApproximatorSpec& spec, std::size_t inputs, std::size_t outputs, const std::string& field,
                    const std::string& what) {
  spec.validate(field);
  check(spec.inputs == inputs, field + ".inputs",
        "expected " + std::to_string(inputs) + " " + what + ", found " + std::to_string(spec.inputs));
  check(spec.outputs == outputs, field + ".outputs",
        "expected " + std::to_string(outputs) + " " + what + ", found " + std::to_string(spec.outputs));
}

void validate_domain(const Domain& domain, std::size_t dimension, std::size_t density_inputs) {
  check(domain.state.size() == dimension, "domain.state",
        "expected one interval for each of " + std::to_string(dimension) + " variables, found " +
            std::to_string(domain.state.size()));
  for (std::size_t i = 0; i < dimension; ++i) validate_interval(domain.state[i], at("domain.state", i));
  check(domain.correction_limit.size() == dimension, "domain.correction_limit",
        "expected " + std::to_string(dimension) + " numbers, found " + std::to_string(domain.correction_limit.size()));
  for (std::size_t i = 0; i < dimension; ++i) {
    check(std::isfinite(domain.correction_limit[i]) && domain.correction_limit[i] >= 0.0,
          at("domain.correction_limit", i), "expected a finite number >= 0");
  }
  if (domain.density) {
    const auto& density = *domain.density;
    validate_shape(density.projection, density_inputs, density.projection.outputs, "domain.density.projection",
                   "for the states, times and parameters");
    check(std::isfinite(density.limit) && density.limit > 0.0, "domain.density.limit",
          "must be a positive number, found " + std::to_string(density.limit));
  }
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
  check(corrector.shortest_dt >= 0.0 && corrector.shortest_dt <= corrector.dt, "shortest_dt",
        "expected 0 (one step size) or a step no longer than dt, found " + std::to_string(corrector.shortest_dt));
  check(corrector.fallback.empty() || corrector.fallback == "rk4", "fallback",
        "expected \"\" (the base scheme) or \"rk4\", found \"" + corrector.fallback + "\"");
  check(corrector.fallback_substeps >= 1, "fallback_substeps", "must be at least 1");
  if (corrector.time == TimeInput::phase) {
    check(std::isfinite(corrector.period) && corrector.period > 0.0, "period",
          "must be a positive number, found " + std::to_string(corrector.period));
  }
  validate_interval(corrector.time_range, "time_range");
  for (std::size_t i = 0; i < corrector.parameters.size(); ++i) {
    const auto& parameter = corrector.parameters[i];
    check(!parameter.name.empty(), at("parameters", i) + ".name", "must not be empty");
    check(std::isfinite(parameter.nominal), at("parameters", i) + ".nominal", "not a finite number");
    validate_interval(parameter.trained, at("parameters", i) + ".trained");
  }
  const CorrectorFeatures features(corrector, dimension, stages);
  validate_shape(corrector.approximator, features.count(), dimension, "approximator",
                 std::string("for input '") + to_string(corrector.input) + "' of dimension " +
                     std::to_string(dimension));
  validate_domain(corrector.domain, dimension, features.density_count());
  if (corrector.dense) {
    const auto& dense = *corrector.dense;
    check(dense.points >= 1 && dense.points <= 4096, "dense.points",
          "expected 1 to 4096, found " + std::to_string(dense.points));
    check(!corrector.dt_aware(), "dense", "a dt-aware model has no states within a step: it steps to them");
    check(std::isfinite(dense.rms) && dense.rms >= 0.0, "dense.rms", "expected a finite number >= 0");
    validate_shape(dense.approximator, features.count(), dense.points * dimension, "dense.approximator",
                   "for the model's features and " + std::to_string(dense.points) + " states");
  }
  const auto& scale = corrector.estimate.scale;
  check(scale.empty() || scale.size() == dimension, "estimate.scale",
        "expected none or " + std::to_string(dimension) + " numbers, found " + std::to_string(scale.size()));
  for (std::size_t i = 0; i < scale.size(); ++i) {
    check(std::isfinite(scale[i]) && scale[i] >= 0.0, at("estimate.scale", i), "expected a finite number >= 0");
  }
  check(std::isfinite(corrector.estimate.growth) && corrector.estimate.growth >= 0.0, "estimate.growth",
        "expected a finite number >= 0");
}

void validate_tableau(const TableauModel& model, std::size_t dimension) {
  model.tableau.validate("tableau");
  const std::size_t s = model.tableau.stages();
  try {
    const auto& classical = classical_tableau(model.classical);
    check(model.tableau.b_embedded.empty() || !classical.b_embedded.empty(), "classical",
          "the learned tableau has an embedded row, so the classical one needs one too");
  } catch (const InvalidArgument& error) {
    throw InvalidModel("classical", error.what());
  }
  check(model.family_order >= 1, "family_order", "must be at least 1");
  check(!model.family.empty(), "family", "must not be empty");
  const auto step_sizes = [](const Interval& interval, const std::string& field) {
    validate_interval(interval, field);
    check(interval.lower > 0.0, field + ".lower", "must be positive, found " + std::to_string(interval.lower));
  };
  step_sizes(model.trained_dt, "trained_dt");
  step_sizes(model.dt, "dt");
  if (!model.tableau.b_embedded.empty()) step_sizes(model.controlled_dt, "controlled_dt");
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    const auto& parameter = model.parameters[i];
    check(!parameter.name.empty(), at("parameters", i) + ".name", "must not be empty");
    validate_interval(parameter.trained, at("parameters", i) + ".trained");
    validate_interval(parameter.valid, at("parameters", i) + ".valid");
  }
  for (std::size_t i = 0; i < model.terms.size(); ++i) {
    const auto& term = model.terms[i];
    const std::string path = at("terms", i);
    const auto shape = [&](std::size_t actual, std::size_t expected, const char* field) {
      check(actual == expected, path + "." + field,
            "expected " + std::to_string(expected) + " numbers, found " + std::to_string(actual));
    };
    shape(term.powers.size(), 1 + model.parameters.size(), "powers");
    shape(term.a.size(), s * s, "a");
    shape(term.b.size(), s, "b");
    unsigned degree = 0;
    for (unsigned power : term.powers) degree += power;
    check(degree >= 1 && degree <= 16, path + ".powers", "expected a total degree of 1 to 16");
    double sum = 0.0;
    double size = 0.0;
    for (double value : term.b) {
      check(std::isfinite(value), path + ".b", "not a finite number");
      sum += value;
      size += std::abs(value);
    }
    check(std::abs(sum) <= 1e-13 * (1.0 + size), path + ".b", "must sum to 0, they sum to " + std::to_string(sum));
    for (std::size_t j = 0; j < s * s; ++j) {
      check(std::isfinite(term.a[j]), path + ".a", "not a finite number");
      check(j % s < j / s || term.a[j] == 0.0, path + ".a", "must be strictly lower triangular");
    }
    for (std::size_t j = 0; model.tableau.fsal && j < s; ++j) {
      check(term.a[(s - 1) * s + j] == term.b[j], path + ".a", "the last row must be b, as the tableau is FSAL");
    }
  }
  check(model.state.empty() || model.state.size() == dimension, "state",
        "expected one interval for each of " + std::to_string(dimension) + " variables or none, found " +
            std::to_string(model.state.size()));
  for (std::size_t i = 0; i < model.state.size(); ++i) validate_interval(model.state[i], at("state", i));
}

} // namespace

const char* Model::kind() const noexcept {
  if (std::holds_alternative<HierarchyModel>(method)) return "hierarchy";
  return std::holds_alternative<TableauModel>(method) ? "tableau" : "corrector";
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
  if (const auto* tableau = std::get_if<TableauModel>(&method)) {
    validate_tableau(*tableau, dimension());
  } else if (const auto* hierarchy = std::get_if<HierarchyModel>(&method)) {
    detail::validate_hierarchy(*hierarchy, dimension());
  } else {
    validate_corrector(std::get<CorrectorModel>(method), dimension());
  }
}

} // namespace lodestep
