// Multilayer perceptrons in f64 for every instruction set. One file per precision, to compile them side by side.
// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/fused_mlp_f64.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/fused_mlp-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

FusedChoice choose_mlp_here(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                            bool folded) {
  return choose_mlp_of<double>(activation, inputs, outputs, layers, folded);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(choose_mlp_here);

FusedChoice choose_mlp_f64(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                           bool folded) {
  return HWY_DYNAMIC_DISPATCH(choose_mlp_here)(activation, inputs, outputs, layers, folded);
}

} // namespace lodestep::detail
#endif
