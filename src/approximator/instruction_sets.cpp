// Which instruction set the fused kernels run on, and a way for tests to force a lower one.
// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/instruction_sets.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/fused.hpp"

#include <lodestep/error.hpp>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {
const char* name_here() {
  return hwy::TargetName(HWY_TARGET);
}
} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(name_here);

const char* instruction_set_in_use() noexcept {
  return HWY_DYNAMIC_DISPATCH(name_here)();
}

namespace {

/// The compiled instruction sets that this processor has, as Highway's bits, best first.
std::vector<std::int64_t> targets_here() {
  hwy::SetSupportedTargetsForTest(0);
  return hwy::SupportedAndGeneratedTargets();
}

} // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto target : targets_here()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void force_instruction_set(const std::string& name) {
  std::string known;
  for (const auto target : targets_here()) {
    if (name == hwy::TargetName(target)) {
      hwy::SetSupportedTargetsForTest(target);
      return;
    }
    known += std::string(known.empty() ? "" : ", ") + hwy::TargetName(target);
  }
  if (!name.empty()) {
    throw InvalidArgument("unknown instruction set '" + name + "': this processor and this build have " + known);
  }
}

} // namespace lodestep::detail
#endif
