#pragma once

#include <lodestep/model.hpp>

#include <cstddef>

namespace lodestep::detail {

/// Checks every field against every other. Throws InvalidModel naming the field.
void validate_hierarchy(const HierarchyModel& hierarchy, std::size_t dimension);

} // namespace lodestep::detail
