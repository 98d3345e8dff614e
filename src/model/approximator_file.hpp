#pragma once

#include "model/safetensors.hpp"
#include "model/strict_json.hpp"
#include "model/tensor_reader.hpp"

#include <lodestep/approximator.hpp>

#include <string>

/// An approximator in a model file: its shape and settings as JSON, its numbers as arrays.
namespace lodestep::detail {

/// Writes the arrays `path`.input_mean, .input_scale, .output_scale, .affine.weight, .affine.bias and those of the
/// term to `tensors`, and returns the rest. Weights of an f32 approximator's term are F32, all else is F64: the affine
/// term and the standardisation are evaluated in double whatever the precision.
Json write_approximator(const ApproximatorSpec& spec, const std::string& path, Tensors& tensors);

/// The inverse. Shapes are left for ApproximatorSpec::validate, but nothing is sized by a number that the file's own
/// length does not bound.
ApproximatorSpec read_approximator(ObjectReader json, const std::string& path, TensorReader& tensors);

} // namespace lodestep::detail
