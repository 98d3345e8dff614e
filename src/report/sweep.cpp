#include "report/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

namespace lodestep::report {

namespace {

/// The error has stopped falling when it has not halved for this many settings, each of more work than the last.
constexpr int patience = 4;
/// The curve is drawn down to a hundredth of the smallest target (a tenth in rms).
constexpr double margin = 1e-2;
/// Where no target says, errors below this are rounding for every stepper.
constexpr double floor_mse = 1e-24;
/// Fine settings up to this much slower than the cheapest are kept: the first timing is rough.
constexpr double worth_keeping = 1.3;

/// Tells when a sweep from loose to tight settings may end.
class End {
public:
  explicit End(const SweepOptions& options) : longest_(options.longest_microseconds) {
    if (!options.targets.empty()) {
      enough_ = margin * *std::min_element(options.targets.begin(), options.targets.end());
    }
  }

  bool after(const SweepPoint& point) {
    // Too loose still; and slowly so where one of many trajectories runs away from an implicit stepper.
    if (!std::isfinite(point.mse)) return point.microseconds > longest_ && ++diverged_slowly_ >= 2 * patience;
    if (point.microseconds > longest_) return true;
    if (point.mse <= enough_) return true;
    if (point.mse < 0.5 * best_) {
      best_ = point.mse;
      most_evaluations_ = point.evaluations;
      stalled_ = 0;
      return false;
    }
    // Loose tolerances may all take the same steps, those from output to output: that is no end. More work without a
    // smaller error is.
    if (point.evaluations > 1.1 * most_evaluations_) {
      most_evaluations_ = point.evaluations;
      ++stalled_;
    }
    return stalled_ >= patience;
  }

private:
  double enough_ = floor_mse;
  double longest_;
  double best_ = std::numeric_limits<double>::infinity();
  double most_evaluations_ = 0.0;
  int stalled_ = 0;
  int diverged_slowly_ = 0;
};

/// The fine points that meet the target at about the least time.
void keep_cheapest(const std::vector<SweepPoint>& points, double target, std::vector<double>& kept) {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& point : points) {
    if (point.mse <= target) least = std::min(least, point.microseconds);
  }
  for (const auto& point : points) {
    if (point.mse <= target && point.microseconds <= worth_keeping * least) kept.push_back(point.parameter);
  }
}

void sort_and_unify(std::vector<double>& parameters) {
  std::sort(parameters.begin(), parameters.end(), std::greater<>());
  parameters.erase(std::unique(parameters.begin(), parameters.end()), parameters.end());
}

} // namespace

std::vector<double> sweep_tolerances(const SweepOptions& options, const Measure& measure) {
  // In sixteenths of a decade below 1: integers, so that no setting is measured twice.
  constexpr int coarse = 8;
  constexpr int loosest = 16;
  constexpr int tightest = 14 * 16;
  std::map<int, SweepPoint> measured;
  const auto at = [&](int sixteenths) -> const SweepPoint& {
    auto found = measured.find(sixteenths);
    if (found == measured.end()) {
      found = measured.emplace(sixteenths, measure(std::pow(10.0, -sixteenths / 16.0))).first;
    }
    return found->second;
  };

  std::vector<double> kept;
  End end(options);
  int last = loosest;
  for (int i = loosest; i <= tightest; i += coarse) {
    const auto& point = at(i);
    if (std::isfinite(point.mse)) kept.push_back(point.parameter);
    last = i;
    if (end.after(point)) break;
  }
  for (const double target : options.targets) {
    // The error does not fall evenly with the tolerance: the cheapest setting that meets the target may lie a coarse
    // step to either side of where the coarse curve crosses it.
    int crossing = -1;
    for (int i = loosest; i <= last && crossing < 0; i += coarse) {
      if (at(i).mse <= target) crossing = i;
    }
    if (crossing < 0) continue;
    std::vector<SweepPoint> fine;
    for (int i = std::max(loosest, crossing - 2 * coarse); i <= std::min(tightest, crossing + coarse); ++i) {
      fine.push_back(at(i));
    }
    keep_cheapest(fine, target, kept);
  }
  sort_and_unify(kept);
  return kept;
}

std::vector<double> sweep_steps(double output_dt, const SweepOptions& options, const Measure& measure) {
  constexpr std::size_t most = std::size_t{1} << 14;
  std::map<std::size_t, SweepPoint> measured;
  const auto at = [&](std::size_t n) -> const SweepPoint& {
    auto found = measured.find(n);
    if (found == measured.end()) found = measured.emplace(n, measure(output_dt / static_cast<double>(n))).first;
    return found->second;
  };

  std::vector<double> kept;
  End end(options);
  for (std::size_t n = 1; n <= most; n = n < 4 ? n + 1 : (n & (n - 1)) == 0 ? n + n / 2 : n / 3 * 4) {
    const auto& point = at(n);
    if (std::isfinite(point.mse)) kept.push_back(point.parameter);
    if (end.after(point)) break;
  }
  for (const double target : options.targets) {
    const auto meets = [&](const auto& entry) { return entry.second.mse <= target; };
    const auto crossing = std::find_if(measured.begin(), measured.end(), meets);
    if (crossing == measured.end()) continue;
    // Bisection between the last n that fails and the first that meets it; time is proportional to n.
    std::size_t fails = crossing == measured.begin() ? 0 : std::prev(crossing)->first;
    std::size_t least = crossing->first;
    while (least - fails > 1) {
      const std::size_t middle = fails + (least - fails) / 2;
      (at(middle).mse <= target ? least : fails) = middle;
    }
    kept.push_back(at(least).parameter);
  }
  sort_and_unify(kept);
  return kept;
}

} // namespace lodestep::report
