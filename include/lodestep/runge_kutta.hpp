#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Steppers on contiguous arrays of double, for hosts that have no base stepper of their own (C, Fortran, SUNDIALS).
///
/// A right-hand side is any callable `rhs(double t, const double* u, double* dudt)`. If it returns an integer, 0 means
/// success and any other value ends the step at once: the step returns that value and leaves the state unchanged.
/// Exceptions pass through, the state unchanged as well.
namespace lodestep {

namespace detail {

template <class Rhs> int call_rhs(Rhs& rhs, double t, const double* u, double* dudt) {
  if constexpr (std::is_void_v<decltype(rhs(t, u, dudt))>) {
    rhs(t, u, dudt);
    return 0;
  } else {
    return rhs(t, u, dudt);
  }
}

/// out = base + sum_j weight[j] k[j] over N stages, each read once; a null `base` stands for zero. N is known to the
/// compiler, so that the inner sum is unrolled and the outer loop vectorised.
template <std::size_t N>
void stage_sum(const double* base, const double* const* k, const double* weight, std::size_t dimension, double* out) {
  for (std::size_t n = 0; n < dimension; ++n) {
    // The small terms first, the state last: one rounding at the state's magnitude instead of one for each stage.
    double sum = 0.0;
    for (std::size_t j = 0; j < N; ++j) sum += weight[j] * k[j][n];
    out[n] = base ? base[n] + sum : sum;
  }
}

/// The same for a number of stages known at run time. `out` may be `base`.
inline void stage_sum(const double* base, const double* const* k, const double* weight, std::size_t count,
                      std::size_t dimension, double* out) {
  switch (count) {
  case 1:
    return stage_sum<1>(base, k, weight, dimension, out);
  case 2:
    return stage_sum<2>(base, k, weight, dimension, out);
  case 3:
    return stage_sum<3>(base, k, weight, dimension, out);
  case 4:
    return stage_sum<4>(base, k, weight, dimension, out);
  case 5:
    return stage_sum<5>(base, k, weight, dimension, out);
  case 6:
    return stage_sum<6>(base, k, weight, dimension, out);
  default:
    // Four more at a time: the state is read and written once for each four stages.
    stage_sum<0>(base, k, weight, dimension, out);
    for (; count >= 4; count -= 4, k += 4, weight += 4) stage_sum<4>(out, k, weight, dimension, out);
    for (; count > 0; --count, ++k, ++weight) stage_sum<1>(out, k, weight, dimension, out);
  }
}

} // namespace detail

/// Steps of an explicit Runge-Kutta tableau. Cheap to copy; nothing is allocated after construction.
class RungeKutta {
public:
  /// Throws InvalidModel if it is not sound.
  RungeKutta(std::shared_ptr<const ButcherTableau> tableau, std::size_t dimension)
      : tableau_(std::move(tableau)), dimension_(dimension), k_(tableau_->stages() * dimension), u_(dimension),
        term_(tableau_->stages()), weight_(tableau_->stages()), difference_(tableau_->stages()) {
    tableau_->validate();
  }
  RungeKutta(const ButcherTableau& tableau, std::size_t dimension)
      : RungeKutta(std::make_shared<const ButcherTableau>(tableau), dimension) {}

  const ButcherTableau& tableau() const noexcept { return *tableau_; }
  std::size_t dimension() const noexcept { return dimension_; }
  /// k_1 .. k_s of the last step, [stages, dimension].
  const double* stage_derivatives() const noexcept { return k_.data(); }
  /// Calls of the right-hand side so far.
  std::size_t rhs_evaluations() const noexcept { return evaluations_; }

  /// u_next = u + dt sum b_i k_i; u and u_next may be the same. `dudt`, if not null, is f(t, u) and saves a call.
  template <class Rhs>
  int step(Rhs&& rhs, double t, const double* u, double dt, double* u_next, const double* dudt = nullptr) {
    const std::size_t s = tableau_->stages();
    const double* a = tableau_->a.data();
    for (std::size_t i = 0; i < s; ++i) {
      double* k = k_.data() + i * dimension_;
      if (i == 0 && dudt) {
        // With an FSAL tableau `dudt` may be the last stage of the step before.
        for (std::size_t n = 0; n < dimension_; ++n) k[n] = dudt[n];
        continue;
      }
      const double* at = u;
      if (i > 0) {
        combine(u, dt, a + i * s, i, u_.data());
        at = u_.data();
      }
      ++evaluations_;
      if (const int status = detail::call_rhs(rhs, t + tableau_->c[i] * dt, at, k)) return status;
    }
    combine(u, dt, tableau_->b.data(), s, u_next);
    return 0;
  }

  /// The embedded method's error estimate of the last step, dt sum (b_i - b*_i) k_i, [dimension].
  /// The tableau must have an embedded row.
  void error_estimate(double dt, double* error) {
    const std::size_t s = tableau_->stages();
    for (std::size_t i = 0; i < s; ++i) difference_[i] = tableau_->b[i] - tableau_->b_embedded[i];
    combine(nullptr, dt, difference_.data(), s, error);
  }

private:
  /// out = u + dt sum_j weight_j k_j over the first `count` stages, those of weight zero left out.
  void combine(const double* u, double dt, const double* weight, std::size_t count, double* out) {
    std::size_t terms = 0;
    for (std::size_t j = 0; j < count; ++j) {
      if (weight[j] == 0.0) continue;
      term_[terms] = k_.data() + j * dimension_;
      weight_[terms] = dt * weight[j];
      ++terms;
    }
    detail::stage_sum(u, term_.data(), weight_.data(), terms, dimension_, out);
  }

  std::shared_ptr<const ButcherTableau> tableau_;
  std::size_t dimension_;
  std::vector<double> k_;
  std::vector<double> u_;
  std::vector<const double*> term_; // scratch of `combine`
  std::vector<double> weight_;
  std::vector<double> difference_; // b - b_embedded
  std::size_t evaluations_ = 0;
};

/// The learned step on arrays: base scheme, correction, and a classical scheme sub-stepped where the model may not be
/// used. Copies share the model and the counters, and have scratch of their own: one copy per thread.
class CorrectedRungeKutta {
public:
  explicit CorrectedRungeKutta(std::shared_ptr<const Corrector> corrector)
      : corrector_(std::move(corrector)),
        base_(classical_tableau(corrector_->description().base), corrector_->dimension()),
        fallback_(classical_tableau(corrector_->fallback()), corrector_->dimension()), scratch_(*corrector_),
        next_(corrector_->dimension()) {}

  const Corrector& corrector() const noexcept { return *corrector_; }
  const RungeKutta& base() const noexcept { return base_; }
  /// Calls of the right-hand side so far, by the base scheme and by the fallback.
  std::size_t rhs_evaluations() const noexcept { return base_.rhs_evaluations() + fallback_.rhs_evaluations(); }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  /// Sets a parameter that is an input of the model: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { corrector_->set_parameter(scratch_, name, value); }
  /// The estimated local error of the last step, which was of `dt`, [dimension]: see Corrector::error_estimate.
  void error_estimate(double dt, double* error) const noexcept {
    corrector_->error_estimate(dt, scratch_, error, last_ == Verdict::learned);
  }

  /// Advances u by dt in place. Returns 0, or the right-hand side's code with u unchanged.
  template <class Rhs> int step(Rhs&& rhs, double t, double* u, double dt) {
    if (const int status = attempt(rhs, t, u, dt)) return status;
    accept(u);
    return 0;
  }

  /// The two halves of `step`, for hosts that look at a result before they take it: `attempt` leaves the state after a
  /// step of dt from u in next(), [dimension]; `accept` copies it to u and counts the step. Between them the step may
  /// be asked for its error estimate and the states within it.
  template <class Rhs> int attempt(Rhs&& rhs, double t, const double* u, double dt) {
    last_ = corrector_->admits(t, dt, u, scratch_);
    if (last_ == Verdict::learned) {
      if (const int status = base_.step(rhs, t, u, dt, next_.data())) return status;
      last_ = corrector_->correct(t, dt, u, next_.data(), base_.stage_derivatives(), scratch_);
    }
    if (last_ != Verdict::learned) {
      for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = u[i];
      return fall_back(rhs, t, next_.data(), dt, corrector_->substeps(dt));
    }
    return 0;
  }
  const double* next() const noexcept { return next_.data(); }
  void accept(double* u) noexcept {
    for (std::size_t i = 0; i < next_.size(); ++i) u[i] = next_[i];
    count();
  }
  /// Counts the step attempted last.
  void count() noexcept { counters_.count(last_); }
  /// The states within the step attempted from u, [dense_points(), dimension]: see Corrector::dense_states. False, and
  /// nothing written, if the step was not learned.
  bool dense_states(const double* u, double* states) {
    if (last_ != Verdict::learned) return false;
    corrector_->dense_states(u, next_.data(), states, scratch_);
    return true;
  }

  /// Advances u by `length` in `count` equal steps of the fallback scheme. Returns 0, or the right-hand side's code; u
  /// then lies where the step that failed began.
  template <class Rhs> int fall_back(Rhs&& rhs, double t, double* u, double length, std::size_t count) {
    const double h = length / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double at = t + static_cast<double>(i) * h;
      if (const int status = fallback_.step(rhs, at, u, h, u)) return status;
    }
    return 0;
  }

private:
  std::shared_ptr<const Corrector> corrector_;
  RungeKutta base_;
  RungeKutta fallback_;
  Corrector::Scratch scratch_;
  std::vector<double> next_;
  Verdict last_ = Verdict::learned;
  SharedCounters counters_;
};

} // namespace lodestep
