#pragma once

#include "models.hpp"

#include <lodestep/model.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep::test {

/// A hierarchy of flow maps of one harmonic oscillator (x' = v, v' = -x): exact but for a factor 1 + `error` on the
/// turn. Domain [-10, 10] in both variables.
inline Model oscillator_hierarchy(const std::vector<double>& steps, double fine_dt, double error = 0.0) {
  HierarchyModel hierarchy;
  hierarchy.fine_dt = fine_dt;
  for (const double dt : steps) {
    FlowMapModel map;
    map.dt = dt;
    map.approximator = ApproximatorSpec::zero(2, 2);
    const double angle = dt * (1.0 + error);
    map.approximator.affine.weight = {std::cos(angle) - 1.0, std::sin(angle), -std::sin(angle), std::cos(angle) - 1.0};
    map.state.assign(2, {-10.0, 10.0});
    map.limit.assign(2, 30.0);
    hierarchy.maps.push_back(map);
  }
  hierarchy.upper = hierarchy.maps.size() - 1;
  hierarchy.placing = hierarchy.upper;
  Model model;
  model.variables = {{"x", "m"}, {"v", "m/s"}};
  model.provenance.problem = "oscillators";
  model.method = hierarchy;
  return model;
}

/// A hierarchy of one map of that oscillator, over steps of RK4: it adds what RK4 misses, and the step is exact.
inline Model oscillator_hierarchy_over_rk4(double dt, double fine_dt) {
  Model model = exact_corrector(1, "rk4", dt, CorrectorInput::state);
  FlowMapModel map;
  map.dt = dt;
  map.base = "rk4";
  map.substeps = 1;
  map.approximator = std::get<CorrectorModel>(model.method).approximator;
  map.state.assign(2, {-10.0, 10.0});
  map.limit.assign(2, 1.0);
  HierarchyModel hierarchy;
  hierarchy.maps = {map};
  hierarchy.fine_dt = fine_dt;
  model.method = hierarchy;
  return model;
}

inline std::shared_ptr<const Model> shared(Model model) {
  return std::make_shared<const Model>(std::move(model));
}

/// The oscillator's right-hand side in the batched form.
struct ManyOscillators {
  void operator()(double /*t*/, const double* u, double* dudt, std::size_t n) const {
    for (std::size_t k = 0; k < n; ++k) {
      dudt[k] = u[n + k];
      dudt[n + k] = -u[k];
    }
  }
};
struct OneOscillator {
  void operator()(double /*t*/, const double* u, double* dudt) const {
    dudt[0] = u[1];
    dudt[1] = -u[0];
  }
};

} // namespace lodestep::test
