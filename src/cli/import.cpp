#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/progress.hpp"
#include "model/file_bytes.hpp"

#include <lodestep/error.hpp>
#include <lodestep/import_corrector.hpp>
#include <lodestep/network_exchange.hpp>

#include <cstdio>
#include <memory>

namespace lodestep::cli {

namespace {

struct ImportCommand : Common {
  std::string network;
  std::string problem;
  std::string output;
  std::string base = "rk4";
  std::string input = "increment";
  std::string activation;
  std::optional<double> dt;
  std::optional<double> horizon;
  std::optional<std::size_t> trajectories;
};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

ApproximatorSpec read_network(const ImportCommand& options) {
  const bool onnx = ends_with(options.network, ".onnx");
  if (!onnx && !ends_with(options.network, ".safetensors")) {
    throw InvalidArgument("import: '" + options.network + "': expected a file named *.onnx or *.safetensors");
  }
  if (onnx && !options.activation.empty()) {
    throw InvalidArgument("--activation: an ONNX file says which activation it has");
  }
  if (!onnx && options.activation.empty()) {
    throw InvalidArgument("import: a safetensors file does not say which activation is between its layers: say it "
                          "with --activation");
  }
  const auto bytes = lodestep::detail::read_file(options.network);
  try {
    return onnx ? read_onnx(bytes.data(), bytes.size())
                : read_safetensors_network(bytes.data(), bytes.size(), activation_from(options.activation));
  } catch (const InvalidModel& error) {
    throw InvalidArgument("cannot import '" + options.network + "': " + error.what());
  }
}

int run(const ImportCommand& options) {
  require_readable(options.network);
  require_writable(options.output, options.force);
  const Problem problem = make_problem(options.problem);
  ImportOptions import;
  import.base = options.base;
  import.input = corrector_input_from(options.input);
  import.dt = positive(options.dt, "--dt", problem.dt);
  import.horizon = positive(options.horizon, "--horizon", problem.horizon);
  import.trajectories = positive(options.trajectories, "--trajectories", import.trajectories);
  import.seed = options.seed;
  import.recipe = "imported from " + options.network.substr(options.network.rfind('/') + 1);
  steps_in(import.horizon, import.dt);
  const ApproximatorSpec network = read_network(options);
  ProgressBar bar(options.quiet);
  import.progress = bar.callback();
  const Model model = import_corrector(network, problem, import);
  bar.clear();
  save_model(model, options.output, options.force ? Overwrite::yes : Overwrite::no);
  const auto& error = model.error;
  if (options.json) {
    print_json({{"model", options.output},
                {"problem", model.provenance.problem},
                {"approximator", network.description()},
                {"base", import.base},
                {"dt", import.dt},
                {"input", options.input},
                {"step_rms", error.step_rms},
                {"base_step_rms", error.base_step_rms},
                {"horizon", error.horizon},
                {"horizon_rms", error.horizon_rms}});
  } else {
    std::printf("%s of the %s on %s, dt %s: one-step error %s (without it %s), %s over T = %s, root mean square on "
                "held-out states.\nwritten to %s\n",
                network.description().c_str(), options.input.c_str(), import.base.c_str(), number(import.dt).c_str(),
                number(error.step_rms).c_str(), number(error.base_step_rms).c_str(), number(error.horizon_rms).c_str(),
                number(error.horizon).c_str(), options.output.c_str());
  }
  return success;
}

} // namespace

void add_import(CLI::App& app, Action& action) {
  auto options = std::make_shared<ImportCommand>();
  auto* verb = app.add_subcommand("import", "Make a model of a network that was trained elsewhere");
  verb->add_option("NETWORK", options->network, "An MLP in *.onnx or *.safetensors")->required()->type_name("");
  verb->add_option("PROBLEM", options->problem, "The problem it was trained on, as in k_link_pendulum:K=3")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "The model file to write (safetensors)")
      ->required()
      ->type_name("FILE");
  verb->add_option("--base", options->base, "The scheme it corrects")->type_name("NAME")->capture_default_str();
  verb->add_option("--dt", options->dt, "The step it was trained for [the problem's]")->type_name("TIME");
  verb->add_option("--input", options->input, "What it is fed: increment, state or stages")
      ->type_name("WORD")
      ->capture_default_str();
  verb->add_option("--activation", options->activation,
                   "Between the layers of a safetensors file: tanh, rational, silu or relu")
      ->type_name("WORD");
  verb->add_option("--horizon", options->horizon, "Length of the roll-outs it is measured by [the problem's]")
      ->type_name("TIME");
  verb->add_option("--trajectories", options->trajectories, "Trajectories its domain is measured on [100]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_force(*verb, *options);
  add_common(*verb, *options);
  verb->footer(
      "The network maps what --input says, in the problem's units, to the correction of one step:\n"
      "u' = base(u) + network. Standardisation is part of it: nodes of the ONNX graph, or the arrays\n"
      "input_mean, input_scale and output_scale of the safetensors file, whose layers are named\n"
      "<name><number>.weight and .bias as those of a PyTorch Sequential. Domain, error and fallback are\n"
      "measured on the problem, as those of a trained model; a network that does not reduce the base\n"
      "scheme's one-step error there is refused.\n\n"
      "Examples:\n"
      "  lodestep import mlp.onnx elastic_pendulum --base rk4 --dt 0.1 -o pendulum.safetensors\n"
      "  lodestep import mlp.safetensors spring_mass:d=4 --activation tanh --input state -o chain.safetensors");
  verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace lodestep::cli
