#pragma once

#include <lodestep/model.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace lodestep::report {

/// describe and describe_json of a model of kind `tableau`, coefficients included: there are few, and they are the
/// model.
std::string describe_tableau(const Model& model);
nlohmann::ordered_json describe_tableau_json(const Model& model);

} // namespace lodestep::report
