// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stepper/block_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "stepper/block_kernels.hpp"

#include <lodestep/ensemble_block.hpp>

#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
constexpr std::size_t lanes = hn::MaxLanes(D());

/// out[m] = f(in[0][m], in[1][m], ...) for m < count, a vector at a time; what is left over goes through a buffer, so
/// that it is computed in the same way, to the same bits.
template <std::size_t kInputs, class Function>
HWY_INLINE void map(const double* const (&in)[kInputs], std::size_t count, double* out, Function f) {
  const D d;
  V v[kInputs];
  std::size_t m = 0;
  for (; m + lanes <= count; m += lanes) {
    for (std::size_t i = 0; i < kInputs; ++i) v[i] = hn::LoadU(d, in[i] + m);
    hn::StoreU(f(d, v), d, out + m);
  }
  if (m == count) return;
  HWY_ALIGN double rest[lanes] = {};
  for (std::size_t i = 0; i < kInputs; ++i) {
    std::copy(in[i] + m, in[i] + count, rest);
    v[i] = hn::Load(d, rest);
  }
  hn::Store(f(d, v), d, rest);
  std::copy(rest, rest + (count - m), out + m);
}

/// out = u + sum of weight k over kCount stages, the small terms first.
template <std::size_t kCount>
HWY_INLINE void combine(const double* u, const double* const* k, const double* weight, std::size_t size, double* out) {
  const D d;
  const double* in[1 + kCount] = {u};
  V w[kCount];
  for (std::size_t j = 0; j < kCount; ++j) {
    in[1 + j] = k[j];
    w[j] = hn::Set(d, weight[j]);
  }
  map(in, size, out, [&w](D, const V(&v)[1 + kCount]) HWY_ATTR {
    V sum = hn::Mul(w[0], v[1]);
    for (std::size_t j = 1; j < kCount; ++j) sum = hn::MulAdd(w[j], v[1 + j], sum);
    return hn::Add(v[0], sum);
  });
}

void combine_here(const double* u, const double* const* k, const double* weight, std::size_t used, std::size_t size,
                  double* out) {
  switch (used) {
  case 1:
    return combine<1>(u, k, weight, size, out);
  case 2:
    return combine<2>(u, k, weight, size, out);
  case 3:
    return combine<3>(u, k, weight, size, out);
  default:
    return combine<4>(u, k, weight, size, out);
  }
}

/// The members of whole vectors, shuffled apart or together in registers; how many that were.
template <std::size_t kDimension> std::size_t apart(const double* from, std::size_t n, double* to) {
  const D d;
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    V v[kDimension];
    if constexpr (kDimension == 2) hn::LoadInterleaved2(d, from + k * kDimension, v[0], v[1]);
    if constexpr (kDimension == 3) hn::LoadInterleaved3(d, from + k * kDimension, v[0], v[1], v[2]);
    if constexpr (kDimension == 4) hn::LoadInterleaved4(d, from + k * kDimension, v[0], v[1], v[2], v[3]);
    for (std::size_t i = 0; i < kDimension; ++i) hn::StoreU(v[i], d, to + i * n + k);
  }
  return k;
}
template <std::size_t kDimension> std::size_t together(const double* from, std::size_t n, double* to) {
  const D d;
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    V v[kDimension];
    for (std::size_t i = 0; i < kDimension; ++i) v[i] = hn::LoadU(d, from + i * n + k);
    if constexpr (kDimension == 2) hn::StoreInterleaved2(v[0], v[1], d, to + k * kDimension);
    if constexpr (kDimension == 3) hn::StoreInterleaved3(v[0], v[1], v[2], d, to + k * kDimension);
    if constexpr (kDimension == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, to + k * kDimension);
  }
  return k;
}

void to_variables_here(const double* from, std::size_t dimension, std::size_t n, double* to) {
  std::size_t k = 0;
  if (dimension == 2) k = apart<2>(from, n, to);
  if (dimension == 3) k = apart<3>(from, n, to);
  if (dimension == 4) k = apart<4>(from, n, to);
  for (; k < n; ++k) {
    for (std::size_t i = 0; i < dimension; ++i) to[i * n + k] = from[k * dimension + i];
  }
}

void to_members_here(const double* from, std::size_t dimension, std::size_t n, double* to) {
  std::size_t k = 0;
  if (dimension == 2) k = together<2>(from, n, to);
  if (dimension == 3) k = together<3>(from, n, to);
  if (dimension == 4) k = together<4>(from, n, to);
  for (; k < n; ++k) {
    for (std::size_t i = 0; i < dimension; ++i) to[k * dimension + i] = from[i * n + k];
  }
}

bool inside_box_here(const double* u, const Interval* box, std::size_t dimension, std::size_t n, double* inside) {
  const D d;
  const V one = hn::Set(d, 1.0);
  V least = one;
  std::size_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    V in = one;
    for (std::size_t i = 0; i < dimension; ++i) {
      const V x = hn::LoadU(d, u + i * n + k);
      in = hn::IfThenElseZero(hn::Ge(x, hn::Set(d, box[i].lower)), in);
      in = hn::IfThenElseZero(hn::Le(x, hn::Set(d, box[i].upper)), in);
    }
    hn::StoreU(in, d, inside + k);
    least = hn::Min(least, in);
  }
  double all = hn::GetLane(hn::MinOfLanes(d, least));
  for (; k < n; ++k) {
    inside[k] = 1.0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double x = u[i * n + k];
      if (!(x >= box[i].lower && x <= box[i].upper)) inside[k] = 0.0;
    }
    all = std::min(all, inside[k]);
  }
  return all != 0.0;
}

void subtract_here(const double* a, const double* b, std::size_t count, double* difference) {
  const double* const in[] = {a, b};
  map(in, count, difference, [](D, const V(&v)[2]) HWY_ATTR { return hn::Sub(v[0], v[1]); });
}

bool add_if_small_here(const double* correction, const double* limit, double factor, std::size_t count, double* next) {
  const D d;
  const V scale = hn::Set(d, factor);
  V small = hn::Set(d, 1.0);
  const double* const in[] = {next, correction, limit};
  map(in, count, next, [&](D tag, const V(&v)[3]) HWY_ATTR {
    // NaN compares false; zero times what is not finite is NaN. What is left over is followed by zeros, which pass.
    const V size = hn::MulAdd(hn::Zero(tag), v[0], hn::Abs(v[1]));
    small = hn::IfThenElseZero(hn::Le(size, hn::Mul(scale, v[2])), small);
    return hn::Add(v[0], v[1]);
  });
  return hn::GetLane(hn::MinOfLanes(d, small)) != 0.0;
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(combine_here);
HWY_EXPORT(to_variables_here);
HWY_EXPORT(to_members_here);
HWY_EXPORT(inside_box_here);
HWY_EXPORT(subtract_here);
HWY_EXPORT(add_if_small_here);

void to_variables(const double* from, std::size_t dimension, std::size_t n, double* to) noexcept {
  HWY_DYNAMIC_DISPATCH(to_variables_here)(from, dimension, n, to);
}

void to_members(const double* from, std::size_t dimension, std::size_t n, double* to) noexcept {
  HWY_DYNAMIC_DISPATCH(to_members_here)(from, dimension, n, to);
}

void combine_stages(const double* u, const double* k, double dt, const double* weight, std::size_t count,
                    std::size_t size, double* out) noexcept {
  constexpr std::size_t most = 4; // share a pass
  const double* stage[most];
  double factor[most];
  std::size_t used = 0;
  for (std::size_t j = 0; j < count; ++j) {
    if (weight[j] == 0.0) continue;
    if (used == most) {
      HWY_DYNAMIC_DISPATCH(combine_here)(u, stage, factor, used, size, out);
      u = out;
      used = 0;
    }
    factor[used] = dt * weight[j];
    stage[used++] = k + j * size;
  }
  if (used > 0) {
    HWY_DYNAMIC_DISPATCH(combine_here)(u, stage, factor, used, size, out);
  } else if (out != u) {
    std::copy_n(u, size, out);
  }
}

bool inside_box(const double* u, const Interval* box, std::size_t dimension, std::size_t n, double* inside) noexcept {
  return HWY_DYNAMIC_DISPATCH(inside_box_here)(u, box, dimension, n, inside);
}

void subtract(const double* a, const double* b, std::size_t count, double* difference) noexcept {
  HWY_DYNAMIC_DISPATCH(subtract_here)(a, b, count, difference);
}

bool add_if_small(const double* correction, const double* limit, double factor, std::size_t count,
                  double* next) noexcept {
  return HWY_DYNAMIC_DISPATCH(add_if_small_here)(correction, limit, factor, count, next);
}

} // namespace lodestep::detail
#endif
