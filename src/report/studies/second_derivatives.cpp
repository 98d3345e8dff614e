#include "report/studies/second_derivatives.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lodestep::report {

std::vector<double> second_derivatives(const Problem& problem, const Trajectories& truth) {
  const std::size_t d = problem.dimension();
  // f along the tangent: a central difference in an f that varies on scales of 1.
  constexpr double step = 1e-5;
  std::vector<double> f(d), u(d), before(d), after(d), all;
  for (std::size_t point = 0; point < truth.trajectories * truth.times; ++point) {
    const double* at = truth.states.data() + point * d;
    problem.rhs(0.0, at, f.data());
    for (std::size_t v = 0; v < d; ++v) u[v] = at[v] - step * f[v];
    problem.rhs(0.0, u.data(), before.data());
    for (std::size_t v = 0; v < d; ++v) u[v] = at[v] + step * f[v];
    problem.rhs(0.0, u.data(), after.data());
    double most = 0.0;
    for (std::size_t v = 0; v < d; ++v) most = std::max(most, std::abs(after[v] - before[v]) / (2.0 * step));
    all.push_back(most);
  }
  return all;
}

std::vector<double> largest_second_derivatives(const Problem& problem, const Trajectories& truth) {
  const auto all = second_derivatives(problem, truth);
  std::vector<double> largest;
  for (auto it = all.begin(); it != all.end(); it += static_cast<std::ptrdiff_t>(truth.times)) {
    largest.push_back(*std::max_element(it, it + static_cast<std::ptrdiff_t>(truth.times)));
  }
  return largest;
}

} // namespace lodestep::report
