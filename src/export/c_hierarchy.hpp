#pragma once

#include <lodestep/source_export.hpp>

namespace lodestep::source {

/// A hierarchy as C: the flow map that places states, its guard, and the fine scheme that fills in between and takes
/// over. `model` is sound and a hierarchy.
CSource c_hierarchy(const Model& model, const std::string& name);

} // namespace lodestep::source
