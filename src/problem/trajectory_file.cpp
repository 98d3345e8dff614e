#include "problem/trajectory_file.hpp"

#include "model/atomic_file.hpp"
#include "problem/hdf5.hpp"

#include <lodestep/error.hpp>
#include <lodestep/version.hpp>

#include <sys/mman.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace lodestep {

namespace {

using hdf5::check;
using hdf5::Handle;

std::string number(double value) {
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

std::string text_of(const std::vector<hsize_t>& shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

void write_dataset(hid_t file, const char* name, const std::vector<hsize_t>& shape, const double* data) {
  const std::string what = std::string("cannot write dataset '") + name + "'";
  const Handle space = hdf5::space(shape);
  const Handle dataset(H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
                       what);
  check(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), what);
}

void write_contents(hid_t file, const TrajectorySet& set) {
  const Trajectories& data = set.trajectories;
  std::vector<double> t(data.times);
  for (std::size_t n = 0; n < t.size(); ++n) t[n] = data.t0 + static_cast<double>(n) * data.dt;
  write_dataset(file, "t", {data.times}, t.data());
  write_dataset(file, "states", {data.trajectories, data.times, data.dimension}, data.states.data());

  const auto format_version = std::uint64_t{TrajectorySet::format_version};
  hdf5::write_attribute(file, "format_version", H5T_STD_U64LE, H5T_NATIVE_UINT64, {}, &format_version);
  hdf5::write_string(file, "problem", set.problem);
  std::vector<std::string> names, units, parameter_names;
  std::vector<double> parameter_values;
  for (const auto& variable : set.variables) {
    names.push_back(variable.name);
    units.push_back(variable.unit);
  }
  for (const auto& parameter : set.parameters) {
    parameter_names.push_back(parameter.name);
    parameter_values.push_back(parameter.value);
  }
  hdf5::write_strings(file, "variable_names", names);
  hdf5::write_strings(file, "variable_units", units);
  if (!set.parameters.empty()) {
    hdf5::write_strings(file, "parameter_names", parameter_names);
    hdf5::write_attribute(file, "parameter_values", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {parameter_values.size()},
                          parameter_values.data());
  }
  hdf5::write_attribute(file, "dt", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &data.dt);
  hdf5::write_attribute(file, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, {}, &set.seed);
  hdf5::write_string(file, "split", set.split);
  hdf5::write_string(file, "library_version", set.library_version);
  hdf5::write_attribute(file, "reference_error_estimate", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &data.error_estimate);
}

/// HDF5 cannot let go of a file that it fails to write (a full disk): it tries again when the program exits, and
/// crashes it. So what it still holds goes to memory, where there is room, and is forgotten when the file is closed.
void divert_to_memory(hid_t file) noexcept {
  void* handle = nullptr;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 || !handle) return;
  const int memory = ::memfd_create("lodestep", MFD_CLOEXEC);
  if (memory < 0) return;
  ::dup2(memory, *static_cast<int*>(handle));
  ::close(memory);
}

/// Whether there is a link of that path, each part of which must be there before HDF5 looks for the next.
bool is_there(hid_t file, const std::string& name, const std::string& path) {
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    if (check(H5Lexists(file, part.c_str(), H5P_DEFAULT), path + ": cannot look for datasets") <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

bool is_group(hid_t file, const std::string& name, const std::string& path) {
  const std::string what = path + ": cannot look at '" + name + "'";
  const Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose, what);
  return check(H5Iget_type(object), what) == H5I_GROUP;
}

/// A dataset of `rank` dimensions (any number if 0) as doubles, whatever numbers it is stored as.
std::vector<double> read_dataset(hid_t file, const std::string& name, std::size_t rank, const char* layout,
                                 std::vector<hsize_t>& shape, const std::string& path) {
  const std::string dataset_name = path + ": dataset '" + name + "'";
  if (!is_there(file, name, path))
    throw InvalidData(dataset_name +
                      " is missing: trajectories are /t [time] and /states [trajectory, time, variable]");
  const std::string what = path + ": cannot read dataset '" + name + "'";
  const Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, what);
  const Handle type(H5Dget_type(dataset), H5Tclose, what);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) throw InvalidData(dataset_name + " must hold numbers");
  const Handle space(H5Dget_space(dataset), H5Sclose, what);
  shape = hdf5::shape(space);
  if (rank != 0 && shape.size() != rank)
    throw InvalidData(dataset_name + " has shape " + text_of(shape) + ", expected " + layout);
  double count = 1.0; // in floating point: a damaged shape must not overflow
  for (const auto extent : shape) count *= static_cast<double>(extent);
  if (count == 0.0) throw InvalidData(dataset_name + " of shape " + text_of(shape) + " is empty");
  constexpr auto most = static_cast<double>(std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double));
  if (count > most) throw InvalidData(dataset_name + " of shape " + text_of(shape) + " cannot be");
  std::vector<double> values;
  try {
    values.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    throw InvalidData(dataset_name + " of shape " + text_of(shape) + " does not fit in memory");
  }
  check(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), what);
  return values;
}

/// The names in a group, in their order.
std::vector<std::string> names_in(hid_t file, const std::string& group, const std::string& path) {
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  hsize_t at = 0;
  check(H5Literate_by_name(file, group.c_str(), H5_INDEX_NAME, H5_ITER_INC, &at, add, &names, H5P_DEFAULT),
        path + ": cannot list group '" + group + "'");
  return names;
}

/// States as [trajectory, time, variable] from such a dataset, from [time, variable], or from a group of those.
std::vector<double> read_states(hid_t file, const std::string& name, std::vector<hsize_t>& shape,
                                const std::string& path) {
  const char* layout = "[trajectory, time, variable]";
  if (is_there(file, name, path) && is_group(file, name, path)) {
    std::vector<double> all;
    std::vector<hsize_t> of_one;
    std::size_t count = 0;
    std::string first;
    for (const auto& member : names_in(file, name, path)) {
      const auto one = read_dataset(file, name + "/" + member, 2, "[time, variable]", shape, path);
      if (count++ == 0) {
        of_one = shape;
        first = member;
      } else if (shape != of_one) {
        throw InvalidData(path + ": trajectories of unequal length: '" + name + "/" + member + "' has shape " +
                          text_of(shape) + ", '" + name + "/" + first + "' has " + text_of(of_one) +
                          "; cut them to one length");
      }
      all.insert(all.end(), one.begin(), one.end());
    }
    if (count == 0) throw InvalidData(path + ": group '" + name + "' holds no trajectories");
    shape = {count, of_one[0], of_one[1]};
    return all;
  }
  auto states = read_dataset(file, name, 0, layout, shape, path);
  if (shape.size() == 2) shape.insert(shape.begin(), 1);
  if (shape.size() != 3)
    throw InvalidData(path + ": dataset '" + name + "' has shape " + text_of(shape) + ", expected " + layout);
  return states;
}

std::string read_text(hid_t file, const char* name, const std::string& path) {
  if (!hdf5::has_attribute(file, name)) return "";
  const auto values = hdf5::read_strings(file, name, path);
  if (values.size() != 1) throw InvalidData(path + ": attribute '" + name + "' must be one string");
  return values[0];
}

template <class T> T read_number(hid_t file, const char* name, hid_t type, T otherwise, const std::string& path) {
  if (!hdf5::has_attribute(file, name)) return otherwise;
  const auto values = hdf5::read_numbers<T>(file, name, type, path);
  if (values.size() != 1) throw InvalidData(path + ": attribute '" + name + "' must be one number");
  return values[0];
}

void check_same_count(std::size_t found, std::size_t expected, const char* name, const std::string& of,
                      const std::string& path) {
  if (found != expected)
    throw InvalidData(path + ": attribute '" + name + "' has " + std::to_string(found) + " entries, expected " +
                      std::to_string(expected) + " (" + of + ")");
}

/// t0 and dt of times that must be uniform. `stated_dt` is the file's own exact word, 0 if it has none.
void set_times(Trajectories& set, const std::vector<double>& t, double stated_dt, const std::string& path) {
  const auto last = static_cast<double>(t.size() - 1);
  set.t0 = t.front();
  set.dt = stated_dt != 0.0 ? stated_dt : (t.back() - t.front()) / last;
  for (std::size_t n = 0; n < t.size(); ++n) {
    if (!std::isfinite(t[n])) throw InvalidData(path + ": dataset 't' is not finite at index " + std::to_string(n));
    // Rounding of t itself, and the digits that a text format in between may have cost.
    const double expected = set.t0 + static_cast<double>(n) * set.dt;
    const double tolerance = 1e-6 * std::abs(set.dt) + 1e-14 * std::max(std::abs(t.front()), std::abs(t.back()));
    if (!(std::abs(t[n] - expected) <= tolerance))
      throw InvalidData(path + ": dataset 't' is not uniform: index " + std::to_string(n) + " has " + number(t[n]) +
                        ", expected " + number(expected) + " for dt = " + number(set.dt));
  }
}

} // namespace

const char* to_string(Split split) noexcept {
  switch (split) {
  case Split::train:
    return "train";
  case Split::validation:
    return "validation";
  case Split::test:
    return "test";
  }
  return "unknown";
}

Split split_from(const std::string& name) {
  for (const Split split : {Split::train, Split::validation, Split::test})
    if (name == to_string(split)) return split;
  throw InvalidArgument("split '" + name + "' is none of train, validation, test");
}

void TrajectorySet::validate(const std::string& name) const {
  const Trajectories& set = trajectories;
  if (set.trajectories == 0 || set.times == 0 || set.dimension == 0)
    throw InvalidData(name + ": no trajectories, times or variables");
  if (set.states.size() != set.trajectories * set.times * set.dimension)
    throw InvalidData(name + ": states has " + std::to_string(set.states.size()) + " numbers, expected " +
                      text_of({set.trajectories, set.times, set.dimension}));
  if (variables.size() != set.dimension)
    throw InvalidData(name + ": " + std::to_string(variables.size()) + " variables are named, states have " +
                      std::to_string(set.dimension));
  if (!std::isfinite(set.t0)) throw InvalidData(name + ": t0 = " + number(set.t0) + " is not finite");
  if (!(set.dt > 0.0) || !std::isfinite(set.dt))
    throw InvalidData(name + ": dt = " + number(set.dt) + " must be positive and finite");
  for (std::size_t i = 0; i < set.states.size(); ++i) {
    if (std::isfinite(set.states[i])) continue;
    const std::size_t time = i / set.dimension % set.times;
    throw InvalidData(name + ": dataset 'states' is not finite at trajectory " +
                      std::to_string(i / set.dimension / set.times) + ", time " + std::to_string(time) +
                      " (t = " + number(set.t0 + static_cast<double>(time) * set.dt) + "), variable " +
                      std::to_string(i % set.dimension) + " (" + variables[i % set.dimension].name + ")");
  }
}

TrajectorySet trajectory_set(const Problem& problem, const GenerateOptions& options, Trajectories trajectories) {
  TrajectorySet set;
  set.trajectories = std::move(trajectories);
  set.problem = problem.name;
  set.parameters = problem.parameters;
  set.variables = problem.variables;
  set.seed = options.seed;
  set.split = to_string(options.split);
  set.library_version = LODESTEP_VERSION_STRING;
  return set;
}

void save_trajectories(const TrajectorySet& set, const std::string& path, Overwrite overwrite) {
  set.validate();
  detail::AtomicFile out(path, overwrite);
  const hdf5::Quiet quiet;
  try {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "cannot set up HDF5");
    // Attributes beyond 64 kB (the names of thousands of variables) need the format of HDF5 1.8.
    check(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST), "cannot set up HDF5");
    // The temporary is ours alone and AtomicFile's lock is enough; some file systems refuse HDF5's.
    check(H5Pset_file_locking(access, false, true), "cannot set up HDF5");
    Handle file(H5Fcreate(out.path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, "cannot open it");

    try {
      write_contents(file, set);
      check(H5Fflush(file, H5F_SCOPE_GLOBAL), "cannot finish it");
    } catch (...) {
      divert_to_memory(file);
      throw;
    }
    file.close("cannot finish it");
  } catch (const IoError& error) {
    throw IoError("cannot write '" + path + "': " + error.what());
  }
  out.commit();
}

TrajectorySet load_trajectories(const std::string& path) {
  return load_trajectories(path, "states", "t");
}

TrajectorySet load_trajectories(const std::string& path, const std::string& states_name,
                                const std::string& times_name) {
  if (::access(path.c_str(), R_OK) != 0) throw IoError("cannot read '" + path + "': " + std::strerror(errno));
  const hdf5::Quiet quiet;
  if (H5Fis_hdf5(path.c_str()) <= 0) throw InvalidData(path + ": not an HDF5 file, or a damaged one");
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "cannot open '" + path + "'");

  // A newer file may mean something else by the same names: nothing else is read before this.
  const auto version = read_number<std::uint64_t>(file, "format_version", H5T_NATIVE_UINT64, 1, path);
  if (version < 1 || version > TrajectorySet::format_version)
    throw InvalidData(path + ": attribute 'format_version' is " + std::to_string(version) +
                      ", this library reads up to " + std::to_string(TrajectorySet::format_version) +
                      ": a newer lodestep wrote it");

  TrajectorySet set;
  Trajectories& data = set.trajectories;
  std::vector<hsize_t> shape, times;
  data.states = read_states(file, states_name, shape, path);
  data.trajectories = shape[0];
  data.times = shape[1];
  data.dimension = shape[2];
  const std::vector<double> t = read_dataset(file, times_name, 1, "[time]", times, path);
  if (t.size() != data.times)
    throw InvalidData(path + ": dataset '" + times_name + "' has " + std::to_string(t.size()) + " times, '" +
                      states_name + "' of shape " + text_of(shape) + " has " + std::to_string(data.times));
  if (t.size() < 2)
    throw InvalidData(path + ": dataset '" + times_name + "' has one time: a trajectory needs two at least");
  set_times(data, t, read_number(file, "dt", H5T_NATIVE_DOUBLE, 0.0, path), path);

  const std::string dimension = "variables of 'states'";
  if (hdf5::has_attribute(file, "variable_names")) {
    const auto names = hdf5::read_strings(file, "variable_names", path);
    check_same_count(names.size(), data.dimension, "variable_names", dimension, path);
    for (const auto& name : names) set.variables.push_back({name, ""});
  } else {
    for (std::size_t i = 1; i <= data.dimension; ++i) set.variables.push_back({"u_" + std::to_string(i), ""});
  }
  if (hdf5::has_attribute(file, "variable_units")) {
    const auto units = hdf5::read_strings(file, "variable_units", path);
    check_same_count(units.size(), data.dimension, "variable_units", dimension, path);
    for (std::size_t i = 0; i < units.size(); ++i) set.variables[i].unit = units[i];
  }
  if (hdf5::has_attribute(file, "parameter_names") || hdf5::has_attribute(file, "parameter_values")) {
    const auto names = hdf5::read_strings(file, "parameter_names", path);
    const auto values = hdf5::read_numbers<double>(file, "parameter_values", H5T_NATIVE_DOUBLE, path);
    check_same_count(values.size(), names.size(), "parameter_values", "parameter_names", path);
    for (std::size_t i = 0; i < names.size(); ++i) set.parameters.push_back({names[i], values[i]});
  }
  set.problem = read_text(file, "problem", path);
  set.split = read_text(file, "split", path);
  set.library_version = read_text(file, "library_version", path);
  set.seed = read_number<std::uint64_t>(file, "seed", H5T_NATIVE_UINT64, 0, path);
  data.error_estimate = read_number(file, "reference_error_estimate", H5T_NATIVE_DOUBLE, 0.0, path);
  set.validate(path);
  return set;
}

} // namespace lodestep
