#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

/// What `evaluate` and `work_precision` share: held-out reference trajectories, and the error measured against them.
namespace lodestep::report {

/// Reference trajectories from the initial states of Split::test, which neither training nor selection ever sees.
/// `horizon` 0 means the problem's. Throws InvalidArgument (no trajectories, horizon no multiple of dt), InvalidData.
Trajectories held_out_reference(const Problem& problem, std::size_t trajectories, double dt, double horizon,
                                std::uint64_t seed, const Progress& progress);

/// Mean over times 1 .. times - 1 and variables of the squared error of `states` [times, dimension] against one
/// reference trajectory. Time 0 is given, not computed, and does not dilute the mean. Infinite if the states are not
/// all finite: a stepper that diverged has no small error.
LODESTEP_TRAIN_EXPORT double mean_squared_error(const Trajectories& reference, std::size_t trajectory,
                                                const double* states);

/// Mean, median and largest of the values; infinities are kept as such.
struct Summary {
  double mean = 0.0;
  double median = 0.0;
  double max = 0.0;
};
LODESTEP_TRAIN_EXPORT Summary summarise(std::vector<double> values);

/// Median of an unsorted, non-empty list (mean of the middle two when even).
LODESTEP_TRAIN_EXPORT double median(std::vector<double> values);

/// Throws InvalidArgument unless the model's variables are the problem's, by number and by name, and so are the
/// parameters it was trained at, but for those that are its inputs.
void require_same_problem(const Model& model, const Problem& problem);

/// Gives `stepper.set_parameter` the problem's values of the parameters that are inputs of the corrector.
template <class Stepper> void set_parameters(Stepper& stepper, const Corrector& corrector, const Problem& problem) {
  for (const auto& input : corrector.description().parameters) {
    for (const auto& parameter : problem.parameters) {
      if (parameter.name == input.name) stepper.set_parameter(input.name, parameter.value);
    }
  }
}

} // namespace lodestep::report
