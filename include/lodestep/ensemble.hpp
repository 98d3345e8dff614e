#pragma once

#include <lodestep/aligned.hpp>
#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/ensemble_block.hpp>
#include <lodestep/ensemble_guard.hpp>
#include <lodestep/model.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

/// Ensembles: n systems of dimension d, stepped together.
///
/// The state is d n numbers, member after member: variable i of member j at x[j d + i], which is the memory of an Eigen
/// matrix of d rows and n columns and of a flat vector.
///
/// A right-hand side is batched: `rhs(double t, const double* u, double* dudt, std::size_t n)` evaluates n members at
/// once, variable after variable: variable i of member k at u[i n + k], so that a plain loop over k is one the compiler
/// vectorises, u and dudt being `__restrict` (and `sine_cosine` of vector_math.hpp serves it). n is at most
/// `ensemble_block` and may differ from call to call. If rhs returns an integer, 0 means success and any other value
/// ends the step: the step returns that value and leaves every member unchanged. Exceptions pass through, the state
/// unchanged as well.
namespace lodestep {

/// A classical explicit Runge-Kutta method on an ensemble: the honest opponent of the learned one. Cheap to copy, one
/// copy per thread; allocates on the first step of a size only.
class EnsembleRungeKutta {
public:
  /// Throws InvalidModel if the tableau is not sound.
  EnsembleRungeKutta(const ButcherTableau& tableau, std::size_t dimension)
      : block_(std::make_shared<const ButcherTableau>(tableau), dimension), u_(dimension * ensemble_block) {}

  std::size_t dimension() const noexcept { return block_.dimension(); }

  /// Advances `members` members x[dimension x members] by dt in place. Returns 0, or the right-hand side's code with x
  /// unchanged.
  template <class Rhs> int step(Rhs&& rhs, double t, double* x, double dt, std::size_t members) {
    const std::size_t d = block_.dimension();
    next_.resize(d * members);
    for (std::size_t first = 0; first < members; first += ensemble_block) {
      const std::size_t n = std::min(ensemble_block, members - first);
      detail::to_variables(x + first * d, d, n, u_.data());
      if (const int status = block_.step(rhs, t, u_.data(), dt, u_.data(), n)) return status;
      detail::to_members(u_.data(), d, n, next_.data() + first * d);
    }
    std::copy(next_.begin(), next_.end(), x);
    return 0;
  }

private:
  detail::BlockRungeKutta block_;
  detail::AlignedVector<double> u_;
  detail::AlignedVector<double> next_;
};

/// The learned step on an ensemble. Every member is guarded by itself: those that may not be learned are gathered and
/// taken by the fallback scheme, sub-stepped, together; the others never wait for more than that. Copies share the
/// model and the counters (one count per member and step).
class EnsembleCorrected {
public:
  explicit EnsembleCorrected(std::shared_ptr<const Corrector> corrector)
      : guard_(std::move(corrector)),
        block_(shared(this->corrector().description().base), this->corrector().dimension()),
        fallback_(shared(this->corrector().fallback()), this->corrector().dimension()),
        u_(this->corrector().dimension() * ensemble_block), u_next_(u_.size()) {}

  const Corrector& corrector() const noexcept { return guard_.corrector(); }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  /// Sets a parameter that is an input of the model, for all members: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { guard_.set_parameter(name, value); }

  /// Advances `members` members x[dimension x members] by dt in place. Returns 0, or the right-hand side's code with x
  /// unchanged.
  template <class Rhs> int step(Rhs&& rhs, double t, double* x, double dt, std::size_t members) {
    if (const int status = attempt(rhs, t, x, dt, members)) return status;
    accept(x);
    return 0;
  }

  /// The two halves of `step`, for hosts that look at a result before they take it: `attempt` leaves the members after
  /// a step of dt from x in next(); `accept` copies them to x and counts.
  template <class Rhs> int attempt(Rhs&& rhs, double t, const double* x, double dt, std::size_t members) {
    const std::size_t d = corrector().dimension();
    begin(members);
    for (std::size_t first = 0; first < members; first += ensemble_block) {
      const std::size_t n = std::min(ensemble_block, members - first);
      if (const int status = learned_block(rhs, t, x + first * d, dt, first, n)) return status;
    }
    for (std::size_t first = 0; first < rest_.size(); first += ensemble_block) {
      const std::size_t n = std::min(ensemble_block, rest_.size() - first);
      if (const int status = fallen_back_block(rhs, t, x, dt, rest_.data() + first, n)) return status;
    }
    return 0;
  }
  const double* next() const noexcept { return next_.data(); }
  void accept(double* x) noexcept {
    std::copy(next_.begin(), next_.end(), x);
    const std::size_t learned = guard_.members() - rest_.size();
    for (std::size_t j = 0; j < learned; ++j) counters_.count(Verdict::learned); // one addition, compiled
    for (std::size_t j : rest_) counters_.count(guard_.verdict(j));
  }

  /// The same with a right-hand side that has to see the whole ensemble at once, in the layout of x:
  /// `rhs(double t, const double* u, double* dudt)`, all [members][variable]. Results are those of `step` to rounding.
  /// A member that falls back does not change the others' results, but since nobody can be left out of a call, its
  /// sub-steps cost as many evaluations of the whole ensemble.
  template <class Rhs> int step_whole(Rhs&& rhs, double t, double* x, double dt, std::size_t members) {
    const std::size_t d = corrector().dimension();
    const std::size_t size = d * members;
    if (!whole_ || whole_->base.dimension() != size) whole_.emplace(block_.tableau(), fallback_.tableau(), size);
    begin(members);
    std::copy_n(x, size, next_.data());
    bool any = false;
    for (std::size_t first = 0; first < members; first += ensemble_block) {
      const std::size_t n = std::min(ensemble_block, members - first);
      detail::to_variables(x + first * d, d, n, u_.data());
      any |= guard_.judge(t, dt, x + first * d, u_.data(), first, n);
    }
    if (any) {
      double* u = whole_->u.data();
      const double* sound = x + guard_.a_learned_member(0, members) * d;
      for (std::size_t j = 0; j < members; ++j) std::copy_n(learned(j) ? x + j * d : sound, d, u + j * d);
      if (const int status = whole_->base.step(rhs, t, u, dt, next_.data())) return status;
      for (std::size_t first = 0; first < members; first += ensemble_block) {
        const std::size_t n = std::min(ensemble_block, members - first);
        const double* stages = whole_->base.stage_derivatives() + first * d;
        guard_.correct(t, dt, u + first * d, {stages, size, 1, d}, first, n, next_.data() + first * d);
      }
    }
    gather_rest(0, members);
    if (!rest_.empty()) {
      if (const int status = fall_back_whole(rhs, t, x, dt)) return status;
    }
    accept(x);
    return 0;
  }

private:
  /// Steps of a right-hand side that takes all members at once.
  struct Whole {
    Whole(const ButcherTableau& base_tableau, const ButcherTableau& fallback_tableau, std::size_t size)
        : base(base_tableau, size), fallback(fallback_tableau, size), u(size) {}
    RungeKutta base;
    RungeKutta fallback;
    std::vector<double> u;
  };

  static std::shared_ptr<const ButcherTableau> shared(const std::string& scheme) {
    return std::make_shared<const ButcherTableau>(classical_tableau(scheme));
  }

  bool learned(std::size_t member) const noexcept { return guard_.verdict(member) == Verdict::learned; }

  void begin(std::size_t members) {
    next_.resize(corrector().dimension() * members);
    guard_.begin(members);
    rest_.clear();
    rest_.reserve(members);
  }
  /// How many: none most of the time, which a loop without a way out tells in a few instructions.
  std::size_t refused(std::size_t first, std::size_t n) const noexcept {
    std::size_t count = 0;
    for (std::size_t j = first; j < first + n; ++j) count += learned(j) ? 0 : 1;
    return count;
  }
  void gather_rest(std::size_t first, std::size_t n) {
    if (refused(first, n) == 0) return;
    for (std::size_t j = first; j < first + n; ++j) {
      if (!learned(j)) rest_.push_back(j);
    }
  }

  template <class Rhs>
  int learned_block(Rhs& rhs, double t, const double* x, double dt, std::size_t first, std::size_t n) {
    const std::size_t d = corrector().dimension();
    detail::to_variables(x, d, n, u_.data());
    if (guard_.judge(t, dt, x, u_.data(), first, n)) {
      // The whole block goes, since gaps would cost more than they save; but in the place of a member that the guard
      // has refused goes a copy of an admitted one, so that no right-hand side is evaluated where nobody asked for it.
      const std::size_t sound = guard_.a_learned_member(first, n);
      for (std::size_t k = refused(first, n) == 0 ? n : 0; k < n; ++k) {
        if (learned(first + k)) continue;
        for (std::size_t i = 0; i < d; ++i) u_[i * n + k] = u_[i * n + sound];
      }
      if (const int status = block_.step(rhs, t, u_.data(), dt, u_next_.data(), n)) return status;
      double* next = next_.data() + first * d;
      detail::to_members(u_next_.data(), d, n, next);
      guard_.correct(t, dt, x, {block_.stage_derivative(0, n), d * n, n, 1}, first, n, next);
    }
    gather_rest(first, n);
    return 0;
  }

  template <class Rhs> int fall_back_whole(Rhs& rhs, double t, const double* x, double dt) {
    const std::size_t d = corrector().dimension();
    double* u = whole_->u.data();
    std::copy_n(x, next_.size(), u);
    const std::size_t count = corrector().substeps(dt);
    const double h = dt / static_cast<double>(count);
    for (std::size_t step = 0; step < count; ++step) {
      if (const int status = whole_->fallback.step(rhs, t + static_cast<double>(step) * h, u, h, u)) return status;
    }
    for (std::size_t j : rest_) std::copy_n(u + j * d, d, next_.data() + j * d);
    return 0;
  }

  template <class Rhs>
  int fallen_back_block(Rhs& rhs, double t, const double* x, double dt, const std::size_t* which, std::size_t n) {
    const std::size_t d = corrector().dimension();
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) u_[i * n + k] = x[which[k] * d + i];
    }
    const std::size_t count = corrector().substeps(dt);
    const double h = dt / static_cast<double>(count);
    for (std::size_t step = 0; step < count; ++step) {
      const double at = t + static_cast<double>(step) * h;
      if (const int status = fallback_.step(rhs, at, u_.data(), h, u_.data(), n)) return status;
    }
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) next_[which[k] * d + i] = u_[i * n + k];
    }
    return 0;
  }

  detail::EnsembleGuard guard_;
  detail::BlockRungeKutta block_;
  detail::BlockRungeKutta fallback_;
  detail::AlignedVector<double> u_; ///< of a block, [variable][member]
  detail::AlignedVector<double> u_next_;
  std::optional<Whole> whole_;         ///< once step_whole has been called
  detail::AlignedVector<double> next_; ///< the new state of every member
  std::vector<std::size_t> rest_;      ///< members that fell back
  SharedCounters counters_;
};

} // namespace lodestep
