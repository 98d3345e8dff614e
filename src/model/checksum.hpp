#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// A checksum that lies within what it sums: the metadata entry "checksum" of a model file holds the CRC-64/XZ of the
/// whole file, taken with its own 16 hexadecimal digits as zeros. It catches every burst of up to 64 bits, and lets any
/// other damage pass with a probability of 2^-64. It guards against accidents, not against an adversary.
namespace lodestep::detail {

inline constexpr const char* checksum_key = "checksum";
/// What stands in the metadata until `seal`.
std::string checksum_placeholder();

/// CRC-64/XZ: the reflected ECMA-182 polynomial, initial value and final mask of all ones.
std::uint64_t crc64(const unsigned char* data, std::size_t size);

/// Puts the checksum in the place of the placeholder in a file's bytes.
void seal(std::vector<unsigned char>& file);

/// Throws InvalidModel("checksum") unless the checksum is there, once, in lower case, and right.
void check_seal(const unsigned char* file, std::size_t size);

} // namespace lodestep::detail
