#include "problem/trajectory_file.hpp"

#include "scratch_folder.hpp"

#include <lodestep/error.hpp>
#include <lodestep/version.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

using namespace lodestep;

namespace {

TrajectorySet small_set() {
  const auto problem = make_problem("k_link_pendulum:g=1.62");
  GenerateOptions options;
  options.trajectories = 3;
  options.horizon = 0.7; // seven steps of 0.1 do not add up to 0.7 in binary
  options.seed = 18446744073709551615u;
  options.split = Split::validation;
  return trajectory_set(problem, options, generate_trajectories(problem, options));
}

} // namespace

BOOST_FIXTURE_TEST_CASE(what_is_written_is_read, ScratchFolder) {
  const auto set = small_set();
  save_trajectories(set, file("a.h5"));
  BOOST_TEST(entries() == 1u);
  const auto read = load_trajectories(file("a.h5"));
  const Trajectories &a = set.trajectories, &b = read.trajectories;
  BOOST_TEST(b.t0 == a.t0);
  BOOST_TEST(b.dt == a.dt); // to the last bit
  BOOST_TEST(b.trajectories == 3u);
  BOOST_TEST(b.times == 8u);
  BOOST_TEST(b.dimension == 4u);
  BOOST_TEST(b.states == a.states);
  BOOST_TEST(b.error_estimate == a.error_estimate);
  BOOST_TEST(read.problem == "k_link_pendulum");
  BOOST_TEST(read.seed == set.seed);
  BOOST_TEST(read.split == "validation");
  BOOST_TEST(read.library_version == LODESTEP_VERSION_STRING);
  BOOST_REQUIRE(read.parameters.size() == 2u);
  BOOST_TEST(read.parameters[1].name == "g");
  BOOST_TEST(read.parameters[1].value == 1.62);
  BOOST_REQUIRE(read.variables.size() == 4u);
  BOOST_TEST(read.variables[2].name == "theta_dot_1");
  BOOST_TEST(read.variables[2].unit == "rad/s");
}

BOOST_FIXTURE_TEST_CASE(a_large_set_of_names_fits, ScratchFolder) {
  // 20,000 names are more than HDF5's classic limit of 64 kB an attribute.
  const auto problem = make_problem("spring_mass:d=10000");
  TrajectorySet set = trajectory_set(problem, {}, {0.0, 0.1, 1, 2, 20000, std::vector<double>(40000, 1.0)});
  save_trajectories(set, file("a.h5"));
  const auto read = load_trajectories(file("a.h5"));
  BOOST_TEST(read.variables.back().name == "p_10000");
  BOOST_TEST(read.trajectories.states == set.trajectories.states);
}

BOOST_FIXTURE_TEST_CASE(an_unsound_set_is_not_written, ScratchFolder) {
  const auto message = [&](const TrajectorySet& set) -> std::string {
    try {
      save_trajectories(set, file("a.h5"));
    } catch (const InvalidData& error) {
      return error.what();
    }
    return "written";
  };
  auto set = small_set();
  set.trajectories.state(2, 5)[3] = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(message(set).find("trajectory 2, time 5 (t = 0.5), variable 3 (theta_dot_2)") != std::string::npos);
  set = small_set();
  set.trajectories.states.pop_back();
  BOOST_TEST(message(set).find("states has 95 numbers, expected [3, 8, 4]") != std::string::npos);
  set = small_set();
  set.trajectories.dt = 0.0;
  BOOST_TEST(message(set).find("dt = 0 must be positive") != std::string::npos);
  set = small_set();
  set.variables.pop_back();
  BOOST_TEST(message(set).find("3 variables are named, states have 4") != std::string::npos);
  BOOST_TEST(entries() == 0u);
}

BOOST_AUTO_TEST_CASE(splits_have_names) {
  for (const Split split : {Split::train, Split::validation, Split::test})
    BOOST_CHECK(split_from(to_string(split)) == split);
  BOOST_CHECK_THROW(split_from("training"), InvalidArgument);
}
