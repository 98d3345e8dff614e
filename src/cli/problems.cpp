#include "cli/command.hpp"

#include <lodestep/problem.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace lodestep::cli {

namespace {

struct ProblemsOptions : Common {
  std::string problem;
};

nlohmann::ordered_json to_json(const Problem& problem) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const auto& parameter : problem.parameters) parameters[parameter.name] = parameter.value;
  nlohmann::ordered_json variables = nlohmann::ordered_json::array();
  for (const auto& variable : problem.variables) {
    variables.push_back({{"name", variable.name}, {"unit", variable.unit}});
  }
  return {{"name", problem.name},     {"description", problem.description},
          {"parameters", parameters}, {"dimension", problem.dimension()},
          {"variables", variables},   {"horizon", problem.horizon},
          {"dt", problem.dt}};
}

std::string parameters_text(const Problem& problem) {
  std::string text;
  for (const auto& parameter : problem.parameters) {
    text += (text.empty() ? "" : ", ") + parameter.name + "=" + number(parameter.value);
  }
  return text;
}

int list(bool json) {
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  if (!json) std::printf("%-20s %4s %8s %6s  %s\n", "problem", "dim", "horizon", "dt", "what it is (parameters)");
  for (const auto& info : list_problems()) {
    const Problem problem = make_problem(info.name);
    if (json) {
      document.push_back(to_json(problem));
      continue;
    }
    const std::string parameters = parameters_text(problem);
    std::printf("%-20s %4zu %8s %6s  %s%s\n", problem.name.c_str(), problem.dimension(),
                number(problem.horizon).c_str(), number(problem.dt).c_str(), problem.description.c_str(),
                parameters.empty() ? "" : (" (" + parameters + ")").c_str());
  }
  if (json) print_json({{"problems", document}});
  return success;
}

int show(const Problem& problem, bool json) {
  if (json) {
    print_json(to_json(problem));
    return success;
  }
  std::printf("%s: %s\n", problem.name.c_str(), problem.description.c_str());
  if (!problem.parameters.empty()) std::printf("parameters  %s\n", parameters_text(problem).c_str());
  std::printf("horizon     %s\n", number(problem.horizon).c_str());
  std::printf("dt          %s\n", number(problem.dt).c_str());
  std::printf("variables   %zu\n", problem.dimension());
  constexpr std::size_t shown = 24;
  for (std::size_t i = 0; i < std::min(shown, problem.dimension()); ++i) {
    const auto& variable = problem.variables[i];
    std::printf("  %-12s %s\n", variable.name.c_str(), variable.unit.empty() ? "-" : variable.unit.c_str());
  }
  if (problem.dimension() > shown) std::printf("  ... and %zu more\n", problem.dimension() - shown);
  return success;
}

} // namespace

void add_problems(CLI::App& app, Action& action) {
  auto options = std::make_shared<ProblemsOptions>();
  auto* verb = app.add_subcommand("problems", "List the built-in problems, or show one of them");
  verb->add_option("PROBLEM", options->problem, "A problem to show: its variables, units, horizon and default step")
      ->type_name("");
  add_common(*verb, *options);
  verb->footer("A problem is a right-hand side with a distribution of initial states and a reference solution.\n"
               "Parameters are set behind a colon.\n\n"
               "Examples:\n"
               "  lodestep problems\n"
               "  lodestep problems k_link_pendulum:K=5,g=1.62");
  verb->callback([options, &action] {
    action = [options] {
      return options->problem.empty() ? list(options->json) : show(make_problem(options->problem), options->json);
    };
  });
}

} // namespace lodestep::cli
