#include "model/safetensors.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>

namespace lodestep::detail {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::size_t alignment = 8;
// Far more than any description needs (10^5 variables), and small enough that a damaged length or a hostile header
// cannot make the parser ask for gigabytes.
constexpr std::size_t header_limit = std::size_t{16} << 20;
constexpr const char* metadata_key = "__metadata__";

// Byte by byte, so that the file is the same whatever the byte order of the processor. Compilers make one move of it.
template <class Word> void append_little_endian(std::vector<unsigned char>& bytes, Word word) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) bytes.push_back(static_cast<unsigned char>(word >> (8 * i)));
}

template <class Word> Word read_little_endian(const unsigned char* bytes) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) word |= static_cast<Word>(Word{bytes[i]} << (8 * i));
  return word;
}

/// Number of bytes of an array, or nothing if that overflows.
bool byte_count(const std::vector<std::size_t>& shape, Dtype dtype, std::size_t& bytes) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) {
    bytes = 0;
    return true;
  }
  bytes = size_of(dtype);
  for (std::size_t extent : shape) {
    if (extent > std::numeric_limits<std::size_t>::max() / bytes) return false;
    bytes *= extent;
  }
  return true;
}

std::string text_of(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void append_values(std::vector<unsigned char>& bytes, const std::string& name, const Tensor& tensor) {
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const double value = tensor.values[i];
    if (tensor.dtype == Dtype::f64) {
      append_little_endian(bytes, std::bit_cast<std::uint64_t>(value));
      continue;
    }
    if (tensor.dtype == Dtype::i32) {
      if (!(value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) ||
          std::trunc(value) != value) {
        throw InvalidModel(name + "[" + std::to_string(i) + "]",
                           "an integer of 32 bits asked for, found " + Json(value).dump());
      }
      append_little_endian(bytes, static_cast<std::uint32_t>(static_cast<std::int32_t>(value)));
      continue;
    }
    // The conversion is undefined outside a float's range, hence the first test.
    if (!(std::abs(value) <= std::numeric_limits<float>::max()) ||
        static_cast<double>(static_cast<float>(value)) != value) {
      throw InvalidModel(name + "[" + std::to_string(i) + "]",
                         "single precision asked for, but the number is no float: " + Json(value).dump() +
                             "; round the weights of an f32 term to float");
    }
    append_little_endian(bytes, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  }
}

struct Entry {
  std::string name;
  Dtype dtype;
  std::vector<std::size_t> shape;
  std::size_t begin;
  std::size_t end;
};

Entry read_entry(const std::string& name, const Json& description) {
  ObjectReader reader(description, name);
  Entry entry;
  entry.name = name;
  const std::string dtype = reader.text("dtype");
  if (dtype == to_string(Dtype::f64)) {
    entry.dtype = Dtype::f64;
  } else if (dtype == to_string(Dtype::f32)) {
    entry.dtype = Dtype::f32;
  } else if (dtype == to_string(Dtype::i32)) {
    entry.dtype = Dtype::i32;
  } else {
    throw InvalidModel(reader.path("dtype"), "unknown element type " + quoted(dtype) + ": expected F64, F32 or I32");
  }
  entry.shape = reader.sizes("shape");
  const auto offsets = reader.sizes("data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw InvalidModel(reader.path("data_offsets"), "expected [begin, end] with begin <= end");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  reader.finish();
  std::size_t bytes = 0;
  if (!byte_count(entry.shape, entry.dtype, bytes)) {
    throw InvalidModel(reader.path("shape"), text_of(entry.shape) + " is too large");
  }
  if (bytes != entry.end - entry.begin) {
    throw InvalidModel(reader.path("data_offsets"), "shape " + text_of(entry.shape) + " of " + dtype + " takes " +
                                                        std::to_string(bytes) + " bytes, the offsets give " +
                                                        std::to_string(entry.end - entry.begin));
  }
  return entry;
}

std::vector<double> read_values(const Entry& entry, const unsigned char* data) {
  const std::size_t width = size_of(entry.dtype);
  std::vector<double> values((entry.end - entry.begin) / width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const unsigned char* element = data + entry.begin + i * width;
    if (entry.dtype == Dtype::f64) {
      values[i] = std::bit_cast<double>(read_little_endian<std::uint64_t>(element));
      continue;
    }
    const auto word = read_little_endian<std::uint32_t>(element);
    values[i] = entry.dtype == Dtype::f32 ? static_cast<double>(std::bit_cast<float>(word))
                                          : static_cast<double>(static_cast<std::int32_t>(word));
  }
  return values;
}

} // namespace

const char* to_string(Dtype dtype) noexcept {
  return dtype == Dtype::f64 ? "F64" : dtype == Dtype::f32 ? "F32" : "I32";
}

std::size_t size_of(Dtype dtype) noexcept {
  return dtype == Dtype::f64 ? 8 : 4;
}

std::vector<unsigned char> write_safetensors(const Metadata& metadata, const Tensors& tensors) {
  Json header = Json::object();
  for (const auto& [key, value] : metadata) {
    check_utf8(key, metadata_key);
    check_utf8(value, key);
    header[metadata_key][key] = value;
  }
  std::vector<unsigned char> data;
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::i32}) {
    for (const auto& [name, tensor] : tensors) {
      if (tensor.dtype != dtype) continue;
      check_utf8(name, name);
      std::size_t bytes = 0;
      if (!byte_count(tensor.shape, dtype, bytes) || bytes != tensor.values.size() * size_of(dtype)) {
        throw InvalidModel(name, "shape " + text_of(tensor.shape) + " does not hold " +
                                     std::to_string(tensor.values.size()) + " numbers");
      }
      const std::size_t begin = data.size();
      append_values(data, name, tensor);
      header[name] = {{"dtype", to_string(dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
  }
  std::string text = dump_json(header);
  text.append((alignment - text.size() % alignment) % alignment, ' ');
  if (text.size() > header_limit) {
    throw InvalidModel("file", "the description takes " + std::to_string(text.size()) + " bytes, more than the " +
                                   std::to_string(header_limit) + " that a model file may have");
  }
  std::vector<unsigned char> bytes;
  bytes.reserve(length_bytes + text.size() + data.size());
  append_little_endian(bytes, std::uint64_t{text.size()});
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

SafetensorsHeader read_safetensors_header(const unsigned char* data, std::size_t size) {
  if (size < length_bytes) {
    throw InvalidModel("file", "a safetensors file has at least 8 bytes, found " + std::to_string(size));
  }
  const auto length = read_little_endian<std::uint64_t>(data);
  if (length > header_limit) {
    throw InvalidModel("file", "not a safetensors file: its first 8 bytes give a header of " + std::to_string(length) +
                                   " bytes, more than the " + std::to_string(header_limit) + " allowed");
  }
  if (length > size - length_bytes) {
    throw InvalidModel("file", "cut short: a header of " + std::to_string(length) + " bytes is announced, " +
                                   std::to_string(size - length_bytes) + " follow");
  }
  SafetensorsHeader header;
  header.data_begin = length_bytes + static_cast<std::size_t>(length);
  header.table = parse_json_object(
      std::string_view(reinterpret_cast<const char*>(data) + length_bytes, static_cast<std::size_t>(length)), "file");
  const auto metadata = header.table.find(metadata_key);
  if (metadata != header.table.end()) {
    ObjectReader reader(*metadata, metadata_key);
    for (const auto& [key, value] : metadata->items()) header.metadata[key] = reader.text(key);
    header.table.erase(metadata);
  }
  return header;
}

Tensors read_safetensors_tensors(const SafetensorsHeader& header, const unsigned char* data, std::size_t size) {
  std::vector<Entry> entries;
  for (const auto& [name, description] : header.table.items()) entries.push_back(read_entry(name, description));
  // By end as well, so that an empty array sorts before the one that starts where it stands.
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::size_t end = 0;
  for (const auto& entry : entries) {
    if (entry.begin != end) {
      throw InvalidModel(entry.name + ".data_offsets",
                         std::string(entry.begin < end ? "overlaps the array before it" : "leaves a gap before it") +
                             ": expected to begin at " + std::to_string(end) + ", found " +
                             std::to_string(entry.begin));
    }
    end = entry.end;
  }
  const std::size_t available = size - header.data_begin;
  if (end > available) {
    throw InvalidModel("file", "cut short: the header describes " + std::to_string(end) + " bytes of data, found " +
                                   std::to_string(available));
  }
  if (end < available) {
    throw InvalidModel("file", std::to_string(available - end) + " bytes follow the last array");
  }
  Tensors tensors;
  for (auto& entry : entries) {
    Tensor tensor{entry.dtype, entry.shape, read_values(entry, data + header.data_begin)};
    tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  return tensors;
}

} // namespace lodestep::detail
