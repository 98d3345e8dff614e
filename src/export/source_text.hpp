#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/model.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What the writers of source code share.
namespace lodestep::source {

/// Throws InvalidArgument unless `name` may start every public name of the generated code.
void check_name(const std::string& name);

/// Throws InvalidArgument if the maps step reduced coordinates: the sources place whole states and fill in between.
const HierarchyModel& whole_states(const Model& model);

/// Text from a model file, fit for a comment: it can neither end it nor hold a control character.
std::string comment(const std::string& text);

/// "0x1.91eb851eb851fp+3": exact.
std::string hexadecimal(double value);
/// "1.2561875000000000e+01": seventeen digits, which give the same number back.
std::string decimal(double value);

/// `text` with every `@key@` replaced; all keys must be known.
struct Replacement {
  std::string_view key;
  std::string value;
};
std::string fill(std::string_view text, const std::vector<Replacement>& replacements);

/// Lines that tell a reader what the model is, without comment marks.
std::vector<std::string> describe_model(const Model& model);

/// [rows, columns] row-major to [columns, rows_padded], new entries zero.
std::vector<double> transposed(const std::vector<double>& matrix, std::size_t rows, std::size_t columns,
                               std::size_t columns_padded, std::size_t rows_padded);
/// Each row of [rows, columns] followed by zeros up to `columns_padded`.
std::vector<double> padded(const std::vector<double>& matrix, std::size_t rows, std::size_t columns,
                           std::size_t columns_padded);
inline std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

} // namespace lodestep::source
