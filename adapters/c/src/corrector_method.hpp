#pragma once

#include "host_rhs.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/ensemble.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lodestep::c {

/// How a corrector steps behind the C handle.
///
/// Every kind of model has a class with these members. A step is attempted, looked at and then accepted, so that the
/// caller never sees a bad state; functions that call the right-hand side return 0 or its code.
class CorrectorMethod {
public:
  explicit CorrectorMethod(std::shared_ptr<const Corrector> corrector)
      : corrector_(std::move(corrector)), steps_(corrector_), points_(corrector_->dense_points()),
        within_(points_ * corrector_->dimension()) {}

  std::size_t dimension() const noexcept { return corrector_->dimension(); }
  double dt() const noexcept { return corrector_->dt(); }

  int attempt(HostRhs& rhs, double t, const double* y, double dt) { return steps_.attempt(rhs, t, y, dt); }
  const double* next() const noexcept { return steps_.next(); }
  void accept(double* y) noexcept { steps_.accept(y); }
  /// Of the step attempted last.
  void error_estimate(double dt, double* error) { steps_.error_estimate(dt, error); }

  int attempt_ensemble(HostRhs& rhs, double t, const double* y, std::size_t n, double dt) {
    const auto many = [&](double at, const double* u, double* dudt, std::size_t count) {
      return rhs.many(at, u, dudt, count);
    };
    if (!ensemble_) {
      ensemble_.emplace(corrector_);
      for (const auto& parameter : parameters_) ensemble_->set_parameter(parameter.name, parameter.value);
    }
    return ensemble_->attempt(many, t, y, dt, n);
  }
  const double* next_ensemble() const noexcept { return ensemble_->next(); }
  void accept_ensemble(double* y, std::size_t /*n*/) noexcept { ensemble_->accept(y); }

  /// y, advanced by dt in place, much more finely than a step does.
  int reference(HostRhs& rhs, double t, double* y, double dt) {
    return steps_.fall_back(rhs, t, y, dt, 2 * corrector_->substeps(dt));
  }

  /// Goes on with another step: what is known of states within the last one is forgotten.
  void leave() noexcept { attempted_ = false; }
  /// The step of dt() from y, unless `within` has attempted it already.
  int go_on(HostRhs& rhs, double t, const double* y) { return attempted_ ? 0 : attempt(rhs, t, y, dt()); }
  /// The state `offset` after y, before the step of dt() ends: the model's own where it has states within a step, one
  /// shorter learned step where it takes any, and the fallback scheme from the nearest state before.
  int within(HostRhs& rhs, double t, const double* y, double offset, double* state) {
    const std::size_t d = dimension();
    if (points_ == 0 && corrector_->description().dt_aware()) {
      if (const int result = attempt(rhs, t, y, offset)) return result;
      std::copy_n(next(), d, state);
      return 0;
    }
    double from = 0.0;
    if (points_ > 0 && !attempted_) {
      if (const int result = attempt(rhs, t, y, dt())) return result;
      attempted_ = true;
      dense_ = steps_.dense_states(y, within_.data());
    }
    const double* start = y;
    if (points_ > 0 && dense_) {
      const auto point = static_cast<std::size_t>(offset / fine_dt() + 1e-9);
      from = static_cast<double>(std::min(point, points_)) * fine_dt();
      if (point > 0) start = within_.data() + (std::min(point, points_) - 1) * d;
    }
    std::copy_n(start, d, state);
    const double rest = offset - from;
    if (std::abs(rest) <= 1e-9 * dt()) return 0;
    return steps_.fall_back(rhs, t + from, state, rest, corrector_->substeps(rest));
  }

  /// The spacing of the states that the model gives within a step; 0 if it gives none.
  double fine_dt() const noexcept { return points_ == 0 ? 0.0 : dt() / static_cast<double>(points_ + 1); }
  /// `count` states after states[0], fine_dt() apart: [count + 1, dimension].
  int fine_states(HostRhs& rhs, double t, std::size_t count, double* states) {
    const std::size_t d = dimension();
    const std::size_t whole = points_ + 1;
    for (std::size_t first = 0; first < count; first += whole) {
      const double at = t + static_cast<double>(first / whole) * dt();
      double* y = states + first * d;
      if (const int result = attempt(rhs, at, y, dt())) return result;
      const std::size_t here = std::min(whole, count - first);
      if (steps_.dense_states(y, within_.data())) {
        std::copy_n(within_.data(), std::min(here, points_) * d, y + d);
        if (here == whole) std::copy_n(next(), d, y + whole * d);
      } else {
        // The fallback's steps end where the states are.
        for (std::size_t j = 0; j < here; ++j) {
          std::copy_n(y + j * d, d, y + (j + 1) * d);
          const double begin = at + static_cast<double>(j) * fine_dt();
          const std::size_t steps = corrector_->substeps(fine_dt());
          if (const int result = steps_.fall_back(rhs, begin, y + (j + 1) * d, fine_dt(), steps)) return result;
        }
      }
      steps_.count();
    }
    return 0;
  }

  void set_parameter(const std::string& name, double value) {
    steps_.set_parameter(name, value);
    if (ensemble_) ensemble_->set_parameter(name, value);
    const auto same = [&](const Parameter& parameter) { return parameter.name == name; };
    parameters_.erase(std::remove_if(parameters_.begin(), parameters_.end(), same), parameters_.end());
    parameters_.push_back({name, value});
  }
  StepCounters counters() const noexcept {
    StepCounters sum = steps_.counters();
    if (ensemble_) sum += ensemble_->counters();
    return sum;
  }
  void reset_counters() noexcept {
    steps_.reset_counters();
    if (ensemble_) ensemble_->reset_counters();
  }

private:
  std::shared_ptr<const Corrector> corrector_;
  CorrectedRungeKutta steps_;
  std::optional<EnsembleCorrected> ensemble_; ///< once there is one: a block of states is large where a state is
  std::vector<Parameter> parameters_;         ///< those that were set, for an ensemble to come
  std::size_t points_;
  std::vector<double> within_; ///< states within the step attempted, [points, dimension]
  bool attempted_ = false;     ///< whether `within` has attempted the step of dt()
  bool dense_ = false;         ///< and whether it was learned
};

} // namespace lodestep::c
