#pragma once

#include <lodestep/family.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lodestep::detail {

/// One problem instance F = (f, u0) of a family.
struct RknnTask {
  std::vector<double> parameters;
  std::vector<double> initial;
};

/// What an integrator is asked: `steps` steps of `dt` on one task. Its error is the largest over the steps (eq. 8).
struct RknnSample {
  std::size_t task;
  double dt;
  std::size_t steps;
  std::size_t group;             ///< samples of one horizon and one step size
  std::vector<double> reference; ///< [steps, dimension], rounded from extended precision
  double classical_error;        ///< of the classical tableau on the same question, at least the rounding of the state
};

/// One step size of one horizon; a horizon of 0 stands for a single step.
struct RknnGroup {
  double horizon;
  double dt;
};

struct RknnTasks {
  std::vector<RknnTask> tasks;
  std::vector<RknnGroup> groups;
  std::vector<RknnSample> samples;
  std::size_t asked = 0;
  std::size_t dropped = 0; ///< questions whose reference or classical answer was not finite
  double dropped_fraction() const {
    return asked == 0 ? 0.0 : static_cast<double>(dropped) / static_cast<double>(asked);
  }
};

struct RknnTaskOptions {
  std::size_t tasks = 0;
  std::vector<double> horizons; ///< 0 for one step
  std::vector<double> dt;       ///< step sizes; on a horizon the nearest that divides it
  std::uint64_t seed = 0;
  Split split = Split::train;
  double widen = 1.0;
  double most_dropped = 0.1; ///< fraction of questions without a finite answer above which there is an error
};

/// `count` step sizes in geometric progression, each in the middle of its part of the range: the midpoint rule for a
/// mean over log(dt).
std::vector<double> geometric_grid(Interval range, std::size_t count);

/// Throws InvalidArgument unless a model of that dimension can be asked about the family.
void check_fits(const TableauModel& method, std::size_t dimension, const Family& family);

/// The first `count` tasks of a family's split.
std::vector<RknnTask> draw_tasks(const Family& family, std::size_t count, std::uint64_t seed, Split split,
                                 double widen = 1.0);

/// Draws tasks and asks every question of each. Throws InvalidData if a right-hand side is not finite at its own
/// initial state for more than a tenth of the tasks, or more questions than `most_dropped` had to be dropped.
LODESTEP_TRAIN_EXPORT RknnTasks make_rknn_tasks(const Family& family, const ButcherTableau& classical,
                                                const RknnTaskOptions& options);

/// Steps of a tableau on a family's right-hand side, in double precision.
class RknnStepper {
public:
  RknnStepper(const Family& family, std::size_t stages);
  /// One step in place.
  void step(const double* a, const double* b, std::size_t stages, const double* parameters, double dt, double* u);
  /// Answers a question: the largest norm of the error over its steps, and the error there, [dimension]. Infinite if
  /// the solution does not stay finite.
  double worst_error(const double* a, const double* b, std::size_t stages, const RknnTask& task,
                     const RknnSample& sample, double* difference);

private:
  const Family& family_;
  std::vector<double> k_, at_, u_;
};

/// The solution after 1, 2, ..., `steps` times `dt`, [steps, dimension], in extended precision where the family allows.
/// Returns whether it is finite.
bool rknn_reference(const Family& family, const RknnTask& task, double dt, std::size_t steps, double* u);

} // namespace lodestep::detail
