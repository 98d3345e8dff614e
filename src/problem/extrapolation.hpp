#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace lodestep::problem {

/// Solves u' = f(t, u) from one given time to the next, to nearly the last digit, by extrapolating the explicit
/// midpoint rule (Gragg, Bulirsch, Stoer) in extended precision.
///
/// Both order and step adapt. Within a step the midpoint rule is run with 2, 4, 6, ... substeps and extrapolated in
/// their squares (Aitken-Neville), two orders a column, until the last two columns agree; if they do not within
/// max_columns, the step is halved. Steps are the interval's dyadic fractions, so the interval's end is met exactly:
/// that suits outputs on a grid finer than what a high order would like to step, where the order then gives way.
class ExtrapolatedMidpoint {
public:
  using Real = long double;

  /// `tolerance` bounds the difference of the last two columns, the error of the worse one, relative to the largest
  /// magnitude that a variable had (and at least `floor`).
  ExtrapolatedMidpoint(std::size_t dimension, Real tolerance, Real floor)
      : tolerance_(tolerance), floor_(floor), scale_(dimension), f0_(dimension), previous_(dimension),
        current_(dimension), derivative_(dimension) {
    table_.fill(std::vector<Real>(dimension));
  }

  enum class Status {
    finished,
    rhs_not_finite, ///< f(t, u) is not finite at the time reached
    not_finite,     ///< however short the step, it leads to numbers that are not finite
    not_converging  ///< however short the step, the columns do not agree
  };
  /// Where it stopped, and on account of which variable.
  struct Outcome {
    Status status;
    Real time;
    std::size_t variable;
  };

  /// Advances u from t to t + length. `f(t, u, dudt)` on pointers to Real.
  template <class F> Outcome advance(const F& f, Real t, Real length, Real* u) {
    std::size_t position = 0; // in steps of length / 2^level_
    if (level_ > 0 && columns_ <= coarsen_below) --level_;
    for (;;) {
      const Real fraction = std::ldexp(static_cast<Real>(1), -static_cast<int>(level_));
      const Real at = t + static_cast<Real>(position) * (length * fraction);
      const Outcome outcome = step(f, at, length * fraction, u);
      if (outcome.status == Status::finished) {
        if (++position == std::size_t{1} << level_) return {Status::finished, t + length, 0};
        if (position % 2 == 0 && level_ > 0 && columns_ <= coarsen_below) {
          position /= 2;
          --level_;
        }
      } else {
        if (outcome.status == Status::rhs_not_finite || level_ == max_level) return outcome;
        ++level_;
        position *= 2;
      }
    }
  }

private:
  static constexpr std::size_t max_columns = 12;
  /// A step that converges in so few columns was too short.
  static constexpr std::size_t coarsen_below = 5;
  static constexpr unsigned max_level = 44;
  /// Two columns may agree by accident, where f has a kink for instance. A difference counts only if the one before was
  /// within this factor of the tolerance; no honest column gains more.
  static constexpr Real largest_gain = 1e5L;

  /// One step of length h from t. On failure u is unchanged.
  template <class F> Outcome step(const F& f, Real t, Real h, Real* u) {
    const std::size_t n = scale_.size();
    for (std::size_t i = 0; i < n; ++i) scale_[i] = std::max({scale_[i], std::abs(u[i]), floor_});
    f(t, u, f0_.data());
    for (std::size_t i = 0; i < n; ++i)
      if (!std::isfinite(f0_[i])) return {Status::rhs_not_finite, t, i};

    std::size_t worst = 0;
    Real before_largest = std::numeric_limits<Real>::infinity();
    for (std::size_t column = 0; column < max_columns; ++column) {
      midpoint(f, t, h, u, 2 * (column + 1), table_[column].data());
      // Aitken-Neville towards substep 0: the table's last row, in place.
      Real largest = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(table_[column][i])) return {Status::not_finite, t, i};
        Real before = table_[0][i];
        for (std::size_t k = column; k-- > 0;) {
          const Real ratio = static_cast<Real>(column + 1) / static_cast<Real>(k + 1);
          before = table_[k][i];
          table_[k][i] = table_[k + 1][i] + (table_[k + 1][i] - before) / (ratio * ratio - 1);
        }
        // A variable that starts from 0 has the magnitude it is about to have.
        const Real difference = std::abs(table_[0][i] - before) / std::max(scale_[i], std::abs(table_[0][i]));
        if (column > 0 && !(difference <= largest)) {
          largest = difference;
          worst = i;
        }
      }
      if (column == 0) continue;
      if (largest <= tolerance_ && before_largest <= largest_gain * tolerance_) {
        std::copy(table_[0].begin(), table_[0].end(), u);
        columns_ = column + 1;
        return {Status::finished, t + h, 0};
      }
      before_largest = largest;
    }
    return {Status::not_converging, t, worst};
  }

  /// Gragg's midpoint rule with `substeps`, an even number, and his smoothing at the end. The error has even powers of
  /// the substep only. Without the smoothing no column would look at f near the end of the step, and a kink there would
  /// be missed by all of them alike.
  template <class F> void midpoint(const F& f, Real t, Real h, const Real* u, std::size_t substeps, Real* result) {
    const std::size_t n = scale_.size();
    const Real substep = h / static_cast<Real>(substeps);
    for (std::size_t i = 0; i < n; ++i) {
      previous_[i] = u[i];
      current_[i] = u[i] + substep * f0_[i];
    }
    for (std::size_t m = 1; m < substeps; ++m) {
      f(t + static_cast<Real>(m) * substep, current_.data(), derivative_.data());
      for (std::size_t i = 0; i < n; ++i) {
        const Real next = previous_[i] + 2 * substep * derivative_[i];
        previous_[i] = current_[i];
        current_[i] = next;
      }
    }
    f(t + h, current_.data(), derivative_.data());
    for (std::size_t i = 0; i < n; ++i) result[i] = (current_[i] + previous_[i] + substep * derivative_[i]) / 2;
  }

  Real tolerance_;
  Real floor_;
  std::vector<Real> scale_; ///< largest magnitude of each variable so far
  std::vector<Real> f0_, previous_, current_, derivative_;
  std::array<std::vector<Real>, max_columns> table_;
  unsigned level_ = 0;
  std::size_t columns_ = max_columns;
};

} // namespace lodestep::problem
