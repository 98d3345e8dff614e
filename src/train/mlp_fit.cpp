#include "train/mlp_fit.hpp"

#include "train/gram.hpp"
#include "train/least_squares.hpp"

#include <lodestep/error.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Samples whose rows of the Jacobian are built before they are added to the normal matrix.
constexpr Index chunk = 256;

struct Layer {
  RowMajor weight;
  Eigen::VectorXd bias;
};

/// The network as matrices: hidden layers, then the last one, whose inputs are [z; last hidden].
struct Network {
  std::vector<Layer> hidden;
  RowMajor last; ///< [outputs, 1 + inputs + width]: of hidden_basis

  Index parameters() const {
    Index count = last.size();
    for (const auto& layer : hidden) count += layer.weight.size() + layer.bias.size();
    return count;
  }
  /// [1; z; last hidden], and the hidden layers' outputs.
  Eigen::MatrixXd basis(const Eigen::MatrixXd& z, std::vector<Eigen::MatrixXd>* outputs = nullptr) const {
    Eigen::MatrixXd h = z;
    for (const auto& layer : hidden) {
      h = ((layer.weight * h).colwise() + layer.bias).array().tanh().matrix().eval();
      if (outputs) outputs->push_back(h);
    }
    Eigen::MatrixXd all(1 + z.rows() + h.rows(), z.cols());
    all.row(0).setOnes();
    all.middleRows(1, z.rows()) = z;
    all.bottomRows(h.rows()) = h;
    return all;
  }
  /// Adds `step` to the weights, in the order of Fit::rows.
  void add(const Eigen::VectorXd& step) {
    const double* from = step.data();
    for (auto& layer : hidden) {
      for (Index i = 0; i < layer.weight.size(); ++i) layer.weight.data()[i] += *from++;
      for (Index i = 0; i < layer.bias.size(); ++i) layer.bias[i] += *from++;
    }
    for (Index i = 0; i < last.size(); ++i) last.data()[i] += *from++;
  }
};

class Fit {
public:
  Fit(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y, const Eigen::VectorXd& weight,
      const std::vector<DifferencePair>& pairs, const MlpFitOptions& options)
      : z_(z), y_(y), weight_(weight), pairs_(pairs), options_(options) {}

  Network start(const std::vector<std::size_t>& widths, Random& random) const {
    Network network;
    auto inputs = static_cast<std::size_t>(z_.rows());
    for (const std::size_t width : widths) {
      // Units of the first layer bend within the data; later ones see inputs in [-1, 1] that are many.
      const double spread = network.hidden.empty() ? options_.spread : 1.5 / std::sqrt(static_cast<double>(inputs));
      const AffineLayer layer = random_layer(random, inputs, width, spread);
      network.hidden.push_back(
          {Eigen::Map<const RowMajor>(layer.weight.data(), static_cast<Index>(width), static_cast<Index>(inputs)),
           Eigen::Map<const Eigen::VectorXd>(layer.bias.data(), static_cast<Index>(width))});
      inputs = width;
    }
    solve_last(network);
    return network;
  }

  /// Puts the last layer to its optimum; returns the cost.
  double solve_last(Network& network) const {
    Eigen::MatrixXd basis = rows_of(network.basis(z_));
    Eigen::MatrixXd target = rows_of(y_);
    network.last = RidgeSolver(basis, target).solve(options_.ridge);
    return (target - network.last * basis).squaredNorm();
  }
  double cost(const Network& network) const { return rows_of(y_ - network.last * network.basis(z_)).squaredNorm(); }
  Index rows() const { return y_.rows() * (z_.cols() + static_cast<Index>(pairs_.size())); }

  /// Normal matrix (lower triangle) and gradient of the residuals y - N(z).
  void normal_equations(const Network& network, RowMajor& normal, Eigen::VectorXd& gradient) const {
    const Index parameters = network.parameters();
    normal.setZero(parameters, parameters);
    gradient.setZero(parameters);
    std::vector<Eigen::MatrixXd> hidden;
    const Eigen::MatrixXd basis = network.basis(z_, &hidden);
    const Eigen::MatrixXd residual = y_ - network.last * basis;
    RowMajor jacobian(2 * chunk * y_.rows(), parameters);
    Eigen::VectorXd error(jacobian.rows());
    Index used = 0;
    const auto flush = [&] {
      add_gram(jacobian.data(), static_cast<std::size_t>(used), static_cast<std::size_t>(parameters), normal.data());
      gradient.noalias() += jacobian.topRows(used).transpose() * error.head(used);
      used = 0;
    };
    for (Index n = 0; n < z_.cols(); ++n) {
      const double w = weight_.size() > 0 ? weight_[n] : 1.0;
      if (w == 0.0) continue; // it is there for its difference quotients
      if (used + y_.rows() > jacobian.rows()) flush();
      sample_rows(network, hidden, basis, n, jacobian, used);
      for (Index o = 0; o < y_.rows(); ++o, ++used) {
        jacobian.row(used) *= w;
        error[used] = w * residual(o, n);
      }
    }
    RowMajor other(y_.rows(), parameters);
    for (const auto& pair : pairs_) {
      if (used + y_.rows() > jacobian.rows()) flush();
      const auto from = static_cast<Index>(pair.from), to = static_cast<Index>(pair.to);
      sample_rows(network, hidden, basis, to, jacobian, used);
      sample_rows(network, hidden, basis, from, other, 0);
      for (Index o = 0; o < y_.rows(); ++o, ++used) {
        jacobian.row(used) = pair.factor * (jacobian.row(used) - other.row(o));
        error[used] = pair.factor * (residual(o, to) - residual(o, from));
      }
    }
    flush();
  }

private:
  /// Columns of samples, then of difference quotients.
  Eigen::MatrixXd rows_of(const Eigen::MatrixXd& columns) const {
    Eigen::MatrixXd all(columns.rows(), columns.cols() + static_cast<Index>(pairs_.size()));
    all.leftCols(columns.cols()) = columns;
    if (weight_.size() > 0) all.leftCols(columns.cols()) *= weight_.asDiagonal();
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      all.col(columns.cols() + static_cast<Index>(p)) =
          pairs_[p].factor *
          (columns.col(static_cast<Index>(pairs_[p].to)) - columns.col(static_cast<Index>(pairs_[p].from)));
    }
    return all;
  }

  /// d N_o(z_n) / d weights for every output o, in rows first, first + 1, ...
  void sample_rows(const Network& network, const std::vector<Eigen::MatrixXd>& hidden, const Eigen::MatrixXd& basis,
                   Index n, RowMajor& jacobian, Index first) const {
    const Index outputs = y_.rows();
    const Index width = network.hidden.back().bias.size();
    const Index features = network.last.cols();
    for (Index o = 0; o < outputs; ++o) {
      double* row = jacobian.row(first + o).data();
      Index at = jacobian.cols() - network.last.size();
      std::fill_n(row + at, network.last.size(), 0.0);
      for (Index f = 0; f < features; ++f) row[at + o * features + f] = basis(f, n);
      Eigen::VectorXd slope = network.last.row(o).tail(width).transpose();
      for (std::size_t l = network.hidden.size(); l-- > 0;) {
        const auto& layer = network.hidden[l];
        slope.array() *= 1.0 - hidden[l].col(n).array().square();
        at -= layer.bias.size();
        std::copy_n(slope.data(), slope.size(), row + at);
        at -= layer.weight.size();
        const auto input = l == 0 ? z_.col(n) : hidden[l - 1].col(n);
        for (Index j = 0; j < layer.weight.rows(); ++j) {
          for (Index i = 0; i < layer.weight.cols(); ++i) row[at + j * layer.weight.cols() + i] = slope[j] * input[i];
        }
        if (l > 0) slope = (layer.weight.transpose() * slope).eval();
      }
    }
  }

  const Eigen::MatrixXd& z_;
  const Eigen::MatrixXd& y_;
  const Eigen::VectorXd& weight_;
  const std::vector<DifferencePair>& pairs_;
  const MlpFitOptions& options_;
};

MlpFitResult result_of(const Network& network, Index inputs) {
  const auto values = [](const auto& matrix) {
    const RowMajor copy = matrix;
    return std::vector<double>(copy.data(), copy.data() + copy.size());
  };
  MlpFitResult result;
  const auto outputs = static_cast<std::size_t>(network.last.rows());
  result.affine = {static_cast<std::size_t>(inputs), outputs, values(network.last.middleCols(1, inputs)),
                   values(network.last.col(0))};
  for (const auto& layer : network.hidden) {
    result.mlp.layers.push_back({static_cast<std::size_t>(layer.weight.cols()),
                                 static_cast<std::size_t>(layer.weight.rows()),
                                 values(layer.weight),
                                 {layer.bias.data(), layer.bias.data() + layer.bias.size()}});
  }
  const Index width = network.hidden.back().bias.size();
  result.mlp.layers.push_back({static_cast<std::size_t>(width), outputs, values(network.last.rightCols(width)),
                               std::vector<double>(outputs, 0.0)});
  return result;
}

} // namespace

MlpFitResult fit_mlp(const Eigen::MatrixXd& z, const Eigen::MatrixXd& y, const Eigen::VectorXd& weight,
                     const std::vector<DifferencePair>& pairs, const std::vector<std::size_t>& hidden, Random& random,
                     const MlpFitOptions& options) {
  if (z.cols() != y.cols() || z.cols() == 0 || (weight.size() != 0 && weight.size() != z.cols()) || hidden.empty()) {
    throw InvalidArgument("fit_mlp: shapes of samples, weights and layers do not fit");
  }
  const Fit fit(z, y, weight, pairs, options);
  Network network = fit.start(hidden, random);
  double cost = fit.cost(network);
  const auto rms = [&](double value) { return std::sqrt(value / static_cast<double>(fit.rows())); };
  double damping = 1e-3;
  std::vector<double> history{cost};
  RowMajor normal;
  Eigen::VectorXd gradient;
  int iteration = 0;
  for (; iteration < options.iterations && rms(cost) > options.target; ++iteration) {
    if (options.proceed && !options.proceed()) break;
    fit.normal_equations(network, normal, gradient);
    const Eigen::VectorXd diagonal = normal.diagonal();
    const double floor = 1e-12 * diagonal.maxCoeff() + 1e-300;
    bool accepted = false;
    for (int attempt = 0; attempt < 16 && !accepted; ++attempt) {
      Eigen::MatrixXd damped = normal; // column-major: what was the lower triangle still is
      damped.diagonal() = diagonal.array() * (1.0 + damping) + floor;
      const Eigen::VectorXd step = damped.selfadjointView<Eigen::Lower>().llt().solve(gradient);
      Network trial = network;
      trial.add(step);
      const double next = step.allFinite() ? fit.cost(trial) : std::numeric_limits<double>::infinity();
      if (next < cost) {
        network = std::move(trial);
        cost = next;
        damping = std::max(damping * 0.5, 1e-13);
        accepted = true;
      } else {
        damping *= 3.0;
      }
    }
    if (!accepted) break;
    Network solved = network;
    if (const double next = fit.solve_last(solved); next < cost) {
      network = std::move(solved);
      cost = next;
    }
    history.push_back(cost);
    if (history.size() > 10 && cost > (1.0 - options.tolerance) * history[history.size() - 11]) break;
  }
  MlpFitResult result = result_of(network, z.rows());
  result.rms = rms(cost);
  result.iterations = iteration;
  return result;
}

} // namespace lodestep::detail
