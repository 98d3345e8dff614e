#pragma once

#include <string>
#include <vector>

/// Pieces of C that every kind of model is written with.
namespace lodestep::source {

/// A decimal floating constant that reads back as the same number: "0.10000000000000001", "3.0".
std::string c_constant(double value);

/// The body of a comment: each line after " * ".
std::string c_comment(const std::vector<std::string>& lines);

/// static const TYPE NAME[count] = {...}; with so many columns that it can be read.
std::string c_table(const std::string& type, const std::string& name, const std::vector<std::string>& entries,
                    std::size_t columns);
/// The same of numbers, as hexadecimal floats; TYPE is "float" or "double".
std::string c_table(const std::string& type, const std::string& name, const std::vector<double>& values);

/// The same letters as the name of a macro.
std::string upper_case(std::string text);

} // namespace lodestep::source
