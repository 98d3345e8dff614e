#include "problem/numpy_file.hpp"

#include "model/file_bytes.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace lodestep {

namespace {

/// The header of a .npy file is a Python dictionary of three entries, all printed the same way by every writer.
class Header {
public:
  Header(std::string text, const std::string& path) : text_(std::move(text)), path_(path) {}

  std::string type() const {
    const std::size_t from = after("descr");
    if (text_[from] != '\'') throw InvalidData(path_ + ": structured arrays cannot be read, only doubles or floats");
    const std::size_t to = text_.find('\'', from + 1);
    if (to == std::string::npos) damaged();
    return text_.substr(from + 1, to - from - 1);
  }
  bool column_major() const { return text_.compare(after("fortran_order"), 4, "True") == 0; }
  std::vector<std::size_t> shape() const {
    std::vector<std::size_t> extents;
    std::size_t at = after("shape");
    if (text_[at] != '(') damaged();
    for (++at; at < text_.size() && text_[at] != ')'; ++at) {
      if (text_[at] == ',' || text_[at] == ' ') continue;
      std::size_t extent = 0;
      const auto [stop, error] = std::from_chars(text_.data() + at, text_.data() + text_.size(), extent);
      if (error != std::errc()) damaged();
      extents.push_back(extent);
      at = static_cast<std::size_t>(stop - text_.data()) - 1;
    }
    if (at >= text_.size()) damaged();
    return extents;
  }

private:
  std::size_t after(const std::string& key) const {
    std::size_t at = text_.find("'" + key + "'");
    if (at == std::string::npos) damaged();
    at = text_.find(':', at);
    if (at == std::string::npos) damaged();
    at = text_.find_first_not_of(' ', at + 1);
    if (at == std::string::npos) damaged();
    return at;
  }
  [[noreturn]] void damaged() const { throw InvalidData(path_ + ": the header of the .npy file is damaged"); }

  std::string text_;
  const std::string& path_;
};

template <class T> std::vector<double> numbers(const unsigned char* from, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t n = 0; n < count; ++n) {
    T value;
    std::memcpy(&value, from + n * sizeof(T), sizeof(T));
    values[n] = static_cast<double>(value);
  }
  return values;
}

/// Row-major from column-major.
std::vector<double> transposed(const std::vector<double>& columns, const std::vector<std::size_t>& shape) {
  std::vector<double> rows(columns.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (double& value : rows) {
    std::size_t from = 0;
    for (std::size_t i = shape.size(); i-- > 0;) from = from * shape[i] + index[i];
    value = columns[from];
    for (std::size_t i = shape.size(); i-- > 0 && ++index[i] == shape[i];) index[i] = 0;
  }
  return rows;
}

} // namespace

NumpyArray load_numpy(const std::string& path) {
  const auto bytes = detail::read_file(path);
  constexpr unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (bytes.size() < 12 || !std::equal(std::begin(magic), std::end(magic), bytes.begin())) {
    throw InvalidData(path + ": not a .npy file");
  }
  const unsigned version = bytes[6];
  if (version < 1 || version > 3) {
    throw InvalidData(path + ": .npy format " + std::to_string(version) + "; formats 1 to 3 can be read");
  }
  const std::size_t start = version == 1 ? 10 : 12;
  std::size_t length = bytes[8] + 256u * std::size_t{bytes[9]};
  if (version > 1) length += (std::size_t{bytes[10]} << 16) + (std::size_t{bytes[11]} << 24);
  if (length > bytes.size() - start) throw InvalidData(path + ": the header of the .npy file is cut short");
  const Header header(
      {bytes.begin() + static_cast<std::ptrdiff_t>(start), bytes.begin() + static_cast<std::ptrdiff_t>(start + length)},
      path);
  const std::string type = header.type();
  if (type != "<f8" && type != "<f4") {
    throw InvalidData(path + ": numbers of type '" + type + "', expected '<f8' or '<f4' (double or float)");
  }
  NumpyArray array;
  array.shape = header.shape();
  const std::size_t width = type == "<f8" ? sizeof(double) : sizeof(float);
  const unsigned char* data = bytes.data() + start + length;
  const std::size_t found = (bytes.size() - start - length) / width;
  double count = 1.0; // in floating point: a damaged shape must not overflow
  for (const std::size_t extent : array.shape) count *= static_cast<double>(extent);
  if (count == 0.0 || array.shape.empty()) throw InvalidData(path + ": the array is empty");
  if (count != static_cast<double>(found) || (bytes.size() - start - length) % width != 0) {
    throw InvalidData(path + ": the shape asks for " + std::to_string(count) + " numbers, the file holds " +
                      std::to_string(found));
  }
  array.values = width == sizeof(double) ? numbers<double>(data, found) : numbers<float>(data, found);
  if (header.column_major()) array.values = transposed(array.values, array.shape);
  return array;
}

} // namespace lodestep
