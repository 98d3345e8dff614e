#include "train/variable_projection.hpp"

#include "train/least_squares.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestep::detail {

namespace {

/// The linear optimum for one hidden layer, and what is left.
struct Projection {
  Eigen::MatrixXd basis;    ///< [samples, 1 + inputs + width]
  Eigen::MatrixXd weights;  ///< [outputs, 1 + inputs + width]
  Eigen::MatrixXd residual; ///< [samples, outputs]
  double cost = 0.0;        ///< squared norm of the residual
};

Projection project(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y, const AffineLayer& hidden, double ridge) {
  Projection p;
  const Eigen::MatrixXd basis = hidden_basis(z, hidden, Activation::tanh);
  p.weights = RidgeSolver(basis, y).solve(ridge);
  p.residual = (y - p.weights * basis).transpose();
  p.cost = p.residual.squaredNorm();
  p.basis = basis.transpose();
  return p;
}

} // namespace

VariableProjectionResult variable_projection(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y,
                                             const AffineLayer& start, const VariableProjectionOptions& options) {
  const Eigen::Index inputs = z.rows();
  const Eigen::Index samples = z.cols();
  const auto width = static_cast<Eigen::Index>(start.outputs);
  const Eigen::Index per_unit = inputs + 1; // weights and bias of one hidden unit
  const Eigen::Index unknowns = width * per_unit;

  AffineLayer hidden = start;
  Projection now = project(z, y, hidden, options.ridge);
  double damping = 1e-3;
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    if (options.proceed && !options.proceed()) break;
    // Columns d(tanh(w_j z + b_j)) / d(w_ji, b_j), projected onto the complement of the basis.
    Eigen::MatrixXd columns(samples, unknowns);
    for (Eigen::Index j = 0; j < width; ++j) {
      const Eigen::ArrayXd slope = 1.0 - now.basis.col(1 + inputs + j).array().square();
      for (Eigen::Index i = 0; i < inputs; ++i) {
        columns.col(j * per_unit + i) = slope * z.row(i).transpose().array();
      }
      columns.col(j * per_unit + inputs) = slope;
    }
    const Eigen::MatrixXd outer = now.weights.rightCols(width); // V, [outputs, width]
    const Eigen::MatrixXd coupling = outer.transpose() * outer;
    Eigen::VectorXd gradient(unknowns);
    const Eigen::MatrixXd moments = columns.transpose() * now.residual; // [unknowns, outputs]
    for (Eigen::Index p = 0; p < unknowns; ++p) gradient[p] = moments.row(p).dot(outer.col(p / per_unit));
    {
      const Eigen::HouseholderQR<Eigen::MatrixXd> qr(now.basis);
      const Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(samples, now.basis.cols());
      const Eigen::MatrixXd inner = q.transpose() * columns;
      columns.noalias() -= q * inner;
    }
    Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(unknowns, unknowns);
    normal.selfadjointView<Eigen::Lower>().rankUpdate(columns.transpose());
    for (Eigen::Index c = 0; c < unknowns; ++c) {
      for (Eigen::Index r = c; r < unknowns; ++r) normal(r, c) *= coupling(r / per_unit, c / per_unit);
    }
    const Eigen::VectorXd diagonal = normal.diagonal();
    const double floor = 1e-12 * diagonal.maxCoeff() + 1e-300;

    bool accepted = false;
    double gain = 0.0;
    for (int attempt = 0; attempt < 8 && !accepted; ++attempt) {
      Eigen::MatrixXd damped = normal;
      damped.diagonal() = diagonal.array() * (1.0 + damping) + floor;
      const Eigen::VectorXd step = damped.selfadjointView<Eigen::Lower>().llt().solve(gradient);
      AffineLayer trial = hidden;
      for (Eigen::Index j = 0; j < width; ++j) {
        for (Eigen::Index i = 0; i < inputs; ++i) {
          trial.weight[static_cast<std::size_t>(j * inputs + i)] += step[j * per_unit + i];
        }
        trial.bias[static_cast<std::size_t>(j)] += step[j * per_unit + inputs];
      }
      Projection next = project(z, y, trial, options.ridge);
      if (step.allFinite() && next.cost < now.cost) {
        gain = 1.0 - next.cost / now.cost;
        hidden = std::move(trial);
        now = std::move(next);
        damping = std::max(damping * 0.2, 1e-12);
        accepted = true;
      } else {
        damping *= 8.0;
      }
    }
    if (!accepted || gain < options.tolerance) break;
  }
  return {std::move(hidden), std::move(now.weights), std::sqrt(now.cost / static_cast<double>(samples * y.rows()))};
}

} // namespace lodestep::detail
