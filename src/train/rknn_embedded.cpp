#include "train/rknn_embedded.hpp"

#include "train/rknn_tasks.hpp"

#include <lodestep/order_conditions.hpp>

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

// One step of a tableau from a state on a trajectory: its stages and the logarithm of its true error.
struct Step {
  std::vector<double> stages; ///< dt k_i, [stages, dimension]
  double log_error;
};

std::vector<Step> sample_steps(const Family& family, const ButcherTableau& tableau, std::uint64_t seed, Split split) {
  const std::size_t d = family.dimension();
  const std::size_t s = tableau.stages();
  constexpr std::size_t tasks = 40;
  constexpr std::size_t per_task = 10;
  std::vector<Step> steps;
  for (std::size_t i = 0; i < tasks; ++i) {
    Random random(seed, 200 + static_cast<std::uint64_t>(split), i);
    RknnTask task{std::vector<double>(family.parameters.size()), std::vector<double>(d)};
    family.sample(random, 1.0, task.parameters.data(), task.initial.data());
    std::vector<double> trajectory(per_task * d);
    if (!rknn_reference(family, task, family.horizon / per_task, per_task, trajectory.data())) continue;
    for (std::size_t n = 0; n < per_task; ++n) {
      const double dt = family.dt.lower * std::pow(family.dt.upper / family.dt.lower, random.uniform(0.0, 1.0));
      if (n > 0) task.initial.assign(trajectory.data() + (n - 1) * d, trajectory.data() + n * d);
      std::vector<double> next(d), at(d), k(s * d);
      if (!rknn_reference(family, task, dt, 1, next.data())) continue;
      for (std::size_t q = 0; q < s; ++q) {
        at = task.initial;
        for (std::size_t j = 0; j < q; ++j) {
          for (std::size_t m = 0; m < d; ++m) at[m] += tableau.a[q * s + j] * k[j * d + m];
        }
        family.rhs(task.parameters.data(), at.data(), k.data() + q * d);
        for (std::size_t m = 0; m < d; ++m) k[q * d + m] *= dt;
      }
      double error = 0.0;
      for (std::size_t m = 0; m < d; ++m) {
        double u = task.initial[m];
        for (std::size_t q = 0; q < s; ++q) u += tableau.b[q] * k[q * d + m];
        error += (u - next[m]) * (u - next[m]);
      }
      error = std::sqrt(error);
      // An error of rounding has nothing to do with the estimate.
      if (std::isfinite(error) && error > 1e-14) steps.push_back({std::move(k), std::log(error)});
    }
  }
  return steps;
}

double log_estimate(const Step& step, const std::vector<double>& d, std::size_t dimension) {
  double sum = 0.0;
  for (std::size_t m = 0; m < dimension; ++m) {
    double x = 0.0;
    for (std::size_t q = 0; q < d.size(); ++q) x += d[q] * step.stages[q * dimension + m];
    sum += x * x;
  }
  return 0.5 * std::log(std::max(sum, 1e-300));
}

double correlation(const std::vector<Step>& steps, const std::vector<double>& d, std::size_t dimension) {
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (const Step& step : steps) {
    const double x = log_estimate(step, d, dimension);
    const double y = step.log_error;
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
    sxy += x * y;
  }
  const auto n = static_cast<double>(steps.size());
  return (n * sxy - sx * sy) / std::sqrt(std::max((n * sxx - sx * sx) * (n * syy - sy * sy), 1e-300));
}

// Sum zero and norm one.
void normalise(std::vector<double>& d) {
  double mean = 0.0;
  for (double x : d) mean += x / static_cast<double>(d.size());
  double norm = 0.0;
  for (double& x : d) {
    x -= mean;
    norm += x * x;
  }
  for (double& x : d) x /= std::sqrt(std::max(norm, 1e-300));
}

} // namespace

double estimate_correlation(const Family& family, const ButcherTableau& tableau, std::uint64_t seed, Split split) {
  std::vector<double> d(tableau.stages());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = tableau.b[i] - tableau.b_embedded[i];
  return correlation(sample_steps(family, tableau, seed, split), d, family.dimension());
}

ButcherTableau with_learned_embedded_row(const Family& family, ButcherTableau tableau, std::uint64_t seed) {
  tableau = with_fsal_stage(std::move(tableau));
  const std::vector<Step> steps = sample_steps(family, tableau, seed, Split::train);
  const std::size_t s = tableau.stages();
  const std::size_t dimension = family.dimension();
  // A few numbers and a cheap, many-humped objective: random directions, then ever smaller random moves of the best.
  Random random(seed, 300, 0);
  std::vector<double> best(s);
  double best_correlation = -1.0;
  const auto attempt = [&](std::vector<double> d) {
    normalise(d);
    const double c = correlation(steps, d, dimension);
    if (c > best_correlation) {
      best_correlation = c;
      best = std::move(d);
    }
  };
  for (int i = 0; i < 1500; ++i) {
    std::vector<double> d(s);
    for (double& x : d) x = random.normal();
    attempt(std::move(d));
  }
  for (double size = 0.3; size > 1e-4; size *= 0.98) {
    std::vector<double> d = best;
    for (double& x : d) x += size * random.normal();
    attempt(std::move(d));
  }
  // The scale.
  const ButcherTableau& classical = classical_tableau("bogacki_shampine");
  std::vector<double> difference(classical.stages());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = classical.b[i] - classical.b_embedded[i];
  double scale = 0.0;
  for (const Step& step : sample_steps(family, classical, seed, Split::train)) {
    scale += log_estimate(step, difference, dimension);
  }
  for (const Step& step : steps) scale -= log_estimate(step, best, dimension);
  scale = std::exp(scale / static_cast<double>(steps.size()));
  tableau.b_embedded.resize(s);
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < s; ++i) sum += tableau.b_embedded[i] = tableau.b[i] - scale * best[i];
  tableau.b_embedded[s - 1] = 1.0 - sum;
  tableau.embedded_order = attained_order(tableau, true);
  return tableau;
}

} // namespace lodestep::detail
