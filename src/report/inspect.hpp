#pragma once

#include <lodestep/model.hpp>
#include <lodestep/train_export.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace lodestep::report {

/// All a model says about itself, weights excepted, as a page for a person.
LODESTEP_TRAIN_EXPORT std::string describe(const Model& model);

/// The same for a script.
LODESTEP_TRAIN_EXPORT nlohmann::ordered_json describe_json(const Model& model);

} // namespace lodestep::report
