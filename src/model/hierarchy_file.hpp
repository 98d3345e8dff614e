#pragma once

#include "model/safetensors.hpp"
#include "model/strict_json.hpp"
#include "model/tensor_reader.hpp"

#include <lodestep/model.hpp>

/// What a model of kind `hierarchy` has beyond the fields every model has.
namespace lodestep::detail {

/// Adds its members to the description and its arrays to `tensors`.
void write_method(const HierarchyModel& hierarchy, Json& description, Tensors& tensors);
/// Takes them again.
HierarchyModel read_hierarchy(ObjectReader& description, TensorReader& tensors);

} // namespace lodestep::detail
