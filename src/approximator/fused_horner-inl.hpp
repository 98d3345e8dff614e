// Horner's rule in several variables, unrolled: included once for every instruction set, so it has Highway's toggling
// guard.
#if defined(LODESTEP_APPROXIMATOR_FUSED_HORNER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef LODESTEP_APPROXIMATOR_FUSED_HORNER_INL
#undef LODESTEP_APPROXIMATOR_FUSED_HORNER_INL
#else
#define LODESTEP_APPROXIMATOR_FUSED_HORNER_INL
#endif

#include "approximator/fused-inl.hpp"

#include <hwy/highway.h>

#include <utility>

HWY_BEFORE_NAMESPACE();
namespace lodestep::detail::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Up to four outputs fill half a vector at most on AVX-512 (or on AVX in f32), where a whole one would be no faster.
template <class T> using FewOutputs = hn::CappedTag<T, 4>;
template <class T> using ManyOutputs = hn::ScalableTag<T>;

/// Number of monomials of degree 0 .. `degree` in `inputs` variables.
[[maybe_unused]] constexpr std::size_t node_count(std::size_t inputs, unsigned degree) {
  std::size_t count = 1;
  for (unsigned i = 1; i <= degree; ++i) count = count * (inputs + i) / i;
  return count;
}

/// As many nodes are unrolled in one piece. Larger polynomials are put together from such pieces, which are functions
/// of their own, shared by all places where one of the same shape occurs: the code stays small enough for the first
/// level of the instruction cache and for compilers.
constexpr std::size_t piece_nodes = 80;
constexpr std::size_t whole_nodes = 340;

template <unsigned kDegree, std::size_t kFirst, class D, class V, class... X>
HWY_NOINLINE V polynomial_piece(D d, const hn::TFromD<D>* HWY_RESTRICT c, X... x);

/// Unrolled: number of inputs and degree are known, the inputs stay in registers.
template <unsigned kDegree, std::size_t kFirst, std::size_t kInputs, bool kInPieces = false> struct Horner {
  static constexpr std::size_t nodes = node_count(kInputs - kFirst, kDegree);

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V evaluate(D d, const V (&x)[kInputs], const hn::TFromD<D>* HWY_RESTRICT& c) {
    V sum = hn::Load(d, c);
    c += hn::MaxLanes(D());
    if constexpr (kDegree > 0) terms<kInputs - 1>(d, x, c, sum);
    return sum;
  }

private:
  template <std::size_t kVariable, class D, class V = hn::Vec<D>>
  static HWY_INLINE void terms(D d, const V (&x)[kInputs], const hn::TFromD<D>* HWY_RESTRICT& c, V& sum) {
    using Below = Horner<kDegree - 1, kVariable, kInputs, kInPieces>;
    if constexpr (kInPieces && Below::nodes <= piece_nodes && Below::nodes > 8) {
      sum = hn::MulAdd(x[kVariable], call<kVariable>(d, x, c, std::make_index_sequence<kInputs>()), sum);
      c += Below::nodes * hn::MaxLanes(D());
    } else {
      sum = hn::MulAdd(x[kVariable], Below::evaluate(d, x, c), sum);
    }
    if constexpr (kVariable > kFirst) terms<kVariable - 1>(d, x, c, sum);
  }
  template <std::size_t kVariable, class D, std::size_t... kIndex, class V = hn::Vec<D>>
  static HWY_INLINE V call(D d, const V (&x)[kInputs], const hn::TFromD<D>* HWY_RESTRICT c,
                           std::index_sequence<kIndex...>) {
    return polynomial_piece<kDegree - 1, kVariable, D, V>(d, c, x[kIndex]...);
  }
};

template <unsigned kDegree, std::size_t kFirst, class D, class V, class... X>
HWY_NOINLINE V polynomial_piece(D d, const hn::TFromD<D>* HWY_RESTRICT c, X... x) {
  const V inputs[] = {x...};
  return Horner<kDegree, kFirst, sizeof...(X)>::evaluate(d, inputs, c);
}

} // namespace
} // namespace lodestep::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
