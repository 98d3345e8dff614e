#pragma once

#include <lodestep/corrector_model.hpp>
#include <lodestep/export.hpp>

#include <cstddef>

namespace lodestep {

/// Makes what a corrector's approximator is fed (see CorrectorModel). Training and stepping share this one definition.
class LODESTEP_EXPORT CorrectorFeatures {
public:
  /// `stages`: those of the base scheme. Of `model`, the members that say what is fed are read, not the approximator.
  CorrectorFeatures(const CorrectorModel& model, std::size_t dimension, std::size_t stages);

  /// Number of features.
  std::size_t count() const noexcept { return inputs_ + (aware_ ? 1 : 0) + context(); }
  /// Number of inputs of a density's projection: dimension, time inputs and parameters.
  std::size_t density_count() const noexcept { return dimension_ + context(); }
  /// Stages of the base scheme that are read: 0 unless the input is `stages`.
  std::size_t stages() const noexcept { return stages_; }
  /// True if the features are the state itself, or the increment itself.
  bool plain() const noexcept { return !aware_ && context() == 0 && stages_ == 0; }
  std::size_t parameters() const noexcept { return parameters_; }
  std::size_t time_inputs() const noexcept { return time_ == TimeInput::none ? 0 : time_ == TimeInput::phase ? 2 : 1; }
  /// The factor (h / dt)^n of a correction for a step h.
  double factor(double h) const noexcept;

  /// The features of a step of h at time t from `u`: `u_next` is the base scheme's result, `stage_derivatives` its
  /// stages [stages(), dimension], `parameters` their values. Arrays that are not asked for are not read.
  void make(double t, double h, const double* u, const double* u_next, const double* stage_derivatives,
            const double* parameters, double* features) const noexcept;
  /// The inputs of the density's projection.
  void make_density(double t, const double* u, const double* parameters, double* features) const noexcept;

private:
  std::size_t context() const noexcept { return time_inputs() + parameters_; }
  /// Time inputs and parameters; returns one past the last written.
  double* write_context(double t, const double* parameters, double* to) const noexcept;

  CorrectorInput input_;
  TimeInput time_;
  bool aware_;
  unsigned power_; ///< n
  std::size_t dimension_;
  std::size_t stages_;
  std::size_t inputs_; ///< of the first part
  std::size_t parameters_;
  double dt_;
  double shortest_dt_;
  double angular_frequency_;
};

} // namespace lodestep
