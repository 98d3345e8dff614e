#include "train/least_squares.hpp"

#include "approximator/reference.hpp"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <utility>

namespace lodestep::detail {

namespace {

std::vector<double> to_vector(const Eigen::VectorXd& v) {
  return {v.data(), v.data() + v.size()};
}

/// Row-major copy of `rows x cols` entries from column `first` on.
std::vector<double> row_major(const Eigen::MatrixXd& m, Eigen::Index first, Eigen::Index cols) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(m.rows() * cols));
  for (Eigen::Index r = 0; r < m.rows(); ++r) {
    for (Eigen::Index c = 0; c < cols; ++c) out.push_back(m(r, first + c));
  }
  return out;
}

void set_affine(ApproximatorSpec& spec, const Eigen::MatrixXd& weights) {
  spec.affine.bias = row_major(weights, 0, 1);
  spec.affine.weight = row_major(weights, 1, static_cast<Eigen::Index>(spec.inputs));
}

} // namespace

Standardisation::Standardisation(const Eigen::MatrixXd& inputs, const Eigen::MatrixXd& outputs) {
  const Eigen::VectorXd low = inputs.rowwise().minCoeff();
  const Eigen::VectorXd high = inputs.rowwise().maxCoeff();
  input_mean = 0.5 * (low + high);
  input_scale = 0.5 * (high - low);
  // An input that never varies carries nothing: any positive scale will do, and its weights are set to zero by the
  // ridge.
  for (double& scale : input_scale) {
    if (!(scale > 0.0)) scale = 1.0;
  }
  output_scale = outputs.array().square().rowwise().mean().sqrt();
  for (double& scale : output_scale) {
    if (!(scale > 0.0)) scale = 1.0;
  }
}

Eigen::MatrixXd Standardisation::inputs(const Eigen::MatrixXd& raw) const {
  return (raw.colwise() - input_mean).array().colwise() / input_scale.array();
}

Eigen::MatrixXd Standardisation::outputs(const Eigen::MatrixXd& raw) const {
  return raw.array().colwise() / output_scale.array();
}

ApproximatorSpec Standardisation::spec() const {
  auto spec = ApproximatorSpec::zero(static_cast<std::size_t>(input_mean.size()),
                                     static_cast<std::size_t>(output_scale.size()));
  spec.input_mean = to_vector(input_mean);
  spec.input_scale = to_vector(input_scale);
  spec.output_scale = to_vector(output_scale);
  return spec;
}

Eigen::MatrixXd polynomial_basis(const Eigen::MatrixXd& z, unsigned degree) {
  const auto inputs = static_cast<std::size_t>(z.rows());
  const auto list = monomials(inputs, degree);
  Eigen::MatrixXd basis(1 + z.rows() + static_cast<Eigen::Index>(list.size()), z.cols());
  for (Eigen::Index n = 0; n < z.cols(); ++n) {
    double* column = basis.col(n).data();
    *column++ = 1.0;
    std::copy_n(z.col(n).data(), inputs, column);
    for (std::size_t m = 0; m < list.size(); ++m) {
      column[inputs + m] = column[list[m].parent] * column[list[m].variable];
    }
  }
  return basis;
}

RidgeSolver::RidgeSolver(const Eigen::MatrixXd& basis, const Eigen::MatrixXd& targets) {
  const Eigen::Index features = basis.rows();
  const Eigen::Index samples = basis.cols();
  scale_ = std::sqrt(basis.squaredNorm() / static_cast<double>(features));
  // Fewer samples than features leave the triangle short: rows of zeros make up for it, and the ridge decides.
  const Eigen::Index rows = std::max(samples, features);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(rows, features);
  Eigen::MatrixXd y = Eigen::MatrixXd::Zero(rows, targets.rows());
  a.topRows(samples) = basis.transpose();
  y.topRows(samples) = targets.transpose();
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(a);
  y.applyOnTheLeft(qr.householderQ().adjoint());
  triangle_ = qr.matrixQR().topRows(features).triangularView<Eigen::Upper>();
  projected_ = y.topRows(features);
}

Eigen::MatrixXd RidgeSolver::solve(double ridge, Eigen::Index features) const {
  Eigen::MatrixXd a(2 * features, features);
  a.topRows(features) = triangle_.topLeftCorner(features, features);
  a.bottomRows(features) = Eigen::MatrixXd::Identity(features, features) * (ridge * scale_);
  Eigen::MatrixXd y = Eigen::MatrixXd::Zero(2 * features, projected_.cols());
  y.topRows(features) = projected_.topRows(features);
  const Eigen::HouseholderQR<Eigen::Ref<Eigen::MatrixXd>> qr(a);
  y.applyOnTheLeft(qr.householderQ().adjoint());
  const Eigen::MatrixXd solution =
      qr.matrixQR().topRows(features).triangularView<Eigen::Upper>().solve(y.topRows(features));
  return solution.transpose();
}

ApproximatorSpec polynomial_spec(const Standardisation& scales, const Eigen::MatrixXd& weights, unsigned degree) {
  auto spec = scales.spec();
  set_affine(spec, weights);
  if (degree >= 2) {
    const auto first = 1 + static_cast<Eigen::Index>(spec.inputs);
    spec.term = PolynomialTerm{degree, row_major(weights, first, weights.cols() - first)};
  }
  return spec;
}

AffineLayer random_layer(Random& random, std::size_t inputs, std::size_t width, double spread) {
  AffineLayer layer{inputs, width, {}, {}};
  layer.weight.reserve(width * inputs);
  for (std::size_t i = 0; i < width * inputs; ++i) layer.weight.push_back(random.uniform(-spread, spread));
  // Biases as wide as the weights' sums put the bends of the units where the data is.
  for (std::size_t i = 0; i < width; ++i) layer.bias.push_back(random.uniform(-spread, spread));
  return layer;
}

Eigen::MatrixXd hidden_basis(const Eigen::MatrixXd& z, const AffineLayer& hidden, Activation activation) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> weight(hidden.weight.data(), static_cast<Eigen::Index>(hidden.outputs),
                                          static_cast<Eigen::Index>(hidden.inputs));
  const Eigen::Map<const Eigen::VectorXd> bias(hidden.bias.data(), static_cast<Eigen::Index>(hidden.outputs));
  MlpTerm mlp;
  mlp.activation = activation;
  Eigen::MatrixXd basis(1 + z.rows() + weight.rows(), z.cols());
  basis.row(0).setOnes();
  basis.middleRows(1, z.rows()) = z;
  basis.bottomRows(weight.rows()) =
      ((weight * z).colwise() + bias).unaryExpr([&mlp](double x) { return activate(mlp, x); });
  return basis;
}

ApproximatorSpec mlp_spec(const Standardisation& scales, const Eigen::MatrixXd& weights, const AffineLayer& hidden,
                          Activation activation) {
  auto spec = scales.spec();
  set_affine(spec, weights);
  MlpTerm mlp;
  mlp.activation = activation;
  const auto first = 1 + static_cast<Eigen::Index>(spec.inputs);
  mlp.layers.push_back(hidden);
  mlp.layers.push_back({hidden.outputs, spec.outputs,
                        row_major(weights, first, static_cast<Eigen::Index>(hidden.outputs)),
                        std::vector<double>(spec.outputs, 0.0)});
  spec.term = std::move(mlp);
  return spec;
}

} // namespace lodestep::detail
