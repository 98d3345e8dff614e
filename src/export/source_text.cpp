#include "export/source_text.hpp"

#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>

#include <cstdio>
#include <stdexcept>

namespace lodestep {

namespace source {

namespace {

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

} // namespace

void check_name(const std::string& name) {
  bool sound = !name.empty() && name.size() <= 40 && letter(name[0]);
  for (char c : name) sound &= letter(c) || digit(c) || c == '_';
  if (!sound) {
    throw InvalidArgument("'" + name +
                          "' cannot name generated code: expected a letter followed by letters, digits and "
                          "underscores, 40 at most");
  }
}

const HierarchyModel& whole_states(const Model& model) {
  const auto& hierarchy = std::get<HierarchyModel>(model.method);
  if (hierarchy.reduced) {
    throw InvalidArgument("export: the flow maps step reduced coordinates, and classical steps between need whole "
                          "states; there is no source form of that");
  }
  return hierarchy;
}

std::string comment(const std::string& text) {
  std::string result;
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    result += code < 32 || code > 126 || c == '*' || c == '\\' || c == '?' ? '_' : c;
  }
  return result;
}

std::string hexadecimal(double value) {
  return formatted("%a", value);
}

std::string decimal(double value) {
  return formatted("%.16e", value);
}

std::string fill(std::string_view text, const std::vector<Replacement>& replacements) {
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t begin = text.find('@', at);
    result += text.substr(at, begin == text.npos ? text.npos : begin - at);
    if (begin == text.npos) return result;
    const std::size_t end = text.find('@', begin + 1);
    const std::string_view key = text.substr(begin + 1, end - begin - 1);
    bool found = false;
    for (const auto& replacement : replacements) {
      if (replacement.key != key) continue;
      result += replacement.value;
      found = true;
      break;
    }
    if (!found) throw std::logic_error("source template: unknown key @" + std::string(key) + "@");
    at = end + 1;
  }
}

std::vector<double> transposed(const std::vector<double>& matrix, std::size_t rows, std::size_t columns,
                               std::size_t columns_padded, std::size_t rows_padded) {
  std::vector<double> result(columns_padded * rows_padded);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) result[c * rows_padded + r] = matrix[r * columns + c];
  }
  return result;
}

std::vector<double> padded(const std::vector<double>& matrix, std::size_t rows, std::size_t columns,
                           std::size_t columns_padded) {
  std::vector<double> result(rows * columns_padded);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) result[r * columns_padded + c] = matrix[r * columns + c];
  }
  return result;
}

} // namespace source

std::string source_name(const std::string& text) {
  std::string name;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    name += source::letter(c) || source::digit(c) ? c : '_';
  }
  if (name.empty() || !source::letter(name[0])) name = "stepper" + (name.empty() ? name : "_" + name);
  return name.substr(0, 40);
}

} // namespace lodestep
