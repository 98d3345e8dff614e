#include "stepper/block_kernels.hpp"

#include <lodestep/ensemble_block.hpp>
#include <lodestep/ensemble_guard.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lodestep::detail {

EnsembleGuard::EnsembleGuard(std::shared_ptr<const Corrector> corrector)
    : corrector_(std::move(corrector)), features_(corrector_->features().count() * ensemble_block),
      correction_(corrector_->dimension() * ensemble_block), leverage_(ensemble_block),
      stage_derivatives_(corrector_->stages() * corrector_->dimension()), scratch_(*corrector_) {
  if (corrector_->description().form == CorrectorForm::multiplicative) increments_.resize(correction_.size());
  for (std::size_t k = 0; k < ensemble_block; ++k) {
    limit_.insert(limit_.end(), corrector_->correction_limit().begin(), corrector_->correction_limit().end());
  }
}

bool EnsembleGuard::judge(double t, double dt, const double* x, const double* u, std::size_t first, std::size_t n) {
  Verdict* verdicts = verdicts_.data() + first;
  const Verdict step = corrector_->admits_step(t, dt, scratch_);
  if (step != Verdict::learned) { // which holds for all or for none
    std::fill_n(verdicts, n, step);
    return false;
  }
  const auto& domain = corrector_->description().domain;
  alignas(64) std::array<double, ensemble_block> inside;
  const bool all = inside_box(u, domain.state.data(), domain.state.size(), n, inside.data());
  if (all && !domain.density) {
    std::fill_n(verdicts, n, Verdict::learned);
    return true;
  }
  if (domain.density) {
    corrector_->leverages(t, x, n, leverage_.data(), scratch_);
    for (std::size_t k = 0; k < n; ++k) inside[k] = leverage_[k] <= 1.0 ? inside[k] : 0.0; // NaN compares false
  }
  bool any = false;
  for (std::size_t k = 0; k < n; ++k) {
    const bool learned = inside[k] != 0.0;
    verdicts[k] = learned ? Verdict::learned : Verdict::domain;
    any |= learned;
  }
  return any;
}

std::size_t EnsembleGuard::a_learned_member(std::size_t first, std::size_t n) const noexcept {
  std::size_t k = 0;
  while (k + 1 < n && verdicts_[first + k] != Verdict::learned) ++k;
  return k;
}

void EnsembleGuard::correct(double t, double dt, const double* x, const Stages& stages, std::size_t first,
                            std::size_t n, double* next) {
  if (corrector_->approximator().is_zero()) return;
  const std::size_t d = corrector_->dimension();
  const std::size_t count = n * d;
  const double* features = make_features(t, dt, x, next, stages, n);
  if (!increments_.empty()) subtract(next, x, count, increments_.data());
  corrector_->corrections(dt, features, increments_.data(), n, correction_.data(), scratch_.workspace);
  const double factor = corrector_->features().factor(dt);
  if (add_if_small(correction_.data(), limit_.data(), factor, count, next)) return;
  for (std::size_t k = 0; k < n; ++k) {
    bool within = true; // NaN compares false; zero times what is not finite is NaN
    for (std::size_t m = k * d; m < (k + 1) * d; ++m) {
      within &= std::abs(correction_[m]) + 0.0 * next[m] <= factor * limit_[m];
    }
    if (!within && verdicts_[first + k] == Verdict::learned) verdicts_[first + k] = Verdict::correction;
  }
}

/// [member][feature]
const double* EnsembleGuard::make_features(double t, double dt, const double* x, const double* next,
                                           const Stages& stages, std::size_t n) {
  const std::size_t d = corrector_->dimension();
  const CorrectorFeatures& features = corrector_->features();
  if (features.plain()) {
    if (corrector_->description().input == CorrectorInput::state) return x;
    subtract(next, x, n * d, features_.data());
    return features_.data();
  }
  const std::size_t count = corrector_->stages();
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t s = 0; s < count; ++s) {
      const double* derivative = stages.data + s * stages.stage + k * stages.member;
      for (std::size_t i = 0; i < d; ++i) stage_derivatives_[s * d + i] = derivative[i * stages.variable];
    }
    features.make(t, dt, x + k * d, next + k * d, stage_derivatives_.data(), scratch_.parameters.data(),
                  features_.data() + k * features.count());
  }
  return features_.data();
}

} // namespace lodestep::detail
