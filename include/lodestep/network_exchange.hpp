#pragma once

#include <lodestep/model.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// Networks from and for other programs: ONNX both ways, and safetensors of Python frameworks in.
namespace lodestep {

/// Whether this library reads and writes ONNX (it was built where Debian's libonnx-dev was found).
LODESTEP_TRAIN_EXPORT bool onnx_available() noexcept;

/// `spec` as an ONNX model (opset 13): input "features", [batch, inputs], output "correction", [batch, outputs], both
/// double; standardisation as nodes of its own; an f32 term between casts. Throws InvalidModel; InvalidArgument without
/// ONNX.
LODESTEP_TRAIN_EXPORT std::vector<unsigned char> export_onnx(const ApproximatorSpec& spec, const std::string& name);

/// The network in an ONNX model: one input [..., inputs] and one output [..., outputs], joined by a chain of affine
/// layers (Gemm, MatMul, Add, Sub, Mul, Div by constants) with one activation (Tanh, Relu, x Sigmoid(x), or a quotient
/// of a cubic and a quadratic polynomial) after each but the last, and an affine map of the input beside it, if any.
/// Constant factors and shifts of the input become its standardisation. What `export_onnx` writes of an affine map or
/// MLP is read back. Throws InvalidModel naming the node or tensor at fault; InvalidArgument without ONNX.
LODESTEP_TRAIN_EXPORT ApproximatorSpec read_onnx(const void* data, std::size_t size);

/// The network in a safetensors file: layers "<name><number>.weight", [outputs, inputs], and "<name><number>.bias",
/// [outputs] (zero if there is none), in the order of their numbers, as the state of a PyTorch Sequential; optionally
/// "input_mean", "input_scale" and "output_scale". The activation between the layers is not in such a file. Throws
/// InvalidModel naming the tensor at fault.
LODESTEP_TRAIN_EXPORT ApproximatorSpec read_safetensors_network(const void* data, std::size_t size,
                                                                Activation activation);

} // namespace lodestep
