#include "ensemble.hpp"

#include <lodestep/model.hpp>

#include <algorithm>
#include <variant>

namespace lodestep::c {

Ensemble::Ensemble(const Corrector& corrector)
    : corrector_(corrector), base_(classical_tableau(std::get<CorrectorModel>(corrector.model().method).base)),
      fallback_(classical_tableau(corrector.fallback())), scratch_(corrector),
      stages_(corrector.stages() * corrector.dimension()) {}

void Ensemble::gather(const double* y) {
  const std::size_t d = corrector_.dimension();
  const std::size_t size = members_.size() * d;
  if (u_.size() < size) {
    u_.resize(size);
    stage_state_.resize(size);
    result_.resize(size);
    k_.resize(std::max(base_.stages(), fallback_.stages()) * size);
  }
  for (std::size_t m = 0; m < members_.size(); ++m) std::copy_n(y + members_[m] * d, d, u_.data() + m * d);
}

/// One step of a scheme for all members from u_. The arithmetic of a number is that of RungeKutta::step, term by term.
int Ensemble::step_with(const ButcherTableau& scheme, HostRhs& rhs, double t, double dt, double* out) {
  const std::size_t s = scheme.stages();
  const std::size_t size = members_.size() * corrector_.dimension();
  const auto combine = [&](const double* weight, std::size_t count, double* to) {
    for (std::size_t i = 0; i < size; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < count; ++j) {
        if (weight[j] != 0.0) sum += dt * weight[j] * k_[j * size + i];
      }
      to[i] = u_[i] + sum;
    }
  };
  for (std::size_t i = 0; i < s; ++i) {
    const double* at = u_.data();
    if (i > 0) {
      combine(scheme.a.data() + i * s, i, stage_state_.data());
      at = stage_state_.data();
    }
    if (const int result = rhs(t + scheme.c[i] * dt, members_.size(), at, k_.data() + i * size)) return result;
  }
  combine(scheme.b.data(), s, out);
  return 0;
}

void Ensemble::correct(double t, double dt) {
  const std::size_t d = corrector_.dimension();
  const std::size_t size = members_.size() * d;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    for (std::size_t s = 0; s < corrector_.stages(); ++s) {
      std::copy_n(k_.data() + s * size + m * d, d, stages_.data() + s * d);
    }
    double* after = result_.data() + m * d;
    verdicts_[members_[m]] = corrector_.correct(t, dt, u_.data() + m * d, after, stages_.data(), scratch_);
    std::copy_n(after, d, next_.data() + members_[m] * d);
  }
}

int Ensemble::fall_back(HostRhs& rhs, double t, const double* y, double dt) {
  const std::size_t d = corrector_.dimension();
  gather(y);
  const std::size_t count = corrector_.substeps(dt);
  const double h = dt / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const int result = step_with(fallback_, rhs, t + static_cast<double>(i) * h, h, u_.data())) return result;
  }
  for (std::size_t m = 0; m < members_.size(); ++m) std::copy_n(u_.data() + m * d, d, next_.data() + members_[m] * d);
  return 0;
}

int Ensemble::step(HostRhs& rhs, double t, const double* y, std::size_t n, double dt) {
  const std::size_t d = corrector_.dimension();
  verdicts_.resize(n);
  if (next_.size() < n * d) next_.resize(n * d);
  members_.clear();
  for (std::size_t i = 0; i < n; ++i) {
    verdicts_[i] = corrector_.admits(t, dt, y + i * d, scratch_);
    if (verdicts_[i] == Verdict::learned) members_.push_back(i);
  }
  if (!members_.empty()) {
    gather(y);
    if (const int result = step_with(base_, rhs, t, dt, result_.data())) return result;
    correct(t, dt);
  }
  members_.clear();
  for (std::size_t i = 0; i < n; ++i) {
    if (verdicts_[i] != Verdict::learned) members_.push_back(i);
  }
  return members_.empty() ? 0 : fall_back(rhs, t, y, dt);
}

void Ensemble::count() noexcept {
  for (Verdict verdict : verdicts_) ++counters_.steps[static_cast<std::size_t>(verdict)];
}

} // namespace lodestep::c
