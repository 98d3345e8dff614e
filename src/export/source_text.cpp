#include "export/source_text.hpp"

#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>
#include <lodestep/version.hpp>

#include <cstdio>
#include <stdexcept>
#include <variant>

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

/// Text from a model file, fit for a comment: it can neither end it nor hold a control character.
std::string comment(const std::string& text) {
  std::string result;
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    result += code < 32 || code > 126 || c == '*' || c == '\\' || c == '?' ? '_' : c;
  }
  return result;
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

std::vector<std::string> describe_model(const Model& model) {
  const auto& corrector = std::get<CorrectorModel>(model.method);
  std::vector<std::string> lines;
  lines.push_back("A learned ODE stepper, written by lodestep " LODESTEP_VERSION_STRING
                  ". Do not edit: export it again.");
  lines.push_back("");
  lines.push_back("Problem   " + comment(model.provenance.problem));
  lines.push_back("Method    " + corrector.base + " corrected by a " + corrector.approximator.description() +
                  " of its " + to_string(corrector.input));
  lines.push_back("Step      " + formatted("%.10g", corrector.dt) + "; any other is taken by " +
                  corrector.fallback_scheme() + " in sub-steps of at most " +
                  formatted("%.6g", corrector.dt / corrector.fallback_substeps));
  lines.push_back("Error     " + formatted("%.3g", model.error.step_rms) + " rms of one step, " +
                  formatted("%.3g", model.error.horizon_rms) + " rms over " + formatted("%g", model.error.horizon) +
                  " (measured on held-out initial states)");
  lines.push_back("Domain    outside of which " + corrector.fallback_scheme() + " takes over:");
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const auto& interval = corrector.domain.state[i];
    const std::string unit = model.variables[i].unit.empty() ? "" : " " + comment(model.variables[i].unit);
    lines.push_back("            " + formatted("%.6g", interval.lower) + " <= " + comment(model.variables[i].name) +
                    " <= " + formatted("%.6g", interval.upper) + unit);
  }
  return lines;
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
