#include "train/density.hpp"

#include "train/least_squares.hpp"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr Eigen::Index most_samples = 20000;
constexpr double error_ridge = 1e-9;

Density unlimited(ApproximatorSpec projection) {
  Density density;
  density.projection = std::move(projection);
  density.limit = 1.0;
  return density;
}

} // namespace

std::size_t density_features(std::size_t inputs, unsigned degree) {
  return 1 + inputs + (degree < 2 ? 0 : monomial_count(inputs, degree));
}

Density leverage_density(const Eigen::MatrixXd& x, unsigned degree, double ridge) {
  const Eigen::Index samples = std::min(x.cols(), most_samples);
  Eigen::MatrixXd thinned(x.rows(), samples);
  for (Eigen::Index n = 0; n < samples; ++n) thinned.col(n) = x.col(n * x.cols() / samples);
  const auto features = static_cast<Eigen::Index>(density_features(static_cast<std::size_t>(x.rows()), degree));
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
  return unlimited(polynomial_spec(scales, weights, degree));
}

Density error_density(const Eigen::MatrixXd& x, const Eigen::MatrixXd& error, unsigned degree, double scale) {
  const double root = std::sqrt(static_cast<double>(error.rows()));
  const Eigen::RowVectorXd size = error.colwise().norm() / (scale * root);
  const Eigen::RowVectorXd weight = size.cwiseMax(1.0).cwiseInverse();
  Standardisation scales(x, Eigen::MatrixXd::Ones(error.rows(), 1));
  const Eigen::MatrixXd basis = polynomial_basis(scales.inputs(x), degree).array().rowwise() * weight.array();
  const Eigen::MatrixXd targets = (error / (scale * root)).array().rowwise() * weight.array();
  return unlimited(polynomial_spec(scales, RidgeSolver(basis, targets).solve(error_ridge), degree));
}

} // namespace lodestep::detail
