#include "corrector_cells.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::arkode {

CorrectorCells::CorrectorCells(std::shared_ptr<const Corrector> corrector, CellLayout layout)
    : CellStepper(layout, classical_tableau(corrector->fallback()), {corrector->dt()}),
      corrector_(std::move(corrector)), base_(classical_tableau(corrector_->description().base), layout.size()),
      scratch_(*corrector_), forcing_increment_(layout.size()) {
  const std::size_t dimension = corrector_->dimension();
  if (layout_.dimension != dimension) {
    throw InvalidArgument("cells of dimension " + std::to_string(layout_.dimension) + ", the model's is " +
                          std::to_string(dimension));
  }
  forcing_tolerance = corrector_->model().error.step_max;
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
  }
  cell_u_.resize(dimension);
  cell_next_.resize(dimension);
  cell_forcing_.resize(dimension);
  cell_stages_.resize(corrector_->stages() * dimension);
  cell_dense_.resize(corrector_->dense_points() * dimension);
}

std::unique_ptr<CellStepper> CorrectorCells::make(CellLayout layout) const {
  auto fresh = std::make_unique<CorrectorCells>(corrector_, layout);
  fresh->scratch_.parameters = scratch_.parameters;
  fresh->scratch_.parameters_trained = scratch_.parameters_trained;
  return fresh;
}

void CorrectorCells::set_parameter(const std::string& name, double value) {
  corrector_->set_parameter(scratch_, name, value);
}

std::size_t CorrectorCells::substeps(double dt) const noexcept {
  return corrector_->substeps(dt);
}

std::size_t CorrectorCells::admit(double t, double dt, const double* u, const Forcing& /*forcing*/) {
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

int CorrectorCells::base_step(RhsRef rhs, double t, const double* u, double dt, const double* dudt) {
  return base_.step(rhs, t, u, dt, next_.data(), dudt);
}

bool CorrectorCells::forcing_too_large(const double* q, const double* u, const double* u_next,
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

std::size_t CorrectorCells::correct(double t, const double* u, double dt, const Forcing& forcing) {
  const double* increment = nullptr;
  if (forcing.count > 0 && forcing_tolerance < std::numeric_limits<double>::infinity()) {
    forcing.integrate(t, dt, forcing_increment_.data(), layout_.size());
    increment = forcing_increment_.data();
  }
  if (layout_.cells > 1) return correct_batch(t, u, dt, increment);

  // NOTE: the core's own code for a single cell: the same bits as without SUNDIALS.
  if (!finite(next_.data(), 0)) return none(Outcome::rhs);
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

std::size_t CorrectorCells::correct_batch(double t, const double* u, double dt, const double* forcing_increment) {
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

std::size_t CorrectorCells::dense_points(double dt) const noexcept {
  // The points belong to the model's own step, and are computed from the features of a correction.
  if (std::abs(dt - corrector_->dt()) > 1e-9 * corrector_->dt() || corrector_->approximator().is_zero()) return 0;
  return corrector_->dense_points();
}

int CorrectorCells::dense_states(RhsRef rhs, double t, const double* u, double dt, const double* u_next,
                                 double* states) {
  const std::size_t dimension = layout_.dimension;
  const std::size_t size = layout_.size();
  const std::size_t points = corrector_->dense_points();
  const std::size_t feature_count = scratch_.features.size();
  std::size_t learned = 0;
  std::size_t row = 0; // of the batch, which holds cells that were not learned in the end, too
  for (std::size_t c = 0; c < layout_.cells; ++c) {
    if (outcome_[c] != Outcome::learned) continue;
    ++learned;
    if (layout_.cells == 1) {
      corrector_->dense_states(u, u_next, states, scratch_);
      continue;
    }
    while (rows_[row] != c) ++row;
    std::copy_n(features_.data() + row * feature_count, feature_count, scratch_.features.data());
    corrector_->dense_states(cell(u, c, cell_u_.data()), cell(u_next, c, cell_next_.data()), cell_dense_.data(),
                             scratch_);
    for (std::size_t j = 0; j < points; ++j) {
      for (std::size_t i = 0; i < dimension; ++i) {
        states[j * size + c * layout_.cell_stride() + i * layout_.variable_stride()] = cell_dense_[j * dimension + i];
      }
    }
  }
  if (learned == layout_.cells) return 0;
  // The fallback's steps end where the points are.
  const double part = dt / static_cast<double>(points + 1);
  const double* from = u;
  double* at = next_.data(); // free until the next step
  for (std::size_t j = 0; j < points; ++j) {
    if (const int status = sub_step(rhs, t + static_cast<double>(j) * part, from, part, substeps(part), nullptr)) {
      return status;
    }
    std::copy_n(fallback_.data(), size, at);
    from = at;
    for (std::size_t c = 0; c < layout_.cells; ++c) {
      if (outcome_[c] == Outcome::learned) continue;
      for (std::size_t i = 0; i < dimension; ++i) {
        const std::size_t k = c * layout_.cell_stride() + i * layout_.variable_stride();
        states[j * size + k] = at[k];
      }
    }
  }
  return 0;
}

} // namespace lodestep::arkode
