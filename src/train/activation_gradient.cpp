// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/activation_gradient.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/activation-inl.hpp"
#include "train/activation_gradient.hpp"

#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr double log2_e = 1.4426950408889634074;

/// Every activation gives its value, and its value's derivative by x.
template <class D> struct TanhGradient {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  explicit TanhGradient(D d, const TrainedActivation&) : kernel(d, FoldedActivation{}) {}
  ActivationTanh<D> kernel;
  HWY_INLINE V tanh(D d, V x) const {
    return activated(d, kernel, hn::Mul(x, hn::Set(d, static_cast<T>(2.0 * log2_e))));
  }
  HWY_INLINE V value(D d, V x) const { return tanh(d, x); }
  HWY_INLINE V derivative(D d, V x) const {
    const V y = tanh(d, x);
    return hn::NegMulAdd(y, y, hn::Set(d, T{1}));
  }
};

/// x s(x) with the logistic s(x) = (1 + tanh(x / 2)) / 2.
template <class D> struct SiluGradient {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  explicit SiluGradient(D d, const TrainedActivation&) : kernel(d, FoldedActivation{}) {}
  ActivationTanh<D> kernel;
  HWY_INLINE V logistic(D d, V x) const {
    const V half = hn::Set(d, T(0.5));
    return hn::MulAdd(half, activated(d, kernel, hn::Mul(x, hn::Set(d, static_cast<T>(log2_e)))), half);
  }
  HWY_INLINE V value(D d, V x) const { return hn::Mul(x, logistic(d, x)); }
  HWY_INLINE V derivative(D d, V x) const {
    const V s = logistic(d, x);
    const V one = hn::Set(d, T{1});
    return hn::Mul(s, hn::MulAdd(x, hn::Sub(one, s), one));
  }
};

template <class D> struct ReluGradient {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  explicit ReluGradient(D, const TrainedActivation&) {}
  HWY_INLINE V value(D d, V x) const { return at_least(hn::Zero(d), x); }
  HWY_INLINE V derivative(D d, V x) const { return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, T{1})); }
};

template <class D> struct RationalGradient {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  V a0, a1, a2, a3, b0, b1, b2;
  RationalGradient(D d, const TrainedActivation& a)
      : a0(hn::Set(d, static_cast<T>(a.numerator[0]))), a1(hn::Set(d, static_cast<T>(a.numerator[1]))),
        a2(hn::Set(d, static_cast<T>(a.numerator[2]))), a3(hn::Set(d, static_cast<T>(a.numerator[3]))),
        b0(hn::Set(d, static_cast<T>(a.denominator[0]))), b1(hn::Set(d, static_cast<T>(a.denominator[1]))),
        b2(hn::Set(d, static_cast<T>(a.denominator[2]))) {}
  HWY_INLINE V above(V x) const { return hn::MulAdd(hn::MulAdd(hn::MulAdd(a3, x, a2), x, a1), x, a0); }
  HWY_INLINE V below(V x) const { return hn::MulAdd(hn::MulAdd(b2, x, b1), x, b0); }
  HWY_INLINE V value(D, V x) const { return hn::Div(above(x), below(x)); }
};

template <class Gradient, class D, class T>
void forward_with(const TrainedActivation& a, const T* x, T* y, std::size_t n) {
  const D d;
  const Gradient gradient(d, a);
  constexpr std::size_t lanes = hn::MaxLanes(D());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(gradient.value(d, hn::LoadU(d, x + i)), d, y + i);
  if (i == n) return;
  HWY_ALIGN T rest[lanes] = {};
  std::copy(x + i, x + n, rest);
  hn::Store(gradient.value(d, hn::Load(d, rest)), d, rest);
  std::copy(rest, rest + (n - i), y + i);
}

template <class Gradient, class D, class T>
void backward_with(const TrainedActivation& a, const T* x, T* dy, std::size_t n) {
  const D d;
  const Gradient gradient(d, a);
  constexpr std::size_t lanes = hn::MaxLanes(D());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, dy + i), gradient.derivative(d, hn::LoadU(d, x + i))), d, dy + i);
  }
  if (i == n) return;
  HWY_ALIGN T rest[lanes] = {};
  std::copy(x + i, x + n, rest);
  hn::Store(gradient.derivative(d, hn::Load(d, rest)), d, rest);
  for (std::size_t k = 0; i + k < n; ++k) dy[i + k] *= rest[k];
}

/// With y = P / Q: dy/dx = (P' - y Q') / Q, dy/da_i = x^i / Q, dy/db_i = -y x^i / Q.
template <class D, class T>
void rational_backward(const TrainedActivation& a, const T* x, T* dy, std::size_t n, double* d_coefficients) {
  using V = hn::Vec<D>;
  const D d;
  const RationalGradient<D> r(d, a);
  const V two_a2 = hn::Add(r.a2, r.a2);
  const V three_a3 = hn::Add(hn::Add(r.a3, r.a3), r.a3);
  const V two_b2 = hn::Add(r.b2, r.b2);
  constexpr std::size_t lanes = hn::MaxLanes(D());
  // In float a sum of millions of terms would lose its digits: it is emptied into doubles after each block.
  constexpr std::size_t block = 64 * lanes;
  for (std::size_t start = 0; start < n; start += block) {
    V s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    V t0 = hn::Zero(d), t1 = hn::Zero(d), t2 = hn::Zero(d);
    const auto at = [&](V v, V g) {
      const V q = hn::Div(hn::Set(d, T{1}), r.below(v));
      const V y = hn::Mul(r.above(v), q);
      const V gq = hn::Mul(g, q);
      const V gq1 = hn::Mul(gq, v);
      const V gq2 = hn::Mul(gq1, v);
      s0 = hn::Add(s0, gq);
      s1 = hn::Add(s1, gq1);
      s2 = hn::Add(s2, gq2);
      s3 = hn::MulAdd(gq2, v, s3);
      t0 = hn::NegMulAdd(y, gq, t0);
      t1 = hn::NegMulAdd(y, gq1, t1);
      t2 = hn::NegMulAdd(y, gq2, t2);
      const V above = hn::MulAdd(hn::MulAdd(three_a3, v, two_a2), v, r.a1);
      return hn::Mul(gq, hn::NegMulAdd(y, hn::MulAdd(two_b2, v, r.b1), above));
    };
    const std::size_t end = std::min(n, start + block);
    std::size_t i = start;
    for (; i + lanes <= end; i += lanes) hn::StoreU(at(hn::LoadU(d, x + i), hn::LoadU(d, dy + i)), d, dy + i);
    if (i < end) {
      HWY_ALIGN T rest[2][lanes] = {}; // a derivative of 0 by y adds nothing
      std::copy(x + i, x + end, rest[0]);
      std::copy(dy + i, dy + end, rest[1]);
      std::fill(rest[0] + (end - i), rest[0] + lanes, x[i]); // where the denominator is no zero
      hn::Store(at(hn::Load(d, rest[0]), hn::Load(d, rest[1])), d, rest[1]);
      std::copy(rest[1], rest[1] + (end - i), dy + i);
    }
    if (!d_coefficients) continue;
    const V sums[] = {s0, s1, s2, s3, t0, t1, t2};
    for (std::size_t c = 0; c < 7; ++c)
      d_coefficients[c] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sums[c])));
  }
}

template <class T> void forward_of(const TrainedActivation& a, const T* x, T* y, std::size_t n) {
  using D = hn::ScalableTag<T>;
  switch (a.kind) {
  case Activation::tanh:
    return forward_with<TanhGradient<D>, D>(a, x, y, n);
  case Activation::silu:
    return forward_with<SiluGradient<D>, D>(a, x, y, n);
  case Activation::relu:
    return forward_with<ReluGradient<D>, D>(a, x, y, n);
  case Activation::rational:
    return forward_with<RationalGradient<D>, D>(a, x, y, n);
  }
}

template <class T>
void backward_of(const TrainedActivation& a, const T* x, T* dy, std::size_t n, double* d_coefficients) {
  using D = hn::ScalableTag<T>;
  switch (a.kind) {
  case Activation::tanh:
    return backward_with<TanhGradient<D>, D>(a, x, dy, n);
  case Activation::silu:
    return backward_with<SiluGradient<D>, D>(a, x, dy, n);
  case Activation::relu:
    return backward_with<ReluGradient<D>, D>(a, x, dy, n);
  case Activation::rational:
    return rational_backward<D>(a, x, dy, n, d_coefficients);
  }
}

void forward_f32(const TrainedActivation& a, const float* x, float* y, std::size_t n) {
  forward_of(a, x, y, n);
}
void forward_f64(const TrainedActivation& a, const double* x, double* y, std::size_t n) {
  forward_of(a, x, y, n);
}
void backward_f32(const TrainedActivation& a, const float* x, float* dy, std::size_t n, double* d_coefficients) {
  backward_of(a, x, dy, n, d_coefficients);
}
void backward_f64(const TrainedActivation& a, const double* x, double* dy, std::size_t n, double* d_coefficients) {
  backward_of(a, x, dy, n, d_coefficients);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(forward_f32);
HWY_EXPORT(forward_f64);
HWY_EXPORT(backward_f32);
HWY_EXPORT(backward_f64);

template <> void activation_forward<float>(const TrainedActivation& a, const float* x, float* y, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(forward_f32)(a, x, y, n);
}
template <> void activation_forward<double>(const TrainedActivation& a, const double* x, double* y, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(forward_f64)(a, x, y, n);
}
template <>
void activation_backward<float>(const TrainedActivation& a, const float* x, float* dy, std::size_t n,
                                double* d_coefficients) {
  HWY_DYNAMIC_DISPATCH(backward_f32)(a, x, dy, n, d_coefficients);
}
template <>
void activation_backward<double>(const TrainedActivation& a, const double* x, double* dy, std::size_t n,
                                 double* d_coefficients) {
  HWY_DYNAMIC_DISPATCH(backward_f64)(a, x, dy, n, d_coefficients);
}

} // namespace lodestep::detail
#endif
