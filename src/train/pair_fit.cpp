#include "train/pair_fit.hpp"

#include "train/jet_stepper.hpp"

#include <Eigen/Core>
#include <unsupported/Eigen/NonLinearOptimization>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr std::size_t steps_of_task = 10;
// A ratio beyond this tells nothing but "unusable"; a bounded residual keeps one diverging roll-out from overflowing.
constexpr double largest_ratio = 1e3;
constexpr double smallest_error = 1e-15;
// Where the error passes through zero its logarithm has no bottom: there it is judged as if a little of the estimate
// were left.
constexpr double floor_of_error = 0.03;
constexpr int method_rounds = 3;
constexpr int method_iterations = 10;
constexpr int both_iterations = 12;

double correlation(const std::vector<std::array<double, 2>>& points) {
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (const auto& [x, y] : points) {
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
    sxy += x * y;
  }
  const auto n = static_cast<double>(points.size());
  return (n * sxy - sx * sy) / std::sqrt(std::max((n * sxx - sx * sx) * (n * syy - sy * sy), 1e-300));
}

/// The stages of a step, dt k_i, [stages + 1, dimension], that of FSAL last, and the norm of its error.
double stages_of(const Family& family, const PairCoefficients& c, const LocalStep& step, std::vector<double>& k) {
  const std::size_t d = family.dimension();
  k.assign((c.stages + 1) * d, 0.0);
  std::vector<double> at(d);
  for (std::size_t i = 0; i <= c.stages; ++i) {
    at = step.task.initial;
    const double* weight = i < c.stages ? c.a + i * c.stages : c.b;
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t m = 0; m < d; ++m) at[m] += weight[j] * k[j * d + m];
    }
    family.rhs(step.task.parameters.data(), at.data(), k.data() + i * d);
    for (std::size_t m = 0; m < d; ++m) k[i * d + m] *= step.dt;
  }
  double error = 0.0;
  for (std::size_t m = 0; m < d; ++m) error += (at[m] - step.exact[m]) * (at[m] - step.exact[m]);
  return std::sqrt(error);
}

double log_norm(const std::vector<double>& k, const double* weight, std::size_t count, std::size_t d) {
  double sum = 0.0;
  for (std::size_t m = 0; m < d; ++m) {
    double x = 0.0;
    for (std::size_t j = 0; j < count; ++j) x += weight[j] * k[j * d + m];
    sum += x * x;
  }
  return 0.5 * std::log(std::max(sum, 1e-300));
}

/// What rounding does to an error has nothing to do with the estimate.
bool above_rounding(double error) {
  return std::isfinite(error) && error > 1e-14;
}

} // namespace

std::vector<LocalStep> sample_local_steps(const Family& family, std::size_t tasks, std::uint64_t seed, Split split) {
  const std::size_t d = family.dimension();
  std::vector<LocalStep> steps;
  for (std::size_t i = 0; i < tasks; ++i) {
    // Streams apart from those of the tasks themselves.
    Random random(seed, 200 + static_cast<std::uint64_t>(split), i);
    RknnTask task{std::vector<double>(family.parameters.size()), std::vector<double>(d)};
    family.sample(random, 1.0, task.parameters.data(), task.initial.data());
    std::vector<double> trajectory(steps_of_task * d);
    if (!rknn_reference(family, task, family.horizon / steps_of_task, steps_of_task, trajectory.data())) continue;
    for (std::size_t n = 0; n < steps_of_task; ++n) {
      const double dt = family.dt.lower * std::pow(family.dt.upper / family.dt.lower, random.uniform(0.0, 1.0));
      if (n > 0) task.initial.assign(trajectory.data() + (n - 1) * d, trajectory.data() + n * d);
      LocalStep step{task, dt, std::vector<double>(d)};
      if (rknn_reference(family, task, dt, 1, step.exact.data())) steps.push_back(std::move(step));
    }
  }
  return steps;
}

double estimate_correlation(const Family& family, const PairOfTask& pair, const std::vector<LocalStep>& steps) {
  std::vector<std::array<double, 2>> points;
  std::vector<double> k;
  for (const auto& step : steps) {
    const PairChoice choice = pair(step.task);
    const PairCoefficients c = choice(step.task.initial.data(), step.dt);
    const double error = stages_of(family, c, step, k);
    if (!above_rounding(error)) continue;
    points.push_back({log_norm(k, c.estimate, c.stages + 1, family.dimension()), std::log(error)});
  }
  return correlation(points);
}

PairOfTask PairFitter::pair(const PairNumbers& numbers) const {
  return [this, shared = std::make_shared<const PairNumbers>(numbers)](const RknnTask& task) -> PairChoice {
    const std::size_t s = shape_.stages;
    return [this, shared, p = task.parameters, a = std::vector<double>(s * s),
            b = std::vector<double>(s)](const double*, double dt) mutable {
      fitter_.coefficients(shared->x, dt, p.data(), a.data(), b.data());
      return PairCoefficients{b.size(), a.data(), b.data(), shared->estimate.data()};
    };
  };
}

std::vector<StepSequence> PairFitter::sequences(const PairNumbers& numbers, const std::vector<RknnTask>& tasks,
                                                const std::vector<double>& tolerances,
                                                ControlledRunOptions options) const {
  const std::size_t d = family_.dimension();
  options.measure_error = false;
  const PairOfTask of_task = pair(numbers);
  std::vector<StepSequence> sequences;
  for (const auto& task : tasks) {
    for (double tolerance : tolerances) {
      options.tolerance = tolerance;
      const ControlledRun run = run_controlled(family_, task, of_task(task), options);
      if (!std::isfinite(run.error)) continue;
      StepSequence sequence{task, run.steps, std::vector<double>(run.steps.size() * d)};
      RknnTask exact = task;
      bool finite = true;
      for (std::size_t n = 0; n < run.steps.size() && finite; ++n) {
        double* at = sequence.exact.data() + n * d;
        finite = rknn_reference(family_, exact, run.steps[n], 1, at);
        exact.initial.assign(at, at + d);
      }
      if (finite) sequences.push_back(std::move(sequence));
    }
  }
  return sequences;
}

/// Residuals for Eigen's Levenberg-Marquardt: the errors of the sequences, each times its weight, and the distances of
/// the steps' points (log |estimate|, log |error|) from a line. Unknown are x and, if there are steps, the estimate
/// without its last weight, and the line's offset and slope.
struct PairProblem {
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  const PairFitter& pair;
  const std::vector<StepSequence>& sequences;
  const std::vector<LocalStep>& steps;
  std::vector<double> weight; ///< [sequences]
  std::vector<double> floor;  ///< [steps]: of the error
  double step_weight = 0.0;   ///< of a step's residual

  std::size_t dimension() const { return pair.family_.dimension(); }
  std::size_t stages() const { return pair.shape_.stages; }
  std::size_t numbers() const { return pair.shape_.size(); }
  int inputs() const { return static_cast<int>(numbers() + (steps.empty() ? 0 : stages() + 2)); }
  int values() const { return static_cast<int>(sequences.size() * dimension() + steps.size()); }

  /// The estimate from the unknowns behind x.
  std::vector<double> estimate_of(const Eigen::VectorXd& z) const {
    std::vector<double> estimate(stages() + 1, 0.0);
    for (std::size_t i = 0; i < stages(); ++i) {
      estimate[i] = z[static_cast<Eigen::Index>(numbers() + i)];
      estimate[stages()] -= estimate[i];
    }
    return estimate;
  }

  /// The largest error of a sequence and where it is.
  double worst(const std::vector<double>& x, const StepSequence& sequence, double* difference) const {
    const std::size_t d = dimension();
    std::vector<double> a(stages() * stages()), b(stages()), u = sequence.task.initial;
    RknnStepper stepper(pair.family_, stages());
    double largest = -1.0;
    for (std::size_t n = 0; n < sequence.dt.size(); ++n) {
      pair.fitter_.coefficients(x, sequence.dt[n], sequence.task.parameters.data(), a.data(), b.data());
      stepper.step(a.data(), b.data(), stages(), sequence.task.parameters.data(), sequence.dt[n], u.data());
      double error = 0.0;
      for (std::size_t m = 0; m < d; ++m) {
        const double distance = u[m] - sequence.exact[n * d + m];
        error += distance * distance;
      }
      if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
      if (error > largest) {
        largest = error;
        for (std::size_t m = 0; m < d; ++m) difference[m] = u[m] - sequence.exact[n * d + m];
      }
    }
    return std::sqrt(largest);
  }

  int operator()(const InputType& z, ValueType& f) const {
    const std::size_t d = dimension();
    const std::vector<double> x(z.data(), z.data() + numbers());
    std::vector<double> difference(d);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const double ratio = weight[i] * worst(x, sequences[i], difference.data());
      for (std::size_t m = 0; m < d; ++m) {
        f[static_cast<Eigen::Index>(i * d + m)] = ratio < largest_ratio ? weight[i] * difference[m] : largest_ratio;
      }
    }
    if (steps.empty()) return 0;
    const std::vector<double> estimate = estimate_of(z);
    std::vector<double> a(stages() * stages()), b(stages()), k;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      pair.fitter_.coefficients(x, steps[i].dt, steps[i].task.parameters.data(), a.data(), b.data());
      const double error = stages_of(pair.family_, {stages(), a.data(), b.data(), estimate.data()}, steps[i], k);
      const double distance = std::log(std::hypot(error, floor[i])) - z[inputs() - 2] -
                              z[inputs() - 1] * log_norm(k, estimate.data(), stages() + 1, d);
      f[static_cast<Eigen::Index>(sequences.size() * d + i)] =
          step_weight * (std::isfinite(distance) ? std::clamp(distance, -largest_ratio, largest_ratio) : largest_ratio);
    }
    return 0;
  }

  int df(const InputType& z, JacobianType& jacobian) const {
    jacobian.setZero();
    const std::vector<double> x(z.data(), z.data() + numbers());
    for (std::size_t i = 0; i < sequences.size(); ++i) sequence_slopes(x, i, jacobian);
    if (steps.empty()) return 0;
    const std::vector<double> estimate = estimate_of(z);
    for (std::size_t i = 0; i < steps.size(); ++i) step_slopes(x, estimate, z, i, jacobian);
    return 0;
  }

private:
  /// Coefficients as jets in the directions first, first + 1, ... of x.
  void jets(const std::vector<double>& row, const std::vector<double>& slopes, std::size_t first,
            std::vector<FamilyJet>& c) const {
    const std::size_t n = numbers();
    c.resize(row.size());
    for (std::size_t j = 0; j < row.size(); ++j) {
      c[j] = FamilyJet(row[j]);
      for (std::size_t l = 0; l < jet_lanes && first + l < n; ++l) c[j].derivative[l] = slopes[j * n + first + l];
    }
  }

  void sequence_slopes(const std::vector<double>& x, std::size_t i, JacobianType& jacobian) const {
    const std::size_t d = dimension();
    const std::size_t n = numbers();
    const std::size_t nc = pair.shape_.coefficients();
    const StepSequence& sequence = sequences[i];
    std::vector<std::vector<double>> row(sequence.dt.size(), std::vector<double>(nc)), slopes(sequence.dt.size());
    for (std::size_t step = 0; step < sequence.dt.size(); ++step) {
      slopes[step].resize(nc * n);
      pair.fitter_.coefficients_with_slopes(x, sequence.dt[step], sequence.task.parameters.data(), row[step].data(),
                                            slopes[step].data());
    }
    JetStepper stepper(pair.family_, stages());
    std::vector<FamilyJet> u(d), at_worst(d), c;
    Eigen::MatrixXd block(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(n));
    for (std::size_t first = 0; first < n; first += jet_lanes) {
      for (std::size_t m = 0; m < d; ++m) u[m] = FamilyJet(sequence.task.initial[m]);
      double largest = -1.0;
      for (std::size_t step = 0; step < sequence.dt.size(); ++step) {
        jets(row[step], slopes[step], first, c);
        stepper.step(sequence.task.parameters.data(), c.data(), sequence.dt[step], u.data());
        double error = 0.0;
        for (std::size_t m = 0; m < d; ++m) {
          const double distance = u[m].value - sequence.exact[step * d + m];
          error += distance * distance;
        }
        if (!std::isfinite(error)) return;
        // The derivative of a maximum is that of its largest member.
        if (error > largest) {
          largest = error;
          at_worst = u;
        }
      }
      if (!(weight[i] * std::sqrt(largest) < largest_ratio)) return;
      for (std::size_t m = 0; m < d; ++m) {
        for (std::size_t l = 0; l < jet_lanes && first + l < n; ++l) {
          block(static_cast<Eigen::Index>(m), static_cast<Eigen::Index>(first + l)) =
              weight[i] * at_worst[m].derivative[l];
        }
      }
    }
    if (block.allFinite()) {
      jacobian.block(static_cast<Eigen::Index>(i * d), 0, block.rows(), block.cols()) = block;
    }
  }

  void step_slopes(const std::vector<double>& x, const std::vector<double>& estimate, const InputType& z, std::size_t i,
                   JacobianType& jacobian) const {
    const std::size_t d = dimension();
    const std::size_t n = numbers();
    const std::size_t s = stages();
    const LocalStep& local = steps[i];
    const auto row_of = static_cast<Eigen::Index>(sequences.size() * d + i);
    std::vector<double> row(pair.shape_.coefficients()), slopes(row.size() * n);
    pair.fitter_.coefficients_with_slopes(x, local.dt, local.task.parameters.data(), row.data(), slopes.data());
    JetStepper stepper(pair.family_, s);
    std::vector<FamilyJet> u(d), last(d), c;
    const double slope = z[inputs() - 1];
    for (std::size_t first = 0; first < n; first += jet_lanes) {
      jets(row, slopes, first, c);
      for (std::size_t m = 0; m < d; ++m) u[m] = FamilyJet(local.task.initial[m]);
      stepper.step(local.task.parameters.data(), c.data(), local.dt, u.data());
      stepper.evaluate(local.task.parameters.data(), u.data(), last.data());
      const auto stage = [&](std::size_t j, std::size_t m) -> const FamilyJet& {
        return j < s ? stepper.stage(j)[m] : last[m];
      };
      // The squares of estimate and error, and half of their derivatives.
      double estimate_square = 1e-300;
      double error_square = floor[i] * floor[i];
      std::array<double, jet_lanes> by_estimate{}, by_error{};
      std::vector<double> by_weight(s, 0.0);
      for (std::size_t m = 0; m < d; ++m) {
        FamilyJet e;
        for (std::size_t j = 0; j <= s; ++j) e += stage(j, m) * (local.dt * estimate[j]);
        const double distance = u[m].value - local.exact[m];
        estimate_square += e.value * e.value;
        error_square += distance * distance;
        for (std::size_t l = 0; l < jet_lanes; ++l) {
          by_estimate[l] += e.value * e.derivative[l];
          by_error[l] += distance * u[m].derivative[l];
        }
        for (std::size_t j = 0; j < s; ++j) by_weight[j] += e.value * local.dt * (stage(j, m).value - last[m].value);
      }
      const auto set = [&](std::size_t column, double value) {
        if (std::isfinite(value)) jacobian(row_of, static_cast<Eigen::Index>(column)) = step_weight * value;
      };
      for (std::size_t l = 0; l < jet_lanes && first + l < n; ++l) {
        set(first + l, by_error[l] / error_square - slope * by_estimate[l] / estimate_square);
      }
      if (first > 0) continue;
      for (std::size_t j = 0; j < s; ++j) set(n + j, -slope * by_weight[j] / estimate_square);
      set(n + s, -1.0);
      set(n + s + 1, -0.5 * std::log(estimate_square));
    }
  }
};

namespace {

const std::vector<LocalStep> no_steps;

/// The inverse errors of the sequences.
void weigh(PairProblem& problem, const std::vector<double>& x) {
  std::vector<double> difference(problem.dimension());
  problem.weight.resize(problem.sequences.size());
  for (std::size_t i = 0; i < problem.weight.size(); ++i) {
    const double error = problem.worst(x, problem.sequences[i], difference.data());
    problem.weight[i] = std::isfinite(error) ? 1.0 / std::max(error, smallest_error) : 0.0;
  }
}

void minimise(const PairProblem& problem, Eigen::VectorXd& z, int evaluations) {
  if (problem.values() < problem.inputs()) return;
  PairProblem copy = problem; // Eigen takes it by reference to mutable
  Eigen::LevenbergMarquardt<PairProblem> solver(copy);
  solver.parameters.maxfev = evaluations;
  solver.parameters.ftol = 1e-4;
  solver.parameters.xtol = 1e-9;
  solver.minimize(z);
}

} // namespace

void PairFitter::fit_method(PairNumbers& numbers, const std::vector<StepSequence>& sequences) const {
  PairProblem problem{*this, sequences, no_steps, {}, {}, 0.0};
  Eigen::VectorXd z = Eigen::Map<const Eigen::VectorXd>(numbers.x.data(), problem.inputs());
  for (int round = 0; round < method_rounds; ++round) {
    weigh(problem, numbers.x);
    minimise(problem, z, method_iterations);
    if (!z.allFinite()) return;
    numbers.x.assign(z.data(), z.data() + z.size());
  }
}

void PairFitter::fit_both(PairNumbers& numbers, const std::vector<StepSequence>& sequences,
                          const std::vector<LocalStep>& steps, double weight) const {
  PairProblem problem{*this, sequences, steps, {}, std::vector<double>(steps.size()), 0.0};
  if (steps.empty() || sequences.empty()) return;
  problem.step_weight = std::sqrt(weight * static_cast<double>(sequences.size()) / static_cast<double>(steps.size()));
  const std::size_t n = problem.numbers();
  const std::size_t s = shape_.stages;
  const std::size_t d = family_.dimension();
  Eigen::VectorXd z(problem.inputs());
  for (int round = 0; round < method_rounds; ++round) {
    std::copy_n(numbers.x.data(), n, z.data());
    std::copy_n(numbers.estimate.data(), s, z.data() + n);
    weigh(problem, numbers.x);
    // The line through the points as they are.
    const PairOfTask of_task = pair(numbers);
    std::vector<double> k, logarithm;
    double sx = 0, sy = 0, sxx = 0, sxy = 0, count = 0;
    for (const auto& step : steps) {
      const PairChoice choice = of_task(step.task);
      const PairCoefficients c = choice(step.task.initial.data(), step.dt);
      const double y = std::log(std::max(stages_of(family_, c, step, k), smallest_error));
      const double x = logarithm.emplace_back(log_norm(k, c.estimate, s + 1, d));
      sx += x;
      sy += y;
      sxx += x * x;
      sxy += x * y;
      count += 1.0;
    }
    const double slope = (count * sxy - sx * sy) / (count * sxx - sx * sx);
    const double offset = (sy - slope * sx) / count;
    z[z.size() - 2] = offset;
    z[z.size() - 1] = slope;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      problem.floor[i] = floor_of_error * std::exp(offset + slope * logarithm[i]);
    }
    minimise(problem, z, both_iterations);
    if (!z.allFinite()) return;
    numbers.x.assign(z.data(), z.data() + n);
    numbers.estimate = problem.estimate_of(z);
  }
}

std::vector<double> PairFitter::search_estimate(const PairNumbers& numbers, const std::vector<LocalStep>& steps,
                                                Random& random) const {
  const std::size_t count = shape_.stages + 1;
  const std::size_t d = family_.dimension();
  std::vector<std::vector<double>> stages;
  std::vector<double> logarithm;
  const PairOfTask of_task = pair(numbers);
  for (const auto& step : steps) {
    const PairChoice choice = of_task(step.task);
    std::vector<double> k;
    const double error = stages_of(family_, choice(step.task.initial.data(), step.dt), step, k);
    if (!above_rounding(error)) continue;
    stages.push_back(std::move(k));
    logarithm.push_back(std::log(error));
  }
  std::vector<double> best(count);
  double best_correlation = -2.0;
  std::vector<std::array<double, 2>> points(stages.size());
  const auto attempt = [&](std::vector<double> direction) {
    double mean = 0.0;
    for (double x : direction) mean += x / static_cast<double>(count);
    double norm = 0.0;
    for (double& x : direction) {
      x -= mean;
      norm += x * x;
    }
    for (double& x : direction) x /= std::sqrt(std::max(norm, 1e-300));
    for (std::size_t i = 0; i < points.size(); ++i) {
      points[i] = {log_norm(stages[i], direction.data(), count, d), logarithm[i]};
    }
    const double found = correlation(points);
    if (found > best_correlation) {
      best_correlation = found;
      best = std::move(direction);
    }
  };
  for (int i = 0; i < 1500; ++i) {
    std::vector<double> direction(count);
    for (double& x : direction) x = random.normal();
    attempt(std::move(direction));
  }
  for (double size = 0.3; size > 1e-4; size *= 0.98) {
    std::vector<double> direction = best;
    for (double& x : direction) x += size * random.normal();
    attempt(std::move(direction));
  }
  return best;
}

} // namespace lodestep::detail
