// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/vector_math.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include <lodestep/vector_math.hpp>

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

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
template <class D> HWY_INLINE void sine_cosine_at(D d, const double* x, double* sine, double* cosine) {
  constexpr double p[] = {-0.16666666666666666,  0.008333333333330946,    -0.0001984126983675497,
                          2.755731610068312e-06, -2.5051131455447428e-08, 1.591810123167728e-10};
  constexpr double q[] = {0.041666666666666664,    -0.0013888888888887395, 2.4801587298763433e-05,
                          -2.7557317270560385e-07, 2.087614602470193e-09,  -1.1382614869434128e-11};
  const hn::Rebind<std::uint64_t, D> du;
  const auto v = hn::LoadU(d, x);
  // Adding 1.5 2^52 leaves n in the lowest bits.
  const auto magic = hn::Set(d, 6755399441055744.0);
  const auto shifted = hn::MulAdd(v, hn::Set(d, 0.6366197723675814), magic);
  const auto n = hn::Sub(shifted, magic);
  auto r = hn::NegMulAdd(n, hn::Set(d, 1.5707963267341256), v);
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
  hn::StoreU(hn::Xor(hn::IfThenElse(odd, c, s), hn::BitCast(d, sine_sign)), d, sine);
  hn::StoreU(hn::Xor(hn::IfThenElse(odd, s, c), hn::BitCast(d, cosine_sign)), d, cosine);
}

void sine_cosine_here(const double* x, double* sine, double* cosine, std::size_t n) {
  const hn::ScalableTag<double> d;
  constexpr std::size_t lanes = hn::MaxLanes(decltype(d)());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) sine_cosine_at(d, x + i, sine + i, cosine + i);
  if (i == n) return;
  HWY_ALIGN double rest[3][lanes] = {};
  for (std::size_t k = 0; i + k < n; ++k) rest[0][k] = x[i + k];
  sine_cosine_at(d, rest[0], rest[1], rest[2]);
  for (std::size_t k = 0; i + k < n; ++k) {
    sine[i + k] = rest[1][k];
    cosine[i + k] = rest[2][k];
  }
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep {
namespace detail {
HWY_EXPORT(sine_cosine_here);
} // namespace detail

void sine_cosine(const double* x, double* sine, double* cosine, std::size_t n) noexcept {
  using namespace detail;
  HWY_DYNAMIC_DISPATCH(sine_cosine_here)(x, sine, cosine, n);
}

} // namespace lodestep
#endif
