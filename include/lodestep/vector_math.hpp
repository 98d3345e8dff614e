#pragma once

#include <lodestep/export.hpp>

#include <cstddef>

/// Elementary functions of many numbers at once, for batched right-hand sides: on the best instruction set of this
/// processor, chosen at run time, whatever the caller is compiled for.
namespace lodestep {

/// sine[i] = sin(x[i]), cosine[i] = cos(x[i]) for i < n; within 4 ulp for |x| up to 1e4, NaN for NaN. The results may
/// overwrite x, but not each other.
LODESTEP_EXPORT void sine_cosine(const double* x, double* sine, double* cosine, std::size_t n) noexcept;

} // namespace lodestep
