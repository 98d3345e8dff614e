#pragma once

#include <lodestep/ensemble.hpp>
#include <lodestep/executor.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/lane_fill.hpp>
#include <lodestep/rhs_forms.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

/// Fine states between states that were placed by large steps: all segments at once, in SIMD lanes and then threads.
namespace lodestep::detail {

/// Most segments that go through the fine scheme together: a few vector registers wide.
constexpr std::size_t segment_block = 32;
/// How many do, of so many: fewer where there are few, so that threads share them evenly. It depends on nothing else,
/// the number of threads least of all, and so do the results.
constexpr std::size_t segment_block_of(std::size_t count) noexcept {
  return count >= 512 ? segment_block : count >= 128 ? 16 : 8;
}

/// One worker's fine steps of a block of segments.
class SegmentFill {
public:
  /// `stride`: fine steps that one step of the fine scheme spans; states within it are interpolated (cubic Hermite).
  SegmentFill(const Hierarchy& hierarchy, std::size_t stride)
      : scheme_(hierarchy.fine(), hierarchy.dimension()), fine_dt_(hierarchy.fine_dt()), stride_(stride),
        rk4_(hierarchy.fine()->name == "rk4"), u_(size(hierarchy)), next_(size(hierarchy)), slope_(size(hierarchy)),
        point_(size(hierarchy)), k_(4 * size(hierarchy)) {}

  /// From starts [n, dimension], `steps` fine steps. Fine state j of segment k goes to states + (k * steps + j) *
  /// dimension for j < steps, that of the segment's end to ends + k * dimension; either may be null.
  template <class Rhs>
  void run(Rhs& rhs, double t, const double* starts, std::size_t n, std::size_t steps, double* states, double* ends) {
    const std::size_t d = scheme_.dimension();
    if constexpr (IsInLanes<std::decay_t<Rhs>>::value) {
      if (d == std::decay_t<Rhs>::dimension &&
          fill_in_lanes(rhs, scheme_.tableau(), fine_dt_, stride_, {t, starts, n, steps, states, ends})) {
        return;
      }
    }
    to_variables(starts, d, n, u_.data());
    for (std::size_t j = 0; j < steps;) {
      const std::size_t span = std::min(stride_, steps - j);
      if (states) store(u_.data(), n, steps, j, states);
      const double h = static_cast<double>(span) * fine_dt_;
      const double at = t + static_cast<double>(j) * fine_dt_;
      if (rk4_) {
        classical_step(rhs, at, h, n);
      } else {
        scheme_.step(rhs, at, u_.data(), h, next_.data(), n);
      }
      if (states && span > 1) {
        rhs(at + h, static_cast<const double*>(next_.data()), slope_.data(), n);
        for (std::size_t i = 1; i < span; ++i) {
          interpolate(static_cast<double>(i) / static_cast<double>(span), h, n);
          store(point_.data(), n, steps, j + i, states);
        }
      }
      u_.swap(next_);
      j += span;
    }
    if (ends) to_members(u_.data(), d, n, ends);
  }

private:
  static std::size_t size(const Hierarchy& hierarchy) { return hierarchy.dimension() * segment_block; }

  /// next_ from u_ by the classical Runge-Kutta method: few passes over what is in the first-level cache, where a block
  /// is small and every pass has its price.
  template <class Rhs> void classical_step(Rhs& rhs, double t, double h, std::size_t n) {
    const std::size_t count = scheme_.dimension() * n;
    double* k1 = k_.data();
    double* k2 = k1 + count;
    double* k3 = k2 + count;
    double* k4 = k3 + count;
    rhs(t, static_cast<const double*>(u_.data()), k1, n);
    advance(k1, 0.5 * h, count);
    rhs(t + 0.5 * h, static_cast<const double*>(point_.data()), k2, n);
    advance(k2, 0.5 * h, count);
    rhs(t + 0.5 * h, static_cast<const double*>(point_.data()), k3, n);
    advance(k3, h, count);
    rhs(t + h, static_cast<const double*>(point_.data()), k4, n);
    const double* __restrict from = u_.data();
    double* __restrict to = next_.data();
    for (std::size_t m = 0; m < count; ++m) {
      to[m] = from[m] + h / 6.0 * ((k1[m] + k4[m]) + 2.0 * (k2[m] + k3[m]));
    }
  }
  /// point_ = u_ + h k
  void advance(const double* __restrict k, double h, std::size_t count) noexcept {
    const double* __restrict from = u_.data();
    double* __restrict to = point_.data();
    for (std::size_t m = 0; m < count; ++m) to[m] = from[m] + h * k[m];
  }

  void store(const double* u, std::size_t n, std::size_t steps, std::size_t j, double* states) const {
    with_dimension(scheme_.dimension(), [=](auto d) {
      double* to = states + j * d;
      for (std::size_t k = 0; k < n; ++k, to += steps * d) {
        for (std::size_t i = 0; i < d; ++i) to[i] = u[i * n + k];
      }
    });
  }

  /// point_ = the cubic through u_ and next_ with their slopes.
  void interpolate(double x, double h, std::size_t n) {
    const double* f = rk4_ ? k_.data() : scheme_.stage_derivative(0, n);
    const double w0 = (1.0 + 2.0 * x) * (1.0 - x) * (1.0 - x);
    const double w1 = x * x * (3.0 - 2.0 * x);
    const double s0 = h * x * (1.0 - x) * (1.0 - x);
    const double s1 = h * x * x * (x - 1.0);
    const std::size_t count = scheme_.dimension() * n;
    for (std::size_t m = 0; m < count; ++m) {
      point_[m] = (w0 * u_[m] + w1 * next_[m]) + (s0 * f[m] + s1 * slope_[m]);
    }
  }

  BlockRungeKutta scheme_;
  double fine_dt_;
  std::size_t stride_;
  bool rk4_;
  std::vector<double> u_; ///< [variable][member], as are the next
  std::vector<double> next_;
  std::vector<double> slope_;
  std::vector<double> point_;
  std::vector<double> k_; ///< [stage][variable][member], as wide as the block at hand
};

/// What a round of segments works on. All arrays are the caller's.
struct Segments {
  double t0;
  std::size_t count;      ///< segments, the last perhaps shorter
  std::size_t fine_steps; ///< of a whole segment
  std::size_t steps;      ///< fine steps in all
  std::size_t first;      ///< segments before this one are filled already
  double* starts;         ///< [count + 1, dimension]
  double* states;         ///< [steps + 1, dimension] or null
  double* ends;           ///< [count, dimension] or null
};

/// Fills segments while they are being placed: one worker places, one segment after the other, and fills what is left
/// when it has finished; the others fill blocks as soon as they are placed.
class SegmentWorkers {
public:
  SegmentWorkers(std::shared_ptr<const Hierarchy> hierarchy, std::size_t stride)
      : hierarchy_(std::move(hierarchy)), stride_(stride) {}
  /// Copies share the hierarchy and have scratch of their own.
  SegmentWorkers(const SegmentWorkers& other) : SegmentWorkers(other.hierarchy_, other.stride_) {}
  SegmentWorkers& operator=(const SegmentWorkers& other) {
    hierarchy_ = other.hierarchy_;
    stride_ = other.stride_;
    fills_.clear();
    return *this;
  }

  std::size_t stride() const noexcept { return stride_; }

  /// `place(s)` computes start s + 1. Rethrows the first exception of a right-hand side.
  template <class Rhs, class Place> void run(Rhs& rhs, const Segments& segments, Place& place, Executor* executor) {
    const std::size_t workers = executor ? executor->workers() : 1;
    while (fills_.size() < workers) fills_.emplace_back(*hierarchy_, stride_);
    placed_.store(0, std::memory_order_relaxed);
    next_.store(segments.first, std::memory_order_relaxed);
    placing_.store(false, std::memory_order_relaxed);
    failed_.store(false, std::memory_order_relaxed);
    error_ = nullptr;
    Round<Rhs, Place> round{*this, rhs, segments, place};
    if (executor) {
      executor->run([](void* context, std::size_t w) { static_cast<Round<Rhs, Place>*>(context)->work(w); }, &round);
    } else {
      round.work(0);
    }
    if (error_) std::rethrow_exception(error_);
  }

private:
  template <class Rhs, class Place> struct Round {
    SegmentWorkers& shared;
    Rhs& rhs;
    const Segments& segments;
    Place& place;

    void work(std::size_t worker) noexcept {
      try {
        if (!shared.placing_.exchange(true)) place_all();
        fill_all(shared.fills_[worker]);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(shared.mutex_);
        if (!shared.error_) shared.error_ = std::current_exception();
        shared.failed_.store(true, std::memory_order_release);
      }
    }
    void place_all() {
      for (std::size_t s = 0; s < segments.count; ++s) {
        shared.placed_.store(s + 1, std::memory_order_release);
        if (shared.failed_.load(std::memory_order_relaxed)) return;
        // The end of a last segment that is cut short is nobody's start.
        if (s + 1 < segments.count || segments.steps == segments.count * segments.fine_steps) place(s);
      }
    }
    void fill_all(SegmentFill& fill) {
      const std::size_t d = shared.hierarchy_->dimension();
      const std::size_t m = segments.fine_steps;
      const std::size_t whole = segments.steps / m;
      const std::size_t block = segment_block_of(segments.count);
      for (;;) {
        const std::size_t first = shared.next_.fetch_add(block, std::memory_order_relaxed);
        if (first >= segments.count) return;
        const std::size_t last = std::min(first + block, segments.count);
        for (int spins = 0; shared.placed_.load(std::memory_order_acquire) < last; ++spins) {
          if (shared.failed_.load(std::memory_order_relaxed)) return;
          if (spins > 2000) std::this_thread::yield();
        }
        const auto part = [&](std::size_t from, std::size_t to, std::size_t steps) {
          if (from >= to || steps == 0) return;
          fill.run(rhs, segments.t0 + static_cast<double>(from * m) * shared.hierarchy_->fine_dt(),
                   segments.starts + from * d, to - from, steps,
                   segments.states ? segments.states + from * m * d : nullptr,
                   segments.ends ? segments.ends + from * d : nullptr);
        };
        part(first, std::min(last, whole), m);
        if (last > whole) { // the last segment, cut short by the horizon: its end is the last state
          double* end = segments.states ? segments.states + segments.steps * d : nullptr;
          fill.run(rhs, segments.t0 + static_cast<double>(whole * m) * shared.hierarchy_->fine_dt(),
                   segments.starts + whole * d, 1, segments.steps - whole * m,
                   segments.states ? segments.states + whole * m * d : nullptr, end);
        }
      }
    }
  };

  std::shared_ptr<const Hierarchy> hierarchy_;
  std::size_t stride_;
  std::vector<SegmentFill> fills_; ///< one per worker
  std::atomic<std::size_t> placed_{0};
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> placing_{false};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

} // namespace lodestep::detail
