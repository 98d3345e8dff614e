#pragma once

#include "train/rknn_tasks.hpp"

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

/// Roll-outs with step-size control, as Odeint's controlled_runge_kutta takes them: its own error checker and step
/// adjuster, on a pair of a method and an embedded one.
namespace lodestep::detail {

/// The coefficients of one step: a method of `stages` stages, and the weights of its error estimate on those and on
/// f(t + dt, u'), which the next step needs anyway (first same as last).
struct PairCoefficients {
  std::size_t stages = 0;
  const double* a = nullptr;        ///< [stages, stages]
  const double* b = nullptr;        ///< [stages]
  const double* estimate = nullptr; ///< [stages + 1]
};

/// The coefficients of a step of `dt` from u. What they point to stays as it is until the next call.
using PairChoice = std::function<PairCoefficients(const double* u, double dt)>;

/// A pair as a choice that is always the same. The tableau must have an embedded row.
PairChoice always(const ButcherTableau& tableau);

struct ControlledRun {
  std::size_t evaluations = 0; ///< of the right-hand side, those of rejected steps among them
  std::vector<double> steps;   ///< accepted
  std::vector<double> states;  ///< [steps + 1, dimension]
  double error = 0.0;          ///< the largest norm over the steps (eq. 8); infinite if the run does not finish
};

struct ControlledRunOptions {
  unsigned order = 3; ///< of the method, for the step adjuster
  double tolerance = 1e-6;
  double horizon = 1.0;
  double first_dt = 0.01;
  bool measure_error = true;
};

/// One roll-out. It does not finish if 20000 attempts do not suffice.
ControlledRun run_controlled(const Family& family, const RknnTask& task, const PairChoice& pair,
                             const ControlledRunOptions& options);

/// Work and error at one tolerance, over tasks.
struct ControlledPoint {
  double tolerance;
  double evaluations; ///< mean
  double log_error;   ///< mean logarithm
};

/// A pair for each task, in its order.
using PairOfTask = std::function<PairChoice(const RknnTask&)>;

ControlledPoint controlled_point(const Family& family, const std::vector<RknnTask>& tasks, const PairOfTask& pair,
                                 const ControlledRunOptions& options);

/// Evaluations that a pair needs for an error, between tolerances by interpolation in logarithms. Tolerances are asked
/// as they are needed, four a decade.
class WorkPrecision {
public:
  WorkPrecision(const Family& family, const std::vector<RknnTask>& tasks, PairOfTask pair, ControlledRunOptions options)
      : family_(family), tasks_(tasks), pair_(std::move(pair)), options_(options) {}

  /// Where the curve meets that error more than once, the most evaluations; not a number if it does not between
  /// tolerances of 1e-10 and 1.
  double evaluations_at(double log_error);

private:
  const ControlledPoint& point(int index);

  const Family& family_;
  const std::vector<RknnTask>& tasks_;
  PairOfTask pair_;
  ControlledRunOptions options_;
  std::vector<std::pair<int, ControlledPoint>> points_;
};

} // namespace lodestep::detail
