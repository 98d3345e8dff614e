#include "cli/bench_host.hpp"

#include "cli/progress.hpp"

#include <lodestep/error.hpp>

#ifdef LODESTEP_HAVE_SUNDIALS
#include "hosts/sundials.hpp"

#include <cmath>
#include <cstdio>
#endif

namespace lodestep::cli {

#ifdef LODESTEP_HAVE_SUNDIALS

namespace {

std::string name_of(const std::string& integrator, std::size_t steps) {
  return steps > 1 ? integrator + ", " + std::to_string(steps) + " steps in one" : integrator;
}

void print(const hosts::SundialsResult& result) {
  std::printf("%s inside SUNDIALS %s: outputs every %s up to %s, %zu held-out trajectories\n\n", result.problem.c_str(),
              result.version.c_str(), number(result.output_dt).c_str(), number(result.horizon).c_str(),
              result.trajectories);
  std::printf("  %-36s %10s %12s %14s\n", "integrator", "tolerance", "mse", "us/trajectory");
  for (const auto& point : result.points) {
    std::printf("%s %-36s %10s %12s %14s\n", point.learned ? "*" : " ", name_of(point.integrator, point.steps).c_str(),
                point.learned ? "" : number(point.tolerance).c_str(),
                std::isfinite(point.mse) ? number(point.mse).c_str() : "failed", number(point.microseconds).c_str());
  }
  std::printf("\n");
  for (const auto& speedup : result.speedups) {
    if (speedup.ratio) {
      std::printf("%s is %.1f times as fast as the best of SUNDIALS' own at an mse of %s, %s.\n",
                  name_of(speedup.model, speedup.steps).c_str(), *speedup.ratio, number(speedup.mse).c_str(),
                  speedup.best.c_str());
    } else {
      std::printf("%s: %s.\n", name_of(speedup.model, speedup.steps).c_str(),
                  speedup.best.empty() ? "none of SUNDIALS' own reaches its error"
                                       : "it does not reach the error asked for");
    }
  }
}

nlohmann::ordered_json to_json(const hosts::SundialsResult& result) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array(), speedups = nlohmann::ordered_json::array();
  for (const auto& point : result.points) {
    points.push_back({{"integrator", point.integrator},
                      {"family", point.learned ? "learned" : "classical"},
                      {"steps_in_one", point.steps},
                      {"tolerance", point.tolerance},
                      {"mse", point.mse},
                      {"microseconds_per_trajectory", point.microseconds}});
  }
  for (const auto& speedup : result.speedups) {
    nlohmann::ordered_json ratio;
    if (speedup.ratio) ratio = *speedup.ratio;
    speedups.push_back({{"model", speedup.model},
                        {"steps_in_one", speedup.steps},
                        {"mse", speedup.mse},
                        {"best", speedup.best},
                        {"speedup", ratio}});
  }
  return {{"host", "sundials"},        {"version", result.version},     {"problem", result.problem},
          {"horizon", result.horizon}, {"output_dt", result.output_dt}, {"trajectories", result.trajectories},
          {"points", points},          {"speedups", speedups}};
}

} // namespace

int bench_host(const HostBench& bench, bool json, bool quiet) {
  if (bench.host != "sundials") {
    throw InvalidArgument("--host " + bench.host + ": expected sundials");
  }
  hosts::SundialsOptions options;
  if (bench.trajectories) options.trajectories = *bench.trajectories;
  if (bench.seconds) options.seconds = *bench.seconds;
  options.horizon = bench.horizon;
  options.output_dt = bench.output_dt;
  options.error = bench.error;
  options.seed = bench.seed;
  options.backend = bench.backend;
  std::vector<hosts::SundialsModel> models;
  for (const auto& [name, model] : bench.models) models.push_back({name, model});
  ProgressBar bar(quiet);
  options.progress = bar.callback();
  const auto result = hosts::bench_sundials(bench.problem, models, options);
  bar.clear();
  if (json) {
    print_json(to_json(result));
  } else {
    print(result);
  }
  return success;
}

#else

int bench_host(const HostBench& bench, bool, bool) {
  throw InvalidArgument("--host " + bench.host + ": this command was built without SUNDIALS (ARKODE and CVODE)");
}

#endif

} // namespace lodestep::cli
