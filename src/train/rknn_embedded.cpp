#include "train/rknn_embedded.hpp"

#include "train/controlled_model.hpp"
#include "train/controlled_run.hpp"

#include <lodestep/order_conditions.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr std::uint64_t estimate_stream = 300; // apart from every split's
constexpr std::size_t pair_tasks = 30;
constexpr std::size_t step_tasks = 40;
constexpr int rounds = 4;
/// From this round on method and estimate are fitted together; what comes before has no estimate worth keeping.
constexpr int first_joint_round = 2;
/// How much the estimate's distance from the error counts beside the error: see PairFitter::fit_both.
constexpr double estimate_weight = 3.0;
/// Pairs whose estimate follows the error less well than this are preferred to none but each other.
constexpr double sufficient_correlation = 0.98;
constexpr std::array<double, 4> judged{1e-3, 1e-4, 1e-5, 1e-6};

std::vector<double> fitted_tolerances() {
  constexpr int count = 10;
  std::vector<double> tolerances;
  for (int i = 0; i < count; ++i) tolerances.push_back(1e-7 * std::pow(1e5, double(i) / (count - 1)));
  return tolerances;
}

/// The classical pair beside which others are judged, on some tasks.
class Judge {
public:
  Judge(const Family& family, const ButcherTableau& classical, const std::vector<RknnTask>& tasks,
        ControlledRunOptions options)
      : family_(family), tasks_(tasks), options_(options) {
    const PairChoice pair = always(classical);
    options.order = classical.order;
    for (double tolerance : judged) {
      options.tolerance = tolerance;
      classical_.push_back(controlled_point(
          family, tasks, [&](const RknnTask&) { return pair; }, options));
    }
  }

  /// The largest ratio of evaluations to the classical pair's at its errors; infinite if those are not reached.
  double worst_ratio(const PairOfTask& pair) const {
    WorkPrecision curve(family_, tasks_, pair, options_);
    double worst = 0.0;
    for (const auto& point : classical_) {
      const double ratio = curve.evaluations_at(point.log_error) / point.evaluations;
      worst = std::max(worst, std::isfinite(ratio) ? ratio : std::numeric_limits<double>::infinity());
    }
    return worst;
  }

  /// Scales the estimate until errors at equal tolerances are equal in the mean.
  void scale(const PairFitter& fitter, PairNumbers& numbers) const {
    // An error goes as the tolerance, so that few iterations do.
    for (int iteration = 0; iteration < 3; ++iteration) {
      double excess = 0.0;
      ControlledRunOptions options = options_;
      for (const auto& point : classical_) {
        options.tolerance = point.tolerance;
        excess += controlled_point(family_, tasks_, fitter.pair(numbers), options).log_error - point.log_error;
      }
      const double factor = std::exp(std::clamp(excess / static_cast<double>(classical_.size()), -5.0, 5.0));
      for (double& weight : numbers.estimate) weight *= factor;
    }
  }

private:
  const Family& family_;
  const std::vector<RknnTask>& tasks_;
  ControlledRunOptions options_;
  std::vector<ControlledPoint> classical_;
};

/// The numbers of the classical tableau, if it has as many stages beside FSAL's and free weights can be it.
std::vector<double> classical_numbers(const ButcherTableau& classical, const RknnShape& shape) {
  const std::size_t s = shape.stages;
  if (classical.stages() != s + (classical.fsal ? 1 : 0) || shape.softmax) return {};
  std::vector<double> x;
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) x.push_back(classical.a[i * classical.stages() + j]);
  }
  x.insert(x.end(), classical.b.begin(), classical.b.begin() + static_cast<std::ptrdiff_t>(s) - 1);
  return x;
}

/// About the norm of the estimates of classical pairs, from where scaling converges.
void start_scale(std::vector<double>& estimate) {
  for (double& weight : estimate) weight *= 0.1;
}

} // namespace

RknnPair search_pair(const Family& family, const ButcherTableau& classical, const RknnOptions& options,
                     const std::vector<double>& horizons, const RknnCoefficients* kept) {
  RknnShape shape;
  shape.stages = options.stages;
  shape.softmax = options.softmax;
  RknnPair result;
  std::vector<double> start;
  if (kept) {
    result.method = *kept;
    shape = kept->shape;
    start = kept->x;
  } else {
    start = classical_numbers(classical, shape);
    if (start.empty()) {
      RknnOptions constant = options;
      constant.dt_degree = 0;
      constant.parameter_degree = 0;
      result.method = search_coefficients(family, classical, constant, horizons);
      start = result.method.x;
    }
    shape.monomials = coefficient_monomials(family, options);
    start.resize(shape.size(), 0.0);
    result.method.shape = shape;
    result.method.recipe = "rknn pair";
    result.method.tasks = pair_tasks;
  }

  RknnFitOptions fit;
  fit.shape = shape;
  const RknnTasks none;
  const RknnFitter coefficients(family, none, fit);
  const PairFitter fitter(family, coefficients, shape);
  const std::vector<RknnTask> train = draw_tasks(family, pair_tasks, options.seed, Split::train);
  const std::vector<LocalStep> steps = sample_local_steps(family, step_tasks, options.seed, Split::train);
  ControlledRunOptions run;
  run.order = options.order;
  run.horizon = horizons.back() > 0.0 ? horizons.back() : family.horizon;
  run.first_dt = family.dt.lower;
  const Judge judge(family, classical, train, run);
  Random random(options.seed, estimate_stream, 0);

  PairNumbers numbers{start, {}};
  numbers.estimate = fitter.search_estimate(numbers, steps, random);
  start_scale(numbers.estimate);
  judge.scale(fitter, numbers);
  PairNumbers best = numbers;
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds && !kept; ++round) {
    if (options.progress && !options.progress(0.2 * (1.0 + round), "fitting on controlled steps")) break;
    const auto sequences = fitter.sequences(numbers, train, fitted_tolerances(), run);
    if (round < first_joint_round) {
      fitter.fit_method(numbers, sequences);
      numbers.estimate = fitter.search_estimate(numbers, steps, random);
      start_scale(numbers.estimate);
    } else {
      fitter.fit_both(numbers, sequences, steps, estimate_weight);
    }
    judge.scale(fitter, numbers);
    if (round + 1 < first_joint_round) continue;
    // A pair with a poor estimate is worth less than any with a good one.
    const double lacking = sufficient_correlation - estimate_correlation(family, fitter.pair(numbers), steps);
    const double value = judge.worst_ratio(fitter.pair(numbers)) * (1.0 + 20.0 * std::max(0.0, lacking));
    if (value < least) {
      least = value;
      best = numbers;
    }
  }
  result.method.x = best.x;
  result.estimate = best.estimate;
  return result;
}

void add_embedded_row(TableauModel& method, const std::vector<double>& estimate) {
  const std::size_t s = method.tableau.stages();
  method.tableau = with_fsal_stage(std::move(method.tableau));
  ButcherTableau& tableau = method.tableau;
  for (auto& term : method.terms) {
    std::vector<double> a((s + 1) * (s + 1), 0.0);
    for (std::size_t i = 0; i < s; ++i) std::copy_n(term.a.data() + i * s, s, a.data() + i * (s + 1));
    std::copy_n(term.b.data(), s, a.data() + s * (s + 1));
    term.a = std::move(a);
    term.b.push_back(0.0);
  }
  tableau.b_embedded.resize(s + 1);
  double sum = 0.0;
  for (std::size_t i = 0; i < s; ++i) sum += tableau.b_embedded[i] = tableau.b[i] - estimate[i];
  tableau.b_embedded[s] = 1.0 - sum;
  tableau.embedded_order = attained_order(tableau, true);
}

void measure_controlled_validity(const Family& family, std::uint64_t seed, Model& model) {
  auto& method = std::get<TableauModel>(model.method);
  constexpr int per_decade = 6;
  constexpr std::size_t validation_tasks = 24;
  constexpr double fewest = 10.0; // steps of a size that tell something of it
  // Everywhere, so that the runs show where it may be used.
  method.controlled_dt = {std::numeric_limits<double>::min(), std::numeric_limits<double>::max()};
  const auto draft = std::make_shared<const Model>(model);
  struct Bin {
    double log_ratio = 0.0, own = 0.0, classical = 0.0, count = 0.0;
  };
  constexpr int bins = 6 * per_decade; // 1e-5 to 10
  std::array<Bin, bins> bin;
  const ButcherTableau& classical = classical_tableau(method.classical);
  RknnStepper stepper(family, classical.stages());
  for (const auto& task : draw_tasks(family, validation_tasks, seed, Split::validation)) {
    const PairChoice pair = controlled_pair(draft, task);
    ControlledRunOptions options;
    options.order = method.family_order;
    options.horizon = family.horizon;
    options.first_dt = family.dt.lower;
    options.measure_error = false;
    for (double tolerance : judged) {
      options.tolerance = tolerance;
      const ControlledRun run = run_controlled(family, task, pair, options);
      const std::size_t d = family.dimension();
      RknnTask at = task;
      std::vector<double> exact(d), u(d);
      for (std::size_t n = 0; n < run.steps.size(); ++n) {
        const double dt = run.steps[n];
        const auto where = std::floor((std::log10(dt) + 5.0) * per_decade);
        if (!(where >= 0.0 && where < bins)) continue;
        at.initial.assign(run.states.data() + n * d, run.states.data() + (n + 1) * d);
        if (!rknn_reference(family, at, dt, 1, exact.data())) continue;
        double own = 0.0;
        double theirs = 0.0;
        double size = 0.0;
        u = at.initial;
        stepper.step(classical.a.data(), classical.b.data(), classical.stages(), task.parameters.data(), dt, u.data());
        for (std::size_t m = 0; m < d; ++m) {
          const double reached = run.states[(n + 1) * d + m];
          own += (reached - exact[m]) * (reached - exact[m]);
          theirs += (u[m] - exact[m]) * (u[m] - exact[m]);
          size = std::max(size, std::abs(exact[m]));
        }
        const double rounding = std::pow(4.0 * std::numeric_limits<double>::epsilon() * size, 2);
        own = std::max(own, rounding);
        theirs = std::max(theirs, rounding);
        Bin& b = bin[static_cast<std::size_t>(where)];
        b.log_ratio += 0.5 * std::log(own / theirs);
        b.own += own;
        b.classical += theirs;
        b.count += 1.0;
      }
    }
  }
  const auto holds = [&](int i) {
    const Bin& b = bin[static_cast<std::size_t>(i)];
    return b.count >= fewest && b.log_ratio <= 0.0 && b.own <= b.classical;
  };
  // The longest stretch; none at all leaves the range of fixed steps.
  int first = 0, last = -1;
  for (int i = 0; i < bins; ++i) {
    int j = i;
    while (j < bins && holds(j)) ++j;
    if (j - i > last - first + 1) {
      first = i;
      last = j - 1;
    }
    i = j;
  }
  const auto edge = [&](int i) { return std::pow(10.0, double(i) / per_decade - 5.0); };
  method.controlled_dt = last < first ? method.dt : Interval{edge(first), edge(last + 1)};
}

} // namespace lodestep::detail
