// How many times faster than the best tuned classical stepper a trained corrector is at its own error. Ratios of
// processor times taken in turn, so that a busy machine slows both.
#include "report/work_precision.hpp"

#include <lodestep/problem.hpp>
#include <lodestep/train.hpp>

#include <cstdio>
#include <memory>
#include <string>

using namespace lodestep;

namespace {

struct Case {
  std::string problem, initial;
  double output_dt; ///< 0: at the model's own steps
  double bar;
  double most_seconds; ///< of training; 0: any
};

bool holds(const Case& c) {
  Problem problem = make_problem(c.problem);
  use_initial(problem, c.initial);
  AttnsOptions options;
  options.error = 3e-5;
  options.search_dt = true;
  options.output_dt = c.output_dt;
  options.time_limit = 25.0; // the four together stay below three minutes on a machine that is half busy
  const AttnsResult trained = train_attns(problem, options);
  const auto& corrector = std::get<CorrectorModel>(trained.model.method);
  report::WorkPrecisionOptions measure;
  measure.trajectories = 15;
  measure.output_dt = c.output_dt;
  const auto result =
      report::work_precision(problem, {{"model", std::make_shared<const Model>(trained.model)}}, measure);
  const auto speedup = report::speedup_at_equal_error(result.points).front().second;
  const auto& learned = result.points.front();
  const auto* rival = report::fastest_classical(result.points, learned.mse);
  std::printf("%s, %s states, outputs every %g: %s of the %s on %s, dt %g: mse %.1e in %.2f us; %s %.2f us: %.2f times "
              "faster (bar %g); %.1f s of training%s\n",
              c.problem.c_str(), c.initial.c_str(), result.output_dt, corrector.approximator.description().c_str(),
              to_string(corrector.input), corrector.base.c_str(), corrector.dt, learned.mse,
              learned.microseconds_per_trajectory, rival ? rival->stepper.c_str() : "no classical stepper,",
              rival ? rival->microseconds_per_trajectory : 0.0, speedup.value_or(0.0), c.bar, trained.seconds,
              c.most_seconds > 0.0 ? " (bar 60)" : "");
  const bool in_time = c.most_seconds == 0.0 || trained.seconds <= c.most_seconds;
  return trained.reached && speedup && *speedup >= c.bar && in_time;
}

} // namespace

int main() {
  bool all = true;
  for (const Case& c :
       {Case{"elastic_pendulum", "paper", 0.0, 6.0, 0.0}, Case{"elastic_pendulum", "paper", 0.1, 4.0, 0.0},
        Case{"two_link_pendulum", "paper", 0.0, 2.5, 0.0}, Case{"elastic_pendulum", "wide", 0.0, 4.0, 60.0}}) {
    all = holds(c) && all;
  }
  return all ? 0 : 1;
}
