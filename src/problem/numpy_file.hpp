#pragma once

#include <lodestep/error.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace lodestep {

struct NumpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> values; ///< row-major, whatever the file's order
};

/// Reads a .npy file (format 1 to 3) of little-endian doubles or floats. Throws IoError, or InvalidData naming what was
/// expected.
LODESTEP_TRAIN_EXPORT NumpyArray load_numpy(const std::string& path);

} // namespace lodestep
