// Multilayer perceptrons in f32 for every instruction set. One file per precision, to compile them side by side.
// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/fused_mlp_f32.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/fused_mlp-inl.hpp"
#include "approximator/onednn.hpp"

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

FusedChoice choose_mlp_here(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                            bool folded) {
  return choose_mlp_of<float>(activation, inputs, outputs, layers, folded);
}

void activate_rational_here(const FoldedActivation& folded, float* values, std::size_t n) {
  const hn::ScalableTag<float> d;
  const ActivationRational<decltype(d)> activation(d, folded);
  constexpr std::size_t lanes = hn::MaxLanes(decltype(d)());
  constexpr std::size_t group = activation_group * lanes;
  hn::Vec<decltype(d)> t[activation_group];
  std::size_t i = 0;
  for (; i + group <= n; i += group) {
    for (std::size_t k = 0; k < activation_group; ++k) t[k] = hn::LoadU(d, values + i + k * lanes);
    activation(d, t);
    for (std::size_t k = 0; k < activation_group; ++k) hn::StoreU(t[k], d, values + i + k * lanes);
  }
  if (i == n) return;
  HWY_ALIGN float rest[group] = {};
  std::copy(values + i, values + n, rest);
  for (std::size_t k = 0; k < activation_group; ++k) t[k] = hn::Load(d, rest + k * lanes);
  activation(d, t);
  for (std::size_t k = 0; k < activation_group; ++k) hn::Store(t[k], d, rest + k * lanes);
  std::copy(rest, rest + (n - i), values + i);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(choose_mlp_here);
HWY_EXPORT(activate_rational_here);

FusedChoice choose_mlp_f32(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                           bool folded) {
  return HWY_DYNAMIC_DISPATCH(choose_mlp_here)(activation, inputs, outputs, layers, folded);
}

void activate_rational_f32(const FoldedActivation& activation, float* values, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(activate_rational_here)(activation, values, n);
}

} // namespace lodestep::detail
#endif
