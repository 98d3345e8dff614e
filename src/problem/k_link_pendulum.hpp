#pragma once

#include "problem/definition.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>

namespace lodestep::problem {

/// K point masses, each on a massless rod of unit length hanging from the one before, all masses equal.
/// u = (theta_1 .. theta_K, theta_1' .. theta_K'), each theta from the vertical:
///
///     A(theta) theta'' = b(theta, theta'),   w_ij = K - max(i, j) + 1,
///     A_ij = w_ij cos(theta_i - theta_j),    b_i = -sum_j w_ij theta_j'^2 sin(theta_i - theta_j) - w_ii g sin theta_i.
///
/// AttNS (Huang et al. 2024), eq. 13. A is symmetric positive definite: K^3 / 6 multiplications by Cholesky, in the
/// form L D L^T that needs no square roots, and 2 K trigonometric functions, since cos(theta_i - theta_j) and its sine
/// are products of those of theta_i and theta_j.
///
/// `Links` fixes K at compile time, so that loops unroll and the matrix lives in registers; 0 leaves it to `links`,
/// at most max_links, with the matrix on the stack: the right-hand side never allocates and may be shared by threads.
template <std::size_t Links = 0> struct KLinkPendulum {
  static constexpr std::size_t dimension = 2 * Links;
  static constexpr std::size_t max_links = 64;
  double g = 9.81;
  std::size_t links = Links;

  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time /*t*/) const {
    using T = std::decay_t<decltype(u[0])>;
    constexpr std::size_t capacity = Links == 0 ? max_links : Links;
    const std::size_t n = Links == 0 ? links : Links;
    const auto weight = [n](std::size_t i) { return T(static_cast<double>(n - i)); }; // w_ij = weight(max(i, j))

    T s[capacity], c[capacity];
    for (std::size_t i = 0; i < n; ++i) {
      const T theta = u[i];
      const auto both = sine_and_cosine(theta);
      s[i] = both.sine;
      c[i] = both.cosine;
    }

    // sum_j w_ij x_j = weight(i) sum_{j <= i} x_j + sum_{j > i} weight(j) x_j, for x_j = theta_j'^2 (cos, sin) theta_j.
    T x[capacity], y[capacity], b[capacity];
    T above_x(0.0), above_y(0.0), below_x(0.0), below_y(0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const T rate = u[n + i];
      const T square = rate * rate;
      dudt[i] = rate;
      x[i] = square * c[i];
      y[i] = square * s[i];
      above_x = above_x + x[i];
      above_y = above_y + y[i];
    }
    for (std::size_t i = n; i-- > 0;) {
      const T sum_x = weight(i) * above_x + below_x;
      const T sum_y = weight(i) * above_y + below_y;
      b[i] = c[i] * sum_y - s[i] * (sum_x + weight(i) * T(g));
      above_x = above_x - x[i];
      above_y = above_y - y[i];
      below_x = below_x + weight(i) * x[i];
      below_y = below_y + weight(i) * y[i];
    }

    // The upper triangle of A, turned row by row into D L^T by the outer products of the rows above; b becomes the
    // solution of L D z = b on the way. All inner loops run along rows, without sums that would wait for each other.
    T a[capacity][capacity], inverse_d[capacity];
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = weight(i) * c[i];
      y[i] = weight(i) * s[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
      a[i][i] = weight(i);
      for (std::size_t j = i + 1; j < n; ++j) a[i][j] = c[i] * x[j] + s[i] * y[j];
    }
    for (std::size_t k = 0; k < n; ++k) {
      inverse_d[k] = T(1.0) / a[k][k];
      for (std::size_t i = k + 1; i < n; ++i) {
        const T l = a[k][i] * inverse_d[k];
        for (std::size_t j = i; j < n; ++j) a[i][j] = a[i][j] - l * a[k][j];
        b[i] = b[i] - l * b[k];
      }
    }
    for (std::size_t k = n; k-- > 0;) {
      const T acceleration = b[k] * inverse_d[k];
      for (std::size_t i = 0; i < k; ++i) b[i] = b[i] - a[i][k] * acceleration;
      dudt[n + k] = acceleration;
    }
  }
};

/// Initial states and horizon: AttNS, Tables 3 and 4, which have K = 2. More links are chaotic within the horizon.
struct KLinkPendulumDefinition {
  static constexpr const char* name = "k_link_pendulum";
  static constexpr const char* description = "K point masses on rods, each hanging from the one before (AttNS, eq. 13)";
  using FixedRhs = std::tuple<KLinkPendulum<2>>;

  static Aliases aliases() {
    return {{"2_link_pendulum", {{"K", 2.0}}},
            {"two_link_pendulum", {{"K", 2.0}}},
            {"double_pendulum", {{"K", 2.0}}},
            {"3_link_pendulum", {{"K", 3.0}}},
            {"three_link_pendulum", {{"K", 3.0}}}};
  }
  static std::vector<Parameter> parameters() { return {{"K", 2.0}, {"g", 9.81}}; }

  static void define(Problem& problem) {
    const std::size_t links = whole(problem, "K", 1, KLinkPendulum<>::max_links);
    const double g = value(problem, "g");
    for (const auto& [prefix, unit] : {std::pair("theta_", "rad"), std::pair("theta_dot_", "rad/s")})
      for (std::size_t i = 1; i <= links; ++i) problem.variables.push_back({prefix + std::to_string(i), unit});
    problem.horizon = 10.0;
    problem.dt = 0.1;
    if (links == 2) {
      set_rhs(problem, KLinkPendulum<2>{g});
    } else {
      set_rhs(problem, KLinkPendulum<>{g, links});
    }
    problem.sample = [links](Random& random, double* u0) {
      for (std::size_t i = 0; i < links; ++i) u0[i] = random.uniform(0.0, pi / 8);
      for (std::size_t i = 0; i < links; ++i) u0[links + i] = 0.0;
    };
    problem.distributions.push_back({"wide", "all angles and rates, +-0.6", 10.0, [links](Random& random, double* u0) {
                                       for (std::size_t i = 0; i < 2 * links; ++i) u0[i] = random.uniform(-0.6, 0.6);
                                     }});
  }
};

} // namespace lodestep::problem
