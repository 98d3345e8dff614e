// clang-format off: Highway includes this file once per instruction set, which has to come first
#include "approximator/fused_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "problem/batched.cpp"
#include <hwy/foreach_target.h>
// clang-format on

#include "approximator/vector_math-inl.hpp"
#include "problem/batched.hpp"
#include "problem/list.hpp"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <tuple>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace lodestep::problem::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The scalar of a right-hand side that is evaluated for several members at once: two registers, since one would
/// wait for its own results.
///
/// NOTE: the right-hand sides are templates of headers that are compiled for no instruction set in particular, and what
/// is always inlined (Highway's operations) may not be called from there. So these are functions, which may; and they
/// become instructions all the same where BatchedRhs has everything inlined into itself.
struct Numbers {
  using D = hn::ScalableTag<double>;
  static constexpr std::size_t lanes = hn::MaxLanes(D());
  static constexpr std::size_t size = 2 * lanes;
  hn::Vec<D> v[2];

  Numbers() {}
  /// The same for every member.
  Numbers(double number) { // NOLINT: a right-hand side multiplies by plain numbers
    for (auto& vector : v) vector = hn::Set(D(), number);
  }
  static Numbers load(const double* from) {
    Numbers a;
    for (std::size_t m = 0; m < std::size(a.v); ++m) a.v[m] = hn::LoadU(D(), from + m * lanes);
    return a;
  }
  void store(double* to) const {
    for (std::size_t m = 0; m < std::size(v); ++m) hn::StoreU(v[m], D(), to + m * lanes);
  }
};

inline Numbers operator+(const Numbers& a, const Numbers& b) {
  Numbers c;
  for (std::size_t m = 0; m < std::size(c.v); ++m) c.v[m] = hn::Add(a.v[m], b.v[m]);
  return c;
}
inline Numbers operator-(const Numbers& a, const Numbers& b) {
  Numbers c;
  for (std::size_t m = 0; m < std::size(c.v); ++m) c.v[m] = hn::Sub(a.v[m], b.v[m]);
  return c;
}
inline Numbers operator*(const Numbers& a, const Numbers& b) {
  Numbers c;
  for (std::size_t m = 0; m < std::size(c.v); ++m) c.v[m] = hn::Mul(a.v[m], b.v[m]);
  return c;
}
inline Numbers operator/(const Numbers& a, const Numbers& b) {
  Numbers c;
  for (std::size_t m = 0; m < std::size(c.v); ++m) c.v[m] = hn::Div(a.v[m], b.v[m]);
  return c;
}
inline Numbers operator-(const Numbers& a) {
  Numbers c;
  for (std::size_t m = 0; m < std::size(c.v); ++m) c.v[m] = hn::Neg(a.v[m]);
  return c;
}
inline SineCosine<Numbers> sine_and_cosine(const Numbers& angle) {
  SineCosine<Numbers> both;
  for (std::size_t m = 0; m < std::size(angle.v); ++m) {
    lodestep::detail::HWY_NAMESPACE::sine_cosine_of(Numbers::D(), angle.v[m], both.sine.v[m], both.cosine.v[m]);
  }
  return both;
}
inline Numbers exp(const Numbers& a) {
  double numbers[Numbers::size];
  a.store(numbers);
  for (double& number : numbers) number = std::exp(number);
  return Numbers::load(numbers);
}

/// The states of as many members as there are Numbers, as one state whose variables are Numbers; their derivatives.
struct In {
  const double* u;
  std::size_t stride;
  Numbers operator[](std::size_t i) const { return Numbers::load(u + i * stride); }
};
struct Out {
  double* dudt;
  std::size_t stride;
  struct Variable {
    double* to;
    void operator=(const Numbers& numbers) const { numbers.store(to); }
  };
  Variable operator[](std::size_t i) const { return {dudt + i * stride}; }
};

/// A right-hand side that is generic in its scalar, on n members.
template <class Rhs> struct BatchedRhs {
  Rhs rhs;
  std::size_t dimension;

  __attribute__((flatten)) void operator()(double t, const double* u, double* dudt, std::size_t n) const {
    if (n < Numbers::size) return evaluate_few(t, u, dudt, n);
    for (std::size_t k = 0;;) {
      const In in{u + k, n};
      Out out{dudt + k, n};
      rhs(in, out, t);
      if (k + Numbers::size == n) return;
      k = std::min(k + Numbers::size, n - Numbers::size); // the last may be evaluated twice
    }
  }

private:
  /// What is missing is made up by copies of the last, so that nothing is evaluated where nobody asked.
  HWY_NOINLINE void evaluate_few(double t, const double* u, double* dudt, std::size_t n) const {
    constexpr std::size_t on_stack = 64;
    if (dimension <= on_stack) {
      double padded[2 * on_stack * Numbers::size];
      return evaluate_padded(t, u, dudt, n, padded);
    }
    std::vector<double> padded(2 * dimension * Numbers::size); // a state this large costs more than its allocation
    evaluate_padded(t, u, dudt, n, padded.data());
  }
  void evaluate_padded(double t, const double* u, double* dudt, std::size_t n, double* padded) const {
    constexpr std::size_t size = Numbers::size;
    double* slope = padded + dimension * size;
    for (std::size_t i = 0; i < dimension; ++i) {
      double* variable = padded + i * size;
      std::fill(std::copy_n(u + i * n, n, variable), variable + size, u[i * n + n - 1]);
    }
    (*this)(t, padded, slope, size);
    for (std::size_t i = 0; i < dimension; ++i) std::copy_n(slope + i * size, n, dudt + i * n);
  }
};

/// The right-hand sides whose dimension is known only when a problem is made.
using DynamicRhs = std::tuple<KLinkPendulum<>, SpringMass<>>;

template <class... Rhs> bool find(const Problem& problem, BatchedFunction& found, std::tuple<Rhs...>*) {
  [[maybe_unused]] const auto is = [&]<class R>(R*) { // a problem may have none
    const auto* function = problem.rhs.target<RhsFunction<R>>();
    if (function) found = BatchedRhs<R>{function->rhs, problem.dimension()};
    return function != nullptr;
  };
  return (is(static_cast<Rhs*>(nullptr)) || ...);
}

template <class... Definition>
bool find_fixed(const Problem& problem, BatchedFunction& found, std::tuple<Definition...>*) {
  return (find(problem, found, static_cast<typename Definition::FixedRhs*>(nullptr)) || ...);
}

bool find_here(const Problem& problem, BatchedFunction& found) {
  return find_fixed(problem, found, static_cast<Definitions*>(nullptr)) ||
         find(problem, found, static_cast<DynamicRhs*>(nullptr));
}

} // namespace
} // namespace lodestep::problem::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lodestep::problem {

HWY_EXPORT(find_here);

BatchedFunction batched_rhs(const Problem& problem) {
  BatchedFunction found;
  if (HWY_DYNAMIC_DISPATCH(find_here)(problem, found)) return found;
  return OneByOne(std::cref(problem.rhs), problem.dimension());
}

} // namespace lodestep::problem
#endif
