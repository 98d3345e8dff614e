// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/vector_math.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/vector_math-inl.hpp"

#include <lodestep/vector_math.hpp>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

template <class D> HWY_INLINE void sine_cosine_at(D d, const double* x, double* sine, double* cosine) {
  hn::Vec<D> s;
  hn::Vec<D> c;
  sine_cosine_of(d, hn::LoadU(d, x), s, c);
  hn::StoreU(s, d, sine);
  hn::StoreU(c, d, cosine);
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
