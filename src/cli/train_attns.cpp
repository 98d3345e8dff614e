#include "cli/command.hpp"
#include "cli/family.hpp"
#include "cli/output_file.hpp"
#include "cli/problem_of.hpp"
#include "cli/progress.hpp"
#include "cli/train_attns_paper.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace lodestep::cli {

namespace {

struct TrainAttnsOptions : Common {
  std::string problem;
  std::string output;
  std::string base = AttnsOptions{}.base;
  std::string initial;
  std::string dt;
  std::string dt_range;
  std::optional<double> output_dt;
  std::string form = to_string(CorrectorForm::additive);
  std::string input = "auto";
  std::string time = "auto";
  std::vector<std::string> parameters;
  std::optional<double> error;
  std::optional<double> horizon;
  std::optional<double> time_limit;
  std::optional<std::size_t> trajectories;
  std::string recipe = "auto";
  AttnsPaperFlags paper;
};

/// The candidate that became the model: the most accurate of its input, base and shape (a candidate is tried again when
/// more data is made). Returns the number of candidates if there is none.
std::size_t chosen_candidate(const AttnsResult& result) {
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  const std::string description = corrector.base + " + " + corrector.approximator.description();
  std::size_t chosen = result.candidates.size();
  for (std::size_t i = 0; i < result.candidates.size(); ++i) {
    const auto& candidate = result.candidates[i];
    if (candidate.dt != corrector.dt || candidate.input != corrector.input || candidate.description != description) {
      continue;
    }
    if (chosen == result.candidates.size() || candidate.validation_rms < result.candidates[chosen].validation_rms) {
      chosen = i;
    }
  }
  return chosen;
}

/// On validation states: what the choice was made by.
double validation_rms(const AttnsResult& result) {
  const std::size_t chosen = chosen_candidate(result);
  return chosen < result.candidates.size() ? result.candidates[chosen].validation_rms : std::nan("");
}

nlohmann::ordered_json to_json(const AttnsResult& result, const std::string& path) {
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  const std::size_t chosen = chosen_candidate(result);
  nlohmann::ordered_json candidates = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < result.candidates.size(); ++i) {
    const auto& candidate = result.candidates[i];
    candidates.push_back({{"dt", candidate.dt},
                          {"input", to_string(candidate.input)},
                          {"approximator", candidate.description},
                          {"cost_ns", candidate.cost_ns},
                          {"validation_rms", candidate.validation_rms},
                          {"chosen", i == chosen}});
  }
  return {{"model", path},
          {"problem", result.model.provenance.problem},
          {"kind", result.model.kind()},
          {"dt", corrector.dt},
          {"base", corrector.base},
          {"input", to_string(corrector.input)},
          {"approximator", corrector.approximator.description()},
          {"parameters", corrector.approximator.parameters()},
          {"training_trajectories", result.model.provenance.training_trajectories},
          {"seed", result.model.provenance.seed},
          {"seconds", result.seconds},
          {"validation_rms", validation_rms(result)},
          {"held_out_rms", result.model.error.horizon_rms},
          {"reached", result.reached},
          {"interrupted", result.interrupted},
          {"timed_out", result.timed_out},
          {"candidates", candidates}};
}

void print(const AttnsResult& result, const TrainAttnsOptions& options, double error) {
  const auto& corrector = std::get<CorrectorModel>(result.model.method);
  const std::size_t chosen = chosen_candidate(result);
  std::printf("  %-8s %-10s %-36s %12s %16s\n", "dt", "input", "approximator", "modelled ns", "validation rms");
  for (std::size_t i = 0; i < result.candidates.size(); ++i) {
    const auto& candidate = result.candidates[i];
    const bool diverged = !std::isfinite(candidate.validation_rms);
    std::printf("%s %-8s %-10s %-36s %12s %16s\n", i == chosen ? "*" : " ", number(candidate.dt).c_str(),
                to_string(candidate.input), candidate.description.c_str(), number(candidate.cost_ns).c_str(),
                diverged ? "diverged" : number(candidate.validation_rms).c_str());
  }
  const std::string what = corrector.approximator.description() + " of the " + to_string(corrector.input);
  std::printf("\nchosen (*): %s on %s, dt %s: ", what.c_str(), corrector.base.c_str(), number(corrector.dt).c_str());
  if (error > 0.0 && result.reached) {
    std::printf("the cheapest step of those tried that reaches the error asked for, %s.\n", number(error).c_str());
  } else if (error > 0.0) {
    std::printf("the most accurate found; the error asked for, %s, was NOT reached.\n", number(error).c_str());
  } else {
    std::printf("the most accurate found.\n");
  }
  std::printf("error over T = %s, root mean square: %s on validation states, %s on held-out ones.\n"
              "%zu coefficients, %zu training trajectories, %.1f s%s.\nwritten to %s\n",
              number(result.model.error.horizon).c_str(), number(validation_rms(result)).c_str(),
              number(result.model.error.horizon_rms).c_str(), corrector.approximator.parameters(),
              result.model.provenance.training_trajectories, result.seconds,
              result.interrupted ? "; interrupted: the best found until then"
              : result.timed_out ? "; the time limit was hit: the best found until then"
                                 : "",
              options.output.c_str());
}

/// A positive number, or InvalidArgument naming the flag.
double step_of(const std::string& text, const char* flag) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value > 0.0) || !std::isfinite(value)) {
    throw InvalidArgument(std::string(flag) + ": expected a positive number, found '" + text + "'");
  }
  return value;
}

void choose_dt(AttnsOptions& attns, const TrainAttnsOptions& options) {
  if (options.dt == "auto") {
    attns.search_dt = true;
  } else if (!options.dt.empty()) {
    attns.dt = step_of(options.dt, "--dt");
  }
  if (!options.dt_range.empty()) attns.dt_range = range_of(options.dt_range, "--dt-range");
}

/// "auto", "none", "elapsed", "phase" (of the problem's period) or "phase:PERIOD".
void choose_time(AttnsOptions& attns, const std::string& text) {
  if (text == "auto") return;
  const std::size_t colon = text.find(':');
  attns.time = time_input_from(text.substr(0, colon));
  if (colon == std::string::npos) return;
  if (*attns.time != TimeInput::phase) throw InvalidArgument("--time: only a phase has a period, found '" + text + "'");
  attns.period = step_of(text.substr(colon + 1), "--time phase");
}

int run_paper(const Problem& problem, const TrainAttnsOptions& options) {
  if (options.error || options.time_limit || !options.dt_range.empty() || options.output_dt || options.dt == "auto" ||
      !options.parameters.empty() || options.time != "auto") {
    throw InvalidArgument("--recipe paper: one step size and one problem, trained for --epochs: without --error, "
                          "--time-limit, --dt auto, --dt-range, --output-dt, --parameter and --time");
  }
  AttnsPaperOptions paper;
  if (options.base != "auto") paper.base = classical_tableau(options.base).name;
  if (!options.dt.empty()) paper.dt = step_of(options.dt, "--dt");
  paper.horizon = positive(options.horizon, "--horizon", problem.horizon);
  paper.trajectories = positive(options.trajectories, "--trajectories", paper.trajectories);
  paper.form = corrector_form_from(options.form);
  if (options.input != "auto") paper.input = corrector_input_from(options.input);
  return train_attns_paper(problem, paper, options.paper, options.output, options);
}

int run(const TrainAttnsOptions& options) {
  require_writable(options.output, options.force);
  Problem problem = make_problem(options.problem);
  choose_initial(problem, options.initial);
  if (options.recipe == "paper") return run_paper(problem, options);
  if (options.recipe != "auto")
    throw InvalidArgument("--recipe: expected auto or paper, found '" + options.recipe + "'");
  if (options.paper.any()) throw InvalidArgument("--epochs, --hidden and the like: only with --recipe paper");
  AttnsOptions attns;
  attns.base = options.base == "auto" ? options.base : classical_tableau(options.base).name;
  choose_dt(attns, options);
  attns.output_dt = positive(options.output_dt, "--output-dt", 0.0);
  attns.form = corrector_form_from(options.form);
  if (options.input != "auto") attns.input = corrector_input_from(options.input);
  choose_time(attns, options.time);
  for (const auto& text : options.parameters) attns.parameters.push_back(parameter_range(text));
  attns.horizon = positive(options.horizon, "--horizon", problem.horizon);
  attns.error = positive(options.error, "--error", 0.0);
  attns.trajectories = positive(options.trajectories, "--trajectories", 0);
  attns.time_limit = positive(options.time_limit, "--time-limit", attns.time_limit);
  attns.seed = options.seed;

  ProgressBar bar(options.quiet);
  attns.progress = bar.callback();
  const Interrupt interrupt;
  const AttnsResult result = train_attns(problem, attns);
  bar.clear();
  save_model(result.model, options.output, options.force ? Overwrite::yes : Overwrite::no);

  if (options.json) {
    print_json(to_json(result, options.output));
  } else {
    print(result, options, attns.error);
  }
  if (attns.error > 0.0 && !result.reached && !options.quiet) {
    std::cerr << "lodestep: warning: the error asked for was not reached: " << number(validation_rms(result))
              << " on validation states, asked " << number(attns.error)
              << "; try a smaller --dt, another --base, more --trajectories or a longer --time-limit\n";
  }
  return result.interrupted ? interrupted : success;
}

} // namespace

void add_train_attns(CLI::App& train, Action& action) {
  auto options = std::make_shared<TrainAttnsOptions>();
  auto* verb = train.add_subcommand("attns", "Learn a correction of a classical scheme's large step (AttNS)");
  verb->add_option("PROBLEM", options->problem, "The problem, as in k_link_pendulum:K=3 (see 'lodestep problems')")
      ->required()
      ->type_name("");
  verb->add_option("-o,--output", options->output, "The model file to write (safetensors)")
      ->required()
      ->type_name("FILE");
  verb->add_option(
          "--base", options->base,
          "The scheme that is corrected: rk4, rk3, heun, euler, or auto, the cheapest that reaches --error (rk4 "
          "without --error)")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--dt", options->dt,
                   "The step to learn, in the problem's unit of time [the problem's], or auto: whichever step makes a "
                   "unit of time cheapest at --error")
      ->type_name("TIME|auto");
  verb->add_option(
          "--output-dt", options->output_dt,
          "With --dt auto: states are wanted as often; a longer step then learns those within it (dense output)")
      ->type_name("TIME");
  verb->add_option("--dt-range", options->dt_range,
                   "One model for every step from A to B, and shorter ones: the correction is scaled by dt^(p+1), so "
                   "that the scheme keeps its order")
      ->type_name("A:B");
  verb->add_option("--input", options->input,
                   "What the network is fed: increment (AttNS), state (NeurVec), stages, or auto")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--form", options->form, "additive, or multiplicative (AttNS-m)")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--time", options->time,
                   "How time is fed where the right-hand side depends on it: phase (of the problem's period), "
                   "phase:PERIOD, elapsed, none, or auto")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--parameter", options->parameters,
                   "A parameter of the problem that becomes an input of the model, as in k=30:50; may be repeated")
      ->type_name("NAME=A:B");
  add_initial(*verb, options->initial);
  verb->add_option("--error", options->error,
                   "The error asked for: root mean square over time, variables and trajectories, in the problem's "
                   "units [as small as it gets]")
      ->type_name("RMS");
  verb->add_option("--trajectories", options->trajectories, "Training trajectories [as many as it needs]")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--horizon", options->horizon, "Length of the roll-outs that judge candidates [the problem's]")
      ->type_name("TIME");
  verb->add_option("--time-limit", options->time_limit,
                   "Seconds after which the best so far is taken; a search that hits the limit may differ from run to "
                   "run [60]")
      ->type_name("SECONDS");
  verb->add_option("--recipe", options->recipe,
                   "auto: the search described below; paper: the published one, a wide rational network by Adam")
      ->type_name("NAME")
      ->capture_default_str();
  add_attns_paper_flags(*verb, options->paper);
  add_force(*verb, *options);
  add_common(*verb, *options);
  verb->footer(
      "One step of the learned stepper is u' = u + S dt + Q: the base scheme's step and a learned correction.\n"
      "Approximators Q are tried from the cheapest up (affine, polynomials, networks), each judged by roll-outs over\n"
      "the whole horizon on validation states; the cheapest that reaches --error is kept. --error is the square root\n"
      "of the mean squared error that papers print: --error 3e-5 asks for an MSE of 1e-9.\n"
      "Ctrl-C keeps the best model found so far (a second one ends the program at once).\n\n"
      "Examples:\n"
      "  lodestep train attns elastic_pendulum -o pendulum.safetensors --error 3e-5\n"
      "  lodestep train attns elastic_pendulum -o fast.safetensors --error 3e-5 --dt auto\n"
      "  lodestep train attns elastic_pendulum -o any_dt.safetensors --dt-range 0.02:0.2\n"
      "  lodestep train attns elastic_pendulum -o any_k.safetensors --parameter k=30:50 --initial wide\n"
      "  lodestep train attns spring_mass:d=40 -o chain.safetensors --base euler --json");
  verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace lodestep::cli
