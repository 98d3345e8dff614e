#pragma once

#include "problem/operation_count.hpp"

#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// What a built-in problem is made of. A problem is one header: its right-hand side, a small struct
///
///     template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time t) const
///
/// generic in scalar and state, and a definition, a struct of static members:
///
///     name, description       for a person; the name in snake_case
///     FixedRhs                std::tuple of the right-hand sides with a dimension known at compile time
///     aliases()               other names, each with parameters it implies
///     parameters()            what may be set, with defaults
///     define(problem)         fills a Problem whose name and parameters are set already
///
/// It enters the registry by its line in problem/list.hpp.
namespace lodestep::problem {

inline constexpr double pi = 3.14159265358979323846;

template <class T> struct SineCosine {
  T sine;
  T cosine;
};
/// Both of one angle. A scalar that has them together for less has an overload of its own (problem/batched.hpp).
template <class T> SineCosine<T> sine_and_cosine(const T& angle) {
  using std::cos;
  using std::sin;
  return {sin(angle), cos(angle)};
}

struct Alias {
  std::string name;
  std::vector<Parameter> implies;
};
using Aliases = std::vector<Alias>;

/// A right-hand side behind Problem::rhs. It is a named type so that visit_static can find the concrete one again.
template <class Rhs> struct RhsFunction {
  Rhs rhs;
  template <class T> void operator()(T t, const T* u, T* dudt) const { rhs(u, dudt, t); }
};

/// Sets the right-hand side in both precisions, and its cost. Needs the variables to be set.
template <class Rhs> void set_rhs(Problem& problem, const Rhs& rhs) {
  problem.rhs = RhsFunction<Rhs>{rhs};
  problem.rhs_extended = RhsFunction<Rhs>{rhs};
  std::vector<OperationCount> u(problem.dimension(), OperationCount(0.5)), dudt = u;
  OperationCount::elapsed_ns() = 0.0;
  RhsFunction<Rhs>{rhs}(OperationCount(0.0), u.data(), dudt.data());
  problem.rhs_cost_ns = OperationCount::elapsed_ns();
}

/// Draws initial states uniformly from the problem's region.
inline void sample_region(Problem& problem) {
  problem.sample = [region = problem.region](Random& random, double* u0) {
    for (std::size_t i = 0; i < region.size(); ++i) u0[i] = random.uniform(region[i].lower, region[i].upper);
  };
}

inline double value(const Problem& problem, const std::string& name) {
  for (const auto& parameter : problem.parameters)
    if (parameter.name == name) return parameter.value;
  throw InvalidArgument(problem.name + ": no parameter '" + name + "'");
}

/// The value of a parameter that must be positive. Throws InvalidArgument.
inline double positive(const Problem& problem, const std::string& name) {
  const double number = value(problem, name);
  if (!(number > 0.0))
    throw InvalidArgument(problem.name + ": " + name + " = " + std::to_string(number) + " must be positive");
  return number;
}

/// The value of a parameter that counts something. Throws InvalidArgument.
inline std::size_t whole(const Problem& problem, const std::string& name, std::size_t least, std::size_t most) {
  const double number = value(problem, name);
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most) &&
        number == static_cast<double>(static_cast<std::size_t>(number))))
    throw InvalidArgument(problem.name + ": " + name + " = " + std::to_string(number) +
                          " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return static_cast<std::size_t>(number);
}

} // namespace lodestep::problem
