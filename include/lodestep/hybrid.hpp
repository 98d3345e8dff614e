#pragma once

#include <lodestep/flow_map.hpp>
#include <lodestep/segments.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace lodestep {

/// The hybrid scheme (HiTS, Liu et al. 2022, Algorithm 2): a flow map places states by large steps, and the fine
/// classical scheme fills in between, all segments at once: in SIMD lanes, then threads. While one worker places, the
/// others fill; results are the same bits whatever their number. A map that gives several states a step places a
/// segment from each.
class Hybrid {
public:
  /// Places with the hierarchy's `placing` map, or with map `index`. With `stride` > 1 one step of the fine scheme
  /// spans so many fine states, and those within are interpolated by the cubic of values and derivatives (Hermite).
  explicit Hybrid(std::shared_ptr<const Hierarchy> hierarchy, std::size_t stride = 1)
      : Hybrid(hierarchy, stride, hierarchy->placing()) {}
  Hybrid(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t stride, std::size_t index)
      : map_(hierarchy, index), workers_(hierarchy, stride) {
    hierarchy->require_whole_states("hybrid");
    if (stride == 0) throw InvalidArgument("stride: expected at least 1 fine step, found 0");
  }

  const FlowMap& map() const noexcept { return map_; }
  void reset_counters() noexcept { map_.reset_counters(); }

  /// Solves from states[0] at t0 over `steps` fine steps and writes states [steps + 1, dimension]. `rhs` is RhsForms.
  /// Allocates only where `steps` or the number of workers is larger than ever before.
  template <class Forms>
  void solve(Forms&& rhs, double t0, std::size_t steps, double* states, Executor* executor = nullptr) {
    const std::size_t d = map_.dimension();
    const std::size_t m = map_.fine_steps_apart();
    const std::size_t count = (steps + m - 1) / m;
    const std::size_t at_once = map_.states();
    if (starts_.size() < (count + at_once) * d) starts_.resize((count + at_once) * d);
    std::copy_n(states, d, starts_.data());
    double* starts = starts_.data();
    auto place = [&](std::size_t s) {
      if (s % at_once != 0) return;
      const auto step = static_cast<double>(s / at_once);
      map_.step_states(rhs, t0 + step * map_.map().dt, starts + s * d, starts + (s + 1) * d);
    };
    const detail::Segments segments{t0, count, m, steps, 0, starts, states, nullptr};
    workers_.run(rhs.many, segments, place, executor);
    if (steps == count * m) std::copy_n(starts + count * d, d, states + steps * d);
  }

private:
  FlowMap map_;
  detail::SegmentWorkers workers_;
  std::vector<double> starts_;
};

} // namespace lodestep
