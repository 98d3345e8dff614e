#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/train.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace lodestep {

namespace {

/// Repetitions of the timed roll-outs; the median is reported.
constexpr int repetitions = 3;

/// Rolls out from one initial state; `step(t, u)` advances u in place. Writes [times, dimension].
template <class Step>
void roll_out(const Trajectories& reference, std::size_t trajectory, std::vector<double>& u, double* states,
              Step&& step) {
  const std::size_t d = reference.dimension;
  std::copy_n(reference.state(trajectory, 0), d, u.data());
  std::copy_n(u.data(), d, states);
  for (std::size_t k = 1; k < reference.times; ++k) {
    step(reference.t0 + static_cast<double>(k - 1) * reference.dt, u.data());
    std::copy_n(u.data(), d, states + k * d);
  }
}

/// A step that no model step can be would measure the fallback alone, and call it the model's.
void require_step(const CorrectorModel& corrector, double dt) {
  constexpr double grid = 1e-9; // as Corrector has it
  const bool longer = dt > corrector.dt * (1.0 + grid);
  const bool shorter = !corrector.dt_aware() && dt < corrector.dt * (1.0 - grid);
  if (!longer && !shorter) return;
  const auto text = [](double number) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", number);
    return std::string(digits);
  };
  throw InvalidArgument(
      "dt = " + text(dt) + ": the model takes " + (corrector.dt_aware() ? "steps up to " : "no step but ") +
      text(corrector.dt) +
      ", any other would be its fallback's; evaluate it at its own, or train one for this step (train "
      "attns --dt " +
      text(dt) + ", or --dt-range for many)");
}

} // namespace

Evaluation evaluate(const Model& model, const Problem& problem, const EvaluateOptions& options) {
  report::require_same_problem(model, problem);
  const auto shared = std::make_shared<const Model>(model);
  const auto corrector = std::make_shared<const Corrector>(shared, options.backend);
  const double dt = options.dt != 0.0 ? options.dt : corrector->dt();
  require_step(corrector->description(), dt);

  // The reference takes nearly all the time, so its progress is the whole's.
  const auto reference =
      report::held_out_reference(problem, options.trajectories, dt, options.horizon, options.seed, options.progress);
  // Asked to stop early, the generator hands back fewer trajectories: they are still a sound evaluation.
  const std::size_t trajectories = reference.trajectories;
  if (trajectories == 0) throw InvalidData("evaluate: interrupted before the first reference trajectory was ready");

  const std::size_t d = problem.dimension();
  std::vector<double> u(d);
  std::vector<double> states(reference.times * d);
  CorrectedRungeKutta learned(corrector);
  report::set_parameters(learned, *corrector, problem);
  RungeKutta base(learned.base().tableau(), d);
  const auto learned_step = [&](double t, double* x) { learned.step(problem.rhs, t, x, dt); };
  const auto base_step = [&](double t, double* x) { base.step(problem.rhs, t, x, dt, x); };

  std::vector<double> errors(trajectories);
  std::vector<double> base_errors(trajectories);
  for (std::size_t i = 0; i < trajectories; ++i) {
    roll_out(reference, i, u, states.data(), learned_step);
    errors[i] = report::mean_squared_error(reference, i, states.data());
    roll_out(reference, i, u, states.data(), base_step);
    base_errors[i] = report::mean_squared_error(reference, i, states.data());
  }
  const auto counters = learned.counters();
  const auto evaluations = learned.rhs_evaluations();

  std::vector<double> microseconds;
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const auto start = report::ProcessorClock::now();
    for (std::size_t i = 0; i < trajectories; ++i) roll_out(reference, i, u, states.data(), learned_step);
    const std::chrono::duration<double, std::micro> elapsed = report::ProcessorClock::now() - start;
    microseconds.push_back(elapsed.count() / static_cast<double>(trajectories));
  }

  const auto learned_summary = report::summarise(errors);
  Evaluation result;
  result.problem = problem.name;
  result.kind = model.kind();
  result.dt = dt;
  result.horizon = static_cast<double>(reference.times - 1) * dt;
  result.trajectories = trajectories;
  result.mse_mean = learned_summary.mean;
  result.mse_median = learned_summary.median;
  result.mse_max = learned_summary.max;
  result.base_mse_mean = report::summarise(base_errors).mean;
  result.rhs_evaluations_per_time =
      static_cast<double>(evaluations) / (static_cast<double>(trajectories) * result.horizon);
  result.microseconds_per_trajectory = report::median(microseconds);
  result.fallback_fraction = static_cast<double>(counters.fallen_back()) / static_cast<double>(counters.total());
  return result;
}

} // namespace lodestep
