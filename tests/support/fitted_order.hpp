#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace lodestep::test {

/// Slope of log(error) against log(step), by least squares.
inline double fitted_order(const std::vector<double>& steps, const std::vector<double>& errors) {
  double mx = 0.0, my = 0.0, xx = 0.0, xy = 0.0;
  const auto n = static_cast<double>(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    mx += std::log(steps[i]) / n;
    my += std::log(errors[i]) / n;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    xx += (std::log(steps[i]) - mx) * (std::log(steps[i]) - mx);
    xy += (std::log(steps[i]) - mx) * (std::log(errors[i]) - my);
  }
  return xy / xx;
}

} // namespace lodestep::test
