#pragma once

#include <lodestep/model.hpp>

#include <nlohmann/json.hpp>

#include <string>

namespace lodestep::report {

/// The parts of describe and describe_json that are a hierarchy's.
nlohmann::ordered_json describe_hierarchy_json(const Model& model);
std::string describe_hierarchy(const Model& model);

} // namespace lodestep::report
