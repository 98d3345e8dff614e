#pragma once

#include "problem/definition.hpp"

#include <lodestep/lanes.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/rhs_forms.hpp>
#include <lodestep/train_export.hpp>
#include <lodestep/vector_math.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <type_traits>

/// The built-in right-hand sides on many states at once, variable after variable, as ensemble.hpp asks for them: the
/// same structs, instantiated for a scalar that is several numbers side by side.
namespace lodestep::problem {

template <std::size_t N> SineCosine<Lanes<N>> sine_and_cosine(const Lanes<N>& angle) {
  alignas(64) double at[N], sine[N], cosine[N];
  angle.store(at);
  sine_cosine(at, sine, cosine, N);
  return {Lanes<N>::load(sine), Lanes<N>::load(cosine)};
}

/// A right-hand side that is generic in its scalar, on n members: variable i of member k at u[i n + k].
template <class Rhs> struct BatchedRhs {
  static constexpr std::size_t lanes = 16; ///< a few registers, so that loops over variables have independent work
  using Numbers = Lanes<lanes>;
  Rhs rhs;

  void operator()(double t, const double* u, double* dudt, std::size_t n) const {
    for (std::size_t first = 0; first < n; first += lanes) {
      const std::size_t count = std::min(lanes, n - first);
      const In in{u + first, n, count};
      Out out{dudt + first, n, count};
      rhs(in, out, t);
    }
  }

private:
  /// The state of `count` members as one whose variables are Numbers.
  struct In {
    const double* u;
    std::size_t stride;
    std::size_t count;
    Numbers operator[](std::size_t i) const noexcept {
      const double* from = u + i * stride;
      if (count == lanes) return Numbers::load(from);
      // What is missing is made up by the last, so that nothing is evaluated where nobody asked.
      double numbers[lanes];
      std::fill(std::copy_n(from, count, numbers), numbers + lanes, from[count - 1]);
      return Numbers::load(numbers);
    }
  };
  struct Out {
    double* dudt;
    std::size_t stride;
    std::size_t count;
    struct Variable {
      double* to;
      std::size_t count;
      void operator=(const Numbers& numbers) const noexcept {
        if (count == lanes) return numbers.store(to);
        double all[lanes];
        numbers.store(all);
        std::copy_n(all, count, to);
      }
    };
    Variable operator[](std::size_t i) const noexcept { return {dudt + i * stride, count}; }
  };
};

/// `rhs(t, u, dudt, n)`: see EnsembleCorrected.
using BatchedFunction = std::function<void(double t, const double* u, double* dudt, std::size_t n)>;

/// The batched right-hand side of a problem, equal to Problem::rhs to rounding: vectorised for the built-in ones, which
/// are recognised by their type, and otherwise one member after the other. Must not outlive the problem.
/// May be called from several threads at once if Problem::rhs may.
LODESTEP_TRAIN_EXPORT BatchedFunction batched_rhs(const Problem& problem);

/// Both forms of a problem's right-hand side, for schemes with many segments. Must not outlive the problem.
inline auto forms_of(const Problem& problem) {
  return rhs_forms(std::cref(problem.rhs), batched_rhs(problem));
}

} // namespace lodestep::problem
