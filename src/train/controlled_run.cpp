#include "train/controlled_run.hpp"

#include <boost/numeric/odeint/algebra/default_operations.hpp>
#include <boost/numeric/odeint/algebra/range_algebra.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestep::detail {

namespace {

namespace bno = boost::numeric::odeint;

constexpr std::size_t most_attempts = 20000;
constexpr int per_decade = 4;      // tolerances of a work-precision curve
constexpr int finest = -10;        // decades
constexpr double no_error = 1e-16; // of a mean of logarithms

} // namespace

PairChoice always(const ButcherTableau& tableau) {
  const std::size_t s = tableau.stages() - (tableau.fsal ? 1 : 0);
  std::vector<double> a(s * s), estimate(s + 1);
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i * s + j] = tableau.a[i * tableau.stages() + j];
  }
  for (std::size_t i = 0; i < tableau.stages(); ++i) estimate[i] = tableau.b[i] - tableau.b_embedded[i];
  return [s, a = std::move(a), b = tableau.b, estimate = std::move(estimate)](const double*, double) {
    return PairCoefficients{s, a.data(), b.data(), estimate.data()};
  };
}

ControlledRun run_controlled(const Family& family, const RknnTask& task, const PairChoice& pair,
                             const ControlledRunOptions& options) {
  const std::size_t d = family.dimension();
  const double* p = task.parameters.data();
  const bno::default_error_checker<double, bno::range_algebra, bno::default_operations> checker(options.tolerance,
                                                                                                options.tolerance);
  const bno::default_step_adjuster<double, double> adjuster;
  const int order = static_cast<int>(options.order);
  // What lodestep's tableau steppers tell Odeint: the embedded order, below 3 two more.
  const int error_order = order > 3 ? order - 1 : order + 1;
  bno::range_algebra algebra;
  ControlledRun run;
  std::vector<double> u = task.initial, next(d), at(d), error(d), first(d), last(d), k;
  RknnTask exact = task;
  family.rhs(p, u.data(), first.data());
  run.evaluations = 1;
  run.states = u;
  double t = 0.0;
  double dt = options.first_dt;
  for (std::size_t attempt = 0; options.horizon - t > 1e-14 * options.horizon; ++attempt) {
    if (attempt == most_attempts || !(dt > 0.0)) {
      run.error = std::numeric_limits<double>::infinity();
      return run;
    }
    const bool to_the_end = t + dt >= options.horizon;
    if (to_the_end) dt = options.horizon - t;
    const PairCoefficients c = pair(u.data(), dt);
    const std::size_t s = c.stages;
    k.resize((s + 1) * d);
    std::copy(first.begin(), first.end(), k.begin());
    const auto sum = [&](const double* base, const double* weight, std::size_t count, double* out) {
      for (std::size_t m = 0; m < d; ++m) {
        double total = 0.0;
        for (std::size_t j = 0; j < count; ++j) total += weight[j] * k[j * d + m];
        out[m] = (base ? base[m] : 0.0) + dt * total;
      }
    };
    for (std::size_t i = 1; i < s; ++i) {
      sum(u.data(), c.a + i * s, i, at.data());
      family.rhs(p, at.data(), k.data() + i * d);
    }
    sum(u.data(), c.b, s, next.data());
    family.rhs(p, next.data(), k.data() + s * d);
    run.evaluations += s;
    sum(nullptr, c.estimate, s + 1, error.data());
    const double size = checker.error(algebra, u, first, error, dt);
    // NOTE: Odeint accepts an estimate that is not a number; here such a step is rejected, for every pair alike.
    if (!(size <= 1.0)) {
      dt = std::isfinite(size) ? adjuster.decrease_step(dt, size, error_order) : 0.2 * dt;
      continue;
    }
    std::copy(k.begin() + static_cast<std::ptrdiff_t>(s * d), k.end(), first.begin());
    run.steps.push_back(dt);
    u = next;
    run.states.insert(run.states.end(), u.begin(), u.end());
    if (options.measure_error) {
      std::vector<double> reference(d);
      if (!rknn_reference(family, exact, dt, 1, reference.data())) {
        run.error = std::numeric_limits<double>::infinity();
        return run;
      }
      exact.initial = reference;
      double norm = 0.0;
      for (std::size_t m = 0; m < d; ++m) norm += (u[m] - reference[m]) * (u[m] - reference[m]);
      run.error = std::max(run.error, std::sqrt(norm));
    }
    t = to_the_end ? options.horizon : t + dt;
    dt = adjuster.increase_step(dt, size, order);
  }
  return run;
}

ControlledPoint controlled_point(const Family& family, const std::vector<RknnTask>& tasks, const PairOfTask& pair,
                                 const ControlledRunOptions& options) {
  ControlledPoint point{options.tolerance, 0.0, 0.0};
  for (const auto& task : tasks) {
    const ControlledRun run = run_controlled(family, task, pair(task), options);
    point.evaluations += static_cast<double>(run.evaluations) / static_cast<double>(tasks.size());
    point.log_error += std::log(std::max(run.error, no_error)) / static_cast<double>(tasks.size());
  }
  return point;
}

const ControlledPoint& WorkPrecision::point(int index) {
  const auto known =
      std::find_if(points_.begin(), points_.end(), [index](const auto& entry) { return entry.first == index; });
  if (known != points_.end()) return known->second;
  ControlledRunOptions options = options_;
  options.tolerance = std::pow(10.0, static_cast<double>(index) / per_decade);
  points_.emplace_back(index, controlled_point(family_, tasks_, pair_, options));
  return points_.back().second;
}

double WorkPrecision::evaluations_at(double log_error) {
  // From where the error is about the tolerance, outwards: two tolerances beyond the last crossing are looked at.
  const int centre =
      std::clamp(static_cast<int>(std::lround(log_error / std::log(10.0) * per_decade)), finest * per_decade, 0);
  double most = std::numeric_limits<double>::quiet_NaN();
  for (int reach = 1; reach <= -finest * per_decade; ++reach) {
    for (int i = std::max(centre - reach, finest * per_decade); i < std::min(centre + reach, 0); ++i) {
      const ControlledPoint fine = point(i);
      const ControlledPoint coarse = point(i + 1);
      const double part = (log_error - fine.log_error) / (coarse.log_error - fine.log_error);
      if (!(part >= 0.0 && part <= 1.0)) continue;
      const double evaluations =
          std::exp((1.0 - part) * std::log(fine.evaluations) + part * std::log(coarse.evaluations));
      if (!(most >= evaluations)) most = evaluations;
    }
    if (reach >= 4 && most > 0.0) break;
  }
  return most;
}

} // namespace lodestep::detail
