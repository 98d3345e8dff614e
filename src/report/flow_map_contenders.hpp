#pragma once

#include "report/contender.hpp"

#include <lodestep/error.hpp>
#include <lodestep/flow_map.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/parareal.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What a hierarchy can do for outputs every output_dt, generic in the forms of the right-hand side (RhsForms).
namespace lodestep::report {

namespace detail {

inline std::string flow_map_name(const Hierarchy::Map& map) {
  char dt[32];
  std::snprintf(dt, sizeof dt, "%g", map.dt);
  return std::string(map.base ? "corrected" : "flow map") + " dt " + dt;
}

/// Evaluations of the right-hand side that the steps of `map` since its last reset took.
inline std::size_t evaluations(const FlowMap& map, const Hierarchy& hierarchy) {
  const StepCounters counters = map.counters();
  const std::size_t base = map.map().base ? map.map().substeps * map.map().base->stages() : 0;
  return counters.learned() * base + counters.fallen_back() * map.map().fine_steps * hierarchy.fine()->stages();
}

/// Every output is a state that the map places.
template <class Forms>
Contender placing_contender(Forms forms, const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t index,
                            std::size_t steps) {
  const auto map = std::make_shared<FlowMap>(hierarchy, index);
  const auto run = [=](double, const double* u0, std::size_t times, double, double* states) mutable {
    const std::size_t d = map->dimension();
    map->reset_counters();
    std::copy_n(u0, d, states);
    for (std::size_t k = 1; k < times; ++k) {
      map->step(forms, 0.0, states + (k - 1) * d, states + k * d);
      for (std::size_t s = 1; s < steps; ++s) map->step(forms, 0.0, states + k * d, states + k * d);
    }
    return evaluations(*map, *hierarchy);
  };
  return {flow_map_name(hierarchy->map(index)), Family::learned, Setting::dt, run};
}

/// Outputs are some of the fine states, which `Scheme` (hybrid or parareal) fills in: solve(scheme, forms, steps,
/// states), whose fine scheme runs `passes` times.
template <class Forms, class Scheme, class Solve>
Contender filling_contender(std::string name, Forms forms, const std::shared_ptr<const Hierarchy>& hierarchy,
                            const std::shared_ptr<Scheme>& scheme, std::size_t every, std::size_t passes, Solve solve) {
  const auto fine = std::make_shared<std::vector<double>>();
  const auto run = [=](double, const double* u0, std::size_t times, double, double* states) mutable {
    const std::size_t d = hierarchy->dimension();
    const std::size_t steps = (times - 1) * every;
    double* to = states;
    if (every > 1) {
      fine->resize((steps + 1) * d);
      to = fine->data();
    }
    scheme->reset_counters();
    std::copy_n(u0, d, to);
    solve(*scheme, forms, steps, to);
    if (every > 1) {
      for (std::size_t k = 0; k < times; ++k) std::copy_n(to + k * every * d, d, states + k * d);
    }
    return evaluations(scheme->map(), *hierarchy) + passes * steps * hierarchy->fine()->stages();
  };
  return {std::move(name), Family::learned, Setting::dt, run};
}

} // namespace detail

/// One contender for each map and scheme that gives states every output_dt: a map alone where its step divides
/// output_dt, otherwise the hybrid scheme and a sweep of parareal. Throws InvalidArgument if no map does.
template <class Forms>
std::vector<Contender> flow_map_contenders(const Forms& forms, const std::shared_ptr<const Hierarchy>& hierarchy,
                                           double output_dt) {
  std::vector<Contender> all;
  const double ratio = output_dt / hierarchy->fine_dt();
  const auto every = static_cast<std::size_t>(std::llround(ratio));
  const bool whole = every > 0 && std::abs(ratio - static_cast<double>(every)) <= 1e-9 * ratio;
  for (std::size_t k = 0; whole && k < hierarchy->size(); ++k) {
    const std::size_t m = hierarchy->map(k).fine_steps;
    if (every % m == 0) {
      all.push_back(detail::placing_contender(forms, hierarchy, k, every / m));
      continue;
    }
    const std::string name = detail::flow_map_name(hierarchy->map(k));
    all.push_back(detail::filling_contender(
        "hybrid, " + name, forms, hierarchy, std::make_shared<Hybrid>(hierarchy, 1, k), every, 1,
        [](Hybrid& scheme, auto& rhs, std::size_t steps, double* states) { scheme.solve(rhs, 0.0, steps, states); }));
    all.push_back(detail::filling_contender("parareal 1, " + name, forms, hierarchy,
                                            std::make_shared<Parareal>(hierarchy, k), every, 2,
                                            [](Parareal& scheme, auto& rhs, std::size_t steps, double* states) {
                                              scheme.solve(rhs, 0.0, steps, states, {1, 0.0});
                                            }));
  }
  if (all.empty()) {
    throw InvalidArgument("bench: outputs every " + std::to_string(output_dt) +
                          " are no multiple of the spacing of the fine states, " +
                          std::to_string(hierarchy->fine_dt()) + "; ask for outputs at a multiple of it (--output-dt)");
  }
  return all;
}

} // namespace lodestep::report
