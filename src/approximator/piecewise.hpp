#pragma once

#include <lodestep/approximator.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <string>

/// The grid of cells under piecewise polynomials.
namespace lodestep::detail {

/// Throws InvalidModel naming the field under `path` unless `term` is sound: every cell reached from the grid, each
/// polynomial in one of them.
void validate_piecewise(const PiecewiseTerm& term, std::size_t inputs, std::size_t outputs, const std::string& path);

/// A cell: its lower corner and widths in standardised inputs.
struct GridCell {
  std::array<double, PiecewiseTerm::most_inputs> lower;
  std::array<double, PiecewiseTerm::most_inputs> width;
};

/// Calls `visit` with every cell that has a polynomial, and its index.
LODESTEP_EXPORT void for_each_piece(const PiecewiseTerm& term, std::size_t inputs,
                                    const std::function<void(std::size_t piece, const GridCell&)>& visit);

/// The polynomial at standardised inputs `z`, and the local coordinates there; -1 if there is none.
std::int32_t locate(const PiecewiseTerm& term, std::size_t inputs, const double* z, double* local) noexcept;

} // namespace lodestep::detail
