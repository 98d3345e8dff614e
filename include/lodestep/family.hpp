#pragma once

#include <lodestep/jet.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// A family of problems: a distribution over right-hand sides (their parameters), initial states and step sizes. It is
/// what a tableau is learned for (RK-NN, Guo et al. 2021, section 2.3).
namespace lodestep {

/// A value and its derivatives with respect to eight coefficients of a tableau, all at once.
using FamilyJet = Jet<double, 8>;
/// The highest order of h the Taylor expansions of flow and step are compared to.
constexpr std::size_t family_taylor_order = 9;
using FamilySeries = Series<FamilyJet, family_taylor_order>;

struct FamilyParameter {
  std::string name;
  Interval range;
};

struct LODESTEP_TRAIN_EXPORT Family {
  std::string name;
  std::string description; ///< one line for a person
  std::vector<Variable> variables;
  std::vector<FamilyParameter> parameters;
  Interval dt{0.01, 0.1}; ///< step sizes to learn for
  double horizon = 1.0;   ///< length of the roll-outs to learn for

  /// Draws a right-hand side's parameters and an initial state. `widen` scales the distribution about its centre: 1 is
  /// the family itself, more than 1 is used to measure how far outside it a tableau may be used.
  std::function<void(Random&, double widen, double* parameters, double* u0)> sample;
  /// dudt = f(u; parameters), autonomous (a time-dependent problem has time among its variables).
  std::function<void(const double* parameters, const double* u, double* dudt)> rhs;
  /// The same on other scalars. Empty for a black box: derivatives are then taken by finite differences, references in
  /// double precision.
  std::function<void(const double* parameters, const long double* u, long double* dudt)> rhs_extended;
  std::function<void(const double* parameters, const FamilyJet* u, FamilyJet* dudt)> rhs_jet;
  std::function<void(const double* parameters, const FamilySeries* u, FamilySeries* dudt)> rhs_series;
  /// The exact solution after time t. May be empty.
  std::function<void(const double* parameters, const double* u0, double t, long double* u)> exact;

  std::size_t dimension() const noexcept { return variables.size(); }
};

/// Fills every right-hand side of `family` from one generic functor,
///
///     template <class T> void operator()(const double* parameters, const T* u, T* dudt) const;
///
/// written with +, -, *, / and, found by argument-dependent lookup, sqrt, exp, log, sin and cos.
template <class Functor> Family with_rhs(Family family, Functor f) {
  family.rhs = [f](const double* p, const double* u, double* dudt) { f(p, u, dudt); };
  family.rhs_extended = [f](const double* p, const long double* u, long double* dudt) { f(p, u, dudt); };
  family.rhs_jet = [f](const double* p, const FamilyJet* u, FamilyJet* dudt) { f(p, u, dudt); };
  family.rhs_series = [f](const double* p, const FamilySeries* u, FamilySeries* dudt) { f(p, u, dudt); };
  return family;
}

/// The right-hand sides of the paper's families.
namespace families {

struct Linear { ///< y' = -a y (eq. 17)
  template <class T> void operator()(const double* p, const T* u, T* dudt) const { dudt[0] = u[0] * -p[0]; }
};
struct Square { ///< y' = -a y^2 (eq. 18)
  template <class T> void operator()(const double* p, const T* u, T* dudt) const { dudt[0] = u[0] * u[0] * -p[0]; }
};
struct VanDerPol { ///< u' = v, v' = a (1 - u^2) v - u (eq. 27)
  template <class T> void operator()(const double* p, const T* u, T* dudt) const {
    dudt[0] = u[1];
    dudt[1] = (1.0 - u[0] * u[0]) * u[1] * p[0] - u[0];
  }
};
struct Brusselator { ///< u' = 1 - (b + 1) u + u^2 v, v' = b u - u^2 v (eq. 28, a = 1)
  template <class T> void operator()(const double* p, const T* u, T* dudt) const {
    const T reaction = u[0] * u[0] * u[1];
    dudt[0] = 1.0 - u[0] * (p[0] + 1.0) + reaction;
    dudt[1] = u[0] * p[0] - reaction;
  }
};
struct LinearSystem { ///< y' = A y (SM5); the parameters are A, row by row
  std::size_t dimension;
  template <class T> void operator()(const double* p, const T* u, T* dudt) const {
    for (std::size_t i = 0; i < dimension; ++i) {
      dudt[i] = u[0] * p[i * dimension];
      for (std::size_t j = 1; j < dimension; ++j) dudt[i] += u[j] * p[i * dimension + j];
    }
  }
};
struct SquareSystem { ///< y_i' = B_ii y_i^2 (SM5)
  std::size_t dimension;
  template <class T> void operator()(const double* p, const T* u, T* dudt) const {
    for (std::size_t i = 0; i < dimension; ++i) dudt[i] = u[i] * u[i] * p[i];
  }
};

} // namespace families

/// One entry of the registry of families.
struct FamilyInfo {
  std::string name;
  std::string description;
};

/// The built-in families: linear, square, van_der_pol, brusselator, linear_system, square_system.
LODESTEP_TRAIN_EXPORT std::vector<FamilyInfo> list_families();

/// The family of a problem: its right-hand side, at parameters drawn from `ranges` (none: its own), from its initial
/// states. Step sizes are from a tenth of the problem's to the problem's, the horizon ten of those. The right-hand side
/// is a black box (see above), so orders that only the family has cannot be asked for. Initial states do not widen.
/// Throws InvalidArgument (the problem depends on time, or has no such parameter).
LODESTEP_TRAIN_EXPORT Family family_of(const Problem& problem, const std::vector<ParameterRange>& ranges = {});

/// Makes the family `text`: a name, for the systems optionally with their dimension, as in "linear_system:d=5", or else
/// the family of the problem that make_problem(text) gives, a plugin's among them, with `ranges` of its parameters.
/// Throws InvalidArgument listing what is known, or if `ranges` are given for a family that has its own.
LODESTEP_TRAIN_EXPORT Family make_family(const std::string& text, const std::vector<ParameterRange>& ranges = {});

} // namespace lodestep
