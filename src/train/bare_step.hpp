#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/corrector_features.hpp>
#include <lodestep/corrector_model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// The step that a model takes where nothing forbids it: no guard, no fallback.
class BareStep {
public:
  /// Of `shape` all but its approximator is read. `base_alone`: the base scheme without its correction, for comparison.
  BareStep(const CorrectorModel& shape, const Approximator& approximator, std::size_t dimension,
           bool base_alone = false)
      : multiplicative_(shape.form == CorrectorForm::multiplicative), base_alone_(base_alone),
        approximator_(approximator), stepper_(classical_tableau(shape.base), dimension),
        features_(shape, dimension, stepper_.tableau().stages()), dimension_(dimension), x_(features_.count()),
        next_(dimension), correction_(dimension) {}

  void operator()(const Problem& problem, double t, double dt, const double* parameters, double* u) {
    stepper_.step(problem.rhs, t, u, dt, next_.data());
    if (base_alone_) {
      std::copy(next_.begin(), next_.end(), u);
      return;
    }
    features_.make(t, dt, u, next_.data(), stepper_.stage_derivatives(), parameters, x_.data());
    approximator_.evaluate(x_.data(), correction_.data(), 1, workspace_);
    const double factor = features_.factor(dt);
    for (std::size_t v = 0; v < dimension_; ++v) {
      correction_[v] *= multiplicative_ ? factor * (next_[v] - u[v]) : factor;
      u[v] = next_[v] + correction_[v];
    }
  }

  /// What the last step was corrected by, [dimension].
  const std::vector<double>& correction() const noexcept { return correction_; }
  const CorrectorFeatures& features() const noexcept { return features_; }

private:
  bool multiplicative_;
  bool base_alone_;
  const Approximator& approximator_;
  RungeKutta stepper_;
  CorrectorFeatures features_;
  std::size_t dimension_;
  std::vector<double> x_;
  std::vector<double> next_;
  std::vector<double> correction_;
  Workspace workspace_;
};

} // namespace lodestep::detail
