#pragma once

#include <lodestep/hybrid.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace lodestep {

/// The hybrid scheme one step at a time, for hosts that step: fine states are solved a window of many segments ahead,
/// where lanes and threads have work, and handed out segment by segment. The window grows while nothing disturbs it
/// (twice as many segments as the one before, up to 64), and is dropped when the host goes on from another state or
/// time. It calls the right-hand side ahead of the host's time by as much.
class HierarchyWindow {
public:
  static constexpr std::size_t first_window = 4;
  static constexpr std::size_t largest_window = 64;

  explicit HierarchyWindow(std::shared_ptr<const Hierarchy> hierarchy)
      : hierarchy_(std::move(hierarchy)), hybrid_(hierarchy_), fine_(hierarchy_->fine(), hierarchy_->dimension()),
        now_(hierarchy_->dimension()), before_(hierarchy_->dimension()) {}

  std::size_t dimension() const noexcept { return hierarchy_->dimension(); }
  const std::shared_ptr<const Hierarchy>& hierarchy() const noexcept { return hierarchy_; }
  /// Of one whole segment.
  double segment() const noexcept { return hybrid_.map().map().dt; }
  /// Steps of the flow map, ahead of the host too.
  StepCounters counters() const noexcept { return hybrid_.map().counters(); }
  void reset_counters() noexcept { hybrid_.reset_counters(); }

  const double* state() const noexcept { return now_.data(); }
  double time() const noexcept { return t_; }
  double previous_time() const noexcept { return t_before_; }

  /// Goes on from `x` at `t`. A window that starts there or leads there is kept.
  void start(const double* x, double t) {
    const bool same = t == t_ && std::equal(x, x + dimension(), now_.data());
    t_before_ = t;
    if (same) {
      std::copy_n(now_.data(), dimension(), before_.data());
      fine_begin_ = fine_end_ = 0;
      return;
    }
    std::copy_n(x, dimension(), now_.data());
    std::copy_n(x, dimension(), before_.data());
    t_ = t;
    drop();
    next_window_ = first_window;
  }

  /// One whole segment.
  template <class Forms> void step(Forms& rhs, Executor* executor = nullptr) {
    if (at_ + fine_steps() > filled_) fill(rhs, executor);
    begin_step();
    fine_begin_ = at_;
    at_ += fine_steps();
    fine_end_ = at_;
    std::copy_n(fine_state(at_), dimension(), now_.data());
    t_ = window_t0_ + static_cast<double>(at_) * hierarchy_->fine_dt();
  }

  /// A step of any other length, backwards too: whole segments and fine steps as far as they go, then one shorter step
  /// of the fine scheme; backwards, fine steps alone.
  template <class Forms> void step(Forms& rhs, double length, Executor* executor = nullptr) {
    const double h = hierarchy_->fine_dt();
    if (std::abs(length - segment()) <= 1e-9 * segment()) return step(rhs, executor);
    const double count = std::floor(std::abs(length) / h * (1.0 + 1e-12) + 1e-9);
    const auto steps = static_cast<std::size_t>(count);
    const double rest = length - std::copysign(static_cast<double>(steps) * h, length);
    drop();
    reserve(steps);
    begin_step();
    std::copy_n(before_.data(), dimension(), states_.data());
    window_t0_ = t_before_;
    if (length >= 0.0) {
      if (steps > 0) hybrid_.solve(rhs, t_before_, steps, states_.data(), executor);
    } else {
      for (std::size_t n = 0; n < steps; ++n) {
        fine_.step(rhs.one, t_before_ - static_cast<double>(n) * h, fine_state(n), -h, mutable_state(n + 1));
      }
    }
    std::copy_n(fine_state(steps), dimension(), now_.data());
    t_ = t_before_ + length;
    if (std::abs(rest) > 1e-9 * h) {
      fine_.step(rhs.one, t_before_ + length - rest, now_.data(), rest, now_.data());
    }
    backwards_ = length < 0.0;
    fine_begin_ = 0;
    fine_end_ = steps;
    at_ = filled_ = 0; // what was filled ends off the segments' grid, and nothing lies ahead
  }

  /// The state at a time of the last step: a fine state where there is one, otherwise the cubic through the nearest
  /// four.
  void interpolate(double t, double* x) const {
    const std::size_t d = dimension();
    const double h = backwards_ ? -hierarchy_->fine_dt() : hierarchy_->fine_dt();
    const double place = (t - window_t0_) / h;
    const auto near = static_cast<std::size_t>(std::max(0.0, std::round(place)));
    if (near >= fine_begin_ && near <= fine_end_ && std::abs(place - static_cast<double>(near)) <= 1e-7) {
      std::copy_n(fine_end_ > fine_begin_ ? fine_state(near) : state(), d, x);
      return;
    }
    if (t == t_ || fine_end_ == fine_begin_) {
      // A step shorter than a fine one: a straight line is within its error.
      const double whole = t_ - t_before_;
      const double w = whole == 0.0 ? 1.0 : (t - t_before_) / whole;
      for (std::size_t i = 0; i < d; ++i) x[i] = (1.0 - w) * before_[i] + w * now_[i];
      return;
    }
    const std::size_t points = std::min<std::size_t>(4, fine_end_ - fine_begin_ + 1);
    auto first = static_cast<std::size_t>(std::max(0.0, std::floor(place)));
    first = first > fine_begin_ ? first - 1 : fine_begin_;
    first = std::min(first, fine_end_ + 1 - points);
    std::fill_n(x, d, 0.0);
    for (std::size_t j = 0; j < points; ++j) { // Lagrange
      double weight = 1.0;
      for (std::size_t k = 0; k < points; ++k) {
        if (k == j) continue;
        weight *= (place - static_cast<double>(first + k)) / (static_cast<double>(j) - static_cast<double>(k));
      }
      for (std::size_t i = 0; i < d; ++i) x[i] += weight * fine_state(first + j)[i];
    }
  }

private:
  std::size_t fine_steps() const noexcept { return hybrid_.map().map().fine_steps; }
  const double* fine_state(std::size_t n) const noexcept { return states_.data() + n * dimension(); }
  double* mutable_state(std::size_t n) noexcept { return states_.data() + n * dimension(); }

  void drop() noexcept {
    at_ = filled_ = 0;
    fine_begin_ = fine_end_ = 0;
    backwards_ = false;
  }
  void reserve(std::size_t steps) {
    const std::size_t size = std::max(steps, largest_window * fine_steps()) + 1;
    if (states_.size() < size * dimension()) states_.resize(size * dimension());
  }
  void begin_step() noexcept {
    t_before_ = t_;
    std::copy_n(now_.data(), dimension(), before_.data());
  }
  template <class Forms> void fill(Forms& rhs, Executor* executor) {
    reserve(0);
    drop();
    std::copy_n(now_.data(), dimension(), states_.data());
    hybrid_.solve(rhs, t_, next_window_ * fine_steps(), states_.data(), executor);
    window_t0_ = t_;
    filled_ = next_window_ * fine_steps();
    next_window_ = std::min(2 * next_window_, largest_window);
  }

  std::shared_ptr<const Hierarchy> hierarchy_;
  Hybrid hybrid_;
  RungeKutta fine_;
  std::vector<double> now_;
  std::vector<double> before_;
  double t_ = 0.0;
  double t_before_ = 0.0;
  std::vector<double> states_; ///< fine states from window_t0_ on
  double window_t0_ = 0.0;
  std::size_t filled_ = 0;     ///< fine steps solved from window_t0_
  std::size_t at_ = 0;         ///< fine steps handed out
  std::size_t fine_begin_ = 0; ///< of the last step
  std::size_t fine_end_ = 0;
  std::size_t next_window_ = first_window;
  bool backwards_ = false;
};

} // namespace lodestep
