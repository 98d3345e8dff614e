#include "report/studies/hits_lab.hpp"
#include "report/studies/list.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

/// HiTS, Tables 6, 7 and 8 and Figs. 5 and 8: eleven time-steppers of each of five systems and the multiscale scheme,
/// learned from trajectories with Gaussian noise of 0, 1 and 2% of the variance. Nothing but the trajectories is known,
/// as in the paper; but ours are measured at every 0.01 over all of T, fewer and longer than the paper's, whose number
/// of samples a level is printed beside. Errors are against trajectories without noise.
namespace lodestep::report {

namespace {

constexpr std::size_t steppers = 11;

/// Figures of the paper have two digits: ours is no worse if it rounds to no more, on other test states.
bool no_worse(double ours, double paper) {
  return ours <= 1.05 * paper;
}

} // namespace

StudyResult study_hits_noise(const StudyOptions& options) {
  const auto levels = options.pick<std::size_t>(8, steppers, steppers);
  const auto training = options.pick<std::size_t>(12, 60, 200);
  const auto test = options.pick<std::size_t>(8, 64, 320);
  StudyResult result;
  StudyProgress progress{options};
  const std::array<double, 3> noises{0.0, 0.01, 0.02};
  const char* names[] = {"Table 6", "Table 7", "Table 8"};
  std::size_t cells = 0, worse = 0, best_multiscale = 0, systems = 0;
  std::string which;
  for (const auto& system : hits_systems()) {
    if (options.size == StudySize::small && system.problem != std::string("hyperbolic") &&
        system.problem != std::string("van_der_pol")) {
      continue;
    }
    StudyTable table{std::string(system.problem) + ": mean squared error, " + std::to_string(training) +
                         " noisy trajectories (the paper: " + std::to_string(system.training) + " of 6 states a level)",
                     {"stepper", "0%: paper", "ours", "1%: paper", "ours ", "2%: paper", "ours  "},
                     {}};
    for (std::size_t k = 0; k <= steppers; ++k) table.rows.push_back({stepper_name(k)});
    std::vector<StudyCurve> curves;
    bool whole = true;
    for (std::size_t n = 0; n < noises.size(); ++n) {
      if (!progress.report(system.problem)) {
        whole = false;
        break;
      }
      const HitsLab lab({system.problem, training, test, noises[n], levels, options.seed});
      StudyCurve curve{std::to_string(n) + "% noise", {}};
      double best_single = INFINITY;
      for (std::size_t k = 0; k <= steppers; ++k) {
        auto& row = table.rows[k];
        row.push_back(system.error[n][k]);
        if (k < steppers && k >= lab.hierarchy().maps.size()) {
          row.push_back(StudyCell{});
          continue;
        }
        const double ours = k == steppers ? lab.multiscale_error() : lab.error(k, k);
        row.push_back(ours);
        if (k < steppers) {
          best_single = std::min(best_single, ours);
          curve.points.emplace_back(lab.hierarchy().maps[k].dt, ours);
        } else {
          ++systems;
          best_multiscale += ours <= 1.05 * best_single;
        }
        ++cells;
        if (no_worse(ours, system.error[n][k])) continue;
        ++worse;
        char text[120];
        std::snprintf(text, sizeof text, "%s%s %s %s (%.2g against %.2g)", which.empty() ? "" : "; ", names[n],
                      system.problem, stepper_name(k).c_str(), ours, system.error[n][k]);
        which += text;
      }
      if (n == 0) {
        StudyPlot by_time{std::string(system.problem) + "-by-time",
                          std::string(system.problem) + ": flow maps learned from trajectories alone (Fig. 5)",
                          "time",
                          "mean squared error",
                          true,
                          true,
                          {}};
        for (std::size_t k = 0; k < lab.hierarchy().maps.size(); ++k) {
          by_time.curves.push_back(curve_by_time(stepper_name(k), lab.error_by_time(k, k), lab.test().dt));
        }
        by_time.curves.push_back(curve_by_time(
            "multiscale", lab.error_by_time(lab.hierarchy().lower, lab.hierarchy().upper), lab.test().dt));
        result.plots.push_back(std::move(by_time));
      }
      curves.push_back(std::move(curve));
      progress.advance(1.0 / 15.0, system.problem);
    }
    if (!whole) break;
    result.tables.push_back(std::move(table));
    result.plots.push_back({system.problem, std::string(system.problem) + ": error by step (Fig. 8)", "step",
                            "mean squared error", true, true, std::move(curves)});
  }
  result.interrupted = progress.stopped;
  char text[200];
  std::snprintf(text, sizeof text, "Ours is worse than the paper's in %zu of %zu cells", worse, cells);
  result.findings.push_back({worse > 0, text + (which.empty() ? std::string(".") : ": " + which + ".")});
  std::snprintf(text, sizeof text,
                "The multiscale scheme is as good as the best single step in %zu of %zu cases (the paper: in all).",
                best_multiscale, systems);
  result.findings.push_back({best_multiscale < systems, text});
  result.findings.push_back(
      {false, "From dense trajectories noise is taken off before anything is learned: neighbouring samples tell it "
              "from the motion, which six samples of a level cannot. 'lodestep train hits --raw' leaves it in."});
  return result;
}

} // namespace lodestep::report
