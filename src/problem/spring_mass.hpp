#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace lodestep::problem {

/// d equal masses in a row, joined by d + 1 equal springs, the outer ones to fixed walls.
/// u = (q_1 .. q_d, p_1 .. p_d), displacements and momenta, q_0 = q_{d+1} = 0:
///
///     q_i' = p_i / m,   p_i' = k (q_{i-1} - q_i) + k (q_{i+1} - q_i).
///
/// AttNS (Huang et al. 2024), eq. 11. `Masses` fixes d at compile time; 0 leaves it to `masses`.
template <std::size_t Masses = 0> struct SpringMass {
  static constexpr std::size_t dimension = 2 * Masses;
  double k = 1.0;
  double m = 1.0;
  std::size_t masses = Masses;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    const std::size_t d = Masses == 0 ? masses : Masses;
    const T stiffness(k);
    const T inverse_mass(1.0 / m);
    for (std::size_t i = 0; i < d; ++i) dudt[i] = inverse_mass * u[d + i];
    if (d == 1) {
      dudt[1] = -(stiffness * (u[0] + u[0]));
      return;
    }
    dudt[d] = stiffness * (u[1] - (u[0] + u[0]));
    for (std::size_t i = 1; i + 1 < d; ++i) dudt[d + i] = stiffness * (u[i - 1] - (u[i] + u[i]) + u[i + 1]);
    dudt[2 * d - 1] = stiffness * (u[d - 2] - (u[d - 1] + u[d - 1]));
  }
};

/// The exact solution by normal modes: mode j has the shape sqrt(2 / (d + 1)) sin(i j pi / (d + 1)) and the angular
/// frequency w_j = 2 sqrt(k / m) sin(j pi / (2 (d + 1))). O(d^2) per time, evaluated in extended precision so that
/// nothing but the final rounding is seen in double.
class SpringMassModes {
public:
  SpringMassModes(std::size_t masses, double k, double m);
  void operator()(const double* u0, double t, double* u) const;

private:
  std::size_t d_;
  long double m_;
  std::vector<long double> frequency_; ///< [mode]
  /// norm * sin(n pi / (d + 1)), n = 0 .. 2 d + 1, one period: the shapes, [mode, mass], are its entries n = i j.
  std::vector<long double> sine_;
};

inline SpringMassModes::SpringMassModes(std::size_t masses, double k, double m)
    : d_(masses), m_(m), frequency_(masses), sine_(2 * (masses + 1)) {
  const long double angle = std::acos(-1.0L) / static_cast<long double>(d_ + 1);
  const long double norm = std::sqrt(2.0L / static_cast<long double>(d_ + 1));
  for (std::size_t j = 0; j < d_; ++j) {
    const long double half_angle = static_cast<long double>(j + 1) * angle / 2;
    frequency_[j] = 2 * std::sqrt(static_cast<long double>(k) / m_) * std::sin(half_angle);
  }
  for (std::size_t n = 0; n < sine_.size(); ++n) sine_[n] = norm * std::sin(static_cast<long double>(n) * angle);
}

inline void SpringMassModes::operator()(const double* u0, double t, double* u) const {
  std::vector<long double> sum(2 * d_, 0.0L), shape(d_);
  for (std::size_t j = 0; j < d_; ++j) {
    long double q = 0.0L, p = 0.0L;
    for (std::size_t i = 0, n = 0; i < d_; ++i) {
      n += j + 1;
      if (n >= sine_.size()) n -= sine_.size();
      shape[i] = sine_[n];
      q += shape[i] * u0[i];
      p += shape[i] * u0[d_ + i];
    }
    const long double w = frequency_[j];
    const long double c = std::cos(w * t), s = std::sin(w * t);
    const long double q_t = q * c + p / (m_ * w) * s;
    const long double p_t = p * c - q * (m_ * w) * s;
    for (std::size_t i = 0; i < d_; ++i) {
      sum[i] += shape[i] * q_t;
      sum[d_ + i] += shape[i] * p_t;
    }
  }
  for (std::size_t i = 0; i < 2 * d_; ++i) u[i] = static_cast<double>(sum[i]);
}

/// Initial states and horizon: AttNS, Tables 3 and 4. The paper does not give k and m: here 1 and 1, so that the
/// fastest mode has w < 2 and a step of 0.2 resolves it.
struct SpringMassDefinition {
  static constexpr const char* name = "spring_mass";
  static constexpr const char* description = "d equal masses in a row between springs and walls (AttNS, eq. 11)";
  using FixedRhs = std::tuple<SpringMass<5>, SpringMass<20>>;

  static Aliases aliases() { return {{"spring_mass_chain", {}}, {"spring_chain", {}}}; }
  static std::vector<Parameter> parameters() { return {{"d", 20.0}, {"k", 1.0}, {"m", 1.0}}; }

  static void define(Problem& problem) {
    const std::size_t d = whole(problem, "d", 1, 10000);
    const double k = positive(problem, "k");
    const double m = positive(problem, "m");
    for (const auto& [prefix, unit] : {std::pair("q_", "m"), std::pair("p_", "kg m/s")})
      for (std::size_t i = 1; i <= d; ++i) problem.variables.push_back({prefix + std::to_string(i), unit});
    problem.horizon = 20.0;
    problem.dt = 0.2;
    switch (d) {
    case 5:
      set_rhs(problem, SpringMass<5>{k, m});
      break;
    case 20:
      set_rhs(problem, SpringMass<20>{k, m});
      break;
    default:
      set_rhs(problem, SpringMass<>{k, m, d});
    }
    // Shared by copies of the problem.
    problem.exact = [modes = std::make_shared<const SpringMassModes>(d, k, m)](const double* u0, double t, double* u) {
      (*modes)(u0, t, u);
    };
    problem.sample = [d](Random& random, double* u0) {
      for (std::size_t i = 0; i < 2 * d; ++i) u0[i] = random.uniform(-2.5, 2.5);
    };
  }
};

} // namespace lodestep::problem
