#include "train/rknn_tasks.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

// Fehlberg's eighth order in the precision of T, writing u after every `dt`. The coefficients are doubles: what their
// rounding leaves of the order conditions, 1e-16 h f' f, is far below any error that is measured against the result.
template <class T, class Rhs>
bool integrate(const Rhs& rhs, const double* p, const std::vector<double>& initial, double dt, std::size_t steps,
               double longest, double* result) {
  static const ButcherTableau& tableau = classical_tableau("fehlberg78");
  const std::size_t s = tableau.stages();
  const std::size_t d = initial.size();
  const auto substeps = static_cast<std::size_t>(std::max(1.0, std::ceil(dt / longest)));
  const T h = static_cast<T>(dt) / static_cast<T>(substeps);
  std::vector<T> k(s * d), at(d), u(initial.begin(), initial.end());
  for (std::size_t n = 0; n < steps * substeps; ++n) {
    for (std::size_t i = 0; i < s; ++i) {
      at = u;
      for (std::size_t j = 0; j < i; ++j) {
        if (tableau.a[i * s + j] == 0.0) continue;
        const T weight = h * static_cast<T>(tableau.a[i * s + j]);
        for (std::size_t m = 0; m < d; ++m) at[m] += weight * k[j * d + m];
      }
      rhs(p, at.data(), k.data() + i * d);
    }
    for (std::size_t j = 0; j < s; ++j) {
      if (tableau.b[j] == 0.0) continue;
      for (std::size_t m = 0; m < d; ++m) u[m] += h * static_cast<T>(tableau.b[j]) * k[j * d + m];
    }
    if ((n + 1) % substeps == 0) {
      for (std::size_t m = 0; m < d; ++m) *result++ = static_cast<double>(u[m]);
    }
  }
  // A number that is not finite stays so.
  return std::all_of(u.begin(), u.end(), [](T x) { return std::isfinite(x); });
}

} // namespace

std::vector<double> geometric_grid(Interval range, std::size_t count) {
  std::vector<double> grid(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    grid[i] = range.lower * std::pow(range.upper / range.lower, part);
  }
  return grid;
}

bool rknn_reference(const Family& family, const RknnTask& task, double dt, std::size_t steps, double* u) {
  const double* p = task.parameters.data();
  const std::size_t d = family.dimension();
  if (family.exact) {
    std::vector<long double> v(d);
    bool finite = true;
    for (std::size_t n = 1; n <= steps; ++n) {
      family.exact(p, task.initial.data(), static_cast<double>(n) * dt, v.data());
      for (long double x : v) {
        *u++ = static_cast<double>(x);
        finite &= std::isfinite(x);
      }
    }
    return finite;
  }
  // A tenth of the largest step learned for, and 0.01, which is small against the time scales of problems that are
  // stepped by 0.01 to 0.1, also where larger steps are asked for.
  const double longest = 0.101 * std::min(0.1, family.dt.upper);
  if (family.rhs_extended) return integrate<long double>(family.rhs_extended, p, task.initial, dt, steps, longest, u);
  return integrate<double>(family.rhs, p, task.initial, dt, steps, longest, u);
}

RknnStepper::RknnStepper(const Family& family, std::size_t stages)
    : family_(family), k_(stages * family.dimension()), at_(family.dimension()), u_(family.dimension()) {}

void RknnStepper::step(const double* a, const double* b, std::size_t stages, const double* parameters, double dt,
                       double* u) {
  const std::size_t d = at_.size();
  for (std::size_t i = 0; i < stages; ++i) {
    std::copy_n(u, d, at_.data());
    for (std::size_t j = 0; j < i; ++j) {
      const double weight = dt * a[i * stages + j];
      for (std::size_t m = 0; m < d; ++m) at_[m] += weight * k_[j * d + m];
    }
    family_.rhs(parameters, at_.data(), k_.data() + i * d);
  }
  for (std::size_t j = 0; j < stages; ++j) {
    const double weight = dt * b[j];
    for (std::size_t m = 0; m < d; ++m) u[m] += weight * k_[j * d + m];
  }
}

double RknnStepper::worst_error(const double* a, const double* b, std::size_t stages, const RknnTask& task,
                                const RknnSample& sample, double* difference) {
  const std::size_t d = at_.size();
  if (k_.size() < stages * d) k_.resize(stages * d);
  u_ = task.initial;
  double worst = -1.0;
  for (std::size_t n = 0; n < sample.steps; ++n) {
    step(a, b, stages, task.parameters.data(), sample.dt, u_.data());
    const double* reference = sample.reference.data() + n * d;
    double error = 0.0;
    for (std::size_t m = 0; m < d; ++m) error += (u_[m] - reference[m]) * (u_[m] - reference[m]);
    if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
    if (error > worst) {
      worst = error;
      for (std::size_t m = 0; m < d; ++m) difference[m] = u_[m] - reference[m];
    }
  }
  return std::sqrt(worst);
}

void check_fits(const TableauModel& method, std::size_t dimension, const Family& family) {
  if (method.parameters.size() == family.parameters.size() && dimension == family.dimension()) return;
  throw InvalidArgument(
      "evaluate: the model was learned for family '" + method.family + "' of dimension " + std::to_string(dimension) +
      " with " + std::to_string(method.parameters.size()) + " parameters; family '" + family.name + "' has dimension " +
      std::to_string(family.dimension()) + " and " + std::to_string(family.parameters.size()) + " parameters");
}

std::vector<RknnTask> draw_tasks(const Family& family, std::size_t count, std::uint64_t seed, Split split,
                                 double widen) {
  std::vector<RknnTask> tasks;
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, static_cast<std::uint64_t>(split), i);
    RknnTask task{std::vector<double>(family.parameters.size()), std::vector<double>(family.dimension())};
    family.sample(random, widen, task.parameters.data(), task.initial.data());
    tasks.push_back(std::move(task));
  }
  return tasks;
}

RknnTasks make_rknn_tasks(const Family& family, const ButcherTableau& classical, const RknnTaskOptions& options) {
  const std::size_t d = family.dimension();
  RknnTasks set;
  std::size_t bad_rhs = 0;
  set.tasks = draw_tasks(family, options.tasks, options.seed, options.split, options.widen);
  for (const RknnTask& task : set.tasks) {
    std::vector<double> dudt(d);
    family.rhs(task.parameters.data(), task.initial.data(), dudt.data());
    const bool finite = std::all_of(dudt.begin(), dudt.end(), [](double x) { return std::isfinite(x); });
    if (!finite) ++bad_rhs;
  }
  if (static_cast<double>(bad_rhs) > 0.1 * static_cast<double>(options.tasks)) {
    throw InvalidData("family '" + family.name + "': the right-hand side is not finite at " + std::to_string(bad_rhs) +
                      " of " + std::to_string(options.tasks) + " sampled initial states: check the sampler");
  }
  RknnStepper stepper(family, classical.stages());
  std::vector<double> u(d);
  for (double horizon : options.horizons) {
    std::vector<RknnGroup> groups;
    std::vector<std::size_t> counts;
    for (double dt : options.dt) {
      const double steps = horizon > 0.0 ? std::max(1.0, std::round(horizon / dt)) : 1.0;
      groups.push_back({horizon, horizon > 0.0 ? horizon / steps : dt});
      counts.push_back(static_cast<std::size_t>(steps));
    }
    for (std::size_t i = 0; i < set.tasks.size(); ++i) {
      for (std::size_t g = 0; g < groups.size(); ++g) {
        RknnSample sample{i, groups[g].dt, counts[g], set.groups.size() + g, std::vector<double>(counts[g] * d), 0.0};
        ++set.asked;
        bool sound = rknn_reference(family, set.tasks[i], sample.dt, sample.steps, sample.reference.data());
        if (sound) {
          sample.classical_error = stepper.worst_error(classical.a.data(), classical.b.data(), classical.stages(),
                                                       set.tasks[i], sample, u.data());
          sound = std::isfinite(sample.classical_error);
          // An error of zero is luck: nothing is known below the rounding of the state.
          double size = 0.0;
          for (double x : sample.reference) size = std::max(size, std::abs(x));
          sample.classical_error = std::max(sample.classical_error, std::numeric_limits<double>::epsilon() * size);
        }
        if (sound) {
          set.samples.push_back(std::move(sample));
        } else {
          ++set.dropped;
        }
      }
    }
    set.groups.insert(set.groups.end(), groups.begin(), groups.end());
  }
  if (set.dropped_fraction() > options.most_dropped) {
    throw InvalidData("family '" + family.name + "': " + std::to_string(set.dropped) + " of " +
                      std::to_string(set.asked) +
                      " solutions blew up (of the reference or of the classical method): take smaller steps, a shorter "
                      "horizon, or a tamer distribution of tasks");
  }
  return set;
}

} // namespace lodestep::detail
