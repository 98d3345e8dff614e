#pragma once

#include <lodestep/corrector_model.hpp>

#include <cstddef>
#include <vector>

namespace lodestep::source {

/// A density as exported code evaluates it: y = weight m, m = [1, z, products], z = (x - mean) factor, and the products
/// m[1 + inputs + i] = m[parent[i]] m[variable[i]], indices counted from 0.
struct DensityTables {
  std::size_t inputs = 0;
  std::size_t terms = 0;   ///< of m
  std::size_t outputs = 0; ///< of y
  std::vector<double> mean;
  std::vector<double> factor;
  std::vector<double> weight; ///< [outputs, terms]
  std::vector<std::size_t> parent;
  std::vector<std::size_t> variable;
};

/// Throws InvalidArgument if the projection is no affine map or polynomial.
DensityTables density_tables(const Density& density);

} // namespace lodestep::source
