#pragma once

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>

#include <cstdint>

namespace lodestep::detail {

/// The tableau with an FSAL stage and an embedded row learned for the family: of all estimates dt sum d_i k_i with
/// sum d = 0, the one whose logarithm correlates best with that of the true error of a step, over states along the
/// family's trajectories and the step sizes of family.dt. It is scaled so that on these steps it is as large, in
/// geometric mean, as the estimate of Bogacki and Shampine: a tolerance then means what it means there.
ButcherTableau with_learned_embedded_row(const Family& family, ButcherTableau tableau, std::uint64_t seed);

/// Correlation of log estimate and log error over held-out steps of a family, step sizes spread evenly in log(dt) over
/// family.dt. The tableau must have an embedded row.
double estimate_correlation(const Family& family, const ButcherTableau& tableau, std::uint64_t seed, Split split);

} // namespace lodestep::detail
