#include "train/hits_choice.hpp"

#include "problem/batched.hpp"

#include <lodestep/error.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/multiscale.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

/// `solve(states)` goes on from states[0]. Infinite where every trajectory left the domain of the maps, or one
/// diverged.
template <class Solve> double mean_square(const Trajectories& truth, Solve solve) {
  std::vector<double> states(truth.times * truth.dimension);
  double sum = 0.0;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < truth.trajectories; ++i) {
    std::copy_n(truth.state(i, 0), truth.dimension, states.data());
    try {
      solve(states.data());
    } catch (const InvalidData&) { // left the domain, with nothing to fall back to
      ++failed;
      continue;
    }
    for (std::size_t n = truth.dimension; n < states.size(); ++n) {
      const double error = states[n] - truth.state(i, 0)[n];
      sum += error * error;
    }
  }
  if (failed == truth.trajectories) return std::numeric_limits<double>::infinity();
  double mean = sum / static_cast<double>(truth.trajectories * (truth.times - 1) * truth.dimension);
  if (failed > 0) {
    mean += square_of_range(truth) * static_cast<double>(failed) / static_cast<double>(truth.trajectories);
  }
  return std::isfinite(mean) ? mean : std::numeric_limits<double>::infinity();
}

} // namespace

double square_of_range(const Trajectories& truth) {
  double sum = 0.0;
  for (std::size_t i = 0; i < truth.dimension; ++i) {
    double low = truth.states[i], high = low;
    for (std::size_t n = i; n < truth.states.size(); n += truth.dimension) {
      low = std::min(low, truth.states[n]);
      high = std::max(high, truth.states[n]);
    }
    sum += (high - low) * (high - low);
  }
  return sum / static_cast<double>(truth.dimension);
}

double multiscale_mse(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t lower, std::size_t upper,
                      const Problem* problem, const Trajectories& truth, Interpolation interpolation) {
  Multiscale scheme(hierarchy, lower, upper);
  const std::size_t steps = truth.times - 1;
  if (!problem) {
    return mean_square(truth, [&](double* states) { scheme.solve(no_rhs(), truth.t0, steps, states, interpolation); });
  }
  auto forms = problem::forms_of(*problem);
  return mean_square(truth, [&](double* states) { scheme.solve(forms, truth.t0, steps, states, interpolation); });
}

double hybrid_mse(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t map, const Problem& problem,
                  const Trajectories& truth) {
  Hybrid scheme(hierarchy, 1, map);
  auto forms = problem::forms_of(problem);
  return mean_square(truth, [&](double* states) { scheme.solve(forms, truth.t0, truth.times - 1, states); });
}

MapRange choose_range(const std::shared_ptr<const Hierarchy>& hierarchy, const Problem* problem,
                      const Trajectories& truth) {
  MapRange best{0, 0, std::numeric_limits<double>::infinity()};
  for (std::size_t u = 0; u < hierarchy->size(); ++u) {
    const double mse = multiscale_mse(hierarchy, 0, u, problem, truth);
    if (mse < best.mse) best = {0, u, mse};
  }
  for (std::size_t l = 1; l <= best.upper; ++l) {
    const double mse = multiscale_mse(hierarchy, l, best.upper, problem, truth);
    if (mse < best.mse) best = {l, best.upper, mse};
  }
  return best;
}

} // namespace lodestep::detail
