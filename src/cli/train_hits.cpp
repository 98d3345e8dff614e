#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/progress.hpp"
#include "problem/trajectory_import.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train_hits.hpp>
#include <lodestep/train_hits_paper.hpp>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>

namespace lodestep::cli {

namespace {

struct TrainHitsArguments : Common {
  std::string source;
  std::string output;
  std::string levels;
  std::optional<double> base_dt;
  std::optional<double> fine_dt;
  std::optional<double> horizon;
  std::optional<std::size_t> ratio;
  std::optional<std::size_t> pairs;
  std::optional<std::size_t> modes;
  bool raw = false;
  bool jacobian = false;
  bool dense = false;
  std::optional<double> tolerance;
  std::string approximator = to_string(HitsOptions{}.kind);
  std::string fine = HitsOptions{}.fine;
  std::string recipe = "auto";
  std::optional<std::size_t> trajectories;
  std::optional<std::size_t> epochs;
  std::optional<std::size_t> loss_steps;
  std::vector<std::size_t> hidden;
  std::optional<std::size_t> iterations;
  std::string states = ImportOptions{}.states;
  std::string times = ImportOptions{}.times;
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool names_data(const std::string& source) {
  return ends_with(source, ".h5") || ends_with(source, ".hdf5") || ends_with(source, ".npy");
}

/// "3:7", or "5" for one level.
Levels levels_from(const std::string& text) {
  const auto part = [&](std::size_t from, std::size_t to) {
    std::size_t level = 0;
    const auto [stop, error] = std::from_chars(text.data() + from, text.data() + to, level);
    if (error != std::errc() || stop != text.data() + to || from == to) {
      throw InvalidArgument("--levels: expected A:B, the first and last level, as in 0:10, found '" + text + "'");
    }
    return level;
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {part(0, text.size()), part(0, text.size())};
  return {part(0, colon), part(colon + 1, text.size())};
}

nlohmann::ordered_json to_json(const HitsResult& result, const std::string& path) {
  const auto& hierarchy = std::get<HierarchyModel>(result.model.method);
  nlohmann::ordered_json maps = nlohmann::ordered_json::array();
  for (std::size_t k = 0; k < result.maps.size(); ++k) {
    const auto& map = result.maps[k];
    maps.push_back({{"dt", map.dt},
                    {"base", map.base},
                    {"states", hierarchy.maps[k].states},
                    {"approximator", map.description},
                    {"step_rms", map.step_rms},
                    {"validation_mse", map.validation_mse},
                    {"seconds", map.seconds},
                    {"in_range", k >= hierarchy.lower && k <= hierarchy.upper},
                    {"placing", k == hierarchy.placing}});
  }
  return {{"model", path},
          {"problem", result.model.provenance.problem},
          {"kind", result.model.kind()},
          {"dt", hierarchy.maps[hierarchy.placing].dt},
          {"fine_dt", hierarchy.fine_dt},
          {"lower", hierarchy.lower},
          {"upper", hierarchy.upper},
          {"placing", hierarchy.placing},
          {"maps", maps},
          {"training_trajectories", result.model.provenance.training_trajectories},
          {"seed", result.model.provenance.seed},
          {"seconds", result.seconds},
          {"noise_rms", result.noise_rms},
          {"held_out_rms", result.model.error.horizon_rms},
          {"interrupted", result.interrupted}};
}

void print(const HitsResult& result, const std::string& path) {
  const auto& hierarchy = std::get<HierarchyModel>(result.model.method);
  std::printf("    %-10s %-40s %14s %16s %8s\n", "dt", "flow map", "one step rms", "validation mse", "s");
  for (std::size_t k = 0; k < result.maps.size(); ++k) {
    const auto& map = result.maps[k];
    std::string what = (map.base.empty() ? "" : map.base + " + ") + map.description;
    if (hierarchy.maps[k].states > 1) what += ", " + std::to_string(hierarchy.maps[k].states) + " states";
    std::printf("%s %s %-10s %-40s %14s %16s %8.1f\n", k == hierarchy.placing ? "*" : " ",
                k >= hierarchy.lower && k <= hierarchy.upper ? "|" : " ", number(map.dt).c_str(), what.c_str(),
                number(map.step_rms).c_str(), number(map.validation_mse).c_str(), map.seconds);
  }
  double noise = 0.0;
  for (const double rms : result.noise_rms) noise = std::max(noise, rms);
  if (noise > 0.0)
    std::printf("\nnoise of up to %s, root mean square, was found in the data and taken off.\n", number(noise).c_str());
  std::printf("\n(|) the levels that do best together in the multiscale scheme; (*) places states for the hybrid.\n"
              "error over T = %s, root mean square: %s on held-out initial states.\n%.1f s%s.\nwritten to %s\n",
              number(result.model.error.horizon).c_str(), number(result.model.error.horizon_rms).c_str(),
              result.seconds, result.interrupted ? "; interrupted: what was learned until then" : "", path.c_str());
}

HitsPaperOptions paper_options(const TrainHitsArguments& arguments, const HitsOptions& options) {
  if (names_data(arguments.source)) throw InvalidArgument("--recipe paper: name a problem, not a file");
  if (arguments.pairs || arguments.modes || arguments.iterations || arguments.raw || arguments.jacobian ||
      arguments.dense || arguments.tolerance || options.kind != HitsOptions{}.kind || options.fine_dt != 0.0 ||
      options.fine != HitsOptions{}.fine) {
    throw InvalidArgument("--approximator, --tolerance, --dense, --pairs, --modes, --iterations, --raw, --jacobian, "
                          "--fine, --fine-dt: not with --recipe paper");
  }
  HitsPaperOptions paper;
  paper.levels = options.levels.value_or(paper.levels);
  paper.base_dt = options.base_dt;
  if (options.ratio != 0) paper.ratio = options.ratio;
  paper.trajectories = positive(arguments.trajectories, "--trajectories", paper.trajectories);
  paper.steps = positive(arguments.loss_steps, "--loss-steps", paper.steps);
  paper.hidden = options.hidden;
  paper.epochs = positive(arguments.epochs, "--epochs", paper.epochs);
  paper.horizon = options.horizon;
  paper.seed = options.seed;
  paper.progress = options.progress;
  return paper;
}

int run(const TrainHitsArguments& arguments) {
  require_writable(arguments.output, arguments.force);
  HitsOptions options;
  if (!arguments.levels.empty()) options.levels = levels_from(arguments.levels);
  options.base_dt = positive(arguments.base_dt, "--base-dt", 0.0);
  options.fine_dt = positive(arguments.fine_dt, "--fine-dt", 0.0);
  options.horizon = positive(arguments.horizon, "--horizon", 0.0);
  options.ratio = positive(arguments.ratio, "--ratio", 0);
  options.modes = positive(arguments.modes, "--modes", 0);
  options.smooth = !arguments.raw;
  options.kind = flow_map_kind_from(arguments.approximator);
  options.tolerance = positive(arguments.tolerance, "--tolerance", 0.0);
  options.dense = arguments.dense;
  options.jacobian = arguments.jacobian;
  options.fine = arguments.fine;
  options.pairs = positive(arguments.pairs, "--pairs", 0);
  options.hidden = arguments.hidden;
  for (const std::size_t width : options.hidden) {
    if (width == 0 || width > 4096) throw InvalidArgument("--hidden: expected widths from 1 to 4096");
  }
  options.iterations = static_cast<int>(positive(arguments.iterations, "--iterations", 0));
  options.seed = arguments.seed;
  if (arguments.recipe != "auto" && arguments.recipe != "paper") {
    throw InvalidArgument("--recipe: expected auto or paper, found '" + arguments.recipe + "'");
  }
  const bool paper = arguments.recipe == "paper";
  if (!paper && (arguments.trajectories || arguments.epochs || arguments.loss_steps)) {
    throw InvalidArgument("--trajectories, --epochs, --loss-steps: only with --recipe paper");
  }
  ProgressBar bar(arguments.quiet);
  options.progress = bar.callback();
  const Interrupt interrupt;
  const HitsResult result = [&] {
    if (paper) return train_hits_paper(make_problem(arguments.source), paper_options(arguments, options));
    if (!names_data(arguments.source)) return train_hits(make_problem(arguments.source), options);
    if (options.kind != HitsOptions{}.kind || options.dense || options.tolerance != 0.0) {
      throw InvalidArgument("--approximator, --dense, --tolerance: with a problem, which gives states to choose; '" +
                            arguments.source + "' is a file");
    }
    require_readable(arguments.source);
    ImportOptions import;
    import.states = arguments.states;
    import.times = arguments.times;
    import.dt = options.base_dt;
    return train_hits(import_trajectories(arguments.source, import), options, arguments.source);
  }();
  bar.clear();
  save_model(result.model, arguments.output, arguments.force ? Overwrite::yes : Overwrite::no);
  if (arguments.json) {
    print_json(to_json(result, arguments.output));
  } else {
    print(result, arguments.output);
  }
  return result.interrupted ? interrupted : success;
}

} // namespace

void add_train_hits(CLI::App& train, Action& action) {
  auto arguments = std::make_shared<TrainHitsArguments>();
  auto* verb = train.add_subcommand("hits", "Flow maps for large steps (HiTS), from a problem or from trajectories");
  verb->add_option("SOURCE", arguments->source, "A problem, or a file of trajectories: .h5, .hdf5 or .npy")
      ->required()
      ->type_name("PROBLEM|FILE");
  verb->add_option("-o,--output", arguments->output, "The model file to write")->required()->type_name("FILE");
  verb->add_option("--levels", arguments->levels, "Learn steps of base-dt 2^A to base-dt 2^B [chosen]")
      ->type_name("A:B");
  verb->add_option("--base-dt", arguments->base_dt,
                   "Step of level 0 [the fine states' spacing]; of a .npy file, the spacing of its times [1]")
      ->type_name("TIME");
  verb->add_option("--fine-dt", arguments->fine_dt, "Spacing of the fine states [the problem's]")->type_name("TIME");
  verb->add_option(
          "--fine", arguments->fine,
          "Classical scheme that fills in between, and takes steps that maps may not: rk3, rk4, cash_karp ... [rk4]")
      ->type_name("NAME");
  verb->add_option("--ratio", arguments->ratio,
                   "Of one level's step to the one below [2; 6 of a file with many variables]")
      ->type_name("N");
  verb->add_option("--horizon", arguments->horizon, "Of the validation roll-outs [the problem's]")->type_name("TIME");
  verb->add_option(
          "--approximator", arguments->approximator,
          "Of a problem's flow maps: piecewise (polynomials on an adaptive grid, for up to 3 variables), mlp,\n"
          "or auto, which takes the first it can [auto]")
      ->type_name("NAME");
  verb->add_option(
          "--tolerance", arguments->tolerance,
          "Piecewise: error of one step, in widths of the box of states; loosened up to 1e-4 where needed [1e-8]")
      ->type_name("X");
  verb->add_flag(
      "--dense", arguments->dense,
      "Piecewise: one map of the last level's step, which gives the states at the first level's spacing too");
  verb->add_option("--pairs", arguments->pairs,
                   "Networks: pairs of states to learn each map from [4000; fewer of more than 2 variables]")
      ->type_name("N");
  verb->add_option("--modes", arguments->modes,
                   "From a file: learn so many principal components [all variables up to 16, else what 1e-8 of the\n"
                   "variance can spare]")
      ->type_name("N");
  verb->add_flag("--jacobian", arguments->jacobian, "Networks: fit the derivatives of flow maps too, from fewer pairs");
  verb->add_flag("--raw", arguments->raw, "From a file: learn from the states as they are, without looking for noise");
  verb->add_option("--hidden", arguments->hidden, "Widths of the hidden layers [24 24; 512 for principal components]")
      ->type_name("N")
      ->expected(1, 4);
  verb->add_option("--iterations", arguments->iterations, "Of Levenberg-Marquardt, for each map [220]")->type_name("N");
  verb->add_option("--states", arguments->states, "HDF5: the dataset of states, [trajectory, time, variable] [states]")
      ->type_name("NAME");
  verb->add_option("--times", arguments->times, "HDF5: the dataset of times [t]")->type_name("NAME");
  verb->add_option("--recipe", arguments->recipe,
                   "auto, or paper: ReLU networks by Adam on the multi-step loss, as published [auto]")
      ->type_name("NAME");
  verb->add_option("--trajectories", arguments->trajectories, "Recipe paper: of training [1600]")->type_name("N");
  verb->add_option("--epochs", arguments->epochs, "Recipe paper: of each map; the paper's is 100000 [1000]")
      ->type_name("N");
  verb->add_option("--loss-steps", arguments->loss_steps, "Recipe paper: steps of the loss, p of eq. 9 [5]")
      ->type_name("N");
  add_common(*verb, *arguments);
  add_force(*verb, *arguments);
  verb->footer(
      "A flow map takes one large step at once: x(t + dt) = x(t) + F(x(t)). Polynomials are tried first and kept\n"
      "where they are exact. Of up to three variables a problem's maps are then polynomials on a grid, whose cells "
      "are\n"
      "halved until every step is as exact as asked for; of more, tanh networks by Levenberg-Marquardt, and a map\n"
      "that corrects coarse RK4 steps is learned too. From a file nothing but trajectories is needed; the last fifth "
      "of them is "
      "held\n"
      "out for the choices, and 'lodestep evaluate MODEL --data FILE' compares with them or with others. From a "
      "single\n"
      "trajectory maps are learned and judged by the same states: a compressed recording, no prediction.\n\n"
      "Examples:\n"
      "  lodestep train hits van_der_pol -o vdp.safetensors\n"
      "  lodestep train hits van_der_pol --levels 7:10 --dense --tolerance 1e-4 -o rare.safetensors\n"
      "  lodestep train hits measured.h5 -o measured.safetensors --levels 2:7\n"
      "  lodestep train hits other.h5 --states /run/u --times /run/time -o other.safetensors\n"
      "  lodestep train hits snapshots.npy --base-dt 0.1 --ratio 6 -o sequence.safetensors");
  verb->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

} // namespace lodestep::cli
