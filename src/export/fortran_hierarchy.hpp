#pragma once

#include <lodestep/model.hpp>

#include <string>

namespace lodestep::source {

/// A hierarchy as a Fortran module: the flow map that places states, its guard, and the fine scheme that fills in
/// between and takes over. `model` is sound and a hierarchy.
std::string fortran_hierarchy(const Model& model, const std::string& name);

} // namespace lodestep::source
