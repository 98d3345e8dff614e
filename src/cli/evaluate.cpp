#include "cli/command.hpp"
#include "cli/evaluate_hierarchy.hpp"
#include "cli/family.hpp"
#include "cli/output_file.hpp"
#include "cli/problem_of.hpp"
#include "cli/progress.hpp"
#include "problem/trajectory_import.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace lodestep::cli {

namespace {

struct EvaluateArguments : Common {
  std::string model;
  std::string problem;
  std::optional<std::size_t> trajectories;
  std::optional<double> horizon;
  std::string initial;
  std::string family;
  std::string dt;
  std::string backend = "automatic";
  std::string mode;
  std::optional<std::size_t> sweeps;
  std::optional<double> tolerance;
  std::optional<std::size_t> threads;
  std::optional<std::size_t> map;
  std::string data;
  std::string states = ImportOptions{}.states;
  std::string times = ImportOptions{}.times;
};

nlohmann::ordered_json to_json(const Evaluation& e) {
  return {{"problem", e.problem},
          {"kind", e.kind},
          {"dt", e.dt},
          {"horizon", e.horizon},
          {"trajectories", e.trajectories},
          {"mse_mean", e.mse_mean},
          {"mse_median", e.mse_median},
          {"mse_max", e.mse_max},
          {"base_mse_mean", e.base_mse_mean},
          {"rhs_evaluations_per_time", e.rhs_evaluations_per_time},
          {"microseconds_per_trajectory", e.microseconds_per_trajectory},
          {"fallback_fraction", e.fallback_fraction}};
}

std::string error_text(double mse) {
  if (!std::isfinite(mse)) return "diverged";
  return number(mse) + "  (rms " + number(std::sqrt(mse)) + ")";
}

void print(const Evaluation& e) {
  std::printf("%s on %s: dt %s, horizon %s, %zu held-out trajectories\n", e.kind.c_str(), e.problem.c_str(),
              number(e.dt).c_str(), number(e.horizon).c_str(), e.trajectories);
  std::printf("  mse mean        %s\n", error_text(e.mse_mean).c_str());
  std::printf("  mse median      %s\n", error_text(e.mse_median).c_str());
  std::printf("  mse max         %s\n", error_text(e.mse_max).c_str());
  std::printf("  base scheme     %s\n", error_text(e.base_mse_mean).c_str());
  std::printf("  evaluations     %s of the right-hand side per unit of time\n",
              number(e.rhs_evaluations_per_time).c_str());
  std::printf("  time            %s microseconds a trajectory\n", number(e.microseconds_per_trajectory).c_str());
  std::printf("  fallback        %s%% of the steps were taken by the fallback scheme\n",
              number(100.0 * e.fallback_fraction).c_str());
}

double step_of(const std::string& text) {
  char* end = nullptr;
  const double dt = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !(dt > 0.0) || !std::isfinite(dt)) {
    throw InvalidArgument("--h: expected one step size for a corrector, found '" + text + "'");
  }
  return dt;
}

int run_on_data(const EvaluateArguments& arguments, const Model& model) {
  const auto* hierarchy = std::get_if<HierarchyModel>(&model.method);
  if (!hierarchy) {
    throw InvalidArgument("--data: only flow maps are judged by trajectories alone; this model is a " +
                          std::string(model.kind()));
  }
  if (!arguments.problem.empty() || !arguments.initial.empty()) {
    throw InvalidArgument("--data: not with --problem or --initial: the file has the trajectories to compare with");
  }
  require_readable(arguments.data);
  HierarchyEvaluateOptions options;
  options.mode = HierarchyMode::multiscale;
  if (!arguments.mode.empty()) options.mode = hierarchy_mode_from(arguments.mode);
  options.trajectories = positive(arguments.trajectories, "--trajectories", 0);
  options.horizon = positive(arguments.horizon, "--horizon", 0.0);
  options.backend = backend_from(arguments.backend);
  ImportOptions import;
  import.states = arguments.states;
  import.times = arguments.times;
  import.dt = hierarchy->fine_dt;
  return evaluate_on_data_and_print(model, import_trajectories(arguments.data, import), options, arguments.data,
                                    arguments.json);
}

int run(const EvaluateArguments& arguments) {
  const Backend backend = backend_from(arguments.backend);
  if (!arguments.family.empty()) {
    if (backend != Backend::automatic) throw InvalidArgument("--backend: not with --family: a tableau has no network");
    return evaluate_on_family({arguments.model, arguments.family, arguments.dt,
                               positive(arguments.horizon, "--horizon", 0.0),
                               positive(arguments.trajectories, "--trajectories", 0), arguments.seed, arguments.json});
  }
  require_readable(arguments.model);
  const auto model = load_model(arguments.model);
  if (!arguments.data.empty()) return run_on_data(arguments, *model);
  const Problem problem = problem_of(*model, arguments.problem, arguments.initial);
  const bool hierarchy = std::holds_alternative<HierarchyModel>(model->method);
  if (!hierarchy &&
      (!arguments.mode.empty() || arguments.sweeps || arguments.tolerance || arguments.threads || arguments.map)) {
    throw InvalidArgument(
        "--mode, --map, --sweeps, --tolerance, --threads: only for a hierarchy of flow maps; this model is a " +
        std::string(model->kind()));
  }
  HierarchyEvaluateOptions options;
  options.trajectories = positive(arguments.trajectories, "--trajectories", options.trajectories);
  options.horizon = positive(arguments.horizon, "--horizon", problem.horizon);
  if (!arguments.dt.empty()) options.dt = step_of(arguments.dt);
  options.seed = arguments.seed;
  options.backend = backend;
  ProgressBar bar(arguments.quiet);
  options.progress = bar.callback();
  if (hierarchy) {
    if (!arguments.mode.empty()) options.mode = hierarchy_mode_from(arguments.mode);
    options.sweeps = arguments.sweeps.value_or(options.sweeps); // none is the hybrid scheme
    options.tolerance = positive(arguments.tolerance, "--tolerance", 0.0);
    options.threads = positive(arguments.threads, "--threads", options.threads);
    options.map = arguments.map;
    return evaluate_hierarchy_and_print(*model, problem, options, arguments.json);
  }
  const Evaluation evaluation = evaluate(*model, problem, options);
  bar.clear();
  if (arguments.json) {
    print_json(to_json(evaluation));
  } else {
    print(evaluation);
  }
  return success;
}

} // namespace

void add_evaluate(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<EvaluateArguments>();
  auto* verb = app.add_subcommand("evaluate", "Measure a model's error on held-out initial states");
  // NOTE: --h is the step size in the field's own letter; CLI11 from 2.4 on takes it for -h, so that one has to go.
  verb->set_help_flag("--help", "Print this help message and exit");
  verb->add_option("FILE", arguments->model, "The model file")->required()->type_name("");
  verb->add_option("--problem", arguments->problem, "The problem to judge it on [the one it was trained on]")
      ->type_name("PROBLEM");
  verb->add_option("--trajectories", arguments->trajectories, "Held-out trajectories [200]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--horizon", arguments->horizon,
                   "Length of a trajectory, a multiple of the model's dt [the problem's]")
      ->type_name("TIME");
  verb->add_option("--family", arguments->family,
                   "Judge a tableau (a model file, or a tableau as .json) on this family of problems")
      ->type_name("FAMILY");
  verb->add_option("--h", arguments->dt,
                   "The step size [the model's, the longest of a dt-aware one]; with --family, a range of them")
      ->type_name("H|A:B");
  add_initial(*verb, arguments->initial);
  verb->add_option("--mode", arguments->mode, "Of a hierarchy: multiscale, hybrid or parareal [hybrid]")
      ->type_name("MODE");
  verb->add_option("--sweeps", arguments->sweeps, "Of parareal, at most [3]")->type_name("K");
  verb->add_option("--tolerance", arguments->tolerance, "Of parareal: stop when no jump is larger")->type_name("X");
  verb->add_option("--threads", arguments->threads, "Of a hierarchy: threads that fill in between [1]")->type_name("N");
  verb->add_option("--map", arguments->map, "Of a hierarchy: the flow map that places states [the model's choice]")
      ->type_name("INDEX");
  verb->add_option("--data", arguments->data,
                   "Judge flow maps by the trajectories of a file (.h5, .hdf5, .npy), with no right-hand side, by the\n"
                   "multiscale scheme; --trajectories N takes the last N [all]")
      ->type_name("FILE");
  verb->add_option("--states", arguments->states, "--data, HDF5: the dataset of states [states]")->type_name("NAME");
  verb->add_option("--times", arguments->times, "--data, HDF5: the dataset of times [t]")->type_name("NAME");
  add_backend(*verb, arguments->backend);
  add_common(*verb, *arguments);
  verb->footer(
      "Rolls the model out over the horizon from initial states that training never saw, and compares every\n"
      "step with the reference solution. mse is the mean squared error over time and variables of one\n"
      "trajectory, in the squares of the problem's units; its mean, median and maximum are over trajectories.\n"
      "The base scheme at the same dt is shown beside it. In JSON an error that is not finite is null.\n"
      "The time is of one thread, through the general interface; 'lodestep bench' compares speeds fairly.\n\n"
      "Examples:\n"
      "  lodestep evaluate pendulum.safetensors\n"
      "  lodestep evaluate pendulum.safetensors --trajectories 1000 --seed 7 --json\n"
      "  lodestep evaluate pendulum.safetensors --initial wide --horizon 20\n"
      "  lodestep evaluate vdp.safetensors --family van_der_pol --h 1e-3:0.1\n"
      "  lodestep evaluate flow.safetensors --mode parareal --sweeps 2 --threads 2\n"
      "  lodestep evaluate measured.safetensors --data measured.h5 --trajectories 20");
  verb->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

} // namespace lodestep::cli
