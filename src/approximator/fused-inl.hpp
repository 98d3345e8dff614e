// What the fused kernels share: included once for every instruction set, so it has Highway's toggling guard.
#if defined(LODESTEP_APPROXIMATOR_FUSED_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_INL
#undef LODESTEP_APPROXIMATOR_FUSED_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_INL
#endif

#include "approximator/fused.hpp"

#include <hwy/highway.h>

#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Whether kernels are made for single shapes, where that pays. It takes most of the time that these files compile, so
/// x86 processors older than AVX2 (2013) are served by the loops for any shape: networks are as fast there, polynomials
/// take three times as long (four variables, degree 3: 93 ns, 30 unrolled; on AVX2 14).
#undef LODESTEP_UNROLL_SHAPES
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SSE4 ||                                  \
    (defined(HWY_SSE2) && HWY_TARGET == HWY_SSE2)
#define LODESTEP_UNROLL_SHAPES 0
#else
#define LODESTEP_UNROLL_SHAPES 1
#endif

/// The i-th standardised input in every lane. Scalars are loaded one by one on purpose: the caller has often just
/// written them one by one, and a vector load would wait for those stores to leave the store buffer.
template <bool kScaled, class D, class Io>
HWY_INLINE hn::Vec<D> standardised(D d, const FusedScaling& scaling, const Io* x, std::size_t i) {
  using T = hn::TFromD<D>;
  if constexpr (std::is_same_v<T, double> && std::is_same_v<Io, double>) {
    const auto centred = hn::Sub(hn::Set(d, x[i]), hn::Set(d, scaling.mean[i]));
    return kScaled ? hn::Mul(centred, hn::Set(d, scaling.inverse_scale[i])) : centred;
  } else {
    return hn::Set(d, static_cast<T>((static_cast<double>(x[i]) - scaling.mean[i]) * scaling.inverse_scale[i]));
  }
}

/// Writes one output; in f64 its scale is folded already.
template <class T, class Io> HWY_INLINE Io scaled_output(const FusedScaling& scaling, std::size_t o, T value) {
  if constexpr (std::is_same_v<T, double>) {
    return static_cast<Io>(value);
  } else {
    return static_cast<Io>(static_cast<double>(value) * scaling.output_scale[o]);
  }
}

/// Writes the first `count` lanes of `v` as the outputs o, o + 1, ...
template <class D, class Io>
HWY_INLINE void store_outputs(D d, hn::Vec<D> v, const FusedScaling& scaling, std::size_t o, std::size_t count, Io* y) {
  using T = hn::TFromD<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  if constexpr (std::is_same_v<T, Io> && std::is_same_v<T, double>) {
    if (count >= lanes) {
      hn::StoreU(v, d, y + o);
      return;
    }
  }
  HWY_ALIGN T buffer[lanes];
  hn::Store(v, d, buffer);
  std::size_t i = 0;
  if constexpr (std::is_same_v<T, float> && std::is_same_v<Io, double>) {
    const hn::CappedTag<double, lanes> wide;
    const hn::Rebind<float, decltype(wide)> narrow;
    constexpr std::size_t step = hn::MaxLanes(hn::CappedTag<double, lanes>());
    for (; i + step <= lanes && i + step <= count; i += step) {
      const auto value = hn::PromoteTo(wide, hn::Load(narrow, buffer + i));
      hn::StoreU(hn::Mul(value, hn::LoadU(wide, scaling.output_scale.data() + o + i)), wide, y + o + i);
    }
  }
  for (; i < lanes && i < count; ++i) y[o + i] = scaled_output<T, Io>(scaling, o + i, buffer[i]);
}

} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
