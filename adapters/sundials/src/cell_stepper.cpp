#include "cell_stepper.hpp"

#include <lodestep/error.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace lodestep::arkode {

void Forcing::add(double t, double* dudt, std::size_t size) const noexcept {
  // NOTE: the scale is zero where there is only a constant term (ForcingStep's), so that tau must not be formed there.
  const double tau = count > 1 ? (t - shift) / scale : 0.0;
  double power = 1.0;
  for (std::size_t k = 0; k < count; ++k) {
    const double* g = terms.data() + k * size;
    for (std::size_t i = 0; i < size; ++i) dudt[i] += power * g[i];
    power *= tau;
  }
}

void Forcing::integrate(double t, double dt, double* increment, std::size_t size) const noexcept {
  std::fill_n(increment, size, 0.0);
  const double tau0 = count > 1 ? (t - shift) / scale : 0.0;
  const double tau1 = count > 1 ? (t + dt - shift) / scale : 0.0;
  double power0 = 1.0;
  double power1 = 1.0;
  for (std::size_t k = 0; k < count; ++k) {
    power0 *= tau0;
    power1 *= tau1;
    const double weight = k == 0 ? dt : scale * (power1 - power0) / static_cast<double>(k + 1);
    const double* g = terms.data() + k * size;
    for (std::size_t i = 0; i < size; ++i) increment[i] += weight * g[i];
  }
}

CellStepper::CellStepper(std::shared_ptr<const Corrector> corrector, CellLayout layout)
    : corrector_(std::move(corrector)), layout_(layout),
      base_(classical_tableau(corrector_->description().base), layout.size()),
      sub_stepper_(classical_tableau(corrector_->fallback()), layout.size()), scratch_(*corrector_),
      outcome_(layout.cells, Outcome::learned), next_(layout.size()), fallback_(layout.size()),
      first_slope_(layout.size()), forcing_increment_(layout.size()) {
  const std::size_t dimension = corrector_->dimension();
  if (layout_.dimension != dimension) {
    throw InvalidArgument("cells of dimension " + std::to_string(layout_.dimension) + ", the model's is " +
                          std::to_string(dimension));
  }
  const auto& model = corrector_->description();
  limit_ = model.domain.correction_limit;
  for (const Interval& interval : model.domain.state) {
    const double width = interval.upper - interval.lower;
    inverse_width_.push_back(width > 0.0 ? 1.0 / width : 0.0); // a variable that never varied has no scale
  }
  const std::size_t features = scratch_.features.size();
  if (layout_.cells > 1) {
    features_.resize(layout_.cells * features);
    corrections_.resize(layout.size());
    increments_.resize(layout.size());
    rows_.reserve(layout_.cells);
  }
  cell_u_.resize(dimension);
  cell_next_.resize(dimension);
  cell_forcing_.resize(dimension);
  cell_stages_.resize(corrector_->stages() * dimension);
}

const double* CellStepper::cell(const double* array, std::size_t index, double* buffer) const noexcept {
  if (layout_.adjacent()) return array + index * layout_.dimension;
  for (std::size_t i = 0; i < layout_.dimension; ++i) buffer[i] = array[i * layout_.cells + index];
  return buffer;
}

bool CellStepper::finite(const double* array, std::size_t index) const noexcept {
  const double* at = array + index * layout_.cell_stride();
  const std::size_t stride = layout_.variable_stride();
  // One test for all: 0 x is 0 for every finite x and NaN for the others.
  double sum = 0.0;
  for (std::size_t i = 0; i < layout_.dimension; ++i) sum += 0.0 * at[i * stride];
  return sum == 0.0;
}

std::size_t CellStepper::admit(double t, double dt, const double* u) {
  std::size_t learned = 0;
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    const double* at = cell(u, c, cell_u_.data());
    Verdict verdict = corrector_->admits(t, dt, at, scratch_);
    if (layout_.cells > 1 && verdict == Verdict::learned) { // one cell alone is asked by `correct`
      corrector_->leverages(t, at, 1, &scratch_.leverage, scratch_);
      if (!(scratch_.leverage <= 1.0)) verdict = Verdict::domain; // NaN is outside
    }
    outcome_[c] = static_cast<Outcome>(verdict);
    learned += verdict == Verdict::learned;
  }
  return learned;
}

std::size_t CellStepper::give_up() noexcept {
  std::fill(outcome_.begin(), outcome_.end(), Outcome::rhs);
  return 0;
}

bool CellStepper::forcing_too_large(const double* q, const double* u, const double* u_next,
                                    const double* increment) const noexcept {
  double correction = 0.0;
  double slow = 0.0;
  double fast = 0.0;
  for (std::size_t i = 0; i < layout_.dimension; ++i) {
    const double g = increment[i] * inverse_width_[i];
    const double s = (u_next[i] - u[i] - increment[i]) * inverse_width_[i];
    correction += q[i] * q[i];
    slow += g * g;
    fast += s * s;
  }
  if (slow == 0.0 || correction == 0.0) return false;
  const double moved = std::sqrt(correction / static_cast<double>(layout_.dimension) * slow / fast);
  return !(moved <= forcing_tolerance); // NaN is too large
}

std::size_t CellStepper::correct(double t, const double* u, double dt, const Forcing& forcing) {
  const double* increment = nullptr;
  if (forcing.count > 0 && forcing_tolerance < std::numeric_limits<double>::infinity()) {
    forcing.integrate(t, dt, forcing_increment_.data(), layout_.size());
    increment = forcing_increment_.data();
  }
  if (layout_.cells > 1) return correct_batch(t, u, dt, increment);

  // NOTE: the core's own code for a single cell: the same bits as without SUNDIALS.
  if (!finite(next_.data(), 0)) return give_up();
  if (increment && !corrector_->approximator().is_zero()) std::copy_n(next_.data(), next_.size(), cell_next_.data());
  const Verdict verdict = corrector_->correct(t, dt, u, next_.data(), base_.stage_derivatives(), scratch_);
  outcome_[0] = static_cast<Outcome>(verdict);
  if (!corrector_->approximator().is_zero()) {
    ++network_evaluations;
    if (verdict == Verdict::learned && increment &&
        forcing_too_large(scratch_.correction.data(), u, cell_next_.data(), increment)) {
      outcome_[0] = Outcome::forcing;
    }
  }
  return outcome_[0] == Outcome::learned;
}

std::size_t CellStepper::correct_batch(double t, const double* u, double dt, const double* forcing_increment) {
  const std::size_t dimension = layout_.dimension;
  const std::size_t stages = corrector_->stages();
  const std::size_t feature_count = scratch_.features.size();
  const bool zero = corrector_->approximator().is_zero();
  std::size_t learned = 0;

  rows_.clear();
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    if (outcome_[c] != Outcome::learned) continue;
    if (!finite(next_.data(), c)) {
      outcome_[c] = Outcome::rhs;
      continue;
    }
    ++learned;
    if (zero) continue;
    const double* stage_derivatives = nullptr;
    if (stages > 0) {
      const std::size_t size = layout_.size();
      for (std::size_t s = 0; s < stages; ++s) {
        const double* k = base_.stage_derivatives() + s * size + c * layout_.cell_stride();
        for (std::size_t i = 0; i < dimension; ++i) {
          cell_stages_[s * dimension + i] = k[i * layout_.variable_stride()];
        }
      }
      stage_derivatives = cell_stages_.data();
    }
    const double* from = cell(u, c, cell_u_.data());
    const double* to = cell(next_.data(), c, cell_next_.data());
    corrector_->features().make(t, dt, from, to, stage_derivatives, scratch_.parameters.data(),
                                features_.data() + rows_.size() * feature_count);
    for (std::size_t i = 0; i < dimension; ++i) increments_[rows_.size() * dimension + i] = to[i] - from[i];
    rows_.push_back(c);
  }
  if (rows_.empty()) return learned;

  corrector_->corrections(dt, features_.data(), increments_.data(), rows_.size(), corrections_.data(),
                          scratch_.workspace);
  const double factor = corrector_->features().factor(dt);
  network_evaluations += rows_.size();
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const std::size_t c = rows_[row];
    const double* q = corrections_.data() + row * dimension;
    bool small = true;
    for (std::size_t i = 0; i < dimension; ++i) small &= std::abs(q[i]) <= factor * limit_[i]; // NaN compares false
    if (!small) {
      outcome_[c] = Outcome::correction;
    } else if (forcing_increment &&
               forcing_too_large(q, cell(u, c, cell_u_.data()), cell(next_.data(), c, cell_next_.data()),
                                 cell(forcing_increment, c, cell_forcing_.data()))) {
      outcome_[c] = Outcome::forcing;
    } else {
      double* next = next_.data() + c * layout_.cell_stride();
      for (std::size_t i = 0; i < dimension; ++i) next[i * layout_.variable_stride()] += q[i];
      continue;
    }
    --learned;
  }
  return learned;
}

bool CellStepper::replace(bool recovered) noexcept {
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    if (outcome_[c] == Outcome::learned) continue;
    if (!finite(fallback_.data(), c)) return false;
    if (recovered) outcome_[c] = Outcome::rhs;
    const std::size_t first = c * layout_.cell_stride();
    for (std::size_t i = 0; i < layout_.dimension; ++i) {
      const std::size_t at = first + i * layout_.variable_stride();
      next_[at] = fallback_[at];
    }
  }
  return true;
}

} // namespace lodestep::arkode
