#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <limits>
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

/// Adds what lies on the line from u to u_next to the states within a step, [points, dimension].
void add_line_any(const double* u, const double* u_next, std::size_t dimension, std::size_t points, double* states) {
  const double rate = 1.0 / static_cast<double>(points + 1);
  for (std::size_t j = 1; j <= points; ++j, states += dimension) {
    const double s = static_cast<double>(j) * rate;
    for (std::size_t i = 0; i < dimension; ++i) states[i] += u[i] + s * (u_next[i] - u[i]);
  }
}

/// The same of as many variables as the compiler knows: a fifth of the time, and the same bits.
template <std::size_t kDimension>
void add_line(const double* u, const double* u_next, std::size_t points, double* states) {
  double from[kDimension];
  double along[kDimension];
  for (std::size_t i = 0; i < kDimension; ++i) {
    from[i] = u[i];
    along[i] = u_next[i] - u[i];
  }
  const double rate = 1.0 / static_cast<double>(points + 1);
  for (std::size_t j = 1; j <= points; ++j, states += kDimension) {
    const double s = static_cast<double>(j) * rate;
    for (std::size_t i = 0; i < kDimension; ++i) states[i] += from[i] + s * along[i];
  }
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

Corrector::Scratch::Scratch(const Corrector& corrector)
    : features(corrector.features_.count()), correction(corrector.dimension_),
      density_inputs(corrector.density_ ? corrector.density_->inputs() : 0),
      density_outputs(corrector.density_ ? corrector.density_->outputs() : 0) {
  for (const auto& parameter : corrector.description_->parameters) parameters.push_back(parameter.nominal);
}

Corrector::Corrector(std::shared_ptr<const Model> model, Backend backend)
    : model_(std::move(model)), description_(&corrector_model(model_)),
      features_(*description_, model_->dimension(), classical_tableau(description_->base).stages()),
      approximator_(description_->approximator, backend) {
  const auto& corrector = *description_;
  dimension_ = model_->dimension();
  zero_ = approximator_.is_zero();
  multiplicative_ = corrector.form == CorrectorForm::multiplicative;
  plain_ = features_.plain() && !multiplicative_;
  context_ = corrector.time == TimeInput::elapsed || !corrector.parameters.empty();
  dt_ = corrector.dt;
  // NOTE: t0 + n dt loses |t| epsilon; over 1e6 steps that is 1e-10 relative to dt, and an error of 1e-9 dt in the step
  // shifts the solution by less than any correction this library will learn resolves.
  constexpr double grid = 1e-9;
  most_dt_ = dt_ * (1.0 + grid);
  least_dt_ = corrector.dt_aware() ? std::numeric_limits<double>::min() : dt_ * (1.0 - grid);
  fallback_ = corrector.fallback_scheme();
  fallback_dt_ = dt_ / corrector.fallback_substeps;
  fallback_order_ = classical_tableau(fallback_).order;
  box_.reserve(2 * dimension_);
  for (const auto& interval : corrector.domain.state) {
    box_.push_back(interval.lower);
    box_.push_back(interval.upper);
  }
  limit_ = corrector.domain.correction_limit;
  if (corrector.dense) dense_ = std::make_unique<const Approximator>(corrector.dense->approximator, backend);
  if (corrector.domain.density) {
    density_ = std::make_unique<const Approximator>(corrector.domain.density->projection, backend);
    density_outputs_ = density_->outputs();
    density_of_state_ = features_.density_count() == dimension_;
    inverse_density_limit_ = 1.0 / corrector.domain.density->limit;
  }
}

Corrector::~Corrector() = default;

void Corrector::set_parameter(Scratch& scratch, const std::string& name, double value) const {
  const auto& inputs = description_->parameters;
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const auto& p) { return p.name == name; });
  if (found == inputs.end()) {
    std::string known;
    for (const auto& parameter : inputs) known += (known.empty() ? "" : ", ") + parameter.name;
    throw InvalidArgument("parameter '" + name + "' is no input of this model" +
                          (known.empty() ? ": it was trained at fixed parameters" : " (its inputs: " + known + ")"));
  }
  if (!std::isfinite(value)) throw InvalidArgument("parameter '" + name + "': not a finite number");
  scratch.parameters[static_cast<std::size_t>(found - inputs.begin())] = value;
  scratch.parameters_trained = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const double given = scratch.parameters[i];
    if (!(given >= inputs[i].trained.lower && given <= inputs[i].trained.upper)) scratch.parameters_trained = false;
  }
}

Verdict Corrector::admits_context(double t, double dt, const Scratch& scratch) const noexcept {
  if (!scratch.parameters_trained) return Verdict::domain;
  if (description_->time == TimeInput::elapsed) {
    const Interval& range = description_->time_range;
    const double slack = 1e-9 * dt_;
    if (!(t >= range.lower - slack && t + dt <= range.upper + slack)) return Verdict::domain;
  }
  return Verdict::learned;
}

Verdict Corrector::judge_density(double t, const double* u, Scratch& scratch) const {
  const double* x = u;
  if (!density_of_state_) {
    features_.make_density(t, u, scratch.parameters.data(), scratch.density_inputs.data());
    x = scratch.density_inputs.data();
  }
  double* y = scratch.density_outputs.data();
  density_->evaluate(x, y, 1, scratch.workspace);
  double sum = 0.0;
  for (std::size_t o = 0; o < density_outputs_; ++o) sum += y[o] * y[o];
  scratch.leverage = sum * inverse_density_limit_;
  return scratch.leverage <= 1.0 ? Verdict::learned : Verdict::domain; // NaN is outside
}

void Corrector::leverages(double t, const double* u, std::size_t n, double* leverage, Scratch& scratch) const {
  if (!density_) {
    std::fill_n(leverage, n, 0.0);
    return;
  }
  const std::size_t inputs = features_.density_count();
  const std::size_t outputs = density_outputs_;
  if (scratch.density_outputs.size() < n * outputs) {
    scratch.density_outputs.resize(n * outputs);
    scratch.density_inputs.resize(n * inputs);
  }
  const double* x = u;
  if (!density_of_state_) {
    for (std::size_t i = 0; i < n; ++i) {
      features_.make_density(t, u + i * dimension_, scratch.parameters.data(),
                             scratch.density_inputs.data() + i * inputs);
    }
    x = scratch.density_inputs.data();
  }
  double* y = scratch.density_outputs.data();
  density_->evaluate(x, y, n, scratch.workspace);
  for (std::size_t i = 0; i < n; ++i, y += outputs) {
    double sum = 0.0;
    for (std::size_t o = 0; o < outputs; ++o) sum += y[o] * y[o];
    leverage[i] = sum * inverse_density_limit_;
  }
}

void Corrector::corrections(double dt, const double* features, const double* increments, std::size_t n,
                            double* correction, Workspace& workspace) const {
  approximator_.evaluate(features, correction, n, workspace);
  if (plain_) return;
  const double factor = features_.factor(dt);
  const std::size_t count = n * dimension_;
  if (multiplicative_) {
    for (std::size_t i = 0; i < count; ++i) correction[i] *= factor * increments[i];
  } else {
    for (std::size_t i = 0; i < count; ++i) correction[i] *= factor;
  }
}

Verdict Corrector::apply(double t, double dt, const double* u, double* u_next, const double* stage_derivatives,
                         Scratch& scratch) const {
  double* q = scratch.correction.data();
  double factor = 1.0;
  if (plain_) {
    const double* features = u;
    if (description_->input != CorrectorInput::state) {
      for (std::size_t i = 0; i < dimension_; ++i) scratch.features[i] = u_next[i] - u[i];
      features = scratch.features.data();
    }
    approximator_.evaluate(features, q, 1, scratch.workspace);
  } else {
    features_.make(t, dt, u, u_next, stage_derivatives, scratch.parameters.data(), scratch.features.data());
    approximator_.evaluate(scratch.features.data(), q, 1, scratch.workspace);
    factor = features_.factor(dt);
    for (std::size_t i = 0; i < dimension_; ++i) q[i] *= multiplicative_ ? factor * (u_next[i] - u[i]) : factor;
  }
  // NaN compares false, and so does what the base scheme made of a state, times zero, unless it is finite: an
  // approximator fed with the state alone would not notice.
  bool small = true;
  for (std::size_t i = 0; i < dimension_; ++i) small &= std::abs(q[i]) + 0.0 * u_next[i] <= factor * limit_[i];
  if (!small) return Verdict::correction;
  for (std::size_t i = 0; i < dimension_; ++i) u_next[i] += q[i];
  // NOTE: last, though it needs nothing of the step: the next step waits for the sum above, not for this, and the
  // processor does this while it waits. Asked first, it costs three times as much.
  return density_ ? judge_density(t, u, scratch) : Verdict::learned;
}

void Corrector::dense_states(const double* u, const double* u_next, double* states, Scratch& scratch) const {
  if (!dense_) return;
  // The features of a plain model of the state are the state, and `correct` makes none.
  const bool state = plain_ && description_->input == CorrectorInput::state;
  dense_->evaluate(state ? u : scratch.features.data(), states, 1, scratch.workspace);
  switch (dimension_) {
  case 2:
    return add_line<2>(u, u_next, dense_points(), states);
  case 4:
    return add_line<4>(u, u_next, dense_points(), states);
  case 6:
    return add_line<6>(u, u_next, dense_points(), states);
  default:
    add_line_any(u, u_next, dimension_, dense_points(), states);
  }
}

void Corrector::error_estimate(double dt, const Scratch& scratch, double* error, bool learned) const noexcept {
  const auto& estimate = description_->estimate;
  if (!estimates_error()) {
    std::fill_n(error, dimension_, model_->error.step_rms);
    return;
  }
  double factor = 0.0;
  if (learned) {
    factor = features_.factor(dt) * std::sqrt(1.0 + estimate.growth * scratch.leverage);
  } else {
    // As many of its steps as make one of the model's have about the model's error; a shorter one has less.
    const double h = std::abs(dt) / fallback_dt_;
    factor = (h >= 1.0 ? h : std::pow(h, fallback_order_ + 1.0)) * fallback_dt_ / dt_;
  }
  for (std::size_t i = 0; i < dimension_; ++i) error[i] = factor * estimate.scale[i];
}

std::size_t Corrector::substeps(double dt) const noexcept {
  const double count = std::ceil(std::abs(dt) / fallback_dt_ * (1.0 - 1e-9));
  // NaN too takes one base step: what the host makes of it is the host's. The bound keeps the conversion defined.
  return count >= 1.0 ? static_cast<std::size_t>(std::min(count, 9e15)) : 1;
}

} // namespace lodestep
