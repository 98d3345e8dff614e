#include "train/roll_out.hpp"

#include "train/bare_step.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lodestep::detail {

RollOut roll_out(const CorrectorModel& shape, const Approximator& approximator, const Cases& truth,
                 const RollOutOptions& options) {
  const Trajectories& exact = truth.trajectories;
  const std::size_t dimension = exact.dimension;
  BareStep step(shape, approximator, dimension, options.base_alone);
  std::vector<double> u(dimension);

  // A state this much larger than any true one has nothing to do with the solution any more; going on would only
  // make numbers overflow.
  double bound = 0.0;
  for (double value : exact.states) bound = std::max(bound, std::abs(value));
  bound *= 1e3;

  const double dt = static_cast<double>(options.stride) * exact.dt;
  const auto count = static_cast<double>(exact.trajectories * ((exact.times - 1) / options.stride) * dimension);
  const double most = options.give_up * options.give_up * count;
  RollOut result;
  double sum = 0.0;
  for (std::size_t i = 0; i < exact.trajectories; ++i) {
    std::copy_n(exact.state(i, 0), dimension, u.begin());
    for (std::size_t n = options.stride; n < exact.times; n += options.stride) {
      const double t = exact.t0 + static_cast<double>(n - options.stride) * exact.dt;
      if (options.visit) options.visit(i, t, u.data());
      step(truth.problem(i), t, dt, truth.values(i), u.data());
      bool sane = true;
      const double* at = exact.state(i, n);
      for (std::size_t v = 0; v < dimension; ++v) {
        const double error = u[v] - at[v];
        sum += error * error;
        sane &= std::abs(u[v]) <= bound; // NaN compares false
      }
      if (!sane) {
        ++result.diverged;
        break;
      }
    }
    if (result.diverged > 0 && options.stop_at_divergence) return result;
    if (sum > most) break; // a lower bound of the error, which is all that is asked for
  }
  if (result.diverged == 0) result.rms = std::sqrt(sum / count);
  return result;
}

bool stays_bounded(const CorrectorModel& shape, const Approximator& approximator, const Cases& truth,
                   std::size_t stride, std::size_t trajectories, std::size_t times) {
  const Trajectories& exact = truth.trajectories;
  const std::size_t dimension = exact.dimension;
  std::vector<double> low(dimension, std::numeric_limits<double>::infinity()), high(dimension), u(dimension);
  for (double& value : high) value = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < exact.states.size(); ++i) {
    const std::size_t v = i % dimension;
    low[v] = std::min(low[v], exact.states[i]);
    high[v] = std::max(high[v], exact.states[i]);
  }
  BareStep step(shape, approximator, dimension, false);
  const double dt = static_cast<double>(stride) * exact.dt;
  const std::size_t steps = times * ((exact.times - 1) / stride);
  for (std::size_t i = 0; i < std::min(trajectories, exact.trajectories); ++i) {
    std::copy_n(exact.state(i, 0), dimension, u.begin());
    for (std::size_t n = 0; n < steps; ++n) {
      step(truth.problem(i), exact.t0 + static_cast<double>(n) * dt, dt, truth.values(i), u.data());
      for (std::size_t v = 0; v < dimension; ++v) {
        const double room = 0.5 * (high[v] - low[v]);
        if (!(u[v] >= low[v] - room && u[v] <= high[v] + room)) return false;
      }
    }
  }
  return true;
}

} // namespace lodestep::detail
