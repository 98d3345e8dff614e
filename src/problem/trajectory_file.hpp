#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Trajectories as HDF5, for other programs to read and to write:
///
///     /t       [time]                        uniform
///     /states  [trajectory, time, variable]
///
/// and attributes of the root group: format_version, problem, parameter_names, parameter_values, variable_names,
/// variable_units, dt, seed, split, library_version, reference_error_estimate. The datasets alone make a file that
/// can be read, so that another code need write no more; attributes that are there must be sound.
///
/// As HDF5 itself, these functions are for one thread at a time.
namespace lodestep {

/// A set of trajectories and where it comes from.
struct LODESTEP_TRAIN_EXPORT TrajectorySet {
  /// The newest file format this library writes, and the newest it reads.
  static constexpr unsigned format_version = 1;

  Trajectories trajectories;
  std::string problem; ///< "" if the file does not say
  std::vector<Parameter> parameters;
  std::vector<Variable> variables; ///< [dimension]; named u_1, u_2, ... if the file does not say
  std::uint64_t seed = 0;
  std::string split; ///< "train" | "validation" | "test", or "" if the file does not say
  std::string library_version;

  /// Checks shapes, dt and that every state is finite. Throws InvalidData naming trajectory, time and variable.
  void validate(const std::string& name = "trajectories") const;
};

LODESTEP_TRAIN_EXPORT const char* to_string(Split) noexcept;
/// The inverse; InvalidArgument names the allowed words.
LODESTEP_TRAIN_EXPORT Split split_from(const std::string& name);

/// The set that `generate_trajectories(problem, options)` gave, with what a file should say about it.
LODESTEP_TRAIN_EXPORT TrajectorySet trajectory_set(const Problem& problem, const GenerateOptions& options,
                                                   Trajectories trajectories);

/// Writes a file, whole or not at all: to a temporary beside it, flushed to disk, then renamed.
/// Throws InvalidData if the set is not sound, or IoError (also if the file exists and `overwrite` is `no`).
LODESTEP_TRAIN_EXPORT void save_trajectories(const TrajectorySet& set, const std::string& path,
                                             Overwrite overwrite = Overwrite::no);

/// Reads and validates a file. Throws IoError if it cannot be read; InvalidData, naming the dataset or attribute, if it
/// is not what it should be.
LODESTEP_TRAIN_EXPORT TrajectorySet load_trajectories(const std::string& path);
/// The same from datasets of other names; `states` may also be one trajectory, [time, variable], or a group of such
/// datasets, which must be of one shape.
LODESTEP_TRAIN_EXPORT TrajectorySet load_trajectories(const std::string& path, const std::string& states,
                                                      const std::string& times);

} // namespace lodestep
