#include "report/study.hpp"

#include "cli/command.hpp"
#include "cli/progress.hpp"
#include "model/atomic_file.hpp"

#include <lodestep/error.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

namespace lodestep::cli {

namespace fs = std::filesystem;

namespace {

struct StudyArguments : Common {
  std::string study;
  std::string folder;
  bool list = false;
  bool full = false;
  bool small = false;
};

int list(bool json) {
  nlohmann::ordered_json documents = nlohmann::ordered_json::array();
  for (const auto& study : report::studies()) {
    documents.push_back({{"name", study.name}, {"reproduces", study.reproduces}, {"summary", study.summary}});
    if (!json) std::printf("%-18s %-28s %s\n", study.name, study.reproduces, study.summary);
  }
  if (json) print_json({{"studies", documents}});
  return success;
}

/// Makes the folder and refuses before any work is done what could not be written after it.
void prepare(const StudyArguments& arguments, const std::string& document) {
  std::error_code error;
  fs::create_directories(arguments.folder, error);
  if (!fs::is_directory(arguments.folder)) {
    throw InvalidArgument("--output: cannot make the folder '" + arguments.folder + "'" +
                          (error ? ": " + error.message() : std::string(": there is a file of that name")));
  }
  if (fs::exists(document) && !arguments.force) {
    throw InvalidArgument("cannot write '" + document + "': it already exists; pass --force to overwrite it");
  }
}

int run(const StudyArguments& arguments) {
  if (arguments.list) return list(arguments.json);
  if (arguments.study.empty()) {
    throw InvalidArgument("name a study ('lodestep study --list' shows them)");
  }
  if (arguments.full && arguments.small) throw InvalidArgument("--full and --small: choose one");
  const auto& study = report::find_study(arguments.study);
  const std::string prefix = (fs::path(arguments.folder) / study.name).string();
  const std::string document = prefix + ".json";
  if (!arguments.folder.empty()) prepare(arguments, document);

  report::StudyOptions options;
  options.size = arguments.full    ? report::StudySize::full
                 : arguments.small ? report::StudySize::small
                                   : report::StudySize::bounded;
  options.seed = arguments.seed;
  ProgressBar bar(arguments.quiet);
  options.progress = bar.callback();
  const Interrupt interrupt;
  const auto result = report::run_study(study, options);
  bar.clear();

  const auto json = report::to_json(study, result);
  std::vector<std::string> files;
  if (!arguments.folder.empty()) {
    detail::AtomicFile file(document, arguments.force ? Overwrite::yes : Overwrite::no);
    std::ofstream stream(file.path());
    stream << json.dump(2) << '\n';
    stream.close();
    if (!stream) throw IoError("cannot write '" + document + "'");
    file.commit();
    files.push_back(document);
    for (const auto& study_plot : result.plots) {
      const auto drawn = report::plot(study_plot, prefix + "-" + study_plot.name);
      files.insert(files.end(), drawn.files.begin(), drawn.files.end());
      if (!drawn.note.empty() && !arguments.quiet) std::cerr << "lodestep: note: " << drawn.note << '\n';
    }
  }
  if (arguments.json) {
    print_json(json);
  } else {
    std::cout << report::to_text(study, result);
    std::printf("%.1f s\n", result.seconds);
    for (const auto& file : files) std::printf("written to %s\n", file.c_str());
  }
  return result.interrupted ? interrupted : success;
}

} // namespace

void add_study(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<StudyArguments>();
  auto* verb = app.add_subcommand("study", "Compute a paper's table or figure again and show both");
  verb->add_option("NAME", arguments->study, "The study (see --list)")->type_name("");
  verb->add_flag("--list", arguments->list, "List the studies");
  verb->add_flag("--full", arguments->full, "As much of the paper's work as makes sense: minutes to hours");
  verb->add_flag("--small", arguments->small, "What the tests run: so little that the figures mean little");
  verb->add_option("--output", arguments->folder, "A folder for the figures as JSON, and for diagrams")
      ->type_name("FOLDER");
  add_force(*verb, *arguments);
  add_common(*verb, *arguments);
  verb->footer("Prints the paper's figures beside ours, and says in words where ours contradict the paper's.\n\n"
               "Examples:\n"
               "  lodestep study --list\n"
               "  lodestep study attns-table6 --output figures");
  verb->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

} // namespace lodestep::cli
