#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/progress.hpp"
#include "problem/trajectory_import.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train_hits.hpp>

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
          {"held_out_rms", result.model.error.horizon_rms},
          {"interrupted", result.interrupted}};
}

void print(const HitsResult& result, const std::string& path) {
  const auto& hierarchy = std::get<HierarchyModel>(result.model.method);
  std::printf("    %-10s %-40s %14s %16s %8s\n", "dt", "flow map", "one step rms", "validation mse", "s");
  for (std::size_t k = 0; k < result.maps.size(); ++k) {
    const auto& map = result.maps[k];
    const std::string what = (map.base.empty() ? "" : map.base + " + ") + map.description;
    std::printf("%s %s %-10s %-40s %14s %16s %8.1f\n", k == hierarchy.placing ? "*" : " ",
                k >= hierarchy.lower && k <= hierarchy.upper ? "|" : " ", number(map.dt).c_str(), what.c_str(),
                number(map.step_rms).c_str(), number(map.validation_mse).c_str(), map.seconds);
  }
  std::printf("\n(|) the levels that do best together in the multiscale scheme; (*) places states for the hybrid.\n"
              "error over T = %s, root mean square: %s on held-out initial states.\n%.1f s%s.\nwritten to %s\n",
              number(result.model.error.horizon).c_str(), number(result.model.error.horizon_rms).c_str(),
              result.seconds, result.interrupted ? "; interrupted: what was learned until then" : "", path.c_str());
}

int run(const TrainHitsArguments& arguments) {
  require_writable(arguments.output, arguments.force);
  HitsOptions options;
  if (!arguments.levels.empty()) options.levels = levels_from(arguments.levels);
  options.base_dt = positive(arguments.base_dt, "--base-dt", 0.0);
  options.fine_dt = positive(arguments.fine_dt, "--fine-dt", 0.0);
  options.horizon = positive(arguments.horizon, "--horizon", 0.0);
  options.ratio = positive(arguments.ratio, "--ratio", options.ratio);
  options.pairs = positive(arguments.pairs, "--pairs", 0);
  options.hidden = arguments.hidden;
  for (const std::size_t width : options.hidden) {
    if (width == 0 || width > 4096) throw InvalidArgument("--hidden: expected widths from 1 to 4096");
  }
  options.iterations = static_cast<int>(positive(arguments.iterations, "--iterations", 0));
  options.seed = arguments.seed;
  ProgressBar bar(arguments.quiet);
  options.progress = bar.callback();
  const Interrupt interrupt;
  const HitsResult result = [&] {
    if (!names_data(arguments.source)) return train_hits(make_problem(arguments.source), options);
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
  verb->add_option("--ratio", arguments->ratio, "Of one level's step to the one below [2]")->type_name("N");
  verb->add_option("--horizon", arguments->horizon, "Of the validation roll-outs [the problem's]")->type_name("TIME");
  verb->add_option("--pairs", arguments->pairs, "Pairs of states to learn each map from [4000]")->type_name("N");
  verb->add_option("--hidden", arguments->hidden, "Widths of the hidden layers [24 24]")
      ->type_name("N")
      ->expected(1, 4);
  verb->add_option("--iterations", arguments->iterations, "Of Levenberg-Marquardt, for each map [220]")->type_name("N");
  verb->add_option("--states", arguments->states, "HDF5: the dataset of states, [trajectory, time, variable] [states]")
      ->type_name("NAME");
  verb->add_option("--times", arguments->times, "HDF5: the dataset of times [t]")->type_name("NAME");
  add_common(*verb, *arguments);
  add_force(*verb, *arguments);
  verb->footer(
      "A flow map takes one large step at once: x(t + dt) = x(t) + F(x(t)). Polynomials are tried first and kept\n"
      "where they are exact; then tanh networks, by Levenberg-Marquardt. With a problem, a map that corrects\n"
      "coarse RK4 steps is learned too. From a file nothing but trajectories is needed.\n\n"
      "Examples:\n"
      "  lodestep train hits van_der_pol -o vdp.safetensors\n"
      "  lodestep train hits measured.h5 -o measured.safetensors --levels 2:7\n"
      "  lodestep train hits snapshots.npy --base-dt 0.1 --ratio 6 -o sequence.safetensors");
  verb->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

} // namespace lodestep::cli
