#pragma once

#include "train/controlled_run.hpp"
#include "train/rknn_fit.hpp"

#include <lodestep/family.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <vector>

/// A method and the weights of its error estimate, fitted together for step-size control.
namespace lodestep::detail {

/// The numbers of a pair: those of the method, which may depend on the step size and the parameters, and the weights
/// of the estimate, which do not.
struct PairNumbers {
  std::vector<double> x;        ///< see RknnShape
  std::vector<double> estimate; ///< [stages + 1], sum 0
};

/// One step, and what it should come to.
struct LocalStep {
  RknnTask task; ///< its initial state is where the step begins
  double dt;
  std::vector<double> exact;
};

/// States along trajectories of a family, and step sizes spread evenly in log(dt) over family.dt.
std::vector<LocalStep> sample_local_steps(const Family& family, std::size_t tasks, std::uint64_t seed, Split split);

/// Correlation of log |estimate| and log |error| over steps.
double estimate_correlation(const Family& family, const PairOfTask& pair, const std::vector<LocalStep>& steps);

/// The steps that a roll-out with step-size control took, to be taken again with other coefficients.
struct StepSequence {
  RknnTask task;
  std::vector<double> dt;
  std::vector<double> exact; ///< [steps, dimension]
};

class PairFitter {
public:
  /// `fitter` knows the shape; it must outlive this.
  PairFitter(const Family& family, const RknnFitter& fitter, const RknnShape& shape)
      : family_(family), fitter_(fitter), shape_(shape) {}

  /// The pair for a task: a choice of coefficients by the step size.
  PairOfTask pair(const PairNumbers& numbers) const;
  /// The steps that a pair takes at several tolerances. Roll-outs that do not finish are left out.
  std::vector<StepSequence> sequences(const PairNumbers& numbers, const std::vector<RknnTask>& tasks,
                                      const std::vector<double>& tolerances, ControlledRunOptions options) const;

  /// Lowers the mean logarithm of the errors of `sequences`, by least squares in weights that are the errors' inverses.
  void fit_method(PairNumbers& numbers, const std::vector<StepSequence>& sequences) const;
  /// The same, and at once brings log |estimate| and log |error| of `steps` onto a line: the variance about it counts
  /// `weight` times as much as that of the errors of the sequences.
  void fit_both(PairNumbers& numbers, const std::vector<StepSequence>& sequences, const std::vector<LocalStep>& steps,
                double weight) const;
  /// The estimate whose logarithm correlates best with that of the error of `steps`: random directions, then ever
  /// smaller random moves of the best, as the objective has many humps. It is of norm 1.
  std::vector<double> search_estimate(const PairNumbers& numbers, const std::vector<LocalStep>& steps,
                                      Random& random) const;

private:
  friend struct PairProblem;
  const Family& family_;
  const RknnFitter& fitter_;
  RknnShape shape_;
};

} // namespace lodestep::detail
