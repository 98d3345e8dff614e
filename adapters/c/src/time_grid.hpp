#pragma once

#include <cmath>
#include <cstdint>

namespace lodestep::c {

/// The interval from t0 to t_end in whole steps of the trained dt (backwards if t_end is earlier) and a rest shorter
/// than one. Times are t0 + k dt, so that rounding does not add up.
class TimeGrid {
public:
  /// Two times nearer than this, relative to dt, are the same: a grid is only as regular as rounding allows.
  static constexpr double tolerance = 1e-9;

  TimeGrid(double t0, double t_end, double dt) noexcept : t0_(t0), t_end_(t_end), dt_(t_end < t0 ? -dt : dt) {
    const double steps = (t_end - t0) / dt_;
    whole_ = std::floor(steps + tolerance);
    rest_ = t_end - time(whole_);
    if (std::abs(rest_) <= tolerance * dt) rest_ = 0.0;
  }

  double dt() const noexcept { return dt_; }
  double whole() const noexcept { return whole_; }
  /// The last, shorter step; 0 if there is none.
  double rest() const noexcept { return rest_; }
  /// The time after k whole steps; t_end exactly, where the grid ends there.
  double time(double k) const noexcept { return k == whole_ && rest_ == 0.0 ? t_end_ : t0_ + k * dt_; }
  /// Whether the interval can be counted in steps, and a step changes the time at all.
  bool sound() const noexcept {
    const double largest = std::fmax(std::abs(t0_), std::abs(t_end_));
    return std::isfinite(t0_) && std::isfinite(t_end_) && whole_ < 0x1p53 && largest + std::abs(dt_) / 2 > largest;
  }

private:
  double t0_;
  double t_end_;
  double dt_;
  double whole_ = -1.0;
  double rest_ = 1.0;
};

} // namespace lodestep::c
