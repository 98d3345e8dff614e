#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/problem_of.hpp"
#include "cli/progress.hpp"
#include "problem/trajectory_file.hpp"

#include <lodestep/problem.hpp>

#include <cstdio>
#include <memory>
#include <utility>

namespace lodestep::cli {

namespace {

struct GenerateArguments : Common {
  std::string problem;
  std::string output;
  std::string initial;
  std::string split = to_string(Split::train);
  std::optional<std::size_t> trajectories;
  std::optional<double> dt;
  std::optional<double> horizon;
};

int run(const GenerateArguments& arguments) {
  require_writable(arguments.output, arguments.force);
  Problem problem = make_problem(arguments.problem);
  choose_initial(problem, arguments.initial);
  GenerateOptions options;
  options.trajectories = positive(arguments.trajectories, "--trajectories", options.trajectories);
  options.dt = positive(arguments.dt, "--dt", problem.dt);
  options.horizon = positive(arguments.horizon, "--horizon", problem.horizon);
  options.split = split_from(arguments.split);
  options.seed = arguments.seed;
  steps_in(options.horizon, options.dt); // said before any trajectory is made
  ProgressBar bar(arguments.quiet);
  options.progress = bar.callback();
  const TrajectorySet set = trajectory_set(problem, options, generate_trajectories(problem, options));
  bar.clear();
  save_trajectories(set, arguments.output, arguments.force ? Overwrite::yes : Overwrite::no);

  const Trajectories& made = set.trajectories;
  if (arguments.json) {
    print_json({{"file", arguments.output},
                {"problem", set.problem},
                {"split", set.split},
                {"seed", set.seed},
                {"trajectories", made.trajectories},
                {"times", made.times},
                {"dimension", made.dimension},
                {"dt", made.dt},
                {"horizon", static_cast<double>(made.times - 1) * made.dt}});
  } else {
    std::printf("%zu trajectories of %zu times and %zu variables written to %s\n", made.trajectories, made.times,
                made.dimension, arguments.output.c_str());
  }
  return success;
}

} // namespace

void add_generate(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<GenerateArguments>();
  auto* verb = app.add_subcommand("generate", "Write reference trajectories of a problem as HDF5");
  verb->add_option("PROBLEM", arguments->problem, "The problem, as in k_link_pendulum:K=3 (see 'lodestep problems')")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", arguments->output, "The HDF5 file to write")->required()->type_name("FILE");
  verb->add_option("--trajectories", arguments->trajectories, "Number of trajectories [100]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--dt", arguments->dt, "Time between states, in the problem's unit of time [the problem's]")
      ->type_name("TIME");
  verb->add_option("--horizon", arguments->horizon, "Length of a trajectory, a multiple of dt [the problem's]")
      ->type_name("TIME");
  verb->add_option("--split", arguments->split, "Whose initial states: train, validation or test; they share none")
      ->type_name("NAME")
      ->capture_default_str();
  add_initial(*verb, arguments->initial);
  add_force(*verb, *arguments);
  add_common(*verb, *arguments);
  verb->footer("The file holds /t [time] and /states [trajectory, time, variable], and attributes that say what they\n"
               "are. It is written whole or not at all. Trajectory i is the same however many are asked for.\n\n"
               "Examples:\n"
               "  lodestep generate elastic_pendulum -o train.h5 --trajectories 50\n"
               "  lodestep generate k_link_pendulum:K=3 -o test.h5 --dt 0.05 --horizon 5 --split test --seed 1");
  verb->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

} // namespace lodestep::cli
