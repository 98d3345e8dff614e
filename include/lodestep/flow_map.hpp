#pragma once

#include <lodestep/counters.hpp>
#include <lodestep/ensemble.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/rhs_forms.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace lodestep {

namespace detail {

/// `count` steps of the classical Runge-Kutta method of order 4, all of it unrolled and in registers: RungeKutta's
/// bookkeeping costs as much as a small right-hand side. `to` may be `from`.
template <std::size_t D, class Rhs>
void classical_steps(Rhs& rhs, double t, const double* from, double h, std::size_t count, double* to) {
  std::array<double, D> u, at, k1, k2, k3, k4;
  for (std::size_t i = 0; i < D; ++i) u[i] = from[i];
  for (std::size_t n = 0; n < count; ++n) {
    const double begin = t + static_cast<double>(n) * h;
    rhs(begin, static_cast<const double*>(u.data()), k1.data());
    for (std::size_t i = 0; i < D; ++i) at[i] = u[i] + 0.5 * h * k1[i];
    rhs(begin + 0.5 * h, static_cast<const double*>(at.data()), k2.data());
    for (std::size_t i = 0; i < D; ++i) at[i] = u[i] + 0.5 * h * k2[i];
    rhs(begin + 0.5 * h, static_cast<const double*>(at.data()), k3.data());
    for (std::size_t i = 0; i < D; ++i) at[i] = u[i] + h * k3[i];
    rhs(begin + h, static_cast<const double*>(at.data()), k4.data());
    for (std::size_t i = 0; i < D; ++i) u[i] += h / 6.0 * ((k1[i] + k4[i]) + 2.0 * (k2[i] + k3[i]));
  }
  for (std::size_t i = 0; i < D; ++i) to[i] = u[i];
}

} // namespace detail

/// Steps by one flow map of a hierarchy (HiTS, Liu et al. 2022, eq. 7), of one state or of many at once. A state that
/// may not be stepped by the map (outside the states of training, or an increment larger than any seen there) is
/// stepped by the fine scheme instead, and counted. Copies share maps and counters; one copy per thread.
class FlowMap {
public:
  /// Throws InvalidArgument if the hierarchy has no such map.
  FlowMap(std::shared_ptr<const Hierarchy> hierarchy, std::size_t index)
      : hierarchy_(std::move(hierarchy)), map_(&checked(*hierarchy_, index)), fine_(hierarchy_->fine(), dimension()),
        next_(dimension()), many_(2 * dimension() * ensemble_block),
        added_(dimension() * map_->states * ensemble_block), scratch_(dimension() * ensemble_block) {
    if (!map_->base) return;
    base_.emplace(map_->base, dimension());
    block_.emplace(map_->base, dimension());
  }

  std::size_t dimension() const noexcept { return hierarchy_->dimension(); }
  const Hierarchy::Map& map() const noexcept { return *map_; }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  /// States that one step gives on the way, the last at its end.
  std::size_t states() const noexcept { return map_->states; }
  /// Fine steps between two of them.
  std::size_t fine_steps_apart() const noexcept { return map_->fine_steps / map_->states; }

  /// All states of one step from `from`: to [states(), dimension], which must not overlap with `from`.
  template <class Forms> void step_states(Forms& rhs, double t, const double* from, double* to) {
    const std::size_t d = dimension();
    if (states() == 1) return step(rhs, t, from, to);
    Verdict verdict = admits(from);
    if (verdict == Verdict::learned) {
      map_->approximator.evaluate(from, added_.data(), 1, workspace_);
      for (std::size_t s = 0; s < states() && verdict == Verdict::learned; ++s) {
        verdict = believed(added_.data() + s * d, from);
      }
    }
    if (verdict == Verdict::learned) {
      for (std::size_t s = 0; s < states(); ++s) {
        for (std::size_t i = 0; i < d; ++i) to[s * d + i] = from[i] + added_[s * d + i];
      }
    } else {
      const double apart = hierarchy_->fine_dt() * static_cast<double>(fine_steps_apart());
      for (std::size_t s = 0; s < states(); ++s, to += d) {
        fine_steps(rhs, t + static_cast<double>(s) * apart, s == 0 ? from : to - d, fine_steps_apart(), to);
      }
    }
    counters_.count(verdict);
  }

  /// to = the state one step after `from`; they may be the same.
  template <class Forms> void step(Forms& rhs, double t, const double* from, double* to) {
    counters_.count(attempt(rhs, t, from, to));
  }
  /// The same, not counted: for hosts that look at a result before they take it, and count it then.
  template <class Forms> Verdict attempt(Forms& rhs, double t, const double* from, double* to) {
    const std::size_t d = dimension();
    Verdict verdict = admits(from);
    if (verdict == Verdict::learned) {
      const double* at = base_ ? base_steps(rhs, t, from) : from;
      map_->approximator.evaluate(from, added_.data(), 1, workspace_);
      const double* added = added_.data() + (states() - 1) * d;
      verdict = believed(added, at);
      if (verdict == Verdict::learned) {
        for (std::size_t i = 0; i < d; ++i) to[i] = at[i] + added[i];
      }
    }
    if (verdict != Verdict::learned) fine_steps(rhs, t, from, map_->fine_steps, to);
    return verdict;
  }
  void count(Verdict verdict) noexcept { counters_.count(verdict); }

  /// The same for `n` states [n, dimension]; `from` and `to` may be the same. Allocates nothing.
  template <class Forms> void step(Forms& rhs, double t, const double* from, double* to, std::size_t n) {
    if (n == 1) return step(rhs, t, from, to);
    const std::size_t d = dimension();
    std::array<Verdict, ensemble_block> verdicts;
    for (std::size_t first = 0; first < n; first += ensemble_block) {
      const std::size_t count = std::min(ensemble_block, n - first);
      attempt(rhs, t, from + first * d, to + first * d, count, verdicts.data());
      for (std::size_t k = 0; k < count; ++k) counters_.count(verdicts[k]);
    }
  }
  /// The same, not counted: verdicts [n].
  template <class Forms>
  void attempt(Forms& rhs, double t, const double* from, double* to, std::size_t n, Verdict* verdicts) {
    const std::size_t d = dimension();
    for (std::size_t first = 0; first < n; first += ensemble_block) {
      block(rhs, t, from + first * d, to + first * d, std::min(ensemble_block, n - first), verdicts + first);
    }
  }

private:
  static const Hierarchy::Map& checked(const Hierarchy& hierarchy, std::size_t index) {
    if (index >= hierarchy.size()) {
      throw InvalidArgument("flow map " + std::to_string(index) + ": the hierarchy has " +
                            std::to_string(hierarchy.size()));
    }
    return hierarchy.map(index);
  }

  Verdict admits(const double* u) const noexcept {
    int inside = 1; // NaN compares false
    const double* box = map_->box.data();
    for (std::size_t i = 0; i < dimension(); ++i) inside &= int{u[i] >= box[2 * i]} & int{u[i] <= box[2 * i + 1]};
    return inside != 0 ? Verdict::learned : Verdict::domain;
  }
  Verdict believed(const double* added, const double* base) const noexcept {
    bool small = true; // NaN compares false, and 0 times what is not finite is NaN
    for (std::size_t i = 0; i < dimension(); ++i) small &= std::abs(added[i]) + 0.0 * base[i] <= map_->limit[i];
    if (small) return Verdict::learned;
    return std::isnan(added[0]) ? Verdict::domain : Verdict::correction; // NaN: in no cell of piecewise polynomials
  }

  /// What the base scheme makes of `from`.
  template <class Forms> const double* base_steps(Forms& rhs, double t, const double* from) {
    const std::size_t substeps = map_->substeps;
    const double h = map_->dt / static_cast<double>(substeps);
    detail::with_dimension(dimension(), [&](auto d) {
      if constexpr (!std::is_same_v<decltype(d), std::size_t>) {
        if (map_->rk4) return detail::classical_steps<d()>(rhs.one, t, from, h, substeps, next_.data());
      }
      const double* at = from;
      for (std::size_t s = 0; s < substeps; ++s) {
        base_->step(rhs.one, t + static_cast<double>(s) * h, at, h, next_.data());
        at = next_.data();
      }
    });
    return next_.data();
  }

  template <class Forms> void fine_steps(Forms& rhs, double t, const double* from, std::size_t count, double* to) {
    const double h = hierarchy_->fine_dt();
    std::copy_n(from, dimension(), next_.data());
    for (std::size_t s = 0; s < count; ++s) {
      fine_.step(rhs.one, t + static_cast<double>(s) * h, next_.data(), h, next_.data());
    }
    std::copy_n(next_.data(), dimension(), to);
  }

  template <class Forms>
  void block(Forms& rhs, double t, const double* from, double* to, std::size_t n, Verdict* verdicts) {
    const std::size_t d = dimension();
    const double* start = from;
    if (from == to) { // kept for members that turn out to need the fine scheme
      std::copy_n(from, d * n, scratch_.data());
      start = scratch_.data();
    }
    map_->approximator.evaluate(start, added_.data(), n, workspace_);
    const double* base = start;
    if (block_) {
      double* u = many_.data();
      double* result = u + d * ensemble_block;
      // In the place of a member that is not admitted goes one that is, so that no right-hand side is evaluated where
      // nobody asked for it.
      std::size_t sound = 0;
      while (sound + 1 < n && admits(start + sound * d) != Verdict::learned) ++sound;
      for (std::size_t k = 0; k < n; ++k) {
        const double* member = start + (admits(start + k * d) == Verdict::learned ? k : sound) * d;
        std::copy_n(member, d, result + k * d);
      }
      if (admits(start + sound * d) == Verdict::learned) {
        detail::to_variables(result, d, n, u);
        const double h = map_->dt / static_cast<double>(map_->substeps);
        for (std::size_t s = 0; s < map_->substeps; ++s) {
          block_->step(rhs.many, t + static_cast<double>(s) * h, u, h, u, n);
        }
        detail::to_members(u, d, n, result);
      }
      base = result;
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double* member = start + k * d;
      Verdict verdict = admits(member);
      const double* added = added_.data() + ((k + 1) * states() - 1) * d;
      if (verdict == Verdict::learned) verdict = believed(added, base + k * d);
      if (verdict == Verdict::learned) {
        for (std::size_t i = 0; i < d; ++i) to[k * d + i] = base[k * d + i] + added[i];
      } else {
        fine_steps(rhs, t, member, map_->fine_steps, to + k * d);
      }
      verdicts[k] = verdict;
    }
  }

  std::shared_ptr<const Hierarchy> hierarchy_;
  const Hierarchy::Map* map_;
  std::optional<RungeKutta> base_;
  std::optional<detail::BlockRungeKutta> block_;
  RungeKutta fine_;
  std::vector<double> next_;
  std::vector<double> many_;
  std::vector<double> added_;
  std::vector<double> scratch_;
  Workspace workspace_;
  SharedCounters counters_;
};

} // namespace lodestep
