#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/model.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

/// Ensembles: n systems of dimension d, stepped together.
///
/// The state is d n numbers, member after member: variable i of member j at x[j d + i], which is the memory of an Eigen
/// matrix of d rows and n columns and of a flat vector.
///
/// A right-hand side is batched: `rhs(double t, const double* u, double* dudt, std::size_t n)` evaluates n members at
/// once, variable after variable: variable i of member k at u[i n + k], so that a plain loop over k is one the compiler
/// vectorises (and `sine_cosine` of vector_math.hpp serves it). n is at most `ensemble_block` and may differ from call
/// to call. If rhs returns an integer, 0 means success and any other value ends the step: the step returns that value
/// and leaves every member unchanged. Exceptions pass through, the state unchanged as well.
namespace lodestep {

/// Members evaluated together: enough to fill the widest registers many times, few enough for the stages of ordinary
/// systems to stay in the first-level cache.
constexpr std::size_t ensemble_block = 64;

namespace detail {

template <class Rhs> int call_batched_rhs(Rhs& rhs, double t, const double* u, double* dudt, std::size_t n) {
  if constexpr (std::is_void_v<decltype(rhs(t, u, dudt, n))>) {
    rhs(t, u, dudt, n);
    return 0;
  } else {
    return rhs(t, u, dudt, n);
  }
}

/// Calls body with the dimension: as a constant where it is small, so that the loops over it are unrolled.
template <class Body> void with_dimension(std::size_t dimension, Body body) {
  switch (dimension) {
  case 2:
    return body(std::integral_constant<std::size_t, 2>());
  case 3:
    return body(std::integral_constant<std::size_t, 3>());
  case 4:
    return body(std::integral_constant<std::size_t, 4>());
  case 6:
    return body(std::integral_constant<std::size_t, 6>());
  default:
    return body(dimension);
  }
}

/// to[i * n + k] = from[k * d + i] for k < n, and back.
inline void to_variables(const double* from, std::size_t dimension, std::size_t n, double* to) {
  with_dimension(dimension, [=](auto d) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) to[i * n + k] = from[k * d + i];
    }
  });
}
inline void to_members(const double* from, std::size_t dimension, std::size_t n, double* to) {
  with_dimension(dimension, [=](auto d) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) to[k * d + i] = from[i * n + k];
    }
  });
}

/// Steps of a tableau for one block of members, all arrays [variable][member].
class BlockRungeKutta {
public:
  BlockRungeKutta(std::shared_ptr<const ButcherTableau> tableau, std::size_t dimension)
      : tableau_(std::move(tableau)), dimension_(dimension), k_(tableau_->stages() * dimension * ensemble_block),
        u_(dimension * ensemble_block) {
    tableau_->validate();
  }

  std::size_t dimension() const noexcept { return dimension_; }
  const ButcherTableau& tableau() const noexcept { return *tableau_; }
  /// k_{stage + 1} of the last step, [variable][member].
  const double* stage_derivative(std::size_t stage, std::size_t n) const noexcept {
    return k_.data() + stage * dimension_ * n;
  }

  template <class Rhs> int step(Rhs& rhs, double t, const double* u, double dt, double* u_next, std::size_t n) {
    const std::size_t s = tableau_->stages();
    const std::size_t size = dimension_ * n;
    for (std::size_t i = 0; i < s; ++i) {
      const double* at = u;
      if (i > 0) {
        combine(u, dt, tableau_->a.data() + i * s, i, size, u_.data());
        at = u_.data();
      }
      if (const int status = call_batched_rhs(rhs, t + tableau_->c[i] * dt, at, k_.data() + i * size, n)) return status;
    }
    combine(u, dt, tableau_->b.data(), s, size, u_next);
    return 0;
  }

private:
  /// out = u + dt sum_j weight_j k_j; stages of weight zero are not read, and four at a time share a pass.
  void combine(const double* u, double dt, const double* weight, std::size_t count, std::size_t size, double* out) {
    std::array<const double*, 4> k{};
    std::array<double, 4> w{};
    std::size_t used = 0;
    bool first = true;
    const auto flush = [&] {
      const double* from = first ? u : out;
      switch (used) {
      case 0:
        if (first && out != u) std::copy_n(u, size, out);
        break;
      case 1:
        for (std::size_t m = 0; m < size; ++m) out[m] = from[m] + w[0] * k[0][m];
        break;
      case 2:
        for (std::size_t m = 0; m < size; ++m) out[m] = from[m] + (w[0] * k[0][m] + w[1] * k[1][m]);
        break;
      case 3:
        for (std::size_t m = 0; m < size; ++m) {
          out[m] = from[m] + (w[0] * k[0][m] + w[1] * k[1][m] + w[2] * k[2][m]);
        }
        break;
      default:
        for (std::size_t m = 0; m < size; ++m) {
          out[m] = from[m] + (w[0] * k[0][m] + w[1] * k[1][m] + w[2] * k[2][m] + w[3] * k[3][m]);
        }
      }
      first = false;
      used = 0;
    };
    for (std::size_t j = 0; j < count; ++j) {
      if (weight[j] == 0.0) continue;
      if (used == k.size()) flush();
      w[used] = dt * weight[j];
      k[used++] = k_.data() + j * size;
    }
    flush();
  }

  std::shared_ptr<const ButcherTableau> tableau_;
  std::size_t dimension_;
  std::vector<double> k_; ///< [stage][variable][member], as wide as the block at hand
  std::vector<double> u_;
};

} // namespace detail

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
  std::vector<double> u_;
  std::vector<double> next_;
};

/// The learned step on an ensemble. Every member is guarded by itself: those that may not be learned are gathered and
/// taken by the fallback scheme, sub-stepped, together; the others never wait for more than that. Copies share the
/// model and the counters (one count per member and step).
class EnsembleCorrected {
public:
  explicit EnsembleCorrected(std::shared_ptr<const Corrector> corrector)
      : corrector_(std::move(corrector)),
        block_(std::make_shared<const ButcherTableau>(classical_tableau(corrector_->description().base)),
               corrector_->dimension()),
        fallback_(std::make_shared<const ButcherTableau>(classical_tableau(corrector_->fallback())),
                  corrector_->dimension()),
        u_(corrector_->dimension() * ensemble_block), u_next_(u_.size()),
        features_(corrector_->features().count() * ensemble_block), correction_(u_.size()),
        stage_derivatives_(corrector_->stages() * corrector_->dimension()), scratch_(*corrector_) {
    // The limits of a whole block, so that it is judged in one pass.
    for (std::size_t k = 0; k < ensemble_block; ++k) {
      limit_.insert(limit_.end(), corrector_->correction_limit().begin(), corrector_->correction_limit().end());
    }
  }

  const Corrector& corrector() const noexcept { return *corrector_; }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  /// Sets a parameter that is an input of the model, for all members: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { corrector_->set_parameter(scratch_, name, value); }

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
    const std::size_t d = corrector_->dimension();
    next_.resize(d * members);
    verdicts_.resize(members);
    rest_.clear();
    rest_.reserve(members);
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
    const std::size_t learned = verdicts_.size() - rest_.size();
    for (std::size_t j = 0; j < learned; ++j) counters_.count(Verdict::learned); // one addition, compiled
    for (std::size_t j : rest_) counters_.count(verdicts_[j]);
  }

  /// The same with a right-hand side that has to see the whole ensemble at once, in the layout of x:
  /// `rhs(double t, const double* u, double* dudt)`, all [members][variable]. Results are those of `step` to rounding.
  /// A member that falls back does not change the others' results, but since nobody can be left out of a call, its
  /// sub-steps cost as many evaluations of the whole ensemble.
  template <class Rhs> int step_whole(Rhs&& rhs, double t, double* x, double dt, std::size_t members) {
    const std::size_t d = corrector_->dimension();
    const std::size_t size = d * members;
    if (!whole_ || whole_->base.dimension() != size) whole_.emplace(block_.tableau(), fallback_.tableau(), size);
    next_.assign(x, x + size);
    verdicts_.resize(members);
    const bool any = judge(t, x, dt, 0, members);
    if (any) {
      double* u = whole_->u.data();
      const double* sound = x + a_learned_member(0, members) * d;
      for (std::size_t j = 0; j < members; ++j) {
        std::copy_n(verdicts_[j] == Verdict::learned ? x + j * d : sound, d, u + j * d);
      }
      if (const int status = whole_->base.step(rhs, t, u, dt, next_.data())) return status;
      for (std::size_t first = 0; first < members && !corrector_->approximator().is_zero(); first += ensemble_block) {
        const std::size_t n = std::min(ensemble_block, members - first);
        const double* features = make_features_of_whole(t, dt, first, n);
        apply(dt, features, whole_->u.data() + first * d, next_.data() + first * d, first, n);
      }
    }
    const auto refused = [](Verdict verdict) { return verdict != Verdict::learned; };
    if (std::any_of(verdicts_.begin(), verdicts_.end(), refused)) {
      if (const int status = fall_back_whole(rhs, t, x, dt)) return status;
    }
    std::copy(next_.begin(), next_.end(), x);
    for (Verdict verdict : verdicts_) counters_.count(verdict);
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

  /// The verdicts on the members from `first`; whether any may be learned.
  bool judge(double t, const double* x, double dt, std::size_t first, std::size_t n) {
    bool any = false;
    for (std::size_t k = 0; k < n; ++k) {
      const double* u = x + k * corrector_->dimension();
      Verdict verdict = corrector_->admits(t, dt, u, scratch_);
      if (verdict == Verdict::learned) {
        corrector_->leverages(t, u, 1, leverage_.data(), scratch_);
        if (!(leverage_[0] <= 1.0)) verdict = Verdict::domain; // NaN is outside
      }
      verdicts_[first + k] = verdict;
      any |= verdict == Verdict::learned;
    }
    return any;
  }

  /// The same for a block whose members stand in u_: Corrector::admits for all of them at once, by loops without jumps.
  bool judge_block(double t, const double* x, double dt, std::size_t first, std::size_t n) {
    const Verdict step = corrector_->admits_step(t, dt, scratch_);
    if (step != Verdict::learned) { // which holds for all or for none
      std::fill_n(verdicts_.begin() + static_cast<std::ptrdiff_t>(first), n, step);
      return false;
    }
    const auto& domain = corrector_->description().domain;
    const auto& box = domain.state;
    // NOTE: selections between doubles, because that is what compilers vectorise for the oldest processors too.
    std::array<double, ensemble_block> inside;
    inside.fill(1.0);
    for (std::size_t i = 0; i < box.size(); ++i) {
      const double* u = u_.data() + i * n;
      const double lower = box[i].lower;
      const double upper = box[i].upper;
      for (std::size_t k = 0; k < n; ++k) { // NaN compares false
        inside[k] = u[k] >= lower ? inside[k] : 0.0;
        inside[k] = u[k] <= upper ? inside[k] : 0.0;
      }
    }
    if (domain.density) {
      corrector_->leverages(t, x, n, leverage_.data(), scratch_);
      for (std::size_t k = 0; k < n; ++k) inside[k] = leverage_[k] <= 1.0 ? inside[k] : 0.0; // NaN compares false
    }
    bool any = false;
    for (std::size_t k = 0; k < n; ++k) {
      const bool learned = inside[k] != 0.0;
      verdicts_[first + k] = learned ? Verdict::learned : Verdict::domain;
      any |= learned;
    }
    return any;
  }

  template <class Rhs>
  int learned_block(Rhs& rhs, double t, const double* x, double dt, std::size_t first, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    detail::to_variables(x, d, n, u_.data());
    if (judge_block(t, x, dt, first, n)) {
      // The whole block goes, since gaps would cost more than they save; but in the place of a member that the guard
      // has refused goes a copy of an admitted one, so that no right-hand side is evaluated where nobody asked for it.
      const std::size_t sound = a_learned_member(first, n);
      for (std::size_t k = 0; k < n; ++k) {
        if (verdicts_[first + k] == Verdict::learned) continue;
        for (std::size_t i = 0; i < d; ++i) u_[i * n + k] = u_[i * n + sound];
      }
      if (const int status = block_.step(rhs, t, u_.data(), dt, u_next_.data(), n)) return status;
      correct(t, x, dt, first, n);
    }
    for (std::size_t k = 0; k < n; ++k) {
      if (verdicts_[first + k] != Verdict::learned) rest_.push_back(first + k);
    }
    return 0;
  }

  std::size_t a_learned_member(std::size_t first, std::size_t n) const noexcept {
    std::size_t k = 0;
    while (k + 1 < n && verdicts_[first + k] != Verdict::learned) ++k;
    return k;
  }

  /// next_ = u_next_ + correction of a block, and the verdict of each member on the size of its correction.
  void correct(double t, const double* x, double dt, std::size_t first, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    double* next = next_.data() + first * d;
    detail::to_members(u_next_.data(), d, n, next);
    if (!corrector_->approximator().is_zero()) apply(dt, make_features(t, x, next, dt, n), x, next, first, n);
  }

  /// next += correction of a block of steps from x, members one after the other.
  void apply(double dt, const double* features, const double* x, double* next, std::size_t first, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    const double* increments = nullptr;
    if (corrector_->description().form == CorrectorForm::multiplicative) {
      increments_.resize(n * d);
      for (std::size_t m = 0; m < n * d; ++m) increments_[m] = next[m] - x[m];
      increments = increments_.data();
    }
    corrector_->corrections(dt, features, increments, n, correction_.data(), scratch_.workspace);
    const double factor = corrector_->features().factor(dt);
    const double* correction = correction_.data();
    const double* limit = limit_.data();
    constexpr std::size_t width = 8;
    std::array<double, width> small;
    small.fill(1.0);
    const std::size_t count = n * d;
    const std::size_t in_blocks = count - count % width;
    for (std::size_t m = 0; m < in_blocks; m += width) {
      for (std::size_t l = 0; l < width; ++l) { // NaN compares false; zero times what is not finite is NaN
        small[l] = std::abs(correction[m + l]) + 0.0 * next[m + l] <= factor * limit[m + l] ? small[l] : 0.0;
      }
    }
    for (std::size_t m = in_blocks; m < count; ++m) {
      small[0] = std::abs(correction[m]) + 0.0 * next[m] <= factor * limit[m] ? small[0] : 0.0;
    }
    const bool all_small = std::count(small.begin(), small.end(), 1.0) == static_cast<std::ptrdiff_t>(width);
    for (std::size_t m = 0; m < count; ++m) next[m] += correction[m];
    for (std::size_t k = 0; !all_small && k < n; ++k) {
      bool within = true;
      for (std::size_t i = 0; i < d; ++i) {
        within &= std::abs(correction_[k * d + i]) + 0.0 * next[k * d + i] <= factor * limit_[i];
      }
      if (!within && verdicts_[first + k] == Verdict::learned) verdicts_[first + k] = Verdict::correction;
    }
  }

  /// [member][feature], of a block.
  const double* make_features(double t, const double* x, const double* next, double dt, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    const CorrectorFeatures& features = corrector_->features();
    if (features.plain()) {
      if (corrector_->description().input == CorrectorInput::state) return x;
      for (std::size_t m = 0; m < n * d; ++m) features_[m] = next[m] - x[m];
      return features_.data();
    }
    const std::size_t stages = corrector_->stages();
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t s = 0; s < stages; ++s) {
        const double* derivative = block_.stage_derivative(s, n) + k;
        for (std::size_t i = 0; i < d; ++i) stage_derivatives_[s * d + i] = derivative[i * n];
      }
      features.make(t, dt, x + k * d, next + k * d, stage_derivatives_.data(), scratch_.parameters.data(),
                    features_.data() + k * features.count());
    }
    return features_.data();
  }

  /// The features of n members of the whole, whose stages stand side by side.
  const double* make_features_of_whole(double t, double dt, std::size_t first, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    const std::size_t count = corrector_->features().count();
    const std::size_t stages = corrector_->stages();
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t at = (first + k) * d;
      for (std::size_t s = 0; s < stages; ++s) {
        std::copy_n(whole_->base.stage_derivatives() + s * next_.size() + at, d, stage_derivatives_.data() + s * d);
      }
      corrector_->features().make(t, dt, whole_->u.data() + at, next_.data() + at, stage_derivatives_.data(),
                                  scratch_.parameters.data(), features_.data() + k * count);
    }
    return features_.data();
  }

  template <class Rhs> int fall_back_whole(Rhs& rhs, double t, const double* x, double dt) {
    const std::size_t d = corrector_->dimension();
    double* u = whole_->u.data();
    std::copy_n(x, next_.size(), u);
    const std::size_t count = corrector_->substeps(dt);
    const double h = dt / static_cast<double>(count);
    for (std::size_t step = 0; step < count; ++step) {
      if (const int status = whole_->fallback.step(rhs, t + static_cast<double>(step) * h, u, h, u)) return status;
    }
    for (std::size_t j = 0; j < verdicts_.size(); ++j) {
      if (verdicts_[j] != Verdict::learned) std::copy_n(u + j * d, d, next_.data() + j * d);
    }
    return 0;
  }

  template <class Rhs>
  int fallen_back_block(Rhs& rhs, double t, const double* x, double dt, const std::size_t* which, std::size_t n) {
    const std::size_t d = corrector_->dimension();
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) u_[i * n + k] = x[which[k] * d + i];
    }
    const std::size_t count = corrector_->substeps(dt);
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

  std::shared_ptr<const Corrector> corrector_;
  detail::BlockRungeKutta block_;
  detail::BlockRungeKutta fallback_;
  std::vector<double> u_;
  std::vector<double> u_next_;
  std::vector<double> features_;
  std::vector<double> correction_;
  std::vector<double> stage_derivatives_; ///< of one member, [stage][variable]
  std::optional<Whole> whole_;            ///< once step_whole has been called
  std::vector<double> limit_;             ///< of a block's corrections, [member][variable]
  std::vector<double> next_;              ///< the new state of every member
  std::vector<Verdict> verdicts_;         ///< of every member in this step
  std::vector<std::size_t> rest_;         ///< members that fell back
  std::array<double, ensemble_block> leverage_;
  std::vector<double> increments_; ///< of a block's base steps, for the multiplicative form
  Corrector::Scratch scratch_;
  SharedCounters counters_;
};

} // namespace lodestep
