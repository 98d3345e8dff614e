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

/// 2^t as a ratio, without a division: t = n + f with |f| <= 1/2 and, for y = f ln(2) / 2,
///
///     2^f = (1 + tanh y) / (1 - tanh y) = (d + n) / (d - n),   tanh y = n / d,
///
/// n = f p(f^2) and d = q(f^2) being the minimax rational approximation of tanh on |y| <= ln(2) / 4 (found by
/// interpolation at Chebyshev nodes, and of many intervals a little wider the one whose coefficients round best):
/// relative error 6.6e-18 for double, 5.4e-10 for float. Near 0 the odd n keeps full
/// relative accuracy, which 2^t - 1 does not.
template <class D> struct Exp2Ratio {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  V scale; ///< 2^n, n the integer nearest to t
  V odd;
  V even;
};

/// |t| must be at most 1022 (double) or 126 (float).
template <class D, class V = hn::Vec<D>> HWY_INLINE Exp2Ratio<D> exp2_ratio(D d, V t) {
  using T = hn::TFromD<D>;
  const hn::Rebind<hwy::MakeUnsigned<T>, D> du;
  const V whole = hn::Round(t);
  const V f = hn::Sub(t, whole);
  const V u = hn::Mul(f, f);
  Exp2Ratio<D> r;
  if constexpr (sizeof(T) == 8) {
    // Adding 1.5 2^52 leaves the integer in the lowest bits, from where it is shifted into the exponent.
    const auto bits = hn::BitCast(du, hn::Add(whole, hn::Set(d, T{6755399441055744.0})));
    r.scale = hn::BitCast(d, hn::Add(hn::ShiftLeft<52>(bits), hn::Set(du, 0x3FF0000000000000ULL)));
    const V p = hn::MulAdd(hn::Add(u, hn::Set(d, T{874.7470650735646})), u, hn::Set(d, T{65551.3213922891}));
    r.odd = hn::Mul(f, p);
    r.even = hn::MulAdd(hn::MulAdd(u, hn::Set(d, T{43.30067263623463}), hn::Set(d, T{10096.772106468095})), u,
                        hn::Set(d, T{189141.1325927482}));
  } else {
    const auto bits = hn::BitCast(du, hn::Add(whole, hn::Set(d, T{12582912.0f})));
    r.scale = hn::BitCast(d, hn::Add(hn::ShiftLeft<23>(bits), hn::Set(du, 0x3F800000U)));
    r.odd = hn::Mul(f, hn::Add(u, hn::Set(d, T{125.04293926586233f})));
    r.even = hn::MulAdd(u, hn::Set(d, T{17.330902953511590f}), hn::Set(d, T{360.79765694752348f}));
  }
  return r;
}

/// max(lower, t) and min(upper, t) that keep NaN: x86's return their second operand when one is NaN; elsewhere NaN
/// propagates anyway.
template <class V> HWY_INLINE V at_most(V upper, V t) {
  return hn::Min(upper, t);
}
template <class V> HWY_INLINE V at_least(V lower, V t) {
  return hn::Max(lower, t);
}

/// g of ActivationKernel::tanh. With 2^t = scale (even + odd) / (even - odd) numerator and denominator are one product
/// and one fused multiply-add each. Beyond |t| = 64, tanh is 1 in either precision.
template <class D> struct ActivationTanh {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  ActivationTanh(D, const FoldedActivation&) {}
  HWY_INLINE V operator()(D d, V t) const {
    t = at_least(hn::Set(d, T{-64}), at_most(hn::Set(d, T{64}), t));
    const auto e = exp2_ratio(d, t);
    const V one = hn::Set(d, T{1});
    const V above = hn::Add(e.scale, one);
    const V below = hn::Sub(e.scale, one);
    return hn::Div(hn::MulAdd(above, e.odd, hn::Mul(below, e.even)), hn::MulAdd(below, e.odd, hn::Mul(above, e.even)));
  }
};

/// g of ActivationKernel::silu: t / (1 + 2^t).
template <class D> struct ActivationSilu {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  ActivationSilu(D, const FoldedActivation&) {}
  HWY_INLINE V operator()(D d, V t) const {
    constexpr T limit = sizeof(T) == 8 ? T{1000} : T{120};
    const auto e = exp2_ratio(d, at_least(hn::Set(d, -limit), at_most(hn::Set(d, limit), t)));
    const V below = hn::Sub(e.even, e.odd);
    return hn::Div(hn::Mul(t, below), hn::MulAdd(e.scale, hn::Add(e.even, e.odd), below));
  }
};

template <class D> struct ActivationRelu {
  using V = hn::Vec<D>;
  ActivationRelu(D, const FoldedActivation&) {}
  HWY_INLINE V operator()(D d, V t) const { return at_least(hn::Zero(d), t); }
};

template <class D> struct ActivationRational {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  V c0, c1, c2, c3, d0, d1, d2;
  ActivationRational(D d, const FoldedActivation& a)
      : c0(hn::Set(d, static_cast<T>(a.numerator[0]))), c1(hn::Set(d, static_cast<T>(a.numerator[1]))),
        c2(hn::Set(d, static_cast<T>(a.numerator[2]))), c3(hn::Set(d, static_cast<T>(a.numerator[3]))),
        d0(hn::Set(d, static_cast<T>(a.denominator[0]))), d1(hn::Set(d, static_cast<T>(a.denominator[1]))),
        d2(hn::Set(d, static_cast<T>(a.denominator[2]))) {}
  HWY_INLINE V operator()(D, V t) const {
    return hn::Div(hn::MulAdd(hn::MulAdd(hn::MulAdd(c3, t, c2), t, c1), t, c0),
                   hn::MulAdd(hn::MulAdd(d2, t, d1), t, d0));
  }
};

template <class D> struct ActivationRationalReciprocal {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  V d0, d1;
  ActivationRationalReciprocal(D d, const FoldedActivation& a)
      : d0(hn::Set(d, static_cast<T>(a.denominator[0]))), d1(hn::Set(d, static_cast<T>(a.denominator[1]))) {}
  HWY_INLINE V operator()(D d, V t) const { return hn::Div(hn::Set(d, T{1}), hn::MulAdd(hn::Add(t, d1), t, d0)); }
};

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
