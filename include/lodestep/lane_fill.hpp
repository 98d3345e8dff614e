#pragma once

#include <lodestep/lanes.hpp>
#include <lodestep/rhs_forms.hpp>
#include <lodestep/tableau.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

/// Fine steps of segments whose right-hand side is generic in its scalar: whole steps of a register's width of segments
/// at once, and nothing but fine states goes to memory.
namespace lodestep::detail {

template <class Rhs> struct IsInLanes : std::false_type {};
template <class System, std::size_t D> struct IsInLanes<InLanes<System, D>> : std::true_type {};

/// An explicit tableau of S stages times a step, unrolled.
template <std::size_t S> struct ScaledTableau {
  ScaledTableau(const ButcherTableau& tableau, double h) noexcept {
    for (std::size_t i = 0; i < S; ++i) {
      c[i] = h * tableau.c[i];
      b[i] = h * tableau.b[i];
      for (std::size_t j = 0; j < i; ++j) a[i][j] = h * tableau.a[i * S + j];
    }
  }
  double a[S][S];
  double b[S];
  double c[S];
};

/// Weights of Hermite's cubic at one place within a step.
struct Hermite {
  double begin, end, begin_slope, end_slope;
};
/// Most fine states that one step may span.
constexpr std::size_t longest_stride = 32;
/// At every one of them.
inline void set_weights(std::size_t span, double h, Hermite* weights) noexcept {
  for (std::size_t m = 1; m < span; ++m) {
    const double x = static_cast<double>(m) / static_cast<double>(span);
    weights[m] = {(1.0 + 2.0 * x) * (1.0 - x) * (1.0 - x), x * x * (3.0 - 2.0 * x), h * x * (1.0 - x) * (1.0 - x),
                  h * x * x * (x - 1.0)};
  }
}

/// What a fill of segments reads and writes: see SegmentFill::run.
struct LaneFillJob {
  double t;
  const double* starts;
  std::size_t n;
  std::size_t steps;
  double* states;
  double* ends;
};

template <std::size_t S, std::size_t D, class Rhs> class LaneFill {
public:
  LaneFill(const Rhs& rhs, const ButcherTableau& tableau, double fine_dt, std::size_t stride, const LaneFillJob& job)
      : rhs_(rhs), fine_dt_(fine_dt), stride_(stride), job_(job),
        whole_(tableau, static_cast<double>(stride) * fine_dt),
        rest_(tableau, static_cast<double>(job.steps % stride) * fine_dt) {
    set_weights(stride, static_cast<double>(stride) * fine_dt, whole_weights_);
    set_weights(job.steps % stride, static_cast<double>(job.steps % stride) * fine_dt, rest_weights_);
  }

  void run() const {
    // Two registers of segments hide the latency of one step's long chain; where states are written and interpolated,
    // the widest registers are too few for that.
    constexpr bool many_registers = native_lanes == 8;
    std::size_t k = 0;
    if (!(many_registers && job_.states && stride_ > 1)) {
      for (; k + 2 * native_lanes <= job_.n; k += 2 * native_lanes) segments<2 * native_lanes>(k, 2 * native_lanes);
    }
    for (; k < job_.n; k += native_lanes) {
      segments<native_lanes>(k, job_.n - k < native_lanes ? job_.n - k : native_lanes);
    }
  }

private:
  template <std::size_t N> using State = std::array<Lanes<N>, D>;

  /// Segments first .. first + count; lanes beyond repeat the last, so that nothing is evaluated where nobody asked.
  template <std::size_t N> void segments(std::size_t first, std::size_t count) const {
    State<N> u, next, k[S];
    for (std::size_t i = 0; i < D; ++i) {
      double numbers[N];
      for (std::size_t l = 0; l < N; ++l) numbers[l] = job_.starts[(first + (l < count ? l : count - 1)) * D + i];
      u[i] = Lanes<N>::load(numbers);
    }
    double* states = job_.states ? job_.states + first * job_.steps * D : nullptr;
    std::size_t j = 0;
    for (; j + stride_ <= job_.steps; j += stride_) {
      if (states) store<N>(u, states + j * D, count);
      step<N>(whole_, time(j), u, k, next);
      if (states && stride_ > 1) between<N>(u, k[0], next, time(j), stride_, states + j * D, count);
      assign<N>(u, next);
    }
    if (j < job_.steps) {
      if (states) store<N>(u, states + j * D, count);
      step<N>(rest_, time(j), u, k, next);
      if (states && job_.steps - j > 1) {
        between<N>(u, k[0], next, time(j), job_.steps - j, states + j * D, count);
      }
      assign<N>(u, next);
    }
    if (job_.ends) {
      for (std::size_t l = 0; l < count; ++l) {
        for (std::size_t i = 0; i < D; ++i) job_.ends[(first + l) * D + i] = u[i][l];
      }
    }
  }

  /// Register by register: an array's own assignment goes through memory, in halves that loads of a whole wait for.
  template <std::size_t N> static void assign(State<N>& to, const State<N>& from) noexcept {
    for (std::size_t i = 0; i < D; ++i) to[i].assign(from[i]);
  }
  double time(std::size_t j) const noexcept { return job_.t + static_cast<double>(j) * fine_dt_; }

  template <std::size_t N>
  void step(const ScaledTableau<S>& tableau, double t, const State<N>& u, State<N>* k, State<N>& next) const {
    rhs_(u, k[0], t);
#pragma GCC unroll 16
    for (std::size_t s = 1; s < S; ++s) {
      State<N> at;
      assign<N>(at, u);
#pragma GCC unroll 16
      for (std::size_t j = 0; j < s; ++j) {
        for (std::size_t i = 0; i < D; ++i) at[i] = at[i] + Lanes<N>(tableau.a[s][j]) * k[j][i];
      }
      rhs_(at, k[s], t + tableau.c[s]);
    }
    assign<N>(next, u);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < S; ++j) {
      for (std::size_t i = 0; i < D; ++i) next[i] = next[i] + Lanes<N>(tableau.b[j]) * k[j][i];
    }
  }

  /// Fine states within one step of the scheme, by the cubic of values and slopes (Hermite).
  template <std::size_t N>
  void between(const State<N>& u, const State<N>& slope, const State<N>& next, double t, std::size_t span,
               double* states, std::size_t count) const {
    const double h = static_cast<double>(span) * fine_dt_;
    State<N> end_slope;
    rhs_(next, end_slope, t + h);
    const Hermite* weights = span == stride_ ? whole_weights_ : rest_weights_;
    for (std::size_t m = 1; m < span; ++m) {
      const Hermite& w = weights[m];
      State<N> point;
      for (std::size_t i = 0; i < D; ++i) {
        point[i] = (Lanes<N>(w.begin) * u[i] + Lanes<N>(w.end) * next[i]) +
                   (Lanes<N>(w.begin_slope) * slope[i] + Lanes<N>(w.end_slope) * end_slope[i]);
      }
      store<N>(point, states + m * D, count);
    }
  }

  template <std::size_t N> void store(const State<N>& u, double* to, std::size_t count) const {
    const std::size_t stride = job_.steps * D;
    if (count == N) {
      std::size_t i = 0;
      for (; i + 2 <= D; i += 2) Lanes<N>::store_pairs(u[i], u[i + 1], to + i, stride);
      for (std::size_t l = 0; i < D && l < N; ++l) to[i + l * stride] = u[i][l];
    } else {
      for (std::size_t l = 0; l < count; ++l, to += stride) store_member(u, l, to);
    }
  }
  template <std::size_t N> static void store_member(const std::array<Lanes<N>, D>& u, std::size_t l, double* to) {
    std::size_t i = 0;
    for (; i + 2 <= D; i += 2) { // two numbers are one store
      const typename NativeVector<2>::type pair{u[i][l], u[i + 1][l]};
      std::memcpy(to + i, &pair, sizeof pair);
    }
    if (i < D) to[i] = u[i][l];
  }

  const Rhs& rhs_;
  double fine_dt_;
  std::size_t stride_;
  LaneFillJob job_;
  ScaledTableau<S> whole_;
  ScaledTableau<S> rest_;
  Hermite whole_weights_[longest_stride];
  Hermite rest_weights_[longest_stride];
};

/// Fills by lanes if the tableau has at most 7 stages and no step spans more states than `longest_stride`; whether it
/// did.
template <class Rhs>
bool fill_in_lanes(const Rhs& rhs, const ButcherTableau& tableau, double fine_dt, std::size_t stride,
                   const LaneFillJob& job) {
  const auto by = [&](auto stages) {
    LaneFill<stages(), Rhs::dimension, Rhs>(rhs, tableau, fine_dt, stride, job).run();
    return true;
  };
  if (stride > longest_stride) return false;
  switch (tableau.stages()) {
  case 4:
    return by(std::integral_constant<std::size_t, 4>());
  case 6:
    return by(std::integral_constant<std::size_t, 6>());
  case 7:
    return by(std::integral_constant<std::size_t, 7>());
  default:
    return false;
  }
}

} // namespace lodestep::detail
