#include "train/polynomial_field.hpp"

#include <cmath>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;

/// Standardised states farther out than this diverged.
constexpr double far_out = 10.0;

} // namespace

PolynomialField::PolynomialField(Eigen::VectorXd mean, Eigen::VectorXd scale, unsigned degree)
    : mean_(std::move(mean)), scale_(std::move(scale)), degree_(degree), terms_(1) {
  std::size_t begin = 0;
  for (unsigned p = 1; p <= degree; ++p) {
    const std::size_t end = terms_.size();
    for (std::size_t parent = begin; parent < end; ++parent) {
      // Each monomial once: variables in ascending order.
      for (std::size_t v = parent == 0 ? 0 : terms_[parent].variable; v < dimension(); ++v) {
        terms_.push_back({parent, v});
      }
    }
    begin = end;
  }
  coefficients_ = Eigen::MatrixXd::Zero(mean_.size(), static_cast<Index>(terms_.size()));
}

Eigen::VectorXd PolynomialField::standardised(const double* x) const {
  return (Eigen::Map<const Eigen::VectorXd>(x, mean_.size()) - mean_).cwiseQuotient(scale_);
}

void PolynomialField::original(const double* z, double* x) const {
  for (Index i = 0; i < mean_.size(); ++i) x[i] = mean_[i] + scale_[i] * z[i];
}

void PolynomialField::basis(const double* z, double* values, double* slopes) const {
  const std::size_t d = dimension();
  values[0] = 1.0;
  for (std::size_t m = 1; m < terms_.size(); ++m) values[m] = values[terms_[m].parent] * z[terms_[m].variable];
  if (!slopes) return;
  for (std::size_t i = 0; i < d; ++i) slopes[i] = 0.0;
  for (std::size_t m = 1; m < terms_.size(); ++m) {
    const auto [parent, variable] = terms_[m];
    for (std::size_t i = 0; i < d; ++i) slopes[m * d + i] = slopes[parent * d + i] * z[variable];
    slopes[m * d + variable] += values[parent];
  }
}

bool PolynomialField::flow(double* x, double h, std::size_t count) const {
  thread_local std::vector<double> scratch;
  const std::size_t d = dimension();
  scratch.resize(terms() + 6 * d);
  double* phi = scratch.data();
  double *z = phi + terms(), *at = z + d, *k[4] = {at + d, at + 2 * d, at + 3 * d, at + 4 * d};
  for (std::size_t i = 0; i < d; ++i) z[i] = (x[i] - mean_[static_cast<Index>(i)]) / scale_[static_cast<Index>(i)];
  bool inside = true;
  for (std::size_t s = 0; s < count && inside; ++s) {
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const double c = stage == 0 ? 0.0 : stage == 3 ? h : 0.5 * h;
      for (std::size_t i = 0; i < d; ++i) at[i] = z[i] + (stage == 0 ? 0.0 : c * k[stage - 1][i]);
      basis(at, phi, nullptr);
      for (std::size_t i = 0; i < d; ++i) {
        double sum = 0.0;
        for (std::size_t m = 0; m < terms(); ++m) {
          sum += coefficients_(static_cast<Index>(i), static_cast<Index>(m)) * phi[m];
        }
        k[stage][i] = sum;
      }
    }
    for (std::size_t i = 0; i < d; ++i) {
      z[i] += h / 6.0 * (k[0][i] + 2.0 * (k[1][i] + k[2][i]) + k[3][i]);
      inside = inside && std::abs(z[i]) < far_out; // NaN compares false
    }
  }
  original(z, x);
  return inside;
}

} // namespace lodestep::detail
