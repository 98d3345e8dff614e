#include "problem/trajectory_import.hpp"

#include "problem/hdf5.hpp"
#include "scratch_folder.hpp"

#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

void write_numpy(const std::string& path, const std::string& dictionary, const std::vector<double>& values,
                 unsigned char version = 1) {
  std::string header = dictionary;
  const std::size_t start = version == 1 ? 10 : 12;
  while ((start + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const auto byte = [&](std::size_t value) { file.put(static_cast<char>(static_cast<unsigned char>(value))); };
  file << "\x93NUMPY";
  byte(version);
  byte(0);
  byte(header.size() & 255);
  byte(header.size() >> 8);
  if (version > 1) {
    byte(0);
    byte(0);
  }
  file << header;
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * 8));
}

std::string message_of(const std::string& path, const ImportOptions& options = {}) {
  try {
    import_trajectories(path, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void write(hid_t file, const char* name, const std::vector<hsize_t>& shape, const std::vector<double>& values) {
  const auto space = hdf5::space(shape);
  const hdf5::Handle dataset(H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Dclose, name);
  hdf5::check(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), name);
}

hdf5::Handle new_file(const std::string& path) {
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, path};
}

} // namespace

BOOST_AUTO_TEST_CASE(numpy_arrays_are_read) {
  const ScratchFolder folder;
  const std::string path = folder.file("a.npy");
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 2), }", values);
  ImportOptions options;
  options.dt = 0.25;
  auto set = import_trajectories(path, options);
  BOOST_TEST(set.trajectories.trajectories == 2u);
  BOOST_TEST(set.trajectories.times == 3u);
  BOOST_TEST(set.trajectories.dimension == 2u);
  BOOST_TEST(set.trajectories.dt == 0.25);
  BOOST_TEST(set.trajectories.states == values);
  BOOST_TEST(set.variables[1].name == "u_2");
  // One trajectory, and a header of format 2.
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, 'shape': (6, 2), }", values, 2);
  set = import_trajectories(path, {});
  BOOST_TEST(set.trajectories.trajectories == 1u);
  BOOST_TEST(set.trajectories.times == 6u);
  BOOST_TEST(set.trajectories.dt == 1.0);
  // Column-major: the first index runs fastest.
  write_numpy(path, "{'descr': '<f8', 'fortran_order': True, 'shape': (6, 2), }", values);
  set = import_trajectories(path, {});
  BOOST_TEST(set.trajectories.state(0, 0)[1] == 7.0);
  BOOST_TEST(set.trajectories.state(0, 5)[0] == 6.0);
}

BOOST_AUTO_TEST_CASE(numpy_files_that_are_none_are_refused) {
  const ScratchFolder folder;
  const std::string path = folder.file("a.npy");
  std::vector<double> values(12, 1.0);
  write_numpy(path, "{'descr': '<i8', 'fortran_order': False, 'shape': (6, 2), }", values);
  BOOST_TEST(contains(message_of(path), "'<i8'"));
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, 'shape': (7, 2), }", values);
  BOOST_TEST(contains(message_of(path), "the file holds 12"));
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, 'shape': (12,), }", values);
  BOOST_TEST(contains(message_of(path), "dimensions"));
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, }", values);
  BOOST_TEST(contains(message_of(path), "damaged"));
  values[2 * 4 + 1] = std::nan("");
  write_numpy(path, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 2), }", values);
  BOOST_TEST(contains(message_of(path), "trajectory 1, time 1"));
  std::ofstream(path) << "not an array";
  BOOST_TEST(contains(message_of(path), "not a .npy file"));
  BOOST_TEST(contains(message_of(folder.file("none.npy")), "none.npy"));
}

BOOST_AUTO_TEST_CASE(any_hdf5_file_is_read_by_the_names_of_its_datasets) {
  const ScratchFolder folder;
  const std::string path = folder.file("a.h5");
  {
    const auto file = new_file(path);
    const hdf5::Handle group(H5Gcreate2(file, "runs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "group");
    write(file, "time", {3}, {0.0, 0.5, 1.0});
    write(file, "uneven", {3}, {0.0, 0.5, 1.1});
    write(file, "one", {3, 2}, {1, 2, 3, 4, 5, 6});
    write(file, "runs/a", {3, 2}, {1, 2, 3, 4, 5, 6});
    write(file, "runs/b", {3, 2}, {7, 8, 9, 10, 11, 12});
  }
  ImportOptions options;
  options.states = "one";
  options.times = "time";
  auto set = import_trajectories(path, options);
  BOOST_TEST(set.trajectories.trajectories == 1u);
  BOOST_TEST(set.trajectories.dt == 0.5);
  BOOST_TEST(set.trajectories.state(0, 2)[0] == 5.0);
  options.states = "runs";
  set = import_trajectories(path, options);
  BOOST_TEST(set.trajectories.trajectories == 2u);
  BOOST_TEST(set.trajectories.state(1, 0)[1] == 8.0);
  options.times = "uneven";
  BOOST_TEST(contains(message_of(path, options), "not uniform"));
  options.times = "nowhere/t";
  BOOST_TEST(contains(message_of(path, options), "'nowhere/t' is missing"));
  {
    const hdf5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, path);
    write(file, "runs/c", {2, 2}, {1, 2, 3, 4});
  }
  options.times = "time";
  const auto message = message_of(path, options);
  BOOST_TEST(contains(message, "unequal length"));
  BOOST_TEST(contains(message, "'runs/c' has shape [2, 2]"));
}
