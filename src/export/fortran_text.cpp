#include "export/fortran_text.hpp"

#include "export/source_text.hpp"

#include <algorithm>

namespace lodestep::source {

namespace {

/// A data statement may have 255 continued lines; four numbers fit on one.
template <class T, class Print>
std::string data(const std::string& type, const std::string& name, const std::vector<T>& values, const Print& print) {
  constexpr std::size_t most = 400;
  std::string out = "  " + type + ", save :: " + name + "(" + std::to_string(values.size()) + ")\n";
  for (std::size_t begin = 0; begin < values.size(); begin += most) {
    const std::size_t end = std::min(begin + most, values.size());
    out += "  data " + name + "(" + std::to_string(begin + 1) + ":" + std::to_string(end) + ") / &\n";
    for (std::size_t i = begin; i < end; ++i) {
      out += (i - begin) % 4 == 0 ? "    " : " ";
      out += print(values[i]);
      if (i + 1 < end) out += (i - begin) % 4 == 3 ? ", &\n" : ",";
    }
    out += " /\n";
  }
  return out;
}

} // namespace

std::string fortran_comment(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line.empty() ? "!\n" : "! " + line + "\n";
  return text;
}

std::string fortran_table(const std::string& name, const std::vector<double>& values) {
  return data("real(dp)", name, values, fortran_constant);
}

std::string fortran_table(const std::string& name, const std::vector<std::size_t>& values) {
  return data("integer", name, values, [](std::size_t value) { return std::to_string(value); });
}

std::string fortran_table(const std::string& name, const std::vector<std::int64_t>& values) {
  return data("integer", name, values, [](std::int64_t value) { return std::to_string(value); });
}

std::string fortran_constant(double value) {
  return decimal(value) + "_dp";
}

} // namespace lodestep::source
