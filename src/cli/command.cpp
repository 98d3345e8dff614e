#include "cli/command.hpp"

#include <lodestep/error.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>

namespace lodestep::cli {

void add_common(CLI::App& verb, Common& common) {
  verb.add_flag("--json", common.json, "Print one JSON document on standard output instead of tables");
  verb.add_option("--seed", common.seed, "Seed of all random choices: the same seed gives the same result")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.add_flag("--quiet", common.quiet, "No progress and no notes on standard error; errors are still shown");
}

void add_force(CLI::App& verb, Common& common) {
  verb.add_flag("--force", common.force, "Overwrite output files that exist");
}

void add_backend(CLI::App& verb, std::string& backend) {
  verb.add_option("--backend", backend, "Who evaluates the model: automatic, fused, onednn or reference")
      ->type_name("BACKEND")
      ->capture_default_str();
}

double positive(const std::optional<double>& value, const char* flag, double otherwise) {
  if (!value) return otherwise;
  if (std::isfinite(*value) && *value > 0.0) return *value;
  throw InvalidArgument(std::string(flag) + ": expected a positive number, found " + number(*value));
}

std::size_t positive(const std::optional<std::size_t>& value, const char* flag, std::size_t otherwise) {
  if (!value) return otherwise;
  if (*value > 0) return *value;
  throw InvalidArgument(std::string(flag) + ": expected at least 1, found 0");
}

void print_json(const nlohmann::ordered_json& document) {
  std::cout << document.dump(2) << '\n';
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

} // namespace lodestep::cli
