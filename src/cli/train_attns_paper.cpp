#include "cli/train_attns_paper.hpp"

#include "cli/progress.hpp"

#include <cstdio>
#include <iostream>

namespace lodestep::cli {

void add_attns_paper_flags(CLI::App& verb, AttnsPaperFlags& flags) {
  const std::string group = "With --recipe paper";
  const auto number_of = [&](const char* name, auto& value, const char* what) {
    verb.add_option(name, value, what)->type_name("N")->check(CLI::NonNegativeNumber)->group(group);
  };
  number_of("--epochs", flags.epochs, "Epochs [500]");
  number_of("--hidden", flags.hidden, "Width of the hidden layers [1024]");
  number_of("--layers", flags.layers, "Depth, one more than hidden layers [2]");
  number_of("--batch", flags.batch, "Single steps in a batch [16384]");
  number_of("--learning-rate", flags.learning_rate, "Adam's, falling to 0 by a cosine [0.001]");
  number_of("--loss-scale", flags.loss_scale, "The loss is multiplied by it [1e6]");
  verb.add_option("--activation", flags.activation, "rational, tanh, silu or relu [rational]")
      ->type_name("NAME")
      ->group(group);
  verb.add_flag("--standardise", flags.standardised,
                "Beyond the paper: inputs and targets standardised, which is worth orders of magnitude")
      ->group(group);
}

int train_attns_paper(const Problem& problem, AttnsPaperOptions options, const AttnsPaperFlags& flags,
                      const std::string& output, const Common& common) {
  options.epochs = positive(flags.epochs, "--epochs", options.epochs);
  options.hidden = positive(flags.hidden, "--hidden", options.hidden);
  options.layers = positive(flags.layers, "--layers", options.layers);
  options.batch = positive(flags.batch, "--batch", options.batch);
  options.learning_rate = positive(flags.learning_rate, "--learning-rate", options.learning_rate);
  options.loss_scale = positive(flags.loss_scale, "--loss-scale", options.loss_scale);
  if (!flags.activation.empty()) options.activation = activation_from(flags.activation);
  options.standardised = flags.standardised;
  options.seed = common.seed;
  ProgressBar bar(common.quiet);
  options.progress = bar.callback();
  const Interrupt interrupt;
  const AttnsPaperResult result = lodestep::train_attns_paper(problem, options);
  bar.clear();
  save_model(result.model, output, common.force ? Overwrite::yes : Overwrite::no);
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  const auto& error = result.model.error;
  if (common.json) {
    print_json({{"model", output},
                {"problem", result.model.provenance.problem},
                {"kind", result.model.kind()},
                {"recipe", result.model.provenance.recipe},
                {"dt", corrector.dt},
                {"base", corrector.base},
                {"input", to_string(corrector.input)},
                {"approximator", corrector.approximator.description()},
                {"parameters", corrector.approximator.parameters()},
                {"training_trajectories", result.model.provenance.training_trajectories},
                {"epochs", result.epochs},
                {"first_loss", result.first_loss},
                {"last_loss", result.last_loss},
                {"step_rms", error.step_rms},
                {"base_step_rms", error.base_step_rms},
                {"held_out_rms", error.horizon_rms},
                {"seed", result.model.provenance.seed},
                {"seconds", result.seconds},
                {"interrupted", result.interrupted}});
  } else {
    std::printf("%s of the %s on %s, dt %s, by the paper's recipe%s: %zu epochs on %zu trajectories, %.1f s\n",
                corrector.approximator.description().c_str(), to_string(corrector.input), corrector.base.c_str(),
                number(corrector.dt).c_str(), options.standardised ? ", standardised" : "", result.epochs,
                result.model.provenance.training_trajectories, result.seconds);
    std::printf("  loss           %s in the first epoch, %s in the last\n", number(result.first_loss).c_str(),
                number(result.last_loss).c_str());
    std::printf("  one step       %s root mean square on held-out states, %s by the base scheme alone\n",
                number(error.step_rms).c_str(), number(error.base_step_rms).c_str());
    std::printf("  over T = %-6s%s\nwritten to %s\n", number(error.horizon).c_str(), number(error.horizon_rms).c_str(),
                output.c_str());
  }
  if (error.step_rms >= error.base_step_rms && !common.quiet) {
    std::cerr << "lodestep: warning: a learned step is no better than the base scheme's: train longer, on more "
                 "trajectories, with a smaller --batch, or --standardise\n";
  }
  return result.interrupted ? interrupted : success;
}

} // namespace lodestep::cli
