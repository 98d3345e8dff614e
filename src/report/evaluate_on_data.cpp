#include "problem/trajectory_file.hpp"
#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"

#include <lodestep/error.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/train_hits.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace lodestep {

namespace {

void check(const Model& model, const TrajectorySet& data, const std::string& name) {
  const auto* hierarchy = std::get_if<HierarchyModel>(&model.method);
  if (!hierarchy) throw InvalidArgument(std::string("evaluate on data: this model is a ") + model.kind());
  const auto& set = data.trajectories;
  if (set.dimension != model.dimension()) {
    throw InvalidData(name + ": states of " + std::to_string(set.dimension) + " variables, the model's have " +
                      std::to_string(model.dimension()));
  }
  if (std::abs(set.dt / hierarchy->fine_dt - 1.0) > 1e-9) {
    throw InvalidData(name + ": states every " + std::to_string(set.dt) + ", the model gives them every " +
                      std::to_string(hierarchy->fine_dt));
  }
}

} // namespace

HierarchyEvaluation evaluate_hierarchy(const Model& model, const TrajectorySet& data,
                                       const HierarchyEvaluateOptions& options, const std::string& name) {
  data.validate(name);
  check(model, data, name);
  if (options.mode != HierarchyMode::multiscale) {
    throw InvalidArgument(std::string("mode ") + to_string(options.mode) +
                          ": from data alone there is no right-hand side; only multiscale needs none");
  }
  const auto& truth = data.trajectories;
  const std::size_t count =
      options.trajectories == 0 ? truth.trajectories : std::min(options.trajectories, truth.trajectories);
  const std::size_t first = truth.trajectories - count;
  std::size_t steps = truth.times - 1;
  if (options.horizon > 0.0) steps = std::min(steps, steps_in(options.horizon, truth.dt));
  const auto hierarchy = std::make_shared<const Hierarchy>(std::make_shared<const Model>(model), options.backend);
  Multiscale scheme(hierarchy);
  const std::size_t d = truth.dimension, placed = scheme.fine_steps();

  HierarchyEvaluation result;
  std::vector<double> states((steps + 1) * d), of_placed, of_all;
  const auto start = report::ProcessorClock::now();
  for (std::size_t i = first; i < truth.trajectories; ++i) {
    std::copy_n(truth.state(i, 0), d, states.data());
    double sum_placed = 0.0, sum = 0.0;
    std::size_t places = 0;
    try {
      scheme.solve(no_rhs(), truth.t0, steps, states.data(), Interpolation::cubic);
      for (std::size_t n = 1; n <= steps; ++n) {
        double error = 0.0;
        for (std::size_t j = 0; j < d; ++j) error += std::pow(states[n * d + j] - truth.state(i, n)[j], 2);
        sum += error;
        if (n % placed == 0) sum_placed += error, ++places;
      }
    } catch (const InvalidData&) { // left the domain of the maps, with nothing to fall back to
      ++result.left_domain;
      sum = sum_placed = std::numeric_limits<double>::infinity();
    }
    of_all.push_back(sum / static_cast<double>(steps * d));
    of_placed.push_back(sum_placed / static_cast<double>(std::max<std::size_t>(places, 1) * d));
  }
  const std::chrono::duration<double, std::micro> elapsed = report::ProcessorClock::now() - start;
  const auto all = report::summarise(of_all);
  const auto at_places = report::summarise(of_placed);
  result.problem = name;
  result.kind = model.kind();
  result.mode = options.mode;
  result.dt = scheme.dt();
  result.fine_dt = truth.dt;
  result.horizon = static_cast<double>(steps) * truth.dt;
  result.trajectories = count;
  result.mse_mean = at_places.mean;
  result.mse_median = at_places.median;
  result.mse_max = at_places.max;
  result.fine_mse_mean = all.mean;
  result.fine_mse_median = all.median;
  result.base_mse_mean = std::numeric_limits<double>::quiet_NaN(); // no classical scheme without a right-hand side
  result.base_microseconds_per_trajectory = std::numeric_limits<double>::quiet_NaN();
  result.microseconds_per_trajectory = elapsed.count() / static_cast<double>(count);
  return result;
}

} // namespace lodestep
