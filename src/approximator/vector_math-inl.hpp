// Elementary functions on vectors: included once for every instruction set, so it has Highway's toggling guard.
#if defined(LODESTEP_APPROXIMATOR_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_VECTOR_MATH_INL
#undef LODESTEP_APPROXIMATOR_VECTOR_MATH_INL
#else
#define LODESTEP_APPROXIMATOR_VECTOR_MATH_INL
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>> HWY_INLINE V horner(D d, V u, const double (&c)[6]) {
  V sum = hn::Set(d, c[5]);
  for (int i = 4; i >= 0; --i) sum = hn::MulAdd(sum, u, hn::Set(d, c[i]));
  return sum;
}

/// With n the integer nearest to x / (pi / 2) and r = x - n pi / 2, both sine and cosine of x are, but for their signs,
/// one of sin r = r + r^3 p(r^2) and cos r = 1 - r^2 / 2 + r^4 q(r^2), |r| <= pi / 4; p and q interpolate at the
/// Chebyshev nodes, relative errors 2.0e-17 and 1.2e-18. pi / 2 is the sum of three numbers, the first two of 33 bits,
/// so that their multiples by n < 2^20 are exact, fused or not.
template <class D, class V = hn::Vec<D>> HWY_INLINE void sine_cosine_of(D d, V x, V& sine, V& cosine) {
  constexpr double p[] = {-0.16666666666666666,  0.008333333333330946,    -0.0001984126983675497,
                          2.755731610068312e-06, -2.5051131455447428e-08, 1.591810123167728e-10};
  constexpr double q[] = {0.041666666666666664,    -0.0013888888888887395, 2.4801587298763433e-05,
                          -2.7557317270560385e-07, 2.087614602470193e-09,  -1.1382614869434128e-11};
  const hn::Rebind<std::uint64_t, D> du;
  // Adding 1.5 2^52 leaves n in the lowest bits.
  const auto magic = hn::Set(d, 6755399441055744.0);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 0.6366197723675814), magic);
  const auto n = hn::Sub(shifted, magic);
  auto r = hn::NegMulAdd(n, hn::Set(d, 1.5707963267341256), x);
  r = hn::NegMulAdd(n, hn::Set(d, 6.077100506303966e-11), r);
  r = hn::NegMulAdd(n, hn::Set(d, 2.0222662487959506e-21), r);
  const auto u = hn::Mul(r, r);
  const auto s = hn::MulAdd(hn::Mul(u, r), horner(d, u, p), r);
  const auto c = hn::MulAdd(hn::Mul(u, u), horner(d, u, q), hn::NegMulAdd(hn::Set(d, 0.5), u, hn::Set(d, 1.0)));
  const auto quadrant = hn::BitCast(du, shifted);
  const auto two = hn::Set(du, std::uint64_t{2});
  const auto odd = hn::RebindMask(d, hn::TestBit(quadrant, hn::Set(du, std::uint64_t{1})));
  const auto sine_sign = hn::ShiftLeft<62>(hn::And(quadrant, two));
  const auto cosine_sign = hn::ShiftLeft<62>(hn::And(hn::Add(quadrant, hn::Set(du, std::uint64_t{1})), two));
  sine = hn::Xor(hn::IfThenElse(odd, c, s), hn::BitCast(d, sine_sign));
  cosine = hn::Xor(hn::IfThenElse(odd, s, c), hn::BitCast(d, cosine_sign));
}

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
