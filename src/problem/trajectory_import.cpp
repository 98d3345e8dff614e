#include "problem/trajectory_import.hpp"

#include "problem/numpy_file.hpp"

namespace lodestep {

namespace {

bool is_numpy(const std::string& path) {
  return path.size() >= 4 && path.compare(path.size() - 4, 4, ".npy") == 0;
}

TrajectorySet from_numpy(const std::string& path, double dt) {
  NumpyArray array = load_numpy(path);
  if (array.shape.size() == 2) array.shape.insert(array.shape.begin(), 1);
  if (array.shape.size() != 3) {
    throw InvalidData(path + ": an array of " + std::to_string(array.shape.size()) +
                      " dimensions; trajectories are [trajectory, time, variable] or [time, variable]");
  }
  if (array.shape[1] < 2) {
    throw InvalidData(path + ": " + std::to_string(array.shape[1]) + " times: a trajectory needs two at least");
  }
  TrajectorySet set;
  set.trajectories.dt = dt != 0.0 ? dt : 1.0;
  set.trajectories.trajectories = array.shape[0];
  set.trajectories.times = array.shape[1];
  set.trajectories.dimension = array.shape[2];
  set.trajectories.states = std::move(array.values);
  for (std::size_t i = 1; i <= set.trajectories.dimension; ++i) set.variables.push_back({"u_" + std::to_string(i), ""});
  set.validate(path);
  return set;
}

} // namespace

TrajectorySet import_trajectories(const std::string& path, const ImportOptions& options) {
  return is_numpy(path) ? from_numpy(path, options.dt) : load_trajectories(path, options.states, options.times);
}

} // namespace lodestep
