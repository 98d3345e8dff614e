#pragma once

#include <lodestep/train_export.hpp>

#include <cstddef>

namespace lodestep::detail {

/// gram += rows' rows for rows [count, columns] (row-major): the lower triangle of gram [columns, columns]; what is
/// above the diagonal is not meaningful afterwards. On the best instruction set of this processor, chosen at run time:
/// Eigen's own product is as wide as the compiler was told, which for a portable build is a quarter of the machine.
/// The order of summation does not depend on the machine. O(count columns^2).
LODESTEP_TRAIN_EXPORT void add_gram(const double* rows, std::size_t count, std::size_t columns, double* gram);

} // namespace lodestep::detail
