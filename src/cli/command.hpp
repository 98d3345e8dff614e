#pragma once

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

/// The command is thin: each verb turns flags into one call of the library and prints what comes back, as a table for
/// a person or, with --json, as one JSON document that is alone on standard output. All else goes to standard error.
namespace lodestep::cli {

/// Exit codes, which scripts may rely on.
enum Exit : int {
  success = 0,
  failure = 1,      ///< the work failed: a right-hand side that diverges, a disk that is full
  bad_input = 2,    ///< the request cannot be met as given: a flag, a name, a file
  interrupted = 130 ///< Ctrl-C; `train` has saved the best model found until then
};

/// What every verb accepts.
struct Common {
  bool json = false;
  bool quiet = false;
  bool force = false;
  std::uint64_t seed = 0;
};

/// What the chosen verb is going to do: set while parsing, run afterwards.
using Action = std::function<int()>;

/// One function per verb, each in the file of that name.
void add_problems(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_train_attns(CLI::App& train, Action& action);
void add_train_hits(CLI::App& train, Action& action);
void add_train_rknn(CLI::App& train, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_study(CLI::App& app, Action& action);

/// --json, --seed, --quiet; and --force for the verbs that write files.
void add_common(CLI::App& verb, Common& common);
void add_force(CLI::App& verb, Common& common);
/// --backend, a word for backend_from().
void add_backend(CLI::App& verb, std::string& backend);

/// The value of a flag that must be a positive finite number, or `otherwise` if it was not given. Throws
/// InvalidArgument naming the flag. (A CLI11 validator would print its own words for the range.)
double positive(const std::optional<double>& value, const char* flag, double otherwise);
std::size_t positive(const std::optional<std::size_t>& value, const char* flag, std::size_t otherwise);

/// Writes one JSON document to standard output. A number that is not finite is written as null.
void print_json(const nlohmann::ordered_json& document);

/// "1.23e-05": three digits, for tables.
std::string number(double value);

} // namespace lodestep::cli
