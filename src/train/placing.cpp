#include "train/placing.hpp"

#include <lodestep/error.hpp>
#include <lodestep/multiscale.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace lodestep::detail {

double placing_mse(const FlowMapModel& map, const std::vector<Variable>& variables, const Trajectories& truth) {
  Model model;
  model.variables = variables;
  HierarchyModel alone;
  alone.fine_dt = truth.dt;
  alone.maps = {map};
  model.method = std::move(alone);
  Multiscale scheme(std::make_shared<const Hierarchy>(std::make_shared<const Model>(std::move(model))));
  const std::size_t d = truth.dimension, steps = scheme.fine_steps(), count = (truth.times - 1) / steps;
  double left_domain = 0.0;
  for (const Interval& side : map.state) left_domain += (side.upper - side.lower) * (side.upper - side.lower);
  std::vector<double> placed((count + 1) * d);
  double sum = 0.0;
  for (std::size_t k = 0; k < truth.trajectories; ++k) {
    std::copy_n(truth.state(k, 0), d, placed.data());
    try {
      scheme.place(no_rhs(), truth.t0, count, placed.data());
    } catch (const InvalidData&) { // left the domain, with nothing to fall back to
      sum += left_domain * static_cast<double>(count);
      continue;
    }
    for (std::size_t s = 1; s <= count; ++s) {
      for (std::size_t i = 0; i < d; ++i) sum += std::pow(placed[s * d + i] - truth.state(k, s * steps)[i], 2);
    }
  }
  return sum / static_cast<double>(truth.trajectories * count * d);
}

double interpolation_mse(const Trajectories& truth, std::size_t steps) {
  if (steps < 4) return 0.0;
  double linear = 0.0, cubic = 0.0;
  std::size_t count = 0;
  for (std::size_t k = 0; k < truth.trajectories; ++k) {
    for (std::size_t t = 2 * steps; t + 3 * steps < truth.times; t += steps) {
      for (std::size_t i = 0; i < truth.dimension; ++i) {
        const auto u = [&](std::size_t n) { return truth.state(k, t + n * steps - 2 * steps)[i]; };
        const double change = u(3) - u(2);
        const double slope = (8.0 * (u(3) - u(1)) - (u(4) - u(0))) / 12.0;
        const double next = (8.0 * (u(4) - u(2)) - (u(5) - u(1))) / 12.0;
        for (std::size_t quarter = 1; quarter < 4; ++quarter, ++count) {
          const double x = 0.25 * static_cast<double>(quarter), rest = 1.0 - x;
          const double at = truth.state(k, t + quarter * steps / 4)[i] - u(2);
          linear += std::pow(x * change - at, 2);
          cubic += std::pow(x * x * (3.0 - 2.0 * x) * change + x * rest * (rest * slope - x * next) - at, 2);
        }
      }
    }
  }
  // The mean over the way is three quarters of that over these points, for parabolas and quartics both.
  return count == 0 ? 0.0 : 0.75 * std::min(linear, cubic) / static_cast<double>(count);
}

} // namespace lodestep::detail
