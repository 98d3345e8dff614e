#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "model/atomic_file.hpp"

#include <lodestep/error.hpp>
#include <lodestep/source_export.hpp>

#include <fstream>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

namespace lodestep::cli {

namespace {

struct ExportOptions : Common {
  std::string model;
  bool c = false;
  bool fortran = false;
  std::string directory = ".";
  std::string name;
};

using Files = std::vector<std::pair<std::string, std::string>>; ///< path and contents

Files sources(const ExportOptions& options, const Model& model) {
  const std::string name = options.name.empty() ? source_name(model.provenance.problem) : options.name;
  const std::string path = options.directory + "/" + name;
  Files files;
  if (options.c) {
    CSource source = export_c(model, name);
    files.emplace_back(path + ".h", std::move(source.header));
    files.emplace_back(path + ".c", std::move(source.source));
  }
  if (options.fortran) files.emplace_back(path + ".f90", export_fortran(model, name));
  return files;
}

void write(const std::string& path, const std::string& text, bool force) {
  lodestep::detail::AtomicFile file(path, force ? Overwrite::yes : Overwrite::no);
  std::ofstream stream(file.path(), std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw IoError("cannot write '" + path + "'");
  file.commit();
}

} // namespace

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExportOptions>();
  auto* verb = app.add_subcommand("export", "Write a model as source code that needs no library");
  verb->add_option("MODEL", options->model, "The model file")->required()->type_name("");
  verb->add_flag("--c", options->c, "C99: NAME.c and NAME.h");
  verb->add_flag("--fortran", options->fortran, "A Fortran 2003 module: NAME.f90");
  verb->add_option("-o,--directory", options->directory, "Where to write")->type_name("DIRECTORY");
  verb->add_option("--name", options->name, "Prefix of all names and files (default: the problem's)")
      ->type_name("NAME");
  add_common(*verb, *options);
  add_force(*verb, *options);
  verb->footer("The code holds the base scheme, the approximator, the guard and the fallback; it needs libm alone,\n"
               "allocates nothing and may be called from any number of threads. Its steps are the library's to\n"
               "rounding. How to call it is written at its top.\n\n"
               "Examples:\n"
               "  lodestep export pendulum.safetensors --c\n"
               "  lodestep export pendulum.safetensors --fortran -o src --name pendulum_stepper");
  verb->callback([options, &action] {
    action = [options]() -> int {
      if (!options->c && !options->fortran) throw InvalidArgument("export: say as what: --c, --fortran or both");
      require_readable(options->model);
      const Files files = sources(*options, *load_model(options->model));
      for (const auto& file : files) require_writable(file.first, options->force);
      nlohmann::ordered_json written = nlohmann::ordered_json::array();
      for (const auto& [path, text] : files) {
        write(path, text, options->force);
        written.push_back(path);
        if (!options->json && !options->quiet) std::cout << path << '\n';
      }
      if (options->json) print_json({{"files", written}});
      return success;
    };
  });
}

} // namespace lodestep::cli
