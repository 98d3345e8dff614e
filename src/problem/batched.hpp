#pragma once

#include "problem/definition.hpp"

#include <lodestep/problem.hpp>
#include <lodestep/rhs_forms.hpp>
#include <lodestep/train_export.hpp>
#include <lodestep/vector_math.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <type_traits>

/// The built-in right-hand sides on many states at once, variable after variable, as ensemble.hpp asks for them: the
/// same structs, instantiated for a scalar that is several numbers side by side.
namespace lodestep::problem {

/// `N` numbers, one of each of N members. Every operation is a loop of fixed length, which the compiler turns into
/// vector instructions; N is a few of the widest registers, so that loops over variables have independent work.
template <std::size_t N> class Lanes {
public:
  Lanes() = default;
  explicit Lanes(double number) noexcept { values_.fill(number); }

  double* data() noexcept { return values_.data(); }
  const double* data() const noexcept { return values_.data(); }

  friend Lanes operator+(const Lanes& a, const Lanes& b) noexcept {
    return each([&](std::size_t k) { return a.values_[k] + b.values_[k]; });
  }
  friend Lanes operator-(const Lanes& a, const Lanes& b) noexcept {
    return each([&](std::size_t k) { return a.values_[k] - b.values_[k]; });
  }
  friend Lanes operator*(const Lanes& a, const Lanes& b) noexcept {
    return each([&](std::size_t k) { return a.values_[k] * b.values_[k]; });
  }
  friend Lanes operator/(const Lanes& a, const Lanes& b) noexcept {
    return each([&](std::size_t k) { return a.values_[k] / b.values_[k]; });
  }
  friend Lanes operator-(const Lanes& a) noexcept {
    return each([&](std::size_t k) { return -a.values_[k]; });
  }

private:
  template <class Operation> static Lanes each(Operation operation) noexcept {
    Lanes result;
    for (std::size_t k = 0; k < N; ++k) result.values_[k] = operation(k);
    return result;
  }

  alignas(64) std::array<double, N> values_;
};

template <std::size_t N> SineCosine<Lanes<N>> sine_and_cosine(const Lanes<N>& angle) {
  SineCosine<Lanes<N>> both;
  sine_cosine(angle.data(), both.sine.data(), both.cosine.data(), N);
  return both;
}

/// A right-hand side that is generic in its scalar, on n members: variable i of member k at u[i n + k].
template <class Rhs> struct BatchedRhs {
  static constexpr std::size_t lanes = 16;
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
      Numbers numbers;
      const double* from = u + i * stride;
      if (count == lanes) {
        std::copy_n(from, lanes, numbers.data());
      } else { // what is missing is made up by the last, so that nothing is evaluated where nobody asked
        std::fill(std::copy_n(from, count, numbers.data()), numbers.data() + lanes, from[count - 1]);
      }
      return numbers;
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
        if (count == lanes) {
          std::copy_n(numbers.data(), lanes, to);
        } else {
          std::copy_n(numbers.data(), count, to);
        }
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
