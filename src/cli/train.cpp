#include "cli/command.hpp"

namespace lodestep::cli {

void add_train(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("train", "Learn a stepper for a problem and write it as a model file");
  verb->require_subcommand(1);
  verb->footer("Example:\n"
               "  lodestep train attns elastic_pendulum -o pendulum.safetensors --error 3e-5\n"
               "  lodestep train hits van_der_pol -o flow.safetensors\n"
               "  lodestep train rknn van_der_pol -o vdp.safetensors");
  add_train_attns(*verb, action);
  add_train_hits(*verb, action);
  add_train_rknn(*verb, action);
}

} // namespace lodestep::cli
