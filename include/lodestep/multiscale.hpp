#pragma once

#include <lodestep/flow_map.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace lodestep {

/// How states between the placed ones are found.
enum class Interpolation {
  linear, ///< as the paper does
  cubic   ///< Hermite's cubic, with slopes by differences of fourth order between the placed states
};

/// Vectorised multiscale time-stepping (HiTS, Liu et al. 2022, Algorithm 1): the map of the largest step places states
/// one after the other, each smaller map goes on from all states placed so far at once, and what is left between is
/// interpolated. Knows nothing of the right-hand side but what a state outside a map's domain asks for.
class Multiscale {
public:
  explicit Multiscale(std::shared_ptr<const Hierarchy> hierarchy)
      : Multiscale(hierarchy, hierarchy->lower(), hierarchy->upper()) {}
  /// With the maps lower .. upper of the hierarchy.
  Multiscale(std::shared_ptr<const Hierarchy> hierarchy, std::size_t lower, std::size_t upper)
      : hierarchy_(std::move(hierarchy)), chunk_(2 * hierarchy_->dimension() * ensemble_block) {
    if (lower > upper || upper >= hierarchy_->size()) {
      throw InvalidArgument("levels " + std::to_string(lower) + ":" + std::to_string(upper) + ": the hierarchy has " +
                            std::to_string(hierarchy_->size()) + " maps");
    }
    for (std::size_t k = upper + 1; k-- > lower;) maps_.emplace_back(hierarchy_, k);
  }

  /// Of the states that maps step: reduced coordinates, if the hierarchy has them.
  std::size_t dimension() const noexcept { return hierarchy_->dimension(); }
  /// Between placed states: the step of the smallest map in use, or less where the largest gives states on the way.
  double dt() const noexcept { return static_cast<double>(fine_steps()) * hierarchy_->fine_dt(); }
  std::size_t fine_steps() const noexcept {
    const std::size_t smallest = maps_.back().map().fine_steps, apart = maps_.front().fine_steps_apart();
    return smallest % apart == 0 ? apart : smallest;
  }
  StepCounters counters() const noexcept {
    StepCounters sum;
    for (const auto& map : maps_) sum += map.counters();
    return sum;
  }
  void reset_counters() noexcept {
    for (auto& map : maps_) map.reset_counters();
  }

  /// Places `count` states after placed[0], every dt(): placed [count + 1, dimension]. `rhs` is RhsForms, or no_rhs();
  /// it is not used where maps know reduced coordinates only.
  template <class Forms> void place(Forms&& rhs, double t0, std::size_t count, double* placed) {
    if (!hierarchy_->reduced()) return place_by(rhs, t0, count, placed);
    auto none = no_rhs();
    place_by(none, t0, count, placed);
  }

  /// Solves from states[0] at t0 over `steps` fine steps and writes states [steps + 1, full dimension]. Allocates only
  /// where `steps` is larger than ever before.
  template <class Forms>
  void solve(Forms&& rhs, double t0, std::size_t steps, double* states, Interpolation interpolation) {
    const std::size_t d = dimension();
    const std::size_t m = fine_steps();
    // The map above may not reach the horizon's end where this one does: whole steps of it place the rest, too.
    const std::size_t count = (steps + m - 1) / m;
    if (placed_.size() < (count + 1) * d) {
      placed_.resize((count + 1) * d);
      slopes_.resize((count + 1) * d);
    }
    hierarchy_->encode(states, placed_.data());
    place(rhs, t0, count, placed_.data());
    const bool cubic = interpolation == Interpolation::cubic && m > 1 && count >= 2;
    if (cubic) find_slopes(count);
    between_.resize(d);
    for (std::size_t s = 0; s <= count; ++s) {
      const double* u0 = placed_.data() + s * d;
      for (std::size_t j = 0; j < m && s * m + j <= steps; ++j) {
        if (s + j == 0) continue; // the initial state stays what it was
        const double* u = u0;
        if (j != 0) {
          between(u0, slopes_.data() + s * d, static_cast<double>(j) / static_cast<double>(m), cubic, between_.data());
          u = between_.data();
        }
        hierarchy_->decode(u, states + (s * m + j) * hierarchy_->full_dimension());
      }
    }
  }

private:
  template <class Forms> void place_by(Forms& rhs, double t0, std::size_t count, double* placed) {
    std::size_t above = 0; // distance, in placed states, of those that are there
    for (auto& map : maps_) {
      const std::size_t stride = map.map().fine_steps / fine_steps();
      if (above == 0) {
        above = place_largest(map, rhs, t0, stride, count, placed);
        continue;
      }
      if (stride >= above) continue; // the largest gave these on the way
      for (std::size_t at = 0; at + stride < above; at += stride) {
        step_all(map, rhs, t0, at, stride, above, count, placed);
      }
      above = stride;
    }
  }

  /// The map of the largest step, one step after the other; returns the distance of the states it gives.
  template <class Forms>
  std::size_t place_largest(FlowMap& map, Forms& rhs, double t0, std::size_t stride, std::size_t count,
                            double* placed) {
    const std::size_t d = dimension();
    const bool on_the_way = map.states() > 1 && stride % map.states() == 0;
    const std::size_t apart = on_the_way ? stride / map.states() : stride;
    on_the_way_.resize(map.states() * d);
    for (std::size_t at = 0; at + apart <= count; at += stride) {
      const double t = t0 + static_cast<double>(at) * dt();
      if (!on_the_way) {
        map.step(rhs, t, placed + at * d, placed + (at + stride) * d);
        continue;
      }
      map.step_states(rhs, t, placed + at * d, on_the_way_.data());
      for (std::size_t s = 1; s <= map.states() && at + s * apart <= count; ++s) {
        std::copy_n(on_the_way_.data() + (s - 1) * d, d, placed + (at + s * apart) * d);
      }
    }
    return apart;
  }

  template <class Forms>
  void step_all(FlowMap& map, Forms& rhs, double t0, std::size_t at, std::size_t stride, std::size_t above,
                std::size_t count, double* placed) {
    const std::size_t d = dimension();
    double* from = chunk_.data();
    double* to = from + d * ensemble_block;
    for (std::size_t first = at; first + stride <= count;) {
      std::size_t n = 0;
      for (std::size_t s = first; n < ensemble_block && s + stride <= count; s += above, ++n) {
        std::copy_n(placed + s * d, d, from + n * d);
      }
      map.step(rhs, t0 + static_cast<double>(first) * dt(), from, to, n);
      for (std::size_t k = 0; k < n; ++k) std::copy_n(to + k * d, d, placed + (first + k * above + stride) * d);
      first += n * above;
    }
  }

  /// Slopes, in units of one placed step, by central differences of fourth order; of second order beside the ends.
  void find_slopes(std::size_t count) {
    const std::size_t d = dimension();
    const auto u = [&](std::size_t s, std::size_t i) { return placed_[s * d + i]; };
    for (std::size_t s = 0; s <= count; ++s) {
      for (std::size_t i = 0; i < d; ++i) {
        double slope = 0.0;
        if (s >= 2 && s + 2 <= count) {
          slope = (8.0 * (u(s + 1, i) - u(s - 1, i)) - (u(s + 2, i) - u(s - 2, i))) / 12.0;
        } else if (s >= 1 && s + 1 <= count) {
          slope = 0.5 * (u(s + 1, i) - u(s - 1, i));
        } else if (s == 0) {
          slope = 2.0 * u(1, i) - 1.5 * u(0, i) - 0.5 * u(2, i);
        } else {
          slope = 1.5 * u(s, i) - 2.0 * u(s - 1, i) + 0.5 * u(s - 2, i);
        }
        slopes_[s * d + i] = slope;
      }
    }
  }

  void between(const double* u0, const double* slope, double x, bool cubic, double* to) const {
    const std::size_t d = dimension();
    const double* u1 = u0 + d;
    if (!cubic) {
      for (std::size_t i = 0; i < d; ++i) to[i] = u0[i] + x * (u1[i] - u0[i]);
      return;
    }
    const double w1 = x * x * (3.0 - 2.0 * x);
    const double s0 = x * (1.0 - x) * (1.0 - x);
    const double s1 = x * x * (x - 1.0);
    for (std::size_t i = 0; i < d; ++i) {
      to[i] = u0[i] + w1 * (u1[i] - u0[i]) + s0 * slope[i] + s1 * slope[d + i];
    }
  }

  std::shared_ptr<const Hierarchy> hierarchy_;
  std::vector<FlowMap> maps_; ///< by descending dt
  std::vector<double> placed_;
  std::vector<double> on_the_way_;
  std::vector<double> slopes_;
  std::vector<double> between_;
  std::vector<double> chunk_;
};

} // namespace lodestep
