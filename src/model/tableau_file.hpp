#pragma once

#include "model/safetensors.hpp"
#include "model/strict_json.hpp"
#include "model/tensor_reader.hpp"

#include <lodestep/model.hpp>

/// What a model of kind `tableau` has beyond the fields every model has.
namespace lodestep::detail {

/// Adds its members to the description and its arrays to `tensors`.
void write_method(const TableauModel& tableau, Json& description, Tensors& tensors);
/// Takes them again.
TableauModel read_tableau(ObjectReader& description, TensorReader& tensors);

} // namespace lodestep::detail
