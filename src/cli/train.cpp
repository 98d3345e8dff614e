#include "cli/command.hpp"

namespace lodestep::cli {

void add_train(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("train", "Learn a stepper for a problem and write it as a model file");
  verb->require_subcommand(1);
  verb->footer("Example:\n"
               "  lodestep train attns elastic_pendulum -o pendulum.safetensors --error 3e-5");
  add_train_attns(*verb, action);
}

} // namespace lodestep::cli
