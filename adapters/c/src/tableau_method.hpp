#pragma once

#include "host_rhs.hpp"

#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lodestep::c {

/// How a learned tableau steps behind the C handle (see CorrectorMethod): steps of any size, with the learned
/// coefficients where they may be used and the classical ones elsewhere.
class TableauMethod {
public:
  explicit TableauMethod(std::shared_ptr<const Model> model)
      : model_(std::move(model)), method_(&std::get<TableauModel>(model_->method)), values_(method_->parameters.size()),
        known_(values_.size(), false), classical_(classical_tableau(method_->classical), model_->dimension()),
        next_(model_->dimension()) {
    // Coefficients that depend on parameters wait for them: until then every step is the classical tableau's.
    const bool waits = std::any_of(method_->terms.begin(), method_->terms.end(), [](const TableauTerm& term) {
      return std::any_of(term.powers.begin() + 1, term.powers.end(), [](unsigned power) { return power > 0; });
    });
    if (!waits) use(LearnedTableau(model_));
  }

  std::size_t dimension() const noexcept { return model_->dimension(); }
  /// The longest step of the learned coefficients.
  double dt() const noexcept { return method_->dt.upper; }

  int attempt(HostRhs& rhs, double t, const double* y, double dt) {
    verdict_ = learned_ ? learned_->admits(dt) : Verdict::step_size;
    if (verdict_ == Verdict::learned) verdict_ = learned_->admits_state(y);
    if (verdict_ != Verdict::learned) return classical_.step(rhs, t, y, dt, next_.data());
    if (learned_->depends_on_dt() && dt != coefficients_dt_) make_coefficients(dt);
    return steps_->step(rhs, t, y, dt, next_.data());
  }
  const double* next() const noexcept { return next_.data(); }
  void accept(double* y) noexcept {
    std::copy(next_.begin(), next_.end(), y);
    counters_.count(verdict_);
  }
  /// The embedded method's where there is one; else the model's mean error of a step.
  void error_estimate(double dt, double* error) {
    const bool learned = verdict_ == Verdict::learned;
    RungeKutta& steps = learned ? *steps_ : classical_;
    if (!steps.tableau().b_embedded.empty()) return steps.error_estimate(dt, error);
    std::fill_n(error, dimension(), learned ? model_->error.step_rms : model_->error.base_step_rms);
  }

  int attempt_ensemble(HostRhs& rhs, double t, const double* y, std::size_t n, double dt) {
    const std::size_t d = dimension();
    next_ensemble_.resize(n * d);
    verdicts_.resize(n);
    for (std::size_t k = 0; k < n; ++k) {
      if (const int result = attempt(rhs, t, y + k * d, dt)) return result;
      std::copy(next_.begin(), next_.end(), next_ensemble_.begin() + static_cast<std::ptrdiff_t>(k * d));
      verdicts_[k] = verdict_;
    }
    return 0;
  }
  const double* next_ensemble() const noexcept { return next_ensemble_.data(); }
  void accept_ensemble(double* y, std::size_t n) noexcept {
    std::copy_n(next_ensemble_.data(), n * dimension(), y);
    for (const Verdict verdict : verdicts_) counters_.count(verdict);
  }

  int reference(HostRhs& rhs, double t, double* y, double dt) {
    constexpr int count = 16;
    for (int i = 0; i < count; ++i) {
      if (const int result = classical_.step(rhs, t + i * dt / count, y, dt / count, y)) return result;
    }
    return 0;
  }

  void leave() noexcept {}
  int go_on(HostRhs& rhs, double t, const double* y) { return attempt(rhs, t, y, dt()); }
  /// By one shorter step.
  int within(HostRhs& rhs, double t, const double* y, double offset, double* state) {
    const int result = attempt(rhs, t, y, offset);
    if (result == 0) std::copy(next_.begin(), next_.end(), state);
    return result;
  }

  double fine_dt() const noexcept { return 0.0; }
  int fine_states(HostRhs& /*rhs*/, double /*t*/, std::size_t /*count*/, double* /*states*/) { return 0; }

  void set_parameter(const std::string& name, double value) {
    const auto& inputs = method_->parameters;
    const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const auto& p) { return p.name == name; });
    if (found == inputs.end()) throw InvalidArgument("parameter '" + name + "' is none of the model's family");
    if (!std::isfinite(value)) throw InvalidArgument("parameter '" + name + "': not a finite number");
    const auto at = found - inputs.begin();
    values_[static_cast<std::size_t>(at)] = value;
    known_[static_cast<std::size_t>(at)] = true;
    if (std::find(known_.begin(), known_.end(), false) == known_.end()) use(LearnedTableau(model_, values_));
  }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

private:
  void use(LearnedTableau learned) {
    coefficients_dt_ = method_->dt.upper;
    coefficients_ = std::make_shared<ButcherTableau>(learned.at(coefficients_dt_));
    steps_.emplace(coefficients_, dimension());
    learned_.emplace(std::move(learned));
  }
  void make_coefficients(double dt) noexcept {
    ButcherTableau& tableau = *coefficients_;
    learned_->coefficients(dt, tableau.a.data(), tableau.b.data());
    const std::size_t s = tableau.stages();
    for (std::size_t i = 0; i < s; ++i) {
      tableau.c[i] = 0.0;
      for (std::size_t j = 0; j < i; ++j) tableau.c[i] += tableau.a[i * s + j];
    }
    coefficients_dt_ = dt;
  }

  std::shared_ptr<const Model> model_;
  const TableauModel* method_;
  std::vector<double> values_; ///< of the family's parameters
  std::vector<bool> known_;
  std::optional<LearnedTableau> learned_;        ///< once its parameters are known
  std::shared_ptr<ButcherTableau> coefficients_; ///< those of steps of coefficients_dt_; `steps_` reads them
  double coefficients_dt_ = 0.0;
  std::optional<RungeKutta> steps_;
  RungeKutta classical_;
  std::vector<double> next_;
  Verdict verdict_ = Verdict::learned;
  std::vector<double> next_ensemble_;
  std::vector<Verdict> verdicts_;
  SharedCounters counters_;
};

} // namespace lodestep::c
