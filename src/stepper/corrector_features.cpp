#include <lodestep/corrector_features.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>

namespace lodestep {

CorrectorFeatures::CorrectorFeatures(const CorrectorModel& model, std::size_t dimension, std::size_t stages)
    : input_(model.input), time_(model.time), aware_(model.dt_aware()), dimension_(dimension),
      stages_(model.input == CorrectorInput::stages ? stages : 0),
      inputs_(model.input == CorrectorInput::stages ? dimension * stages : dimension),
      parameters_(model.parameters.size()), dt_(model.dt), shortest_dt_(model.shortest_dt),
      angular_frequency_(model.time == TimeInput::phase ? 2.0 * 3.14159265358979323846 / model.period : 0.0) {
  const unsigned order = classical_tableau(model.base).order;
  power_ = model.form == CorrectorForm::additive ? order + 1 : order;
}

double CorrectorFeatures::factor(double h) const noexcept {
  if (!aware_) return 1.0;
  const double ratio = h / dt_;
  double result = 1.0;
  for (unsigned i = 0; i < power_; ++i) result *= ratio;
  return result;
}

double* CorrectorFeatures::write_context(double t, const double* parameters, double* to) const noexcept {
  if (time_ == TimeInput::phase) {
    *to++ = std::cos(angular_frequency_ * t);
    *to++ = std::sin(angular_frequency_ * t);
  } else if (time_ == TimeInput::elapsed) {
    *to++ = t;
  }
  return std::copy_n(parameters, parameters_, to);
}

void CorrectorFeatures::make(double t, double h, const double* u, const double* u_next, const double* stage_derivatives,
                             const double* parameters, double* features) const noexcept {
  // Increments shrink with the step, and what they tell should not.
  const double ratio = aware_ ? dt_ / h : 1.0;
  if (input_ == CorrectorInput::state) {
    std::copy_n(u, dimension_, features);
  } else if (aware_) {
    for (std::size_t i = 0; i < dimension_; ++i) features[i] = ratio * (u_next[i] - u[i]);
  } else {
    for (std::size_t i = 0; i < dimension_; ++i) features[i] = u_next[i] - u[i];
  }
  for (std::size_t s = 1; s < stages_; ++s) {
    const double* k = stage_derivatives + s * dimension_;
    const double step = ratio * h;
    for (std::size_t i = 0; i < dimension_; ++i) features[s * dimension_ + i] = step * (k[i] - (k - dimension_)[i]);
  }
  features += inputs_;
  if (aware_) *features++ = std::max(h, shortest_dt_);
  write_context(t, parameters, features);
}

void CorrectorFeatures::make_density(double t, const double* u, const double* parameters,
                                     double* features) const noexcept {
  write_context(t, parameters, std::copy_n(u, dimension_, features));
}

} // namespace lodestep
