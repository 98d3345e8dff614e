#pragma once

#include <lodestep/family.hpp>
#include <lodestep/model.hpp>

#include <cstdint>

namespace lodestep::detail {

/// Measures, on validation tasks, where a learned tableau is no worse than its classical one, and writes it into the
/// model: step sizes in [1e-4, 1], how far the parameters may leave their trained range, and the box of states that
/// the tasks visit.
void measure_validity(const Family& family, std::uint64_t seed, Model& model);

} // namespace lodestep::detail
