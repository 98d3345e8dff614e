#include "report/verdict.hpp"

#include <cmath>
#include <cstdio>

namespace lodestep::report {

namespace {

/// Ratios this near to 1 change sides from run to run.
constexpr double draw = 1.05;

std::string format(const char* form, double value) {
  char text[48];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

std::string setting(const WorkPrecisionPoint& point) {
  return point.stepper + " at " + to_string(point.setting) + " " + format("%.3g", point.parameter);
}

std::string time(const WorkPrecisionPoint& point) {
  return format("%.3g", point.microseconds_per_trajectory) + " us a trajectory";
}

std::string error(double mse) {
  return "mse " + format("%.2g", mse) + ", rms " + format("%.2g", std::sqrt(mse));
}

std::string verdict_on(const WorkPrecisionPoint& learned, const WorkPrecision& result) {
  if (!std::isfinite(learned.mse)) {
    return learned.stepper + " does not pay: it diverged on at least one of the held-out trajectories.";
  }
  std::string text;
  const auto* rival = fastest_classical(result.points, learned.mse);
  if (!rival) {
    text = "At the error of " + learned.stepper + " (" + error(learned.mse) + ") it is the only one: it takes " +
           time(learned) + ", and no classical stepper measured came as close to the reference.";
  } else {
    const double ratio = rival->microseconds_per_trajectory / learned.microseconds_per_trajectory;
    const std::string classical = setting(*rival) + " (" + time(*rival) + ", mse " + format("%.2g", rival->mse) + ")";
    text = "At the error of " + learned.stepper + " (" + error(learned.mse) + ") ";
    if (ratio >= draw) {
      text += "the learned stepper is cheapest: " + time(learned) + ", " + format("%.2f", ratio) +
              " times faster than the best classical choice, " + classical + ".";
    } else if (ratio > 1.0 / draw) {
      text += "it is a draw: " + time(learned) + " against " + classical + ". The learned stepper does not pay.";
    } else {
      text += "the cheapest is classical: " + classical + ", " + format("%.2f", 1.0 / ratio) +
              " times faster than the learned stepper (" + time(learned) + "). The learned stepper does not pay.";
    }
  }
  // Two numbers that both only measure the reference's own error cannot be ordered.
  if (std::sqrt(learned.mse) < result.reference_error) {
    text += " Both are as near as the reference itself is to the truth (its largest error is estimated at " +
            format("%.1g", result.reference_error) + ").";
  }
  return text;
}

} // namespace

std::vector<std::string> verdict(const WorkPrecision& result) {
  std::vector<std::string> paragraphs;
  for (const auto& point : result.points) {
    if (point.family == Family::learned) paragraphs.push_back(verdict_on(point, result));
  }
  return paragraphs;
}

} // namespace lodestep::report
