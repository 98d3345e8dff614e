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
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(activation(d, hn::LoadU(d, values + i)), d, values + i);
  const hn::CappedTag<float, 1> d1;
  const ActivationRational<decltype(d1)> single(d1, folded);
  for (; i < n; ++i) hn::StoreU(single(d1, hn::LoadU(d1, values + i)), d1, values + i);
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
