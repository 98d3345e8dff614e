#pragma once

#include <lodestep/flow_map.hpp>
#include <lodestep/segments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace lodestep {

/// Parareal (Lions, Maday and Turinici 2001) with a flow map as its coarse propagator G and the fine classical scheme
/// as F: after k sweeps the placed states are
///
///     U^k(n + 1) = F(U^(k-1)(n)) + G(U^k(n)) - G(U^(k-1)(n)),
///
/// and the error falls from the flow map's to the fine scheme's own. Without a sweep it is the hybrid scheme. All
/// segments of a sweep are solved at once, in SIMD lanes, then threads; the correction that follows is serial, and the
/// segments it has reached are filled meanwhile.
class Parareal {
public:
  struct Options {
    std::size_t sweeps = 3; ///< at most
    double tolerance = 0.0; ///< stop when no jump is larger; 0: when none is larger than rounding
  };
  struct Result {
    std::size_t sweeps = 0; ///< corrections done; the fine scheme has run once more than that
    /// The largest jump, over variables, between a segment's end and the next one's start: an estimate of the error of
    /// the placed states against the fine scheme's own serial solution.
    double jump = 0.0;
    bool converged = false; ///< whether `jump` is within the tolerance
  };

  explicit Parareal(std::shared_ptr<const Hierarchy> hierarchy) : Parareal(hierarchy, hierarchy->placing()) {}
  /// With a `stride` > 1 one step of the fine scheme spans so many fine states when they are written, as in Hybrid; a
  /// `sweep_stride` is the same for the sweeps, whose F is what the result converges to: an error there adds up over
  /// the segments, one of the fine states within a segment does not. 0: the stride.
  Parareal(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t index, std::size_t stride = 1,
           std::size_t sweep_stride = 0)
      : map_(hierarchy, index), filling_(hierarchy, stride),
        sweeping_(hierarchy, sweep_stride == 0 ? stride : sweep_stride) {
    if (stride == 0) throw InvalidArgument("stride: expected at least 1 fine step, found 0");
    hierarchy->require_whole_states("parareal");
  }

  const FlowMap& map() const noexcept { return map_; }
  void reset_counters() noexcept { map_.reset_counters(); }

  /// Solves from states[0] at t0 over `steps` fine steps and writes states [steps + 1, dimension]. `rhs` is RhsForms.
  /// Allocates only where `steps` or the number of workers is larger than ever before.
  template <class Forms>
  Result solve(Forms&& rhs, double t0, std::size_t steps, double* states, const Options& options,
               Executor* executor = nullptr) {
    const std::size_t d = map_.dimension();
    const std::size_t m = map_.map().fine_steps;
    const std::size_t count = (steps + m - 1) / m;
    reserve((count + 1) * d);
    std::copy_n(states, d, starts_.data());
    const auto time = [&](std::size_t s) { return t0 + static_cast<double>(s) * map_.map().dt; };
    // Of the segments of a pass, those before `exact` start where they did before. Fine states are written by the last
    // pass that may be needed; by every one where the tolerance decides which that is and nothing else is gained by
    // leaving them out.
    const bool write_always = options.tolerance > 0.0 && filling_.stride() == sweeping_.stride();
    bool written = false;
    const auto pass = [&](auto& place, std::size_t exact, bool last) {
      const std::size_t first = written ? exact : 0;
      written = last || write_always;
      const detail::Segments segments{
          t0, count, m, steps, written ? first : exact, starts_.data(), written ? states : nullptr, ends_.data()};
      (last ? filling_ : sweeping_).run(rhs.many, segments, place, executor);
    };
    Result result;
    auto predict = [&](std::size_t s) {
      map_.step(rhs, time(s), starts_.data() + s * d, starts_.data() + (s + 1) * d);
      std::copy_n(starts_.data() + (s + 1) * d, d, coarse_.data() + (s + 1) * d);
    };
    pass(predict, 0, options.sweeps == 0);
    for (;;) {
      result.jump = largest_jump(count, steps / m);
      result.converged = result.jump <= std::max(options.tolerance, rounding(count));
      if (result.converged || result.sweeps == options.sweeps) break;
      const std::size_t exact = result.sweeps++; // segments that the sweeps before have made exact
      std::copy_n(ends_.data(), count * d, fine_ends_.data());
      auto correct = [&](std::size_t s) {
        double* start = starts_.data() + (s + 1) * d;
        const double* fine_end = fine_ends_.data() + s * d;
        if (s < exact) return; // nothing before it has changed
        if (s == exact) {
          std::copy_n(fine_end, d, start);
          return;
        }
        map_.step(rhs, time(s), starts_.data() + s * d, step_.data());
        double* coarse = coarse_.data() + (s + 1) * d;
        for (std::size_t i = 0; i < d; ++i) {
          start[i] = fine_end[i] + (step_[i] - coarse[i]);
          coarse[i] = step_[i];
        }
      };
      pass(correct, exact, result.sweeps == options.sweeps);
    }
    if (!written) {
      auto nothing = [](std::size_t) {};
      pass(nothing, 0, true);
    }
    if (steps == count * m) std::copy_n(starts_.data() + count * d, d, states + steps * d);
    return result;
  }

private:
  double largest_jump(std::size_t count, std::size_t whole) const {
    const std::size_t d = map_.dimension();
    double jump = 0.0;
    for (std::size_t s = 0; s < std::min(count, whole); ++s) {
      for (std::size_t i = 0; i < d; ++i) {
        const double gap = std::abs(ends_[s * d + i] - starts_[(s + 1) * d + i]);
        if (!(gap <= jump)) jump = gap; // NaN too
      }
    }
    return jump;
  }
  double rounding(std::size_t count) const {
    double size = 0.0;
    for (std::size_t i = 0; i < count * map_.dimension(); ++i) size = std::max(size, std::abs(starts_[i]));
    return 4.0 * std::numeric_limits<double>::epsilon() * size;
  }
  void reserve(std::size_t size) {
    if (starts_.size() >= size) return;
    starts_.resize(size);
    coarse_.resize(size);
    ends_.resize(size);
    fine_ends_.resize(size);
    step_.resize(map_.dimension());
  }

  FlowMap map_;
  detail::SegmentWorkers filling_;
  detail::SegmentWorkers sweeping_;
  std::vector<double> starts_;    ///< U
  std::vector<double> coarse_;    ///< G(U(n)) at n + 1
  std::vector<double> ends_;      ///< F(U(n)) at n
  std::vector<double> fine_ends_; ///< the same of the sweep before
  std::vector<double> step_;
};

} // namespace lodestep
