// Piecewise polynomials for every instruction set: see FusedPiecewise.
// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/fused_piecewise.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/fused_horner-inl.hpp"

#include <hwy/highway.h>

#include <cstring>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The polynomial of a state's cell; -1 if there is none.
template <std::size_t kInputs, class T>
HWY_INLINE std::int32_t find_cell(const FusedPiecewise<T>& p, const double* HWY_RESTRICT x) {
  double place[kInputs];
  bool inside = true;
  for (std::size_t i = 0; i < kInputs; ++i) {
    place[i] = (x[i] - p.lower[i]) * p.factor[i];
    inside &= place[i] >= 0.0 && place[i] <= p.cells[i]; // NaN compares false
  }
  if (HWY_UNLIKELY(!inside)) return -1;
  std::size_t entry = 0;
  for (std::size_t i = 0; i < kInputs; ++i) {
    const double last = p.cells[i] - 1.0;
    const auto cell = static_cast<std::int64_t>(place[i] < last ? place[i] : last);
    place[i] -= static_cast<double>(cell);
    entry = entry * static_cast<std::size_t>(p.cells[i]) + static_cast<std::size_t>(cell);
  }
  const std::int32_t* tree = p.tree.data();
  std::int32_t found = tree[entry];
  while (HWY_UNLIKELY(found < -1)) {
    std::size_t child = 0;
    for (std::size_t i = 0; i < kInputs; ++i) {
      const double twice = place[i] + place[i];
      const bool upper = twice >= 1.0;
      place[i] = upper ? twice - 1.0 : twice;
      child = 2 * child + (upper ? 1 : 0);
    }
    found = tree[static_cast<std::size_t>(-1 - std::int64_t{found}) + child];
  }
  return found;
}

template <unsigned kDegree, std::size_t kInputs, class D>
void piecewise(const void* packed, const double* x, double* y, std::size_t batch, Workspace&) {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const auto& p = *static_cast<const FusedPiecewise<T>*>(packed);
  for (; batch != 0; --batch, x += kInputs, y += p.outputs) {
    const std::int32_t piece = find_cell<kInputs>(p, x);
    if (HWY_UNLIKELY(piece < 0)) {
      for (std::size_t o = 0; o < p.outputs; ++o) y[o] = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    const T* HWY_RESTRICT c = p.coefficient.data() + static_cast<std::size_t>(piece) * p.stride;
    V local[kInputs];
    for (std::size_t i = 0; i < kInputs; ++i) {
      double centre, factor; // in double whatever T is
      std::memcpy(&centre, c + 2 * i * (sizeof(double) / sizeof(T)), sizeof centre);
      std::memcpy(&factor, c + (2 * i + 1) * (sizeof(double) / sizeof(T)), sizeof factor);
      local[i] = hn::Set(d, static_cast<T>((x[i] - centre) * factor));
    }
    c += p.header;
    for (std::size_t o = 0; o < p.outputs; o += lanes) {
      store_outputs(d, Horner<kDegree, 0, kInputs>::evaluate(d, local, c), p.scaling, o, p.outputs - o, y);
    }
  }
}

template <unsigned kDegree, class D> FusedChoice choose_inputs(std::size_t inputs) {
  FusedChoice choice;
  choice.lanes = hn::MaxLanes(D());
  choice.padded_outputs = choice.lanes;
  choice.from_double = inputs == 1   ? piecewise<kDegree, 1, D>
                       : inputs == 2 ? piecewise<kDegree, 2, D>
                                     : piecewise<kDegree, 3, D>;
  return choice;
}

template <class D, unsigned... kDegrees>
FusedChoice choose(std::size_t inputs, unsigned degree, std::integer_sequence<unsigned, kDegrees...>) {
  using Choose = FusedChoice (*)(std::size_t);
  static constexpr Choose table[] = {choose_inputs<kDegrees + 1, D>...};
  return table[degree - 1](inputs);
}

FusedChoice choose_piecewise_here(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree) {
  constexpr auto degrees = std::make_integer_sequence<unsigned, PiecewiseTerm::highest_degree>();
  if (precision == Precision::f32) {
    return outputs <= 4 ? choose<FewOutputs<float>>(inputs, degree, degrees)
                        : choose<ManyOutputs<float>>(inputs, degree, degrees);
  }
  // Two numbers in a register: half the coefficients to fetch, and they are fetched from far away.
  if (outputs <= 2) return choose<hn::CappedTag<double, 2>>(inputs, degree, degrees);
  return outputs <= 4 ? choose<FewOutputs<double>>(inputs, degree, degrees)
                      : choose<ManyOutputs<double>>(inputs, degree, degrees);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(choose_piecewise_here);

FusedChoice choose_piecewise(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree) {
  return HWY_DYNAMIC_DISPATCH(choose_piecewise_here)(precision, inputs, outputs, degree);
}

} // namespace lodestep::detail
#endif
