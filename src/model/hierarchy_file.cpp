#include "model/hierarchy_file.hpp"

#include "model/approximator_file.hpp"

#include <lodestep/error.hpp>

#include <limits>
#include <string>
#include <utility>

namespace lodestep::detail {

namespace {

std::string map_path(std::size_t k) {
  return "maps[" + std::to_string(k) + "]";
}

Json write_map(const FlowMapModel& map, const std::string& path, Tensors& tensors) {
  Json state = Json::array();
  for (const auto& interval : map.state) state.push_back({{"lower", interval.lower}, {"upper", interval.upper}});
  Json json = {{"dt", map.dt},
               {"base", map.base},
               {"substeps", map.substeps},
               {"state", std::move(state)},
               {"limit", map.limit},
               {"step_rms", map.step_rms},
               {"approximator", write_approximator(map.approximator, path + ".approximator", tensors)}};
  if (map.states != 1) json["states"] = map.states; // files without are older than the member
  return json;
}

FlowMapModel read_map(ObjectReader json, const std::string& path, TensorReader& tensors) {
  FlowMapModel map;
  map.dt = json.number("dt");
  map.base = json.text("base");
  map.substeps = json.small_integer("substeps", std::numeric_limits<unsigned>::max());
  const auto& state = json.array("state");
  for (std::size_t i = 0; i < state.size(); ++i) {
    ObjectReader interval(state[i], json.path("state") + "[" + std::to_string(i) + "]");
    const double lower = interval.number("lower");
    map.state.push_back({lower, interval.number("upper")});
    interval.finish();
  }
  if (json.has("states")) map.states = json.size("states");
  map.limit = json.numbers("limit");
  map.step_rms = json.number("step_rms");
  map.approximator = read_approximator(json.object("approximator"), path + ".approximator", tensors);
  json.finish();
  return map;
}

} // namespace

void write_method(const HierarchyModel& hierarchy, Json& description, Tensors& tensors) {
  Json maps = Json::array();
  for (std::size_t k = 0; k < hierarchy.maps.size(); ++k) {
    maps.push_back(write_map(hierarchy.maps[k], map_path(k), tensors));
  }
  description["maps"] = std::move(maps);
  description["reduced"] = hierarchy.reduced.has_value();
  if (hierarchy.reduced) {
    const auto& reduced = *hierarchy.reduced;
    tensors["reduced.mean"] = {Dtype::f64, {reduced.mean.size()}, reduced.mean};
    tensors["reduced.modes"] = {Dtype::f64, {reduced.count(), reduced.mean.size()}, reduced.modes};
  }
  description["lower"] = hierarchy.lower;
  description["upper"] = hierarchy.upper;
  description["placing"] = hierarchy.placing;
  description["fine_dt"] = hierarchy.fine_dt;
  description["fine"] = hierarchy.fine;
}

HierarchyModel read_hierarchy(ObjectReader& description, TensorReader& tensors) {
  HierarchyModel hierarchy;
  const auto& maps = description.array("maps");
  for (std::size_t k = 0; k < maps.size(); ++k) {
    hierarchy.maps.push_back(read_map(ObjectReader(maps[k], map_path(k)), map_path(k), tensors));
  }
  if (description.boolean("reduced")) {
    hierarchy.reduced = ReducedCoordinates{tensors.vector("reduced.mean", Dtype::f64),
                                           tensors.matrix("reduced.modes", Dtype::f64).values};
  }
  hierarchy.lower = description.size("lower");
  hierarchy.upper = description.size("upper");
  hierarchy.placing = description.size("placing");
  hierarchy.fine_dt = description.number("fine_dt");
  hierarchy.fine = description.text("fine");
  return hierarchy;
}

} // namespace lodestep::detail
