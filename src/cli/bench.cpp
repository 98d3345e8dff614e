#include "cli/bench_host.hpp"
#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/problem_of.hpp"
#include "cli/progress.hpp"
#include "hosts/cvode_contender.hpp"
#include "report/inference.hpp"
#include "report/plot.hpp"
#include "report/stiff_contenders.hpp"
#include "report/verdict.hpp"
#include "report/work_precision.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <set>
#include <vector>

namespace lodestep::cli {

namespace {

struct BenchOptions : Common {
  std::string problem;
  std::vector<std::string> models;
  std::optional<std::size_t> trajectories;
  std::optional<double> output_dt;
  std::optional<double> horizon;
  std::optional<double> seconds;
  std::string initial;
  std::string plot;
  std::string backend = "automatic";
  bool inference = false;
  std::string host;
  std::optional<double> error;
};

std::vector<report::NamedModel> load(const std::vector<std::string>& paths) {
  std::vector<report::NamedModel> models;
  std::set<std::string> seen;
  for (const auto& path : paths) {
    if (!seen.insert(path).second) throw InvalidArgument("--model " + path + ": given twice");
    require_readable(path);
    models.push_back({path, load_model(path)});
  }
  return models;
}

void print(const report::WorkPrecision& result) {
  std::printf("%s: outputs every %s up to %s, %zu held-out trajectories, classical steppers on %s\n\n",
              result.problem.c_str(), number(result.output_dt).c_str(), number(result.horizon).c_str(),
              result.trajectories, result.state_type.c_str());
  std::printf("  %-28s %-10s %10s %12s %14s %12s\n", "stepper", "setting", "", "mse", "us/trajectory", "evaluations");
  auto points = result.points;
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.mse > b.mse; });
  for (const auto& point : points) {
    std::printf("%s %-28s %-10s %10s %12s %14s %12s\n", point.family == report::Family::learned ? "*" : " ",
                point.stepper.c_str(), to_string(point.setting), number(point.parameter).c_str(),
                std::isfinite(point.mse) ? number(point.mse).c_str() : "diverged",
                number(point.microseconds_per_trajectory).c_str(), number(point.rhs_evaluations).c_str());
  }
  std::printf("\n");
  for (const auto& paragraph : report::verdict(result)) std::printf("%s\n", paragraph.c_str());
}

void print(const std::string& model, const report::Inference& result) {
  std::printf("%s: %s, instruction set %s, one thread\n\n", model.c_str(), result.approximator.c_str(),
              result.instruction_set.c_str());
  std::printf("  %-60s %-10s %14s\n", "name", "runs on", "ns/sample");
  for (const auto& point : result.points) {
    std::printf("  %-60s %-10s %14s\n", point.name.c_str(), to_string(point.runs), number(point.ns_per_sample).c_str());
  }
  for (const auto& note : result.notes) std::printf("  %s\n", note.c_str());
  std::printf("\n");
}

int run_inference(const BenchOptions& options) {
  if (options.models.empty()) throw InvalidArgument("--inference: give the model to measure (--model FILE)");
  const auto models = load(options.models);
  report::InferenceOptions measure;
  measure.seconds = positive(options.seconds, "--seconds", measure.seconds);
  measure.seed = options.seed;
  measure.backend = backend_from(options.backend);
  ProgressBar bar(options.quiet);
  measure.progress = bar.callback();
  nlohmann::ordered_json documents = nlohmann::ordered_json::array();
  for (const auto& named : models) {
    const auto result = report::measure_inference(*named.model, measure);
    bar.clear();
    if (options.json) {
      auto document = report::to_json(result);
      document["model"] = named.name;
      documents.push_back(document);
    } else {
      print(named.name, result);
    }
  }
  if (options.json) print_json({{"inference", documents}});
  return success;
}

Problem plain_problem(const BenchOptions& options) {
  Problem problem = make_problem(options.problem);
  choose_initial(problem, options.initial);
  return problem;
}

/// Models are compared on what they were trained for, which must be one thing.
void require_one_distribution(const std::vector<report::NamedModel>& models, const BenchOptions& options) {
  if (!options.initial.empty()) return;
  for (const auto& named : models) {
    const auto& first = models.front().model->provenance.initial;
    if (named.model->provenance.initial == first) continue;
    throw InvalidArgument("bench: model '" + models.front().name + "' was trained on the initial states '" + first +
                          "', model '" + named.name + "' on '" + named.model->provenance.initial +
                          "': say which to compare them on (--initial)");
  }
}

int run(const BenchOptions& options) {
  if (options.inference) return run_inference(options);
  if (options.problem.empty()) throw InvalidArgument("bench: name a problem, or ask for --inference --model FILE");
  const auto models = load(options.models);
  const Problem problem =
      models.empty() ? plain_problem(options) : problem_of(*models.front().model, options.problem, options.initial);
  require_one_distribution(models, options);
  if (!options.host.empty()) {
    HostBench bench{options.host, problem, models, {}, {}, 0.0, 0.0, 0.0, options.seed, backend_from(options.backend)};
    if (options.trajectories) bench.trajectories = positive(options.trajectories, "--trajectories", 1);
    if (options.seconds) bench.seconds = positive(options.seconds, "--seconds", 1.0);
    bench.output_dt = positive(options.output_dt, "--output-dt", 0.0);
    bench.horizon = positive(options.horizon, "--horizon", 0.0);
    bench.error = positive(options.error, "--error", 0.0);
    return bench_host(bench, options.json, options.quiet);
  }
  report::WorkPrecisionOptions bench;
  bench.trajectories = positive(options.trajectories, "--trajectories", bench.trajectories);
  bench.output_dt = positive(options.output_dt, "--output-dt", 0.0);
  bench.horizon = positive(options.horizon, "--horizon", 0.0);
  bench.seconds = positive(options.seconds, "--seconds", bench.seconds);
  bench.seed = options.seed;
  bench.backend = backend_from(options.backend);
  if (!options.plot.empty()) {
    for (const auto& file : report::plot_files(options.plot)) require_writable(file, options.force);
  }
  if (report::is_stiff(problem)) bench.beside = hosts::cvode_contenders(problem);
  ProgressBar bar(options.quiet);
  bench.progress = bar.callback();
  const auto result = report::work_precision(problem, models, bench);
  bar.clear();

  report::Plot plot;
  if (!options.plot.empty()) plot = report::plot(result, options.plot);
  if (options.json) {
    auto document = report::to_json(result);
    document["verdict"] = report::verdict(result);
    document["files"] = plot.files;
    print_json(document);
  } else {
    print(result);
    for (const auto& file : plot.files) std::printf("written to %s\n", file.c_str());
  }
  if (!plot.note.empty() && !options.quiet) std::cerr << "lodestep: note: " << plot.note << '\n';
  return success;
}

} // namespace

void add_bench(CLI::App& app, Action& action) {
  auto options = std::make_shared<BenchOptions>();
  auto* verb =
      app.add_subcommand("bench", "Measure work against precision: models against the best classical steppers");
  auto* problem =
      verb->add_option("PROBLEM", options->problem, "The problem, as in k_link_pendulum:K=3 (see 'lodestep problems')")
          ->type_name("");
  verb->add_option("--model", options->models, "Model files to compare; without any, the classical steppers alone")
      ->type_name("FILE");
  auto* trajectories = verb->add_option("--trajectories", options->trajectories, "Held-out trajectories [50]")
                           ->type_name("N")
                           ->check(CLI::NonNegativeNumber);
  auto* output_dt =
      verb->add_option("--output-dt", options->output_dt,
                       "Time between outputs, a multiple of every model's dt [the largest dt of the models]")
          ->type_name("TIME");
  auto* horizon =
      verb->add_option("--horizon", options->horizon, "Length of a trajectory [what the models were trained for]")
          ->type_name("TIME");
  add_initial(*verb, options->initial);
  verb->add_option("--seconds", options->seconds,
                   "Roughly how long to repeat the timings that decide [20; 3 a model with --inference]")
      ->type_name("SECONDS");
  auto* plot =
      verb->add_option("--plot", options->plot, "Draw the diagram to PREFIX.svg and PREFIX.png (needs gnuplot)")
          ->type_name("PREFIX");
  auto* inference = verb->add_flag("--inference", options->inference,
                                   "Instead, time the evaluation of each model's approximator, by backend and batch");
  auto* host = verb->add_option("--host", options->host,
                                "Instead, run the models inside another library and compare with its own integrators: "
                                "sundials")
                   ->type_name("NAME");
  host->excludes(plot);
  host->excludes(inference);
  verb->add_option("--error", options->error,
                   "With --host: the root mean square error asked of all [that of each model]")
      ->type_name("RMS")
      ->needs(host);
  for (auto* option : {problem, trajectories, output_dt, horizon, plot}) inference->excludes(option);
  add_backend(*verb, options->backend);
  add_force(*verb, *options);
  add_common(*verb, *options);
  verb->footer(
      "All steppers give the same outputs from the same held-out initial states, on one thread. Classical steppers "
      "run\n"
      "on the fastest state type, over a range of steps or tolerances tuned finely around each model's error. mse is\n"
      "the mean squared error over time, variables and trajectories; times are medians of interleaved repetitions, in\n"
      "microseconds a trajectory; evaluations are calls of the right-hand side per trajectory.\n"
      "speedup_at_equal_error is the time of the fastest classical setting whose mse is no larger than the model's,\n"
      "over the model's time: above 1 the model pays; null if the model diverged or no classical setting gets "
      "there.\n\n"
      "A hierarchy enters with each of its flow maps that gives outputs every --output-dt: alone where its step "
      "divides\n"
      "that, otherwise as hybrid and with a sweep of parareal. For stiff problems the implicit steppers compete:\n"
      "rosenbrock4, and CVODE's BDF where the program is built with SUNDIALS.\n\n"
      "--host sundials makes each model ARKODE's main integrator and compares it with ERKStep's tables and CVODE's\n"
      "methods, each at the largest tolerance that reaches the error.\n\n"
      "--inference needs no problem: it prints nanoseconds a sample for batches of 1, 16, 256 and 4096 on every\n"
      "backend that can run the model (or the one of --backend), under the names of the benchmark program.\n\n"
      "Examples:\n"
      "  lodestep bench elastic_pendulum --model pendulum.safetensors --plot pendulum\n"
      "  lodestep bench elastic_pendulum --model a.safetensors --model b.safetensors --json\n"
      "  lodestep bench elastic_pendulum --model pendulum.safetensors --host sundials --error 3e-5\n"
      "  lodestep bench hires --model flow.safetensors\n"
      "  lodestep bench --inference --model pendulum.safetensors");
  verb->callback([options, &action] { action = [options] { return run(*options); }; });
}

} // namespace lodestep::cli
