#include "model/validate_hierarchy.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>
#include <string>

namespace lodestep::detail {

namespace {

void check(bool sound, const std::string& field, const std::string& message) {
  if (!sound) throw InvalidModel(field, message);
}

void check_tableau(const std::string& name, const std::string& field) {
  try {
    classical_tableau(name);
  } catch (const InvalidArgument& error) {
    throw InvalidModel(field, error.what());
  }
}

void check_positive(double number, const std::string& field) {
  check(std::isfinite(number) && number > 0.0, field, "must be a positive number, found " + std::to_string(number));
}

/// A map's step is made of whole steps of the map before it, or of the fine scheme.
void check_multiple(double dt, double of, const std::string& field, const std::string& of_what) {
  const double ratio = dt / of;
  check(ratio < 1e9 && std::round(ratio) >= 1.0 && std::abs(ratio - std::round(ratio)) <= 1e-9 * ratio, field,
        "must be a whole multiple of " + of_what + ", " + std::to_string(of) + ", found " + std::to_string(dt));
}

void check_map(const FlowMapModel& map, std::size_t dimension, const std::string& path) {
  check_positive(map.dt, path + ".dt");
  if (map.base.empty()) {
    check(map.substeps == 0, path + ".substeps",
          "must be 0 without a base scheme, found " + std::to_string(map.substeps));
  } else {
    check_tableau(map.base, path + ".base");
    check(map.substeps >= 1 && map.substeps <= 1000000, path + ".substeps",
          "expected 1 to 1000000, found " + std::to_string(map.substeps));
  }
  check(map.states >= 1 && (map.states == 1 || map.base.empty()), path + ".states",
        "expected at least 1, and 1 with a base scheme, found " + std::to_string(map.states));
  map.approximator.validate(path + ".approximator");
  const auto of_dimension = [&](std::size_t found, const char* field) {
    check(found == dimension, path + field,
          "expected the dimension of the maps, " + std::to_string(dimension) + ", found " + std::to_string(found));
  };
  of_dimension(map.approximator.inputs, ".approximator.inputs");
  check(map.approximator.outputs % map.states == 0, path + ".approximator.outputs",
        "expected a multiple of its " + std::to_string(map.states) + " states, found " +
            std::to_string(map.approximator.outputs));
  of_dimension(map.approximator.outputs / map.states, ".approximator.outputs");
  of_dimension(map.state.size(), ".state");
  of_dimension(map.limit.size(), ".limit");
  for (std::size_t i = 0; i < dimension; ++i) {
    const auto& interval = map.state[i];
    check(std::isfinite(interval.lower) && std::isfinite(interval.upper) && interval.lower <= interval.upper,
          path + ".state[" + std::to_string(i) + "]", "expected a finite interval with lower <= upper");
    check(std::isfinite(map.limit[i]) && map.limit[i] >= 0.0, path + ".limit[" + std::to_string(i) + "]",
          "expected a finite number >= 0");
  }
  check(std::isfinite(map.step_rms) && map.step_rms >= 0.0, path + ".step_rms", "expected a finite number >= 0");
}

void check_reduced(const ReducedCoordinates& reduced, std::size_t dimension) {
  check(reduced.mean.size() == dimension, "reduced.mean",
        "expected the dimension, " + std::to_string(dimension) + ", found " + std::to_string(reduced.mean.size()));
  const std::size_t count = reduced.count();
  check(count >= 1 && count <= dimension && reduced.modes.size() == count * dimension, "reduced.modes",
        "expected 1 to " + std::to_string(dimension) + " modes of that many numbers, found " +
            std::to_string(reduced.modes.size()) + " numbers");
  for (const double number : reduced.mean) check(std::isfinite(number), "reduced.mean", "expected finite numbers");
  constexpr double tolerance = 1e-6;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double product = 0.0;
      for (std::size_t k = 0; k < dimension; ++k) {
        product += reduced.modes[i * dimension + k] * reduced.modes[j * dimension + k];
      }
      check(std::abs(product - (i == j ? 1.0 : 0.0)) <= tolerance, "reduced.modes", // NaN compares false
            "expected orthonormal rows, found " + std::to_string(product) + " for the product of rows " +
                std::to_string(j) + " and " + std::to_string(i));
    }
  }
}

} // namespace

void validate_hierarchy(const HierarchyModel& hierarchy, std::size_t dimension) {
  check_positive(hierarchy.fine_dt, "fine_dt");
  check_tableau(hierarchy.fine, "fine");
  check(!hierarchy.maps.empty(), "maps", "a hierarchy needs at least one flow map");
  if (hierarchy.reduced) check_reduced(*hierarchy.reduced, dimension);
  const std::size_t of_maps = hierarchy.reduced ? hierarchy.reduced->count() : dimension;
  for (std::size_t k = 0; k < hierarchy.maps.size(); ++k) {
    const std::string path = "maps[" + std::to_string(k) + "]";
    check_map(hierarchy.maps[k], of_maps, path);
    const double below = k == 0 ? hierarchy.fine_dt : hierarchy.maps[k - 1].dt;
    check_multiple(hierarchy.maps[k].dt, below, path + ".dt", k == 0 ? "fine_dt" : "the dt of the map before it");
    check_multiple(hierarchy.maps[k].dt / static_cast<double>(hierarchy.maps[k].states), hierarchy.fine_dt,
                   path + ".states", "fine_dt in time apart");
    check(k == 0 || hierarchy.maps[k].dt > 1.5 * below, path + ".dt", "must be larger than that of the map before it");
  }
  const auto index = [&](std::size_t found, const char* field) {
    check(found < hierarchy.maps.size(), field,
          "there are " + std::to_string(hierarchy.maps.size()) + " maps, found index " + std::to_string(found));
  };
  index(hierarchy.lower, "lower");
  index(hierarchy.upper, "upper");
  index(hierarchy.placing, "placing");
  check(hierarchy.lower <= hierarchy.upper, "lower", "must not be above upper");
}

} // namespace lodestep::detail
