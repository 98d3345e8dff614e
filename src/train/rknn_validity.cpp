#include "train/rknn_validity.hpp"

#include "train/rknn_tasks.hpp"

#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace lodestep::detail {

namespace {

constexpr std::size_t tasks = 24;
constexpr std::size_t longest = 100; // steps of a roll-out
// Step sizes tried in each decade of [1e-4, 1].
constexpr int per_decade = 6;
constexpr int decades = 4;

RknnTasks questions(const Family& family, const ButcherTableau& classical, double dt, double widen,
                    std::uint64_t seed) {
  RknnTaskOptions options;
  options.tasks = tasks;
  options.horizons = {std::min(family.horizon, static_cast<double>(longest) * dt)};
  options.dt = {dt};
  options.seed = seed;
  options.split = Split::validation;
  options.widen = widen;
  return make_rknn_tasks(family, classical, options);
}

// Whether the learned coefficients are no worse than the classical ones on roll-outs, by the mean of the logarithms and
// by the root mean square of the errors.
bool no_worse(const Family& family, const std::shared_ptr<const Model>& model, const RknnTasks& set) {
  const auto& method = std::get<TableauModel>(model->method);
  const std::size_t s = method.tableau.stages();
  std::vector<double> a(s * s), b(s), difference(family.dimension());
  std::vector<double> log_ratio(set.groups.size()), own(set.groups.size()), classical(set.groups.size());
  RknnStepper stepper(family, s);
  for (const auto& sample : set.samples) {
    const RknnTask& task = set.tasks[sample.task];
    const LearnedTableau learned(model, task.parameters);
    learned.coefficients(sample.dt, a.data(), b.data());
    const double error = stepper.worst_error(a.data(), b.data(), s, task, sample, difference.data());
    log_ratio[sample.group] += std::log(std::max(error, 1e-300) / sample.classical_error);
    own[sample.group] += error * error;
    classical[sample.group] += sample.classical_error * sample.classical_error;
  }
  for (std::size_t g = 0; g < set.groups.size(); ++g) {
    if (!(log_ratio[g] <= 0.0 && own[g] <= classical[g])) return false;
  }
  return true;
}

} // namespace

void measure_validity(const Family& family, std::uint64_t seed, Model& model) {
  auto& method = std::get<TableauModel>(model.method);
  const ButcherTableau& classical = classical_tableau(method.classical);
  const auto draft = std::make_shared<const Model>(model);
  const auto holds = [&](double dt, double widen) {
    try {
      return no_worse(family, draft, questions(family, classical, dt, widen, seed));
    } catch (const InvalidData&) {
      return false; // too many solutions blow up there to tell
    }
  };

  // The largest stretch of step sizes without a failure that overlaps the trained ones.
  std::vector<double> grid;
  for (int i = 0; i <= per_decade * decades; ++i) grid.push_back(std::pow(10.0, -4.0 + double(i) / per_decade));
  const double centre = std::sqrt(method.trained_dt.lower * method.trained_dt.upper);
  double lower = centre;
  double upper = centre;
  for (auto dt = std::upper_bound(grid.begin(), grid.end(), centre); dt != grid.end() && holds(*dt, 1.0); ++dt) {
    upper = *dt;
  }
  for (auto dt = std::lower_bound(grid.begin(), grid.end(), centre); dt != grid.begin() && holds(*(dt - 1), 1.0);
       --dt) {
    lower = *(dt - 1);
  }
  method.dt = {lower, upper};

  // How far parameters and initial states may be from the family's.
  double widest = 1.0;
  for (double widen : {1.25, 1.5, 2.0, 3.0}) {
    bool sound = true;
    for (double dt : geometric_grid({lower, upper}, 3)) sound = sound && holds(dt, widen);
    if (!sound) break;
    widest = widen;
  }
  for (auto& parameter : method.parameters) {
    const double middle = 0.5 * (parameter.trained.lower + parameter.trained.upper);
    const double half = 0.5 * (parameter.trained.upper - parameter.trained.lower) * widest;
    parameter.valid = {middle - half, middle + half};
  }

  // The box of states that tasks visit, with a twentieth of its width around.
  const std::size_t d = family.dimension();
  std::vector<Interval> box(d, {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()});
  for (std::size_t i = 0; i < 200; ++i) {
    Random random(seed, static_cast<std::uint64_t>(Split::validation), i);
    RknnTask task{std::vector<double>(family.parameters.size()), std::vector<double>(d)};
    family.sample(random, widest, task.parameters.data(), task.initial.data());
    constexpr std::size_t points = 20;
    std::vector<double> u((1 + points) * d);
    std::copy(task.initial.begin(), task.initial.end(), u.begin());
    if (!rknn_reference(family, task, family.horizon / points, points, u.data() + d)) continue;
    for (std::size_t k = 0; k < u.size(); ++k) {
      box[k % d].lower = std::min(box[k % d].lower, u[k]);
      box[k % d].upper = std::max(box[k % d].upper, u[k]);
    }
  }
  for (auto& interval : box) {
    const double margin = 0.05 * (interval.upper - interval.lower);
    interval = {interval.lower - margin, interval.upper + margin};
  }
  method.state = std::move(box);
}

} // namespace lodestep::detail
