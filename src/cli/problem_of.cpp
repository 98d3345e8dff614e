#include "cli/problem_of.hpp"

#include "cli/output_file.hpp"
#include "problem/trajectory_file.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace lodestep::cli {

namespace {

bool names_file(const std::string& initial) {
  const auto ends = [&](const std::string& end) {
    return initial.size() > end.size() && initial.compare(initial.size() - end.size(), end.size(), end) == 0;
  };
  return ends(".h5") || ends(".hdf5");
}

Problem recorded_problem(const Model& model) {
  std::string recorded = model.provenance.problem;
  char separator = ':';
  for (const auto& parameter : model.provenance.parameters) {
    char value[32];
    std::snprintf(value, sizeof value, "%.17g", parameter.value); // enough digits to give back the same number
    recorded += separator + parameter.name + "=" + value;
    separator = ',';
  }
  try {
    return make_problem(recorded);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string("the problem this model was trained on cannot be made (") + error.what() +
                          "); name one with --problem");
  }
}

} // namespace

void add_initial(CLI::App& verb, std::string& initial) {
  verb.add_option(
          "--initial", initial,
          "Initial states: a distribution of the problem's (see 'lodestep problems'), or a file of trajectories "
          "(.h5) whose first states are drawn from")
      ->type_name("NAME|FILE");
}

void choose_initial(Problem& problem, const std::string& initial) {
  if (initial.empty()) return;
  if (!names_file(initial)) return use_initial(problem, initial);
  require_readable(initial);
  auto set = std::make_shared<const TrajectorySet>(load_trajectories(initial));
  const Trajectories& t = set->trajectories;
  if (t.dimension != problem.dimension()) {
    throw InvalidData(initial + ": states of " + std::to_string(t.dimension) + " variables, problem '" + problem.name +
                      "' has " + std::to_string(problem.dimension()));
  }
  problem.initial = initial;
  problem.sample = [set](Random& random, double* u0) {
    const Trajectories& from = set->trajectories;
    const auto i = static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(from.trajectories)));
    std::copy_n(from.state(std::min(i, from.trajectories - 1), 0), from.dimension, u0);
  };
}

Problem problem_of(const Model& model, const std::string& text, const std::string& initial) {
  Problem problem = text.empty() ? recorded_problem(model) : make_problem(text);
  if (!initial.empty()) {
    choose_initial(problem, initial);
    return problem;
  }
  const auto is = [&](const InitialStates& d) { return d.name == model.provenance.initial; };
  if (names_file(model.provenance.initial)) {
    choose_initial(problem, model.provenance.initial);
  } else if (std::any_of(problem.distributions.begin(), problem.distributions.end(), is)) {
    use_initial(problem, model.provenance.initial);
  }
  if (model.error.horizon > 0.0) problem.horizon = model.error.horizon;
  return problem;
}

} // namespace lodestep::cli
