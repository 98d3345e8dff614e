#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <utility>

namespace lodestep {

namespace {

const CorrectorModel& corrector_model(const std::shared_ptr<const Model>& model) {
  if (!model) throw InvalidModel("model", "no model given (null pointer)");
  model->validate();
  const auto* corrector = std::get_if<CorrectorModel>(&model->method);
  if (!corrector) {
    throw InvalidModel("kind", std::string("a corrector stepper needs a corrector, this model is a ") + model->kind());
  }
  return *corrector;
}

} // namespace

const char* to_string(Verdict v) noexcept {
  switch (v) {
  case Verdict::learned:
    return "learned";
  case Verdict::step_size:
    return "step_size";
  case Verdict::domain:
    return "domain";
  case Verdict::correction:
    return "correction";
  }
  return "?";
}

std::size_t corrector_feature_count(CorrectorInput input, std::size_t dimension, std::size_t stages) noexcept {
  return input == CorrectorInput::stages ? dimension * stages : dimension;
}

void corrector_features(CorrectorInput input, std::size_t dimension, std::size_t stages, double dt, const double* u,
                        const double* u_next, const double* stage_derivatives, double* features) noexcept {
  if (input == CorrectorInput::state) {
    std::copy_n(u, dimension, features);
    return;
  }
  for (std::size_t i = 0; i < dimension; ++i) features[i] = u_next[i] - u[i];
  if (input == CorrectorInput::stages) {
    for (std::size_t s = 1; s < stages; ++s) {
      const double* k = stage_derivatives + s * dimension;
      for (std::size_t i = 0; i < dimension; ++i) features[s * dimension + i] = dt * (k[i] - (k - dimension)[i]);
    }
  }
}

Corrector::Scratch::Scratch(const Corrector& corrector)
    : features(corrector_feature_count(corrector.input_, corrector.dimension_, corrector.stages_)),
      correction(corrector.dimension_) {}

Corrector::Corrector(std::shared_ptr<const Model> model, Backend backend)
    : model_(std::move(model)), approximator_(corrector_model(model_).approximator, backend) {
  const auto& corrector = std::get<CorrectorModel>(model_->method);
  input_ = corrector.input;
  dimension_ = model_->dimension();
  stages_ = input_ == CorrectorInput::stages ? classical_tableau(corrector.base).stages() : 0;
  zero_ = approximator_.is_zero();
  dt_ = corrector.dt;
  // NOTE: t0 + n dt loses |t| epsilon; over 1e6 steps that is 1e-10 relative to dt, and an error of 1e-9 dt in the step
  // shifts the solution by less than any correction this library will learn resolves.
  dt_tolerance_ = 1e-9 * dt_;
  fallback_ = corrector.fallback_scheme();
  fallback_dt_ = dt_ / corrector.fallback_substeps;
  box_.reserve(2 * dimension_);
  for (const auto& interval : corrector.domain.state) {
    box_.push_back(interval.lower);
    box_.push_back(interval.upper);
  }
  limit_ = corrector.domain.correction_limit;
}

Corrector::~Corrector() = default;

Verdict Corrector::apply(const double* u, double* u_next, const double* stage_derivatives, Scratch& scratch) const {
  const double* features = u;
  if (input_ != CorrectorInput::state) {
    corrector_features(input_, dimension_, stages_, dt_, u, u_next, stage_derivatives, scratch.features.data());
    features = scratch.features.data();
  }
  double* q = scratch.correction.data();
  approximator_.evaluate(features, q, 1, scratch.workspace);
  // NaN compares false, and so does what the base scheme made of a state, times zero, unless it is finite: an
  // approximator fed with the state alone would not notice.
  bool small = true;
  for (std::size_t i = 0; i < dimension_; ++i) small &= std::abs(q[i]) + 0.0 * u_next[i] <= limit_[i];
  if (!small) return Verdict::correction;
  for (std::size_t i = 0; i < dimension_; ++i) u_next[i] += q[i];
  return Verdict::learned;
}

std::size_t Corrector::substeps(double dt) const noexcept {
  const double count = std::ceil(std::abs(dt) / fallback_dt_ * (1.0 - 1e-9));
  // NaN too takes one base step: what the host makes of it is the host's. The bound keeps the conversion defined.
  return count >= 1.0 ? static_cast<std::size_t>(std::min(count, 9e15)) : 1;
}

} // namespace lodestep
