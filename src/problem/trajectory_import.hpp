#pragma once

#include "problem/trajectory_file.hpp"

#include <lodestep/train_export.hpp>

#include <string>

namespace lodestep {

/// How a file that is not of our making names what it holds.
struct ImportOptions {
  /// HDF5: the dataset [trajectory, time, variable], or [time, variable] of one trajectory, or a group of such
  /// datasets, one for each trajectory, in the order of their names.
  std::string states = "states";
  std::string times = "t"; ///< HDF5: the dataset [time]
  double dt = 0.0;         ///< NumPy: spacing of the times, which a .npy file does not hold; 0: 1
};

/// Reads trajectories from HDF5 (.h5, .hdf5) or from a NumPy array (.npy) of doubles or floats, [trajectory, time,
/// variable] or [time, variable]. Throws IoError if the file cannot be read; InvalidData if it is not what it should
/// be: uneven times, trajectories of unequal length, numbers that are not finite (saying where), another shape or type.
LODESTEP_TRAIN_EXPORT TrajectorySet import_trajectories(const std::string& path, const ImportOptions& options);

} // namespace lodestep
