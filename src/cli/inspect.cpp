#include "report/inspect.hpp"

#include "cli/command.hpp"
#include "cli/output_file.hpp"

#include <iostream>
#include <memory>

namespace lodestep::cli {

namespace {

struct InspectOptions : Common {
  std::string model;
};

} // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto options = std::make_shared<InspectOptions>();
  auto* verb = app.add_subcommand("inspect", "Print what a model file holds");
  verb->add_option("MODEL", options->model, "The model file")->required()->type_name("");
  add_common(*verb, *options);
  verb->footer("The file is checked whole before anything is printed; one that is not sound is an error naming the\n"
               "field. Errors are root mean squares in the problem's units, times in the problem's unit of time.\n\n"
               "Examples:\n"
               "  lodestep inspect pendulum.safetensors\n"
               "  lodestep inspect pendulum.safetensors --json | jq .approximator");
  verb->callback([options, &action] {
    action = [options]() -> int {
      require_readable(options->model);
      const auto model = load_model(options->model);
      if (options->json) {
        print_json(report::describe_json(*model));
      } else {
        std::cout << report::describe(*model);
      }
      return success;
    };
  });
}

} // namespace lodestep::cli
