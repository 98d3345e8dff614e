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

/// A hierarchy of one map of that oscillator, exact, which gives `states` states on the way. It is polynomials on four
/// cells, one of them halved: those where x > 5 and v < -5 have none.
inline Model oscillator_on_a_grid(double dt, std::size_t states, double fine_dt) {
  Model model = oscillator_hierarchy({dt}, fine_dt);
  FlowMapModel& map = std::get<HierarchyModel>(model.method).maps[0];
  map.states = states;
  auto spec = ApproximatorSpec::zero(2, 2 * states);
  spec.input_scale.assign(2, 10.0);
  PiecewiseTerm term;
  term.degree = 2;
  term.cells = {2, 2};
  term.tree = {0, 1, -1 - 4, 2, 3, 4, -1, 5};
  const double centre[6][2] = {{-5, -5}, {-5, 5}, {5, 5}, {2.5, -7.5}, {2.5, -2.5}, {7.5, -2.5}};
  for (std::size_t piece = 0; piece < 6; ++piece) {
    const double half = piece < 3 ? 5.0 : 2.5;
    for (std::size_t s = 1; s <= states; ++s) {
      const double angle = dt * static_cast<double>(s) / static_cast<double>(states);
      const double turn[2][2] = {{std::cos(angle) - 1.0, std::sin(angle)}, {-std::sin(angle), std::cos(angle) - 1.0}};
      for (const auto& row : turn) {
        const double middle = row[0] * centre[piece][0] + row[1] * centre[piece][1];
        term.coefficient.insert(term.coefficient.end(), {middle, half * row[0], half * row[1], 0.0, 0.0, 0.0});
      }
    }
  }
  spec.term = term;
  map.approximator = spec;
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
