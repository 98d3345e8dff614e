#include "cli/command.hpp"

#include <lodestep/error.hpp>
#include <lodestep/version.hpp>

#include <CLI/Config.hpp>
#include <CLI/Error.hpp>
#include <CLI/Formatter.hpp>

#include <cstring>
#include <exception>
#include <iostream>
#include <memory>

using namespace lodestep;

namespace {

/// An error for a person on standard error and, where JSON was asked for, {"error": message} on standard output.
int report_error(const std::string& message, bool json, int code) {
  std::cerr << "lodestep: error: " << message << '\n';
  if (json) cli::print_json({{"error", message}});
  return code;
}

} // namespace

int main(int argc, char** argv) {
  // Looked for by hand, so that even flags that cannot be parsed are answered in the form the caller reads.
  bool json = false;
  for (int i = 1; i < argc; ++i) json |= std::strcmp(argv[i], "--json") == 0;

  CLI::App app{"lodestep: learned ODE steppers for the code you already have"};
  app.name("lodestep");
  app.set_version_flag("--version", std::string("lodestep " LODESTEP_VERSION_STRING));
  app.require_subcommand(1);
  app.get_formatter()->column_width(28);
  app.footer("The whole way, on the elastic pendulum:\n"
             "  lodestep problems\n"
             "  lodestep train attns elastic_pendulum -o pendulum.safetensors --error 3e-5\n"
             "  lodestep evaluate pendulum.safetensors\n"
             "  lodestep bench elastic_pendulum --model pendulum.safetensors --plot pendulum\n\n"
             "Each verb has its own --help. Exit codes: 0 success, 1 the work failed, 2 the request cannot be met\n"
             "as given, 130 interrupted. With --json, an error is also printed as {\"error\": message}.");

  cli::Action action;
  cli::add_problems(app, action);
  cli::add_generate(app, action);
  cli::add_train(app, action);
  cli::add_evaluate(app, action);
  cli::add_bench(app, action);
  cli::add_inspect(app, action);
  cli::add_export(app, action);
  cli::add_import(app, action);
  cli::add_study(app, action);

  try {
    app.parse(argc, argv);
    return action();
  } catch (const CLI::Success& request) { // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return report_error(std::string(error.what()) + " (see --help)", json, cli::bad_input);
  } catch (const InvalidArgument& error) {
    return report_error(error.what(), json, cli::bad_input);
  } catch (const InvalidModel& error) {
    return report_error(error.what(), json, cli::bad_input);
  } catch (const std::exception& error) {
    return report_error(error.what(), json, cli::failure);
  }
}
