#include "cli/evaluate_hierarchy.hpp"

#include "cli/command.hpp"

#include <cmath>
#include <cstdio>

namespace lodestep::cli {

namespace {

nlohmann::ordered_json to_json(const HierarchyEvaluation& e) {
  nlohmann::ordered_json json = {{"problem", e.problem},
                                 {"kind", e.kind},
                                 {"mode", to_string(e.mode)},
                                 {"dt", e.dt},
                                 {"fine_dt", e.fine_dt},
                                 {"horizon", e.horizon},
                                 {"trajectories", e.trajectories},
                                 {"mse_mean", e.mse_mean},
                                 {"mse_median", e.mse_median},
                                 {"mse_max", e.mse_max},
                                 {"fine_mse_mean", e.fine_mse_mean},
                                 {"fine_mse_median", e.fine_mse_median},
                                 {"base_mse_mean", e.base_mse_mean},
                                 {"rhs_evaluations_per_time", e.rhs_evaluations_per_time},
                                 {"microseconds_per_trajectory", e.microseconds_per_trajectory},
                                 {"base_microseconds_per_trajectory", e.base_microseconds_per_trajectory},
                                 {"threads", e.threads},
                                 {"fallback_fraction", e.fallback_fraction}};
  if (e.mode == HierarchyMode::parareal) {
    json["sweeps_mean"] = e.sweeps_mean;
    json["jump_max"] = e.jump_max;
    json["classical_fine_mse_mean"] = e.classical_fine_mse_mean;
    json["classical_sweeps_mean"] = e.classical_sweeps_mean;
  }
  return json;
}

std::string error_text(double mse) {
  if (!std::isfinite(mse)) return "diverged";
  return number(mse) + "  (rms " + number(std::sqrt(mse)) + ")";
}

void print_on_data(const HierarchyEvaluation& e) {
  std::printf("%s on %s: %s, states placed every %s, all every %s, horizon %s, %zu trajectories\n", e.kind.c_str(),
              e.problem.c_str(), to_string(e.mode), number(e.dt).c_str(), number(e.fine_dt).c_str(),
              number(e.horizon).c_str(), e.trajectories);
  std::printf("  mse mean, placed  %s\n", error_text(e.mse_mean).c_str());
  std::printf("  mse median        %s\n", error_text(e.mse_median).c_str());
  std::printf("  mse max           %s\n", error_text(e.mse_max).c_str());
  std::printf("  mse mean, all     %s\n", error_text(e.fine_mse_mean).c_str());
  std::printf("  time              %s microseconds a trajectory on 1 thread\n",
              number(e.microseconds_per_trajectory).c_str());
  if (e.left_domain != 0) {
    std::printf("  %zu of them left the domain of the maps: their error counts as infinite\n", e.left_domain);
  }
}

void print(const HierarchyEvaluation& e) {
  std::printf("%s on %s: %s, states placed every %s, fine ones every %s, horizon %s, %zu held-out trajectories\n",
              e.kind.c_str(), e.problem.c_str(), to_string(e.mode), number(e.dt).c_str(), number(e.fine_dt).c_str(),
              number(e.horizon).c_str(), e.trajectories);
  std::printf("  mse mean, placed  %s\n", error_text(e.mse_mean).c_str());
  std::printf("  mse median        %s\n", error_text(e.mse_median).c_str());
  std::printf("  mse max           %s\n", error_text(e.mse_max).c_str());
  std::printf("  mse mean, fine    %s\n", error_text(e.fine_mse_mean).c_str());
  std::printf("  fine scheme alone %s\n", error_text(e.base_mse_mean).c_str());
  if (e.mode == HierarchyMode::parareal) {
    std::printf("  sweeps            %s, the last jumps at most %s\n", number(e.sweeps_mean).c_str(),
                number(e.jump_max).c_str());
    std::printf("  with coarse RK4   %s, %s sweeps: nothing learned, the same number of segments\n",
                error_text(e.classical_fine_mse_mean).c_str(), number(e.classical_sweeps_mean).c_str());
  }
  std::printf("  evaluations       %s of the right-hand side per unit of time\n",
              number(e.rhs_evaluations_per_time).c_str());
  std::printf("  time              %s microseconds a trajectory on %zu thread%s (the fine scheme alone: %s)\n",
              number(e.microseconds_per_trajectory).c_str(), e.threads, e.threads == 1 ? "" : "s",
              number(e.base_microseconds_per_trajectory).c_str());
  std::printf("  fallback          %s%% of the flow map's steps were taken by the fine scheme\n",
              number(100.0 * e.fallback_fraction).c_str());
}

} // namespace

int evaluate_hierarchy_and_print(const Model& model, const Problem& problem, const HierarchyEvaluateOptions& options,
                                 bool json) {
  const HierarchyEvaluation evaluation = evaluate_hierarchy(model, problem, options);
  if (json) {
    print_json(to_json(evaluation));
  } else {
    print(evaluation);
  }
  return success;
}

int evaluate_on_data_and_print(const Model& model, const TrajectorySet& data, const HierarchyEvaluateOptions& options,
                               const std::string& name, bool json) {
  const HierarchyEvaluation evaluation = evaluate_hierarchy(model, data, options, name);
  if (json) {
    auto document = to_json(evaluation);
    document["left_domain"] = evaluation.left_domain;
    print_json(document);
  } else {
    print_on_data(evaluation);
  }
  return success;
}

} // namespace lodestep::cli
