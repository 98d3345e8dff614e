// Affine maps and polynomials for every instruction set: see FusedPolynomial for the method.
// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "approximator/fused_polynomial.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/fused_horner-inl.hpp"

#include <hwy/highway.h>

#include <array>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <unsigned kDegree, std::size_t kInputs, class D>
void polynomial_unrolled(const void* packed, const double* x, double* y, std::size_t batch, Workspace&) {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const auto& p = *static_cast<const FusedPolynomial<T>*>(packed);
  for (; batch != 0; --batch, x += kInputs, y += p.outputs) {
    V z[kInputs];
    for (std::size_t i = 0; i < kInputs; ++i) z[i] = standardised<false>(d, p.scaling, x, i);
    const T* HWY_RESTRICT c = p.coefficient.data();
    for (std::size_t o = 0; o < p.outputs; o += lanes) {
      constexpr bool in_pieces = node_count(kInputs, kDegree) > whole_nodes;
      const V sum = Horner<kDegree, 0, kInputs, in_pieces>::evaluate(d, z, c);
      store_outputs(d, sum, p.scaling, o, p.outputs - o, y);
    }
  }
}

/// Any number of inputs: z[input][lane] in memory, zeros up to the next multiple of leaf_multiple. The innermost sums
/// are padded to such multiples with coefficients of zero: their lengths then vary so little that the branches are
/// predicted, which saves more than the multiplications by zero cost.
template <unsigned kDegree, class D, class V = hn::Vec<D>>
HWY_INLINE V horner_any(D d, const hn::TFromD<D>* HWY_RESTRICT z, std::size_t first, std::size_t inputs,
                        const hn::TFromD<D>* HWY_RESTRICT& c) {
  constexpr std::size_t lanes = hn::MaxLanes(D());
  V sum = hn::Load(d, c);
  c += lanes;
  if constexpr (kDegree == 1) {
    static_assert(leaf_multiple == 4, "unrolled by hand");
    V other = hn::Zero(d);
    for (std::size_t v = first / leaf_multiple * leaf_multiple; v < inputs; v += leaf_multiple) {
      const auto* HWY_RESTRICT x = z + v * lanes;
      sum = hn::MulAdd(hn::Load(d, x), hn::Load(d, c), sum);
      other = hn::MulAdd(hn::Load(d, x + lanes), hn::Load(d, c + lanes), other);
      sum = hn::MulAdd(hn::Load(d, x + 2 * lanes), hn::Load(d, c + 2 * lanes), sum);
      other = hn::MulAdd(hn::Load(d, x + 3 * lanes), hn::Load(d, c + 3 * lanes), other);
      c += leaf_multiple * lanes;
    }
    return hn::Add(sum, other);
  } else {
    for (std::size_t v = inputs; v-- > first;) {
      const V term = horner_any<kDegree - 1>(d, z, v, inputs, c);
      sum = hn::MulAdd(hn::Load(d, z + v * lanes), term, sum);
    }
    return sum;
  }
}

template <unsigned kDegree, class D, class Io>
void polynomial_any(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace) {
  using T = hn::TFromD<D>;
  constexpr std::size_t lanes = hn::MaxLanes(D());
  const D d;
  const auto& p = *static_cast<const FusedPolynomial<T>*>(packed);
  auto* HWY_RESTRICT z = static_cast<T*>(workspace.require((p.inputs + leaf_multiple) * lanes * sizeof(T)));
  for (std::size_t i = 0; i < leaf_multiple; ++i) hn::Store(hn::Zero(d), d, z + (p.inputs + i) * lanes);
  for (; batch != 0; --batch, x += p.inputs, y += p.outputs) {
    for (std::size_t i = 0; i < p.inputs; ++i) hn::Store(standardised<true>(d, p.scaling, x, i), d, z + i * lanes);
    const T* HWY_RESTRICT c = p.coefficient.data();
    for (std::size_t o = 0; o < p.outputs; o += lanes) {
      const auto sum = horner_any<kDegree>(d, z, 0, p.inputs, c);
      store_outputs(d, sum, p.scaling, o, p.outputs - o, y);
    }
  }
}

/// NOTE: with sanitizers the unrolled kernels take many minutes and gigabytes to compile; there the loops serve.
constexpr bool unroll = LODESTEP_UNROLL_SHAPES != 0 && HWY_IS_ASAN == 0 && HWY_IS_TSAN == 0;

/// Unrolled for the shapes in use as far as their code stays small.
template <unsigned kDegree, class D> FusedKernel<double> unrolled([[maybe_unused]] std::size_t inputs) {
  // In f32 the dense output of a step is evaluated: its many outputs would not fit the first-level cache in f64.
  if constexpr (unroll && std::is_same_v<D, ManyOutputs<float>> && kDegree >= 2 && kDegree <= 6) {
    return inputs == 4 ? polynomial_unrolled<kDegree, 4, D> : nullptr;
  }
  constexpr bool few = unroll && std::is_same_v<D, FewOutputs<double>>;
  constexpr bool many = unroll && std::is_same_v<D, ManyOutputs<double>>; // both on the narrowest instruction sets
  if constexpr (few) {
    if (inputs == 1) return polynomial_unrolled<kDegree, 1, D>;
    if (inputs == 2) return polynomial_unrolled<kDegree, 2, D>;
    if (inputs == 3) return polynomial_unrolled<kDegree, 3, D>;
    if (inputs == 4) return polynomial_unrolled<kDegree, 4, D>;
    if constexpr (kDegree <= 7) {
      if (inputs == 5) return polynomial_unrolled<kDegree, 5, D>;
    }
    if constexpr (kDegree <= 5) {
      if (inputs == 6) return polynomial_unrolled<kDegree, 6, D>;
    }
  }
  if constexpr (many && !few && kDegree <= 8) {
    if (inputs == 2) return polynomial_unrolled<kDegree, 2, D>;
    if (inputs == 3) return polynomial_unrolled<kDegree, 3, D>;
    if (inputs == 4) return polynomial_unrolled<kDegree, 4, D>;
  }
  if constexpr (many && !few && kDegree <= 4) {
    if (inputs == 5) return polynomial_unrolled<kDegree, 5, D>;
    if (inputs == 6) return polynomial_unrolled<kDegree, 6, D>;
  }
  if constexpr (unroll && kDegree <= 3) {
    if (inputs == 8) return polynomial_unrolled<kDegree, 8, D>;
  }
  return nullptr;
}

template <unsigned kDegree, class D> FusedChoice choose_degree(std::size_t inputs, bool folded) {
  using T = hn::TFromD<D>;
  FusedChoice choice;
  choice.lanes = hn::MaxLanes(D());
  choice.padded_outputs = choice.lanes;
  choice.leaf_multiple = leaf_multiple;
  choice.from_double = polynomial_any<kDegree, D, double>;
  const FusedKernel<double> kernel = folded || std::is_same_v<T, float> ? unrolled<kDegree, D>(inputs) : nullptr;
  if (kernel) {
    choice.from_double = kernel;
    choice.leaf_multiple = 1;
  } else if constexpr (std::is_same_v<T, float>) {
    choice.from_float = polynomial_any<kDegree, D, float>; // else the caller converts: the packing is another
  }
  return choice;
}

template <class D, unsigned... kDegrees>
FusedChoice choose(std::size_t inputs, unsigned degree, bool folded, std::integer_sequence<unsigned, kDegrees...>) {
  using Choose = FusedChoice (*)(std::size_t, bool);
  static constexpr Choose table[] = {choose_degree<kDegrees + 1, D>...};
  return table[degree - 1](inputs, folded);
}

FusedChoice choose_polynomial_here(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree,
                                   bool folded) {
  constexpr auto degrees = std::make_integer_sequence<unsigned, 9>();
  // Twelve outputs are three narrow vectors or two wide ones of which a quarter is padding.
  const bool few = outputs <= 4 || (outputs > 8 && outputs <= 12);
  if (precision == Precision::f64) {
    return few ? choose<FewOutputs<double>>(inputs, degree, folded, degrees)
               : choose<ManyOutputs<double>>(inputs, degree, folded, degrees);
  }
  const bool dense = inputs == 4 && outputs > 4 && degree >= 2 && degree <= 6; // as `unrolled` has them
  return few && !dense ? choose<FewOutputs<float>>(inputs, degree, folded, degrees)
                       : choose<ManyOutputs<float>>(inputs, degree, folded, degrees);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::detail {

HWY_EXPORT(choose_polynomial_here);

FusedChoice choose_polynomial(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree,
                              bool folded) {
  return HWY_DYNAMIC_DISPATCH(choose_polynomial_here)(precision, inputs, outputs, degree, folded);
}

} // namespace lodestep::detail
#endif
