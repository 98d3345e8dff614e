#include "problem/trajectory_file.hpp"
#include "scratch_folder.hpp"

#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <unistd.h>

using namespace lodestep;

namespace {

template <class F> Problem one_variable(F f) {
  Problem problem;
  problem.name = "faulty";
  problem.variables = {{"height", "m"}};
  problem.rhs = [f](double t, const double* u, double* dudt) { dudt[0] = static_cast<double>(f(t, u[0])); };
  problem.rhs_extended = [f](long double t, const long double* u, long double* dudt) { dudt[0] = f(t, u[0]); };
  problem.sample = [](Random&, double* u0) { u0[0] = 1.0; };
  problem.horizon = 10.0;
  problem.dt = 0.1;
  return problem;
}

GenerateOptions some(std::size_t trajectories) {
  GenerateOptions options;
  options.trajectories = trajectories;
  return options;
}

/// The message of the exception of type E that `f` must throw.
template <class E, class F> std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no exception";
}

void check_says(const std::string& message, std::initializer_list<const char*> parts) {
  for (const char* part : parts)
    BOOST_CHECK_MESSAGE(message.find(part) != std::string::npos, "'" << message << "' does not say '" << part << "'");
}

std::string generation_fails(const Problem& problem) {
  return message_of<InvalidData>([&] { generate_trajectories(problem, some(2)); });
}

TrajectorySet set_of(std::size_t trajectories, std::size_t times) {
  const auto problem = make_problem("elastic_pendulum");
  return trajectory_set(problem, {},
                        {0.0, 0.1, trajectories, times, 4, std::vector<double>(trajectories * times * 4, 0.25)});
}

} // namespace

BOOST_AUTO_TEST_CASE(a_right_hand_side_that_gives_nan) {
  const auto nan = std::numeric_limits<long double>::quiet_NaN();
  const auto at_once = one_variable([nan](long double, long double) { return nan; });
  check_says(generation_fails(at_once), {"trajectory 0", "'faulty'", "not finite", "height", "t = 0"});
  // From t = 3.05 on, between two points of the grid: found to the last digits printed.
  const auto later = one_variable([nan](long double t, long double) { return t < 3.05L ? 1.0L : nan; });
  check_says(generation_fails(later), {"height", "t = 3.05"});
  auto plain = later;
  plain.rhs_extended = nullptr;
  check_says(generation_fails(plain), {"height", "t = 3.05"});
}

BOOST_AUTO_TEST_CASE(a_solution_that_diverges) {
  // u' = u^2 from 1 is 1 / (1 - t).
  const auto pole = one_variable([](long double, long double u) { return u * u; });
  check_says(generation_fails(pole), {"trajectory 0", "height", "t = 1"});
  // e^(100 t) leaves double at t = 7.1, though not extended precision.
  const auto growth = one_variable([](long double, long double u) { return 100 * u; });
  check_says(generation_fails(growth), {"diverges in height", "t = 7.1"});
}

BOOST_AUTO_TEST_CASE(a_right_hand_side_that_throws_is_left_alone) {
  auto problem = make_problem("elastic_pendulum");
  problem.rhs_extended = [](long double, const long double*, long double*) {
    throw std::range_error("the host's own");
  };
  BOOST_TEST(message_of<std::range_error>([&] { generate_trajectories(problem, some(1)); }) == "the host's own");
}

BOOST_AUTO_TEST_CASE(steps_and_horizons_that_cannot_be) {
  const auto problem = make_problem("elastic_pendulum");
  const auto generate = [&](double horizon, double dt) {
    return message_of<InvalidArgument>([&] {
      auto options = some(1);
      options.horizon = horizon;
      options.dt = dt;
      generate_trajectories(problem, options);
    });
  };
  check_says(generate(10.0, -0.1), {"dt = -0.1 must be positive"});
  check_says(generate(10.0, std::nan("")), {"dt = nan must be positive"});
  check_says(generate(10.0, 0.3), {"horizon = 10 is no multiple of dt = 0.3", "9.9 and 10.2 are"});
  check_says(generate(0.05, 0.1), {"no multiple", "0.1 is"});
  check_says(generate(-1.0, 0.1), {"horizon = -1 must be positive"});
  check_says(message_of<InvalidArgument>([] { steps_in(1.0, 0.0); }), {"dt = 0 must be positive"});
  check_says(message_of<InvalidArgument>([] { steps_in(1e300, 1e-300); }), {"more than 1e12 steps"});
  check_says(message_of<InvalidArgument>([&] { generate_trajectories(problem, some(0)); }), {"at least 1"});
}

BOOST_FIXTURE_TEST_CASE(an_output_that_cannot_be_written, ScratchFolder) {
  const auto set = set_of(1, 2);
  const auto save = [&](const std::string& path, Overwrite overwrite = Overwrite::no) {
    return message_of<IoError>([&] { save_trajectories(set, path, overwrite); });
  };
  check_says(save(file("none/a.h5")), {"none/a.h5", "No such file or directory"});
  check_says(save(folder.string(), Overwrite::yes), {"directory"});
  std::ofstream(file("a.h5")) << "precious";
  check_says(save(file("a.h5")), {"a.h5", "exists", "--force"});
  check_says(message_of<InvalidData>([&] { load_trajectories(file("a.h5")); }), {"a.h5", "not an HDF5 file"});
  BOOST_TEST(save(file("a.h5"), Overwrite::yes) == "no exception");
  BOOST_TEST(load_trajectories(file("a.h5")).trajectories.times == 2u);
  check_says(message_of<IoError>([&] { load_trajectories(file("b.h5")); }), {"b.h5", "No such file"});
}

// A full disk, as far as a test may make one: the process may write no more than 64 kB to a file.
// The limit on file sizes stands in for a full disk. It holds for files in memory as well, where what HDF5 cannot write
// is put, so this happens in a child that leaves without HDF5's clean-up.
BOOST_FIXTURE_TEST_CASE(a_disk_that_fills_up, ScratchFolder) {
  const auto set = set_of(100, 501);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit small{65536, RLIM_INFINITY};
    std::signal(SIGXFSZ, SIG_IGN);
    if (::setrlimit(RLIMIT_FSIZE, &small) != 0) ::_exit(2);
    try {
      save_trajectories(set, file("a.h5"));
    } catch (const IoError& error) {
      const std::string message = error.what();
      const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
      ::_exit(says("cannot write") && says("a.h5") && says("File too large") ? 0 : 3);
    }
    ::_exit(4);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_REQUIRE(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
  BOOST_TEST(entries() == 0u);
}

// kill -9 at many moments of a write: the target is absent or whole, and the next writer cleans up.
BOOST_FIXTURE_TEST_CASE(a_writer_that_is_killed, ScratchFolder) {
  const auto set = set_of(200, 501);
  int whole = 0, absent = 0;
  for (int moment = 0; moment < 40; ++moment) {
    const std::string path = file("set.h5");
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      try {
        save_trajectories(set, path);
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(400 * moment));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (std::filesystem::exists(path)) {
      ++whole;
      BOOST_TEST((load_trajectories(path).trajectories.states == set.trajectories.states));
      std::filesystem::remove(path);
    } else {
      ++absent;
    }
  }
  BOOST_TEST_MESSAGE("whole " << whole << ", absent " << absent);
  BOOST_TEST(absent > 0); // the first is killed before it can have begun
  save_trajectories(set, file("set.h5"));
  BOOST_TEST(entries() == 1u);
}

// Bytes cut off or changed: an error of ours or the very same set, never a crash. HDF5 has no checksums on data, so
// changed data bytes are read as they are; a finite number for a number is all that can be asked.
BOOST_FIXTURE_TEST_CASE(a_file_that_is_cut_off, ScratchFolder) {
  save_trajectories(set_of(2, 3), file("a.h5"));
  std::ifstream in(file("a.h5"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 40) {
    std::ofstream(file("cut.h5"), std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<long>(size));
    BOOST_CHECK_THROW(load_trajectories(file("cut.h5")), Error);
  }
}
