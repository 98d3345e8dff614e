// The other side of trajectories.py: `write FILE` generates trajectories, `read FILE` says what a file holds.
#include "problem/trajectory_file.hpp"

#include <lodestep/error.hpp>

#include <cstdio>
#include <string>

using namespace lodestep;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string verb = argv[1], path = argv[2];
  try {
    if (verb == "write") {
      const auto problem = make_problem("spring_mass:d=6,k=2,m=0.5");
      GenerateOptions options;
      options.trajectories = 3;
      options.seed = 9007199254740993; // needs all 64 bits
      options.split = Split::test;
      save_trajectories(trajectory_set(problem, options, generate_trajectories(problem, options)), path);
    } else {
      const auto set = load_trajectories(path);
      const Trajectories& data = set.trajectories;
      std::printf("%zu %zu %zu %.17g %.17g %.17g %s\n", data.trajectories, data.times, data.dimension, data.t0, data.dt,
                  data.states.back(), set.variables.back().name.c_str());
    }
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  return 0;
}
