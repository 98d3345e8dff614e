#pragma once

#include "host_rhs.hpp"

#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/executor.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/parareal.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lodestep::c {

/// The host's code on its way through schemes whose right-hand sides return nothing.
struct HostFailure {
  int result;
};

/// The host's right-hand side in the two forms of those schemes.
inline auto throwing_forms(HostRhs& rhs) {
  return rhs_forms(
      [&rhs](double t, const double* u, double* dudt) {
        if (const int result = rhs(t, u, dudt)) throw HostFailure{result};
      },
      [&rhs](double t, const double* u, double* dudt, std::size_t n) {
        if (const int result = rhs.many(t, u, dudt, n)) throw HostFailure{result};
      });
}

/// How a hierarchy of flow maps steps behind the C handle (see CorrectorMethod): a step is one of the map that places
/// states, and fine states come from the hybrid scheme or from parareal.
class HierarchyMethod {
public:
  explicit HierarchyMethod(std::shared_ptr<const Hierarchy> hierarchy)
      : hierarchy_(std::move(hierarchy)), map_(hierarchy_, hierarchy_->placing()),
        fine_(hierarchy_->fine(), hierarchy_->dimension()), next_(hierarchy_->dimension()), fine_state_(next_) {}

  std::size_t dimension() const noexcept { return hierarchy_->dimension(); }
  double dt() const noexcept { return map_.map().dt; }

  int attempt(HostRhs& rhs, double t, const double* y, double dt) {
    if (!whole(dt)) {
      verdict_ = Verdict::step_size;
      std::copy_n(y, dimension(), next_.data());
      return fine_steps(rhs, t, next_.data(), dt);
    }
    return coded([&] {
      auto forms = throwing_forms(rhs);
      verdict_ = map_.attempt(forms, t, y, next_.data());
    });
  }
  const double* next() const noexcept { return next_.data(); }
  void accept(double* y) noexcept {
    std::copy(next_.begin(), next_.end(), y);
    map_.count(verdict_);
  }
  /// A flow map knows its mean error, and none of a single step.
  void error_estimate(double /*dt*/, double* error) const { std::fill_n(error, dimension(), description().step_rms); }

  int attempt_ensemble(HostRhs& rhs, double t, const double* y, std::size_t n, double dt) {
    const std::size_t d = dimension();
    next_ensemble_.assign(y, y + n * d);
    verdicts_.assign(n, Verdict::step_size);
    if (whole(dt)) {
      return coded([&] {
        auto forms = throwing_forms(rhs);
        map_.attempt(forms, t, y, next_ensemble_.data(), n, verdicts_.data());
      });
    }
    for (std::size_t k = 0; k < n; ++k) {
      if (const int result = fine_steps(rhs, t, next_ensemble_.data() + k * d, dt)) return result;
    }
    return 0;
  }
  const double* next_ensemble() const noexcept { return next_ensemble_.data(); }
  void accept_ensemble(double* y, std::size_t n) noexcept {
    std::copy_n(next_ensemble_.data(), n * dimension(), y);
    for (const Verdict verdict : verdicts_) map_.count(verdict);
  }

  int reference(HostRhs& rhs, double t, double* y, double dt) {
    const double count = 2.0 * std::ceil(std::abs(dt) / fine_dt() * (1.0 - 1e-9));
    return equal_steps(rhs, t, y, dt, std::max(count, 2.0));
  }

  void leave() noexcept { fine_known_ = false; }
  int go_on(HostRhs& rhs, double t, const double* y) { return attempt(rhs, t, y, dt()); }
  /// By fine steps from y, going on from the last fine state asked for where that lies before.
  int within(HostRhs& rhs, double t, const double* y, double offset, double* state) {
    const double h = fine_dt();
    const auto target = static_cast<std::size_t>(offset / h + 1e-9);
    if (!fine_known_ || fine_index_ > target) {
      std::copy_n(y, dimension(), fine_state_.data());
      fine_index_ = 0;
      fine_known_ = true;
    }
    for (; fine_index_ < target; ++fine_index_) {
      const double at = t + static_cast<double>(fine_index_) * h;
      if (const int result = fine_.step(rhs, at, fine_state_.data(), h, fine_state_.data())) return result;
    }
    std::copy(fine_state_.begin(), fine_state_.end(), state);
    const double rest = offset - static_cast<double>(target) * h;
    if (std::abs(rest) <= 1e-9 * h) return 0;
    return fine_.step(rhs, t + static_cast<double>(target) * h, state, rest, state);
  }

  double fine_dt() const noexcept { return hierarchy_->fine_dt(); }
  /// The hybrid scheme (HiTS, Algorithm 2).
  int fine_states(HostRhs& rhs, double t, std::size_t count, double* states) {
    if (!hybrid_) hybrid_.emplace(hierarchy_);
    return coded([&] { hybrid_->solve(throwing_forms(rhs), t, count, states, team_.get()); });
  }
  int parareal(HostRhs& rhs, double t, std::size_t count, double* states, const Parareal::Options& options,
               Parareal::Result& result) {
    if (!parareal_) parareal_.emplace(hierarchy_);
    return coded([&] { result = parareal_->solve(throwing_forms(rhs), t, count, states, options, team_.get()); });
  }
  /// Threads that fine states are computed by, the calling one included.
  void set_threads(std::size_t threads) {
    team_.reset();
    if (threads != 1) team_ = std::make_unique<ThreadTeam>(threads);
  }

  void set_parameter(const std::string& name, double /*value*/) {
    throw InvalidArgument("parameter '" + name + "' is no input of this model: flow maps are of fixed parameters");
  }
  StepCounters counters() const noexcept {
    StepCounters sum = map_.counters();
    if (hybrid_) sum += hybrid_->map().counters();
    if (parareal_) sum += parareal_->map().counters();
    return sum;
  }
  void reset_counters() noexcept {
    map_.reset_counters();
    if (hybrid_) hybrid_->reset_counters();
    if (parareal_) parareal_->reset_counters();
  }

private:
  const FlowMapModel& description() const {
    return std::get<HierarchyModel>(hierarchy_->model().method).maps[hierarchy_->placing()];
  }
  bool whole(double dt) const noexcept { return std::abs(dt - map_.map().dt) <= 1e-9 * map_.map().dt; }

  template <class Body> static int coded(Body&& body) {
    try {
      body();
      return 0;
    } catch (const HostFailure& failure) {
      return failure.result;
    }
  }

  /// y advanced by `length` in equal steps no longer than the fine one.
  int fine_steps(HostRhs& rhs, double t, double* y, double length) {
    return equal_steps(rhs, t, y, length, std::max(1.0, std::ceil(std::abs(length) / fine_dt() * (1.0 - 1e-9))));
  }
  int equal_steps(HostRhs& rhs, double t, double* y, double length, double count) {
    const double h = length / count;
    for (double i = 0.0; i < count; ++i) {
      if (const int result = fine_.step(rhs, t + i * h, y, h, y)) return result;
    }
    return 0;
  }

  std::shared_ptr<const Hierarchy> hierarchy_;
  FlowMap map_;
  RungeKutta fine_;
  std::vector<double> next_;
  Verdict verdict_ = Verdict::learned;
  std::vector<double> next_ensemble_;
  std::vector<Verdict> verdicts_;
  std::vector<double> fine_state_; ///< within the step at hand, fine_index_ fine steps from its beginning
  std::size_t fine_index_ = 0;
  bool fine_known_ = false;
  std::optional<Hybrid> hybrid_; ///< once fine states were asked for
  std::optional<Parareal> parareal_;
  std::unique_ptr<ThreadTeam> team_;
};

} // namespace lodestep::c
