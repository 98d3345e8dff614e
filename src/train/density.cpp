#include "train/density.hpp"

#include "train/least_squares.hpp"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

/// Monomials beyond which the guard would cost as much as what it guards. Of four variables, all of degree 2.
constexpr std::size_t most_monomials = 15;
constexpr unsigned highest_degree = 4;
constexpr Eigen::Index most_samples = 20000;

unsigned degree_for(std::size_t inputs) {
  unsigned degree = 1;
  while (degree < highest_degree && 1 + inputs + monomial_count(inputs, degree + 1) <= most_monomials) ++degree;
  return degree;
}

} // namespace

Density fit_density(const Eigen::MatrixXd& x, double ridge) {
  const Eigen::Index samples = std::min(x.cols(), most_samples);
  Eigen::MatrixXd thinned(x.rows(), samples);
  for (Eigen::Index n = 0; n < samples; ++n) thinned.col(n) = x.col(n * x.cols() / samples);
  const unsigned degree = degree_for(static_cast<std::size_t>(x.rows()));
  const auto features = static_cast<Eigen::Index>(
      1 + x.rows() + (degree < 2 ? 0 : monomial_count(static_cast<std::size_t>(x.rows()), degree)));
  const Standardisation scales(x, Eigen::MatrixXd::Ones(features, 1));
  const Eigen::MatrixXd basis = polynomial_basis(scales.inputs(thinned), degree);

  // G + ridge I = R' R by an orthogonal factorisation of the samples with the ridge's root below them.
  Eigen::MatrixXd a(samples + features, features);
  a.topRows(samples) = basis.transpose() / std::sqrt(static_cast<double>(samples));
  a.bottomRows(features) = Eigen::MatrixXd::Identity(features, features) * std::sqrt(ridge);
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(a);
  const Eigen::MatrixXd triangle = qr.matrixQR().topRows(features).triangularView<Eigen::Upper>();

  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(features, features);
  const Eigen::MatrixXd weights =
      triangle.transpose().triangularView<Eigen::Lower>().solve(identity) / std::sqrt(static_cast<double>(features));

  Density density;
  density.projection = polynomial_spec(scales, weights, degree);
  density.limit = 1.0;
  return density;
}

} // namespace lodestep::detail
