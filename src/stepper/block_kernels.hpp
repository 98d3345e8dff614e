#pragma once

#include <lodestep/model.hpp>

#include <cstddef>

/// Passes over a block of an ensemble, compiled for every instruction set: block_kernels.cpp. Those that the public
/// headers call are declared there (ensemble_block.hpp).
namespace lodestep::detail {

/// inside[k] = 1 where every variable of member k, u[i * n + k], lies in its interval (NaN does not), else 0; whether
/// all do.
bool inside_box(const double* u, const Interval* box, std::size_t dimension, std::size_t n, double* inside) noexcept;

/// difference = a - b
void subtract(const double* a, const double* b, std::size_t count, double* difference) noexcept;

/// next += correction; whether every |correction| was at most factor * limit, and every `next` finite.
bool add_if_small(const double* correction, const double* limit, double factor, std::size_t count,
                  double* next) noexcept;

} // namespace lodestep::detail
