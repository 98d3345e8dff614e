#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// Model files taken apart and put together again without the library: a second, independent knowledge of the format.
namespace lodestep::test {

using Bytes = std::vector<unsigned char>;

/// CRC-64/XZ bit by bit, as its definition says.
inline std::uint64_t reference_crc64(const unsigned char* data, std::size_t size) {
  std::uint64_t crc = ~std::uint64_t{0};
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xC96C5795D7870F42u : 0);
  }
  return ~crc;
}

/// Gives a file that was tampered with the checksum of what it now is, wherever it has one.
inline void reseal(Bytes& file) {
  const std::string mark = "\"checksum\":\"crc64:";
  const std::string text(file.begin(), file.end());
  const std::size_t found = text.find(mark);
  if (found == std::string::npos || file.size() - found - mark.size() < 16) return;
  unsigned char* digits = file.data() + found + mark.size();
  std::memset(digits, '0', 16);
  std::uint64_t crc = reference_crc64(file.data(), file.size());
  for (int i = 15; i >= 0; --i, crc >>= 4) digits[i] = static_cast<unsigned char>("0123456789abcdef"[crc & 15]);
}

struct FileParts {
  std::string header; ///< JSON text, padding included
  Bytes data;
};

inline FileParts take_apart(const Bytes& file) {
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | file[static_cast<std::size_t>(i)];
  const auto begin = file.begin() + 8;
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  return {std::string(begin, end), Bytes(end, file.end())};
}

/// With the right length and checksum.
inline Bytes put_together(const FileParts& parts) {
  Bytes file;
  for (int i = 0; i < 8; ++i) file.push_back(static_cast<unsigned char>(parts.header.size() >> (8 * i)));
  file.insert(file.end(), parts.header.begin(), parts.header.end());
  file.insert(file.end(), parts.data.begin(), parts.data.end());
  reseal(file);
  return file;
}

} // namespace lodestep::test
