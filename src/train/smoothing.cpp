#include "train/smoothing.hpp"

#include <Eigen/Core>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

using Eigen::Index;

constexpr Index powers = 4; // of a cubic
constexpr std::size_t half_widths[] = {3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64, 90, 128};
/// Trajectories that widths are judged on.
constexpr std::size_t judged = 40;
/// Of a variable's largest magnitude: what is less is rounding, no noise.
constexpr double rounding = 1e-9;
/// Wider windows must predict so much better than the narrowest before there is noise to speak of.
constexpr double clearly = 0.85;

/// Rows [position, sample] of a window of 2 w + 1 samples: the fitted cubic's value at each position.
Eigen::MatrixXd window_weights(std::size_t w) {
  const auto n = static_cast<Index>(2 * w + 1);
  Eigen::MatrixXd basis(n, powers);
  for (Index k = 0; k < n; ++k) {
    const double x = static_cast<double>(k) / static_cast<double>(w) - 1.0;
    for (Index p = 0; p < powers; ++p) basis(k, p) = p == 0 ? 1.0 : basis(k, p - 1) * x;
  }
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(basis);
  const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(n, powers);
  return q * q.transpose();
}

/// Smooths one variable of one trajectory into `to` and adds up squared errors of left-out samples.
double smooth_one(const Eigen::MatrixXd& weights, std::size_t w, const double* from, std::size_t stride,
                  std::size_t times, double* to) {
  double sum = 0.0;
  const std::size_t n = 2 * w + 1;
  for (std::size_t t = 0; t < times; ++t) {
    const std::size_t first = t < w ? 0 : std::min(t - w, times - n);
    const auto row = static_cast<Index>(t - first);
    double value = 0.0;
    for (std::size_t k = 0; k < n; ++k) value += weights(row, static_cast<Index>(k)) * from[(first + k) * stride];
    if (to) to[t * stride] = value;
    const double left_out = (from[t * stride] - value) / (1.0 - weights(row, row));
    sum += left_out * left_out;
  }
  return sum;
}

} // namespace

bool Smoothing::any() const {
  return std::any_of(half_width.begin(), half_width.end(), [](std::size_t w) { return w != 0; });
}

Smoothing smooth(Trajectories& set) {
  Smoothing result;
  const std::size_t d = set.dimension;
  result.half_width.assign(d, 0);
  result.noise_rms.assign(d, 0.0);
  const std::size_t some = std::min(judged, set.trajectories);
  for (std::size_t i = 0; i < d; ++i) {
    double narrowest = std::numeric_limits<double>::infinity(), best = narrowest;
    std::size_t width = 0;
    for (const std::size_t w : half_widths) {
      if (2 * w + 1 > set.times / 2) break;
      const Eigen::MatrixXd weights = window_weights(w);
      double sum = 0.0;
      for (std::size_t k = 0; k < some; ++k) sum += smooth_one(weights, w, set.state(k, 0) + i, d, set.times, nullptr);
      if (w == half_widths[0]) narrowest = sum;
      if (sum < best) {
        best = sum;
        width = w;
      } else if (sum > 2.0 * best) {
        break; // wider ones only follow the curve less
      }
    }
    if (width == 0 || !(best < clearly * narrowest)) continue;
    double largest = 0.0;
    for (std::size_t n = i; n < set.states.size(); n += d) largest = std::max(largest, std::abs(set.states[n]));
    if (best <= std::pow(rounding * largest, 2) * static_cast<double>(some * set.times)) continue;
    const Eigen::MatrixXd weights = window_weights(width);
    std::vector<double> values(set.times * d);
    double noise = 0.0;
    for (std::size_t k = 0; k < set.trajectories; ++k) {
      double* states = set.state(k, 0) + i;
      smooth_one(weights, width, states, d, set.times, values.data());
      for (std::size_t t = 0; t < set.times; ++t) {
        noise += std::pow(states[t * d] - values[t * d], 2);
        states[t * d] = values[t * d];
      }
    }
    result.half_width[i] = width;
    result.noise_rms[i] = std::sqrt(noise / static_cast<double>(set.trajectories * set.times));
  }
  return result;
}

} // namespace lodestep::detail
