#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Pieces of Fortran that every kind of model is written with.
namespace lodestep::source {

/// Each line after "! ".
std::string fortran_comment(const std::vector<std::string>& lines);

/// A saved array of real(dp), or of integers, with its values.
std::string fortran_table(const std::string& name, const std::vector<double>& values);
std::string fortran_table(const std::string& name, const std::vector<std::size_t>& values);
std::string fortran_table(const std::string& name, const std::vector<std::int64_t>& values);

/// "1.0000000000000000e-01_dp"
std::string fortran_constant(double value);

} // namespace lodestep::source
