#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "model/atomic_file.hpp"
#include "problem/parameter_text.hpp"

#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/network_exchange.hpp>
#include <lodestep/source_export.hpp>
#include <lodestep/tableau.hpp>

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace lodestep::cli {

namespace {

struct ExportOptions : Common {
  std::string model;
  bool c = false;
  bool fortran = false;
  std::string onnx;
  std::string directory = ".";
  std::string name;
  std::optional<double> dt;
  std::string parameters;
};

using Files = std::vector<std::pair<std::string, std::string>>; ///< path and contents

/// What a model has learned, where that is a function: a corrector's, or that of the flow map which places states.
const ApproximatorSpec& network(const Model& model, const std::string& path) {
  if (const auto* corrector = std::get_if<CorrectorModel>(&model.method)) return corrector->approximator;
  const auto* hierarchy = std::get_if<HierarchyModel>(&model.method);
  if (!hierarchy) throw InvalidArgument("export --onnx: '" + path + "' is a " + model.kind() + " and has no network");
  return hierarchy->maps[hierarchy->placing].approximator;
}

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
  if (!options.onnx.empty()) {
    const auto bytes = export_onnx(network(model, options.model), name);
    files.emplace_back(options.onnx, std::string(bytes.begin(), bytes.end()));
  }
  return files;
}

/// The parameters' values in the model's order; none if none were given.
std::vector<double> parameter_values(const TableauModel& method, const std::string& text) {
  std::vector<double> values;
  if (text.empty()) return values;
  const std::string where = "the family '" + method.family + "'";
  const auto given = lodestep::detail::parse_parameters(text, where);
  for (const auto& known : method.parameters) {
    const Parameter* found = nullptr;
    for (const auto& parameter : given) {
      if (parameter.name == known.name) found = &parameter;
    }
    if (!found) throw InvalidArgument("--parameters: the value of '" + known.name + "' of " + where + " is missing");
    values.push_back(found->value);
  }
  if (given.size() != values.size()) {
    throw InvalidArgument("--parameters: " + where + " has " + std::to_string(values.size()) + " parameters, found " +
                          std::to_string(given.size()));
  }
  return values;
}

/// The learned tableau as the JSON that tableau_from_json reads.
std::string tableau_json(const ExportOptions& options, const std::shared_ptr<const Model>& model) {
  const auto* method = std::get_if<TableauModel>(&model->method);
  if (!method) {
    throw InvalidArgument(std::string("export --json: '") + options.model + "' is a " + model->kind() +
                          ", and only a tableau can be written as JSON; say --c or --fortran");
  }
  if (method->terms.empty()) return to_json(method->tableau);
  const LearnedTableau learned(model, parameter_values(*method, options.parameters));
  if (!options.dt && learned.depends_on_dt()) {
    throw InvalidArgument("export --json: the coefficients of '" + options.model +
                          "' depend on the step size: say which with --dt");
  }
  return to_json(learned.at(positive(options.dt, "--dt", method->dt.lower)));
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
  auto* verb =
      app.add_subcommand("export", "Write a model for programs without this library: as C, Fortran, JSON or ONNX");
  verb->add_option("MODEL", options->model, "The model file")->required()->type_name("");
  verb->add_flag("--c", options->c, "C99: NAME.c and NAME.h");
  verb->add_flag("--fortran", options->fortran, "A Fortran 2003 module: NAME.f90");
  verb->add_option("--onnx", options->onnx, "The network alone, for other inference engines")->type_name("FILE");
  verb->add_option("-o,--directory", options->directory, "Where to write")->type_name("DIRECTORY");
  verb->add_option("--name", options->name, "Prefix of all names and files (default: the problem's)")
      ->type_name("NAME");
  verb->add_option("--dt", options->dt, "With --json: the step size to take the coefficients at, if they depend on it")
      ->type_name("TIME");
  verb->add_option("--parameters", options->parameters, "With --json: the family's parameters, if they depend on them")
      ->type_name("A=1,B=2");
  add_common(*verb, *options);
  add_force(*verb, *options);
  verb->footer(
      "The code holds the base scheme, the approximator, the guard and the fallback; it needs libm alone,\n"
      "allocates nothing and may be called from any number of threads. Its steps are the library's to\n"
      "rounding. How to call it is written at its top: parameters are an argument, a model that estimates its\n"
      "error or knows states within its steps has functions for them. Of a hierarchy it holds the flow map that\n"
      "places states, and the fine scheme that fills in between. --json alone prints a learned tableau as JSON, and "
      "needs\n"
      "--dt or --parameters only where its coefficients depend on them. --onnx writes the map from the\n"
      "corrector's input, in the problem's units, to its correction, or what a flow map adds to a state.\n\n"
      "Examples:\n"
      "  lodestep export pendulum.safetensors --c\n"
      "  lodestep export pendulum.safetensors --fortran -o src --name pendulum_stepper\n"
      "  lodestep export van_der_pol.safetensors --json > tableau.json");
  verb->callback([options, &action] {
    action = [options]() -> int {
      const bool files_asked = options->c || options->fortran || !options->onnx.empty();
      if (!files_asked && !options->json) {
        throw InvalidArgument("export: say as what: --c, --fortran, --onnx FILE, or --json for a tableau");
      }
      require_readable(options->model);
      if (!files_asked) {
        std::cout << tableau_json(*options, load_model(options->model));
        return success;
      }
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
