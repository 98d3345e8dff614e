#include "cli/command.hpp"
#include "cli/family.hpp"
#include "cli/output_file.hpp"
#include "cli/progress.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_rknn.hpp>
#include <lodestep/train_rknn_stages.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace lodestep::cli {

namespace {

struct TrainRknnOptions : Common {
  std::string family;
  std::string output;
  std::optional<std::string> dt;
  std::string stages = "3";
  std::vector<std::string> parameters;
  std::optional<double> error;
  bool ordered = false; ///< --order was given
  RknnOptions rknn;
};

nlohmann::ordered_json to_json(const RknnResult& result, const std::string& path) {
  const auto& method = std::get<TableauModel>(result.model.method);
  nlohmann::ordered_json json = {{"model", path},
                                 {"family", method.family},
                                 {"kind", result.model.kind()},
                                 {"stages", method.tableau.stages()},
                                 {"order", method.family_order},
                                 {"classical", method.classical},
                                 {"one_step_ratio", result.one_step_ratio},
                                 {"global_ratio", result.global_ratio},
                                 {"horizon", result.horizon},
                                 {"dropped_fraction", result.dropped_fraction},
                                 {"taylor_mismatch", result.taylor_mismatch},
                                 {"dt", {{"lower", method.dt.lower}, {"upper", method.dt.upper}}},
                                 {"seed", result.model.provenance.seed},
                                 {"seconds", result.seconds}};
  if (!result.controlled.by_tolerance.empty()) json["controlled"] = cli::to_json(result.controlled);
  return json;
}

void print(const RknnResult& result, const std::string& path) {
  const auto& method = std::get<TableauModel>(result.model.method);
  std::printf("%zu stages for %s, aimed at order %u\n", method.tableau.stages(), method.family.c_str(),
              method.family_order);
  std::printf("  error / %s's on held-out tasks: one step %s, over T = %s %s\n", method.classical.c_str(),
              number(result.one_step_ratio).c_str(), number(result.horizon).c_str(),
              number(result.global_ratio).c_str());
  std::printf("  used for steps of %s to %s, %s elsewhere\n", number(method.dt.lower).c_str(),
              number(method.dt.upper).c_str(), method.classical.c_str());
  if (!result.controlled.by_tolerance.empty()) {
    std::printf("  under step-size control for steps of %s to %s\n", number(method.controlled_dt.lower).c_str(),
                number(method.controlled_dt.upper).c_str());
    cli::print(result.controlled, method.classical);
  }
  std::printf("%.2f s. written to %s\n", result.seconds, path.c_str());
}

nlohmann::ordered_json tried_json(const RknnStagesResult& result) {
  auto tried = nlohmann::ordered_json::array();
  for (const auto& t : result.tried) {
    tried.push_back({{"name", t.name},
                     {"learned", t.learned},
                     {"stages", t.stages},
                     {"order", t.order},
                     {"dt", t.dt},
                     {"evaluations", t.evaluations}});
  }
  return tried;
}

void print(const RknnStagesResult& result) {
  std::printf("  %-32s %8s %12s %26s\n", "tableau", "stages", "largest step", "evaluations a unit of time");
  for (const auto& t : result.tried) {
    std::printf("  %-32s %8zu %12s %26s\n", t.name.c_str(), t.stages, t.dt > 0.0 ? number(t.dt).c_str() : "none",
                t.dt > 0.0 ? number(t.evaluations).c_str() : "-");
  }
  const auto cheapest = std::min_element(result.tried.begin(), result.tried.end(),
                                         [](const auto& a, const auto& b) { return a.evaluations < b.evaluations; });
  if (std::isfinite(cheapest->evaluations) && !cheapest->learned) {
    std::printf("%s needs fewer evaluations than any learned tableau: take it at this error.\n",
                cheapest->name.c_str());
  }
}

std::size_t stages_of(const std::string& text) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || text[0] == '-') {
    throw InvalidArgument("--stages: expected a number or auto, found '" + text + "'");
  }
  return value;
}

int run(const TrainRknnOptions& options) {
  require_writable(options.output, options.force);
  std::vector<ParameterRange> ranges;
  for (const auto& text : options.parameters) ranges.push_back(parameter_range(text));
  const Family family = make_family(options.family, ranges);
  RknnOptions rknn = options.rknn;
  if (options.dt) rknn.dt = range_of(*options.dt, "--h");
  if (options.stages != "auto") {
    rknn.stages = stages_of(options.stages);
    if (options.error) throw InvalidArgument("--error: only with --stages auto");
  } else if (options.ordered) {
    throw InvalidArgument("--order: not with --stages auto, which aims each number of stages at the order it can have");
  }
  rknn.seed = options.seed;
  ProgressBar bar(options.quiet);
  rknn.progress = bar.callback();
  const Interrupt interrupt;
  RknnStagesResult stages;
  const bool search = options.stages == "auto";
  if (search) {
    stages = search_rknn_stages(family, rknn, positive(options.error, "--error", 0.0));
  } else {
    stages.best = train_rknn(family, rknn);
  }
  const RknnResult& result = stages.best;
  bar.clear();
  save_model(result.model, options.output, options.force ? Overwrite::yes : Overwrite::no);
  if (options.json) {
    auto document = to_json(result, options.output);
    if (search) document["tried"] = tried_json(stages);
    print_json(document);
  } else {
    if (search) print(stages);
    print(result, options.output);
  }
  if (search && !stages.reached && !options.quiet) {
    std::cerr << "lodestep: warning: no step learned for reaches the error asked for; this is the most accurate "
                 "tableau: ask for smaller steps with --h\n";
  }
  return Interrupt::requested() ? interrupted : success;
}

} // namespace

void add_train_rknn(CLI::App& train, Action& action) {
  auto options = std::make_shared<TrainRknnOptions>();
  auto* verb = train.add_subcommand("rknn", "Learn Runge-Kutta coefficients for a family of problems (RK-NN)");
  std::string families;
  for (const auto& info : list_families()) families += "\n  " + info.name + ": " + info.description;
  // NOTE: --h is the step size in the field's own letter; CLI11 from 2.4 on takes it for -h, so that one has to go.
  verb->set_help_flag("--help", "Print this help message and exit");
  verb->add_option("FAMILY", options->family,
                   "The family, as in van_der_pol or linear_system:d=5; or a problem or plugin, as in ./mine.so")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "The model file to write (safetensors)")
      ->required()
      ->type_name("FILE");
  verb->add_option("--stages", options->stages,
                   "Stages of the tableau, 1 to 6, or auto: as many as make --error cheapest")
      ->type_name("M|auto")
      ->capture_default_str();
  verb->add_option("--order", options->rknn.order,
                   "The order aimed at, 1 to 8; more than the stages have for any problem asks for an order of the "
                   "family's own")
      ->type_name("P")
      ->capture_default_str();
  verb->add_option("--error", options->error,
                   "With --stages auto: the error over the horizon to reach, geometric mean over tasks")
      ->type_name("E");
  verb->add_option("--h", options->dt, "Step sizes to learn for [the family's, 0.01:0.1]")->type_name("A:B");
  verb->add_option("--parameter", options->parameters,
                   "Of a problem or plugin: a parameter that varies over the family, as in k=30:50; may be repeated")
      ->type_name("NAME=A:B");
  verb->add_option("--horizon", options->rknn.horizons,
                   "Lengths of the roll-outs that are fitted, 0 for single steps [the family's]")
      ->type_name("T");
  verb->add_flag("--embedded", options->rknn.embedded,
                 "Learn a pair for step-size control: a method and an embedded row, fitted together");
  verb->add_flag("--exact-order", options->rknn.exact_order, "Keep the method exact to its order for every problem");
  verb->add_flag("--softmax", options->rknn.softmax, "Positive weights b by softmax, as in the paper");
  verb->add_option("--h-degree", options->rknn.dt_degree,
                   "Degree of the coefficients as polynomials in the step size [0; with --embedded 2]")
      ->type_name("N");
  verb->add_option("--parameter-degree", options->rknn.parameter_degree,
                   "Degree of the coefficients as polynomials in the family's parameters")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("--recipe", options->rknn.recipe,
                   "auto: least squares on roll-outs; paper: Adam on single steps, as published")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--epochs", options->rknn.epochs, "With --recipe paper: epochs at most [as published]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--samples", options->rknn.samples, "With --recipe paper: samples of an epoch [3000]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--taylor-weight", options->rknn.taylor_weight,
                   "With --recipe paper: weight of the Taylor regulariser [as published]")
      ->type_name("W")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--starts", options->rknn.starts, "Random starts of the fit")->type_name("N")->capture_default_str();
  add_force(*verb, *options);
  add_common(*verb, *options);
  verb->footer("The learned tableau costs at run time what any tableau of its stages costs. The file holds the range\n"
               "of steps in which it was measured to be no worse than the classical tableau; steppers use the\n"
               "classical one elsewhere.\n\n"
               "Families:" +
               families +
               "\n\nExamples:\n"
               "  lodestep train rknn van_der_pol --stages 3 --order 3 -o vdp.safetensors\n"
               "  lodestep train rknn square --stages 2 --order 3 -o square.safetensors --json\n"
               "  lodestep train rknn brusselator --embedded -o pair.safetensors\n"
               "  lodestep train rknn ./mine.so --parameter k=30:50 --h 0.01:0.1 -o mine.safetensors");
  verb->callback([options, verb, &action] {
    options->ordered = verb->count("--order") > 0;
    action = [options] { return run(*options); };
  });
}

} // namespace lodestep::cli
