#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace lodestep::arkode {

/// States at ascending times, the ends of an interval among them.
class Trail {
public:
  bool empty() const noexcept { return times_.empty(); }
  std::size_t count() const noexcept { return times_.size(); }
  double time(std::size_t i) const noexcept { return times_[i]; }
  const double* state(std::size_t i) const noexcept { return states_.data() + i * size_; }
  double last() const noexcept { return times_.back(); }
  const double* last_state() const noexcept { return state(count() - 1); }

  void clear() noexcept;
  void start(double t, const double* u, std::size_t size);
  void add(double t, const double* u);

  /// Whether t lies between the ends, within rounding.
  bool spans(double t) const noexcept;
  /// The state at t, if there is one; times that differ by 1e-9 of a step are one time, computed in two ways.
  std::optional<std::size_t> find(double t) const noexcept;
  /// The last state before t, or the first.
  std::size_t before(double t) const noexcept;
  /// Lagrange's polynomial through the nearest states, six where there are as many.
  void interpolate(double t, double* u) const noexcept;

private:
  std::size_t size_ = 0;
  std::vector<double> times_;
  std::vector<double> states_; ///< [times, size]
};

} // namespace lodestep::arkode
