#include "train/reduced_coordinates.hpp"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <algorithm>

namespace lodestep::detail {

namespace {
using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
} // namespace

ReducedCoordinates principal_components(const Trajectories& trajectories, double neglected, std::size_t most) {
  const auto d = static_cast<Index>(trajectories.dimension);
  const auto n = static_cast<Index>(trajectories.trajectories * trajectories.times);
  const Eigen::Map<const Eigen::MatrixXd> states(trajectories.states.data(), d, n);
  const Eigen::VectorXd mean = states.rowwise().mean();
  const Eigen::MatrixXd centred = states.colwise() - mean;
  // The smaller of the two products has the same eigenvalues but for zeros (the method of snapshots).
  const bool by_snapshots = n < d;
  Eigen::MatrixXd product;
  if (by_snapshots) {
    product = centred.transpose() * centred;
  } else {
    product = centred * centred.transpose();
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(product);
  const Eigen::VectorXd variance = solver.eigenvalues().reverse().cwiseMax(0.0);
  const Index limit = std::min(variance.size(), static_cast<Index>(most));
  double left = variance.sum();
  const double allowed = neglected * left;
  Index count = 0;
  while (count < limit && (count == 0 || left > allowed)) left -= variance[count++];
  Eigen::MatrixXd modes = solver.eigenvectors().rowwise().reverse().leftCols(count);
  if (by_snapshots) modes = centred * modes;
  // Orthonormal to rounding, which snapshots of little variance are not; R's signs are taken back.
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(modes);
  const Eigen::MatrixXd orthonormal = qr.householderQ() * Eigen::MatrixXd::Identity(d, count);
  const Eigen::VectorXd signs =
      qr.matrixQR().diagonal().head(count).unaryExpr([](double r) { return r < 0 ? -1.0 : 1.0; });
  const RowMajor rows = (orthonormal * signs.asDiagonal()).transpose();
  return {{mean.data(), mean.data() + d}, {rows.data(), rows.data() + rows.size()}};
}

Trajectories reduce(const ReducedCoordinates& reduced, const Trajectories& trajectories) {
  const auto d = static_cast<Index>(trajectories.dimension);
  const auto n = static_cast<Index>(trajectories.trajectories * trajectories.times);
  const auto count = static_cast<Index>(reduced.count());
  const Eigen::Map<const Eigen::MatrixXd> states(trajectories.states.data(), d, n);
  const Eigen::Map<const Eigen::VectorXd> mean(reduced.mean.data(), d);
  const Eigen::Map<const RowMajor> modes(reduced.modes.data(), count, d);
  const Eigen::MatrixXd z = modes * (states.colwise() - mean);
  Trajectories result = trajectories;
  result.dimension = reduced.count();
  result.states.assign(z.data(), z.data() + z.size());
  return result;
}

} // namespace lodestep::detail
