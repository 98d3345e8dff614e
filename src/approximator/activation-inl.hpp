// The activations on vectors: included once for every instruction set, so it has Highway's toggling guard.
#if defined(LODESTEP_APPROXIMATOR_ACTIVATION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_ACTIVATION_INL
#undef LODESTEP_APPROXIMATOR_ACTIVATION_INL
#else
#define LODESTEP_APPROXIMATOR_ACTIVATION_INL
#endif

#include "approximator/activation.hpp"

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// An activation is called with several vectors at once and takes each operation for all of them before the next: the
/// chain of one is some 70 cycles long, and processors do not look far enough ahead to find the other chains by
/// themselves. As many vectors as the registers hold; in batches each activation has a `batch_group` of its own.
#if HWY_TARGET == HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr std::size_t activation_group = 4;
#else
constexpr std::size_t activation_group = 2;
#endif

/// 2^t as a ratio, without a division: t = n + f with |f| <= 1/2 and, for y = f ln(2) / 2,
///
///     2^f = (1 + tanh y) / (1 - tanh y) = (d + n) / (d - n),   tanh y = n / d,
///
/// n = f p(f^2) and d = q(f^2) being the minimax rational approximation of tanh on |y| <= ln(2) / 4 (found by
/// interpolation at Chebyshev nodes, and of many intervals a little wider the one whose coefficients round best):
/// relative error 6.6e-18 for double, 5.4e-10 for float. Near 0 the odd n keeps full
/// relative accuracy, which 2^t - 1 does not.
template <class V, std::size_t kCount> struct Exp2Ratio {
  // NOTE: what the compiler writes by itself it does not compile for the instruction set at hand: vectors of NEON could
  // not be made there.
  HWY_INLINE Exp2Ratio() {}
  V scale[kCount]; ///< 2^n, n the integer nearest to t
  V odd[kCount];
  V even[kCount];
};

/// |t| must be at most 1022 (double) or 126 (float).
template <class D, class V, std::size_t kCount>
HWY_INLINE void exp2_ratio(D d, const V (&t)[kCount], Exp2Ratio<V, kCount>& r) {
  using T = hn::TFromD<D>;
  const hn::Rebind<hwy::MakeUnsigned<T>, D> du;
  V f[kCount];
  V u[kCount];
  // Adding 1.5 2^52 (1.5 2^23) rounds to the nearest integer and leaves it in the lowest bits; with the exponent's bias
  // added as well they are, shifted to its place, the exponent of 2^n.
  constexpr bool is_double = sizeof(T) == 8;
  const V magic = hn::Set(d, static_cast<T>(is_double ? 6755399441055744.0 + 1023.0 : 12582912.0 + 127.0));
  for (std::size_t i = 0; i < kCount; ++i) r.scale[i] = hn::Add(t[i], magic);
  for (std::size_t i = 0; i < kCount; ++i) f[i] = hn::Sub(t[i], hn::Sub(r.scale[i], magic));
  for (std::size_t i = 0; i < kCount; ++i) {
    r.scale[i] = hn::BitCast(d, hn::ShiftLeft < is_double ? 52 : 23 > (hn::BitCast(du, r.scale[i])));
  }
  for (std::size_t i = 0; i < kCount; ++i) u[i] = hn::Mul(f[i], f[i]);
  const auto constant = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
  if constexpr (is_double) {
    for (std::size_t i = 0; i < kCount; ++i) {
      r.odd[i] = hn::MulAdd(hn::Add(u[i], constant(874.7470650735646)), u[i], constant(65551.3213922891));
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      r.even[i] = hn::MulAdd(u[i], constant(43.30067263623463), constant(10096.772106468095));
    }
    for (std::size_t i = 0; i < kCount; ++i) r.even[i] = hn::MulAdd(r.even[i], u[i], constant(189141.1325927482));
  } else {
    for (std::size_t i = 0; i < kCount; ++i) r.odd[i] = hn::Add(u[i], constant(125.04293926586233));
    for (std::size_t i = 0; i < kCount; ++i) {
      r.even[i] = hn::MulAdd(u[i], constant(17.330902953511590), constant(360.79765694752348));
    }
  }
  for (std::size_t i = 0; i < kCount; ++i) r.odd[i] = hn::Mul(f[i], r.odd[i]);
}

/// max(lower, t) and min(upper, t) that keep NaN: x86's return their second operand when one is NaN; elsewhere NaN
/// propagates anyway.
template <class V> HWY_INLINE V at_most(V upper, V t) {
  return hn::Min(upper, t);
}
template <class V> HWY_INLINE V at_least(V lower, V t) {
  return hn::Max(lower, t);
}

/// t within [-limit, limit]. On AVX-512 one instruction does it, which makes the limit of NaN; an approximator's
/// outputs are NaN all the same, since every input enters its affine term.
template <class D, class V, std::size_t kCount> HWY_INLINE void clamp(D d, hn::TFromD<D> limit, V (&t)[kCount]) {
#if HWY_TARGET == HWY_AVX3
  constexpr int smaller_magnitude_with_first_sign = 2;
  const V most = hn::Set(d, limit);
  for (std::size_t i = 0; i < kCount; ++i) {
    if constexpr (sizeof(hn::TFromD<D>) == 8) {
      t[i] = V{_mm512_range_pd(t[i].raw, most.raw, smaller_magnitude_with_first_sign)};
    } else {
      t[i] = V{_mm512_range_ps(t[i].raw, most.raw, smaller_magnitude_with_first_sign)};
    }
  }
#else
  for (std::size_t i = 0; i < kCount; ++i) t[i] = at_most(hn::Set(d, limit), t[i]);
  for (std::size_t i = 0; i < kCount; ++i) t[i] = at_least(hn::Set(d, -limit), t[i]);
#endif
}

/// quotient[i] = numerator[i] / denominator[i], denominators of moderate size.
///
/// On AVX-512 they are found by the multipliers: an estimate of 1 / denominator (14 bits), in f64 sharpened by one step
/// of Newton's iteration, and one correction of the quotient by its own remainder, which leaves half a unit in the last
/// place. The divider is busy for 10 (f32) to 16 cycles with a vector. All are found in the same way: the bits of a
/// state must not depend on its place in a batch.
template <class D, class V, std::size_t kCount>
HWY_INLINE void divide([[maybe_unused]] D d, const V (&numerator)[kCount], const V (&denominator)[kCount],
                       V (&quotient)[kCount]) {
#if HWY_TARGET == HWY_AVX3
  V inverse[kCount];
  V remainder[kCount];
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    const V one = hn::Set(d, 1.0);
    // NOTE: Highway 1.0 has the estimate for float only.
    for (std::size_t i = 0; i < kCount; ++i) inverse[i] = V{_mm512_rcp14_pd(denominator[i].raw)};
    for (std::size_t i = 0; i < kCount; ++i) remainder[i] = hn::NegMulAdd(denominator[i], inverse[i], one);
    for (std::size_t i = 0; i < kCount; ++i) inverse[i] = hn::MulAdd(inverse[i], remainder[i], inverse[i]);
  } else {
    for (std::size_t i = 0; i < kCount; ++i) inverse[i] = hn::ApproximateReciprocal(denominator[i]);
  }
  for (std::size_t i = 0; i < kCount; ++i) quotient[i] = hn::Mul(numerator[i], inverse[i]);
  for (std::size_t i = 0; i < kCount; ++i) remainder[i] = hn::NegMulAdd(denominator[i], quotient[i], numerator[i]);
  for (std::size_t i = 0; i < kCount; ++i) quotient[i] = hn::MulAdd(remainder[i], inverse[i], quotient[i]);
#else
  for (std::size_t i = 0; i < kCount; ++i) quotient[i] = hn::Div(numerator[i], denominator[i]);
#endif
}

/// g of ActivationKernel::tanh. With 2^t = scale (even + odd) / (even - odd) numerator and denominator are one product
/// and one fused multiply-add each. Beyond |t| = 64, tanh is 1 in either precision.
template <class D> struct ActivationTanh {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  /// Where the multipliers divide, too, eight chains keep them busy (by a twelfth more than four), though some of them
  /// spill to memory.
  static constexpr std::size_t batch_group = HWY_TARGET == HWY_AVX3 && sizeof(T) == 8 ? 8 : activation_group;
  ActivationTanh(D, const FoldedActivation&) {}
  template <std::size_t kCount> HWY_INLINE void operator()(D d, V (&t)[kCount]) const {
    clamp(d, T{64}, t);
    Exp2Ratio<V, kCount> e;
    exp2_ratio(d, t, e);
    const V one = hn::Set(d, T{1});
    V above[kCount];
    V below[kCount];
    for (std::size_t i = 0; i < kCount; ++i) above[i] = hn::Add(e.scale[i], one);
    for (std::size_t i = 0; i < kCount; ++i) below[i] = hn::Sub(e.scale[i], one);
    V numerator[kCount];
    for (std::size_t i = 0; i < kCount; ++i) numerator[i] = hn::Mul(below[i], e.even[i]);
    for (std::size_t i = 0; i < kCount; ++i) e.even[i] = hn::Mul(above[i], e.even[i]);
    for (std::size_t i = 0; i < kCount; ++i) numerator[i] = hn::MulAdd(above[i], e.odd[i], numerator[i]);
    for (std::size_t i = 0; i < kCount; ++i) e.even[i] = hn::MulAdd(below[i], e.odd[i], e.even[i]);
    divide(d, numerator, e.even, t);
  }
};

/// g of ActivationKernel::silu: t / (1 + 2^t).
template <class D> struct ActivationSilu {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr std::size_t batch_group = activation_group;
  ActivationSilu(D, const FoldedActivation&) {}
  template <std::size_t kCount> HWY_INLINE void operator()(D d, V (&t)[kCount]) const {
    V within[kCount];
    for (std::size_t i = 0; i < kCount; ++i) within[i] = t[i];
    clamp(d, sizeof(T) == 8 ? T{1000} : T{120}, within);
    Exp2Ratio<V, kCount> e;
    exp2_ratio(d, within, e);
    for (std::size_t i = 0; i < kCount; ++i) within[i] = hn::Add(e.even[i], e.odd[i]);
    for (std::size_t i = 0; i < kCount; ++i) e.even[i] = hn::Sub(e.even[i], e.odd[i]);
    for (std::size_t i = 0; i < kCount; ++i) within[i] = hn::MulAdd(e.scale[i], within[i], e.even[i]);
    for (std::size_t i = 0; i < kCount; ++i) e.even[i] = hn::Mul(t[i], e.even[i]);
    if constexpr (sizeof(T) == 8) {
      divide(d, e.even, within, t);
    } else {
      for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::Div(e.even[i], within[i]);
    }
  }
};

template <class D> struct ActivationRelu {
  using V = hn::Vec<D>;
  static constexpr std::size_t batch_group = activation_group;
  ActivationRelu(D, const FoldedActivation&) {}
  template <std::size_t kCount> HWY_INLINE void operator()(D d, V (&t)[kCount]) const {
    for (std::size_t i = 0; i < kCount; ++i) t[i] = at_least(hn::Zero(d), t[i]);
  }
};

template <class D> struct ActivationRational {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr std::size_t batch_group = activation_group;
  V c0, c1, c2, c3, d0, d1, d2;
  ActivationRational(D d, const FoldedActivation& a)
      : c0(hn::Set(d, static_cast<T>(a.numerator[0]))), c1(hn::Set(d, static_cast<T>(a.numerator[1]))),
        c2(hn::Set(d, static_cast<T>(a.numerator[2]))), c3(hn::Set(d, static_cast<T>(a.numerator[3]))),
        d0(hn::Set(d, static_cast<T>(a.denominator[0]))), d1(hn::Set(d, static_cast<T>(a.denominator[1]))),
        d2(hn::Set(d, static_cast<T>(a.denominator[2]))) {}
  template <std::size_t kCount> HWY_INLINE void operator()(D, V (&t)[kCount]) const {
    V numerator[kCount];
    V denominator[kCount];
    for (std::size_t i = 0; i < kCount; ++i) numerator[i] = hn::MulAdd(c3, t[i], c2);
    for (std::size_t i = 0; i < kCount; ++i) denominator[i] = hn::MulAdd(d2, t[i], d1);
    for (std::size_t i = 0; i < kCount; ++i) numerator[i] = hn::MulAdd(numerator[i], t[i], c1);
    for (std::size_t i = 0; i < kCount; ++i) denominator[i] = hn::MulAdd(denominator[i], t[i], d0);
    for (std::size_t i = 0; i < kCount; ++i) numerator[i] = hn::MulAdd(numerator[i], t[i], c0);
    for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::Div(numerator[i], denominator[i]);
  }
};

/// In f32 on AVX-512 by an estimate of 14 bits and one step of Newton's iteration (relative error 1e-7).
template <class D> struct ActivationRationalReciprocal {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr std::size_t batch_group = activation_group;
  V d0;
  ActivationRationalReciprocal(D d, const FoldedActivation& a) : d0(hn::Set(d, static_cast<T>(a.denominator[0]))) {}
  template <std::size_t kCount> HWY_INLINE void operator()(D d, V (&t)[kCount]) const {
    const V one = hn::Set(d, T{1});
    for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::MulAdd(t[i], t[i], d0);
    if constexpr (HWY_TARGET == HWY_AVX3 && sizeof(T) == 4) {
      V r[kCount];
      // Newton's step would make NaN of infinity: 1e-37 is as good as 0.
      for (std::size_t i = 0; i < kCount; ++i) t[i] = at_most(hn::Set(d, T{1e37f}), t[i]);
      for (std::size_t i = 0; i < kCount; ++i) r[i] = hn::ApproximateReciprocal(t[i]);
      for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::NegMulAdd(t[i], r[i], one);
      for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::MulAdd(r[i], t[i], r[i]);
    } else {
      for (std::size_t i = 0; i < kCount; ++i) t[i] = hn::Div(one, t[i]);
    }
  }
};

/// g of a single vector.
template <class D, class Activation, class V> HWY_INLINE V activated(D d, const Activation& activation, V t) {
  V single[] = {t};
  activation(d, single);
  return single[0];
}

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
