#pragma once

#include "model/strict_json.hpp"

#include <lodestep/export.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

/// The safetensors container: named arrays in a file that other languages read too.
///
///     8 bytes   length N of the header, little-endian
///     N bytes   JSON: {"__metadata__": {string: string}, "<name>": {"dtype", "shape", "data_offsets"}, ...},
///               padded with spaces so that the data starts at a multiple of 8
///     the rest  the arrays, row-major, little-endian, one after the other without gaps
///
/// Format: https://github.com/huggingface/safetensors#format
namespace lodestep::detail {

enum class Dtype { f64, f32, i32 };

/// "F64", "F32", "I32".
const char* to_string(Dtype dtype) noexcept;
std::size_t size_of(Dtype dtype) noexcept;

/// One array. Its numbers are doubles here, whatever they are in the file: floats and integers of 32 bits are doubles
/// exactly.
struct Tensor {
  Dtype dtype = Dtype::f64;
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

using Tensors = std::map<std::string, Tensor>;
using Metadata = std::map<std::string, std::string>;

/// The bytes of a file. Equal arguments give equal bytes: F64 first, so that every array is aligned, then F32 and I32,
/// each in order of names. Throws InvalidModel naming the tensor if a number of an F32 or I32 tensor is none of its
/// kind (rounding it would silently write another model), its shape and values disagree, or a string is not UTF-8.
LODESTEP_EXPORT std::vector<unsigned char> write_safetensors(const Metadata& metadata, const Tensors& tensors);

/// The part of a file that says what is in it. Read on its own so that a file of a newer format, which may hold what
/// this reader does not know, can be told from a damaged one.
struct SafetensorsHeader {
  Metadata metadata;
  Json table;                 ///< the description of each tensor, unchecked
  std::size_t data_begin = 0; ///< where the arrays start
};

/// Reads the header and the metadata. Throws InvalidModel: field `file` if the file is no safetensors file or is cut
/// short within the header, `__metadata__` if that is at fault.
LODESTEP_EXPORT SafetensorsHeader read_safetensors_header(const unsigned char* data, std::size_t size);

/// Reads all arrays: known dtypes, shapes that agree with the offsets, and data that follow one another without gap
/// or overlap up to the last byte of the file. All is checked before anything is allocated. Throws InvalidModel naming
/// the tensor and its member, or `file` if it is cut short or goes on after the last array.
LODESTEP_EXPORT Tensors read_safetensors_tensors(const SafetensorsHeader& header, const unsigned char* data,
                                                 std::size_t size);

} // namespace lodestep::detail
