#include "export/c_text.hpp"

#include "export/source_text.hpp"

#include <cstddef>
#include <cstdio>

namespace lodestep::source {

std::string c_constant(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  std::string constant = text;
  if (constant.find_first_of(".e") == std::string::npos) constant += ".0";
  return constant;
}

std::string c_comment(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line.empty() ? " *\n" : " * " + line + "\n";
  return text;
}

std::string c_table(const std::string& type, const std::string& name, const std::vector<std::string>& entries,
                    std::size_t columns) {
  std::string text = "static const " + type + " " + name + "[" + std::to_string(entries.size()) + "] = {";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    text += i % columns == 0 ? "\n  " : " ";
    text += entries[i] + (i + 1 < entries.size() ? "," : "");
  }
  return text + "};\n";
}

std::string c_table(const std::string& type, const std::string& name, const std::vector<double>& values) {
  std::vector<std::string> entries;
  for (double value : values) entries.push_back(hexadecimal(value) + (type == "float" ? "f" : ""));
  return c_table(type, name, entries, 4);
}

std::string upper_case(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

} // namespace lodestep::source
