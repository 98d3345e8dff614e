#include "model/checksum.hpp"

#include <lodestep/error.hpp>

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace lodestep::detail {

namespace {

constexpr std::string_view algorithm = "crc64:";
constexpr std::size_t digits = 16;

using Crc = boost::crc_optimal<64, 0x42F0E1EBA9EA3693u, ~std::uint64_t{0}, ~std::uint64_t{0}, true, true>;

std::string hexadecimal(std::uint64_t value) {
  std::string text(digits, '0');
  for (std::size_t i = 0; i < digits; ++i) text[digits - 1 - i] = "0123456789abcdef"[(value >> (4 * i)) & 0xF];
  return text;
}

/// Offset of the digits. A closing quote after the name and an opening one before the value cannot occur unescaped
/// inside a JSON string, so that no description can hold this text; array data may, but come after it.
std::size_t find_digits(const unsigned char* file, std::size_t size) {
  constexpr std::string_view mark = "\"checksum\":\"crc64:";
  const auto* found = std::search(file, file + size, mark.begin(), mark.end());
  const auto offset = static_cast<std::size_t>(found - file) + mark.size();
  if (found == file + size || size - offset < digits) {
    throw InvalidModel(checksum_key, "missing: expected \"" + std::string(algorithm) + "\" and 16 hexadecimal digits");
  }
  return offset;
}

std::uint64_t crc64_without(const unsigned char* file, std::size_t size, std::size_t offset) {
  constexpr std::array<unsigned char, digits> zeros = {'0', '0', '0', '0', '0', '0', '0', '0',
                                                       '0', '0', '0', '0', '0', '0', '0', '0'};
  Crc crc;
  crc.process_bytes(file, offset);
  crc.process_bytes(zeros.data(), digits);
  crc.process_bytes(file + offset + digits, size - offset - digits);
  return crc.checksum();
}

} // namespace

std::string checksum_placeholder() {
  return std::string(algorithm) + std::string(digits, '0');
}

std::uint64_t crc64(const unsigned char* data, std::size_t size) {
  Crc crc;
  crc.process_bytes(data, size);
  return crc.checksum();
}

void seal(std::vector<unsigned char>& file) {
  const std::size_t offset = find_digits(file.data(), file.size());
  const std::string text = hexadecimal(crc64_without(file.data(), file.size(), offset));
  std::copy(text.begin(), text.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
}

void check_seal(const unsigned char* file, std::size_t size) {
  const std::size_t offset = find_digits(file, size);
  const std::string stated(reinterpret_cast<const char*>(file) + offset, digits);
  const std::string actual = hexadecimal(crc64_without(file, size, offset));
  // Compared as text: digits in upper case are a change of the file like any other.
  if (stated != actual) {
    throw InvalidModel(checksum_key,
                       "the file was damaged: its bytes give " + actual + ", which is not what is written in it");
  }
}

} // namespace lodestep::detail
