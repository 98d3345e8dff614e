#include "trail.hpp"

#include <algorithm>
#include <cmath>

namespace lodestep::arkode {

namespace {
constexpr double one_time = 1e-9; // of a step
}

void Trail::clear() noexcept {
  times_.clear();
  states_.clear();
}

void Trail::start(double t, const double* u, std::size_t size) {
  clear();
  size_ = size;
  add(t, u);
}

void Trail::add(double t, const double* u) {
  times_.push_back(t);
  states_.insert(states_.end(), u, u + size_);
}

bool Trail::spans(double t) const noexcept {
  if (count() < 2) return false;
  const double slack = one_time * (times_.back() - times_.front());
  return t >= times_.front() - slack && t <= times_.back() + slack;
}

std::size_t Trail::before(double t) const noexcept {
  const auto after = std::lower_bound(times_.begin(), times_.end(), t);
  return after == times_.begin() ? 0 : static_cast<std::size_t>(after - times_.begin()) - 1;
}

std::optional<std::size_t> Trail::find(double t) const noexcept {
  const std::size_t left = before(t);
  const std::size_t right = std::min(left + 1, count() - 1);
  const double slack = one_time * std::max(times_[right] - times_[left], 0.0);
  if (std::abs(t - times_[right]) <= slack) return right;
  if (std::abs(t - times_[left]) <= slack) return left;
  return std::nullopt;
}

void Trail::interpolate(double t, double* u) const noexcept {
  const std::size_t nodes = std::min<std::size_t>(6, count());
  const std::size_t left = before(t);
  const std::size_t wanted = left + 1 > nodes / 2 ? left + 1 - nodes / 2 : 0;
  const std::size_t first = std::min(wanted, count() - nodes);
  std::fill_n(u, size_, 0.0);
  for (std::size_t a = first; a < first + nodes; ++a) {
    double weight = 1.0;
    for (std::size_t b = first; b < first + nodes; ++b) {
      if (b != a) weight *= (t - times_[b]) / (times_[a] - times_[b]);
    }
    for (std::size_t i = 0; i < size_; ++i) u[i] += weight * state(a)[i];
  }
}

} // namespace lodestep::arkode
