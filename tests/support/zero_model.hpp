#pragma once

#include <lodestep/problem.hpp>
#include <lodestep/tableau.hpp>

#include <string>

/// A corrector that corrects nothing: it takes the base scheme's steps.
inline lodestep::Model zero_model(const lodestep::Problem& problem, const std::string& base, double dt,
                                  double domain = 1e3) {
  using namespace lodestep;
  const std::size_t dimension = problem.dimension();
  Model model;
  model.variables = problem.variables;
  model.provenance.problem = problem.name;
  model.provenance.parameters = problem.parameters;
  CorrectorModel corrector;
  corrector.base = base;
  corrector.dt = dt;
  corrector.approximator = ApproximatorSpec::zero(dimension, dimension);
  corrector.domain.state.assign(dimension, {-domain, domain});
  corrector.domain.correction_limit.assign(dimension, 1.0);
  corrector.fallback_substeps = 4;
  model.method = corrector;
  model.validate();
  return model;
}
