#include "train/adam.hpp"

#include "train/adam_moments.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

namespace lodestep::detail {

namespace {

constexpr std::uint64_t shuffle_stream = 32; // beside those of Split and of hidden layers

/// The largest divisor of `batch` whose activations stay in the cache; a gradient is the mean of its pieces' gradients.
std::size_t piece_of(std::size_t batch) {
  constexpr std::size_t most = 256;
  for (std::size_t piece = std::min(most, batch); piece >= most / 4; --piece) {
    if (batch % piece == 0) return piece;
  }
  return batch;
}

void shuffle(std::vector<std::size_t>& order, Random& random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.bits() % i]);
}

template <class T> class Trainer {
public:
  Trainer(const MlpTerm& start, const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, const Eigen::MatrixXd& weights,
          const AdamOptions& options)
      : options_(options), x_(x.cast<T>()), y_(y.cast<T>()), weights_(weights.cast<T>()),
        samples_(static_cast<std::size_t>(x.cols())), batch_(std::min(options.batch, samples_)),
        piece_(piece_of(batch_)), gradient_of_(start, piece_, options.backend) {
    result_.network = start;
    const auto packed = pack_parameters(start);
    parameters_.assign(packed.begin(), packed.end());
  }

  AdamResult run() {
    const std::size_t per_epoch = samples_ / batch_;
    const double steps = static_cast<double>(per_epoch * options_.epochs);
    const std::size_t trained =
        parameters_.size() - (options_.train_activation ? 0 : gradient_of_.activation_parameters());
    std::vector<T> gradient(parameters_.size()), part(parameters_.size());
    AdamMoments<T> moments(trained, options_.beta1, options_.beta2, options_.epsilon);
    std::vector<T> x(piece_ * static_cast<std::size_t>(x_.rows())), y(piece_ * static_cast<std::size_t>(y_.rows()));
    std::vector<T> w(piece_ * static_cast<std::size_t>(weights_.rows()));
    const double weight = static_cast<double>(piece_) / static_cast<double>(batch_);
    std::vector<std::size_t> order(samples_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(options_.seed, shuffle_stream, 0);
    double step = 0.0;
    for (std::size_t epoch = 0; epoch < options_.epochs; ++epoch) {
      shuffle(order, random);
      double loss = 0.0;
      for (std::size_t b = 0; b < per_epoch; ++b) {
        for (std::size_t start = 0; start < batch_; start += piece_) {
          gather(x_, order, b * batch_ + start, x);
          gather(y_, order, b * batch_ + start, y);
          if (!w.empty()) gather(weights_, order, b * batch_ + start, w);
          auto& to = start == 0 ? gradient : part;
          loss += weight * gradient_of_.evaluate(parameters_.data(), x.data(), y.data(), w.empty() ? nullptr : w.data(),
                                                 weight * options_.loss_scale, to.data());
          for (std::size_t i = 0; start != 0 && i < part.size(); ++i) gradient[i] += part[i];
        }
        const double rate =
            options_.learning_rate * (options_.cosine ? 0.5 * (1.0 + std::cos(M_PI * step / steps)) : 1.0);
        step += 1.0;
        moments.step(gradient.data(), rate, parameters_.data());
      }
      loss /= static_cast<double>(per_epoch);
      const bool sound = std::isfinite(loss) &&
                         std::all_of(parameters_.begin(), parameters_.end(), [](T p) { return std::isfinite(p); });
      result_.loss.push_back(loss);
      if (!sound) {
        result_.diverged = true;
        return std::move(result_);
      }
      unpack_parameters({parameters_.begin(), parameters_.end()}, result_.network);
      if (options_.proceed && !options_.proceed(epoch + 1, loss)) {
        result_.interrupted = epoch + 1 < options_.epochs;
        break;
      }
    }
    return std::move(result_);
  }

private:
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

  void gather(const Matrix& from, const std::vector<std::size_t>& order, std::size_t start, std::vector<T>& to) const {
    const auto rows = static_cast<std::size_t>(from.rows());
    for (std::size_t n = 0; n < piece_; ++n) {
      std::copy_n(from.col(static_cast<Eigen::Index>(order[start + n])).data(), rows, to.data() + n * rows);
    }
  }

  const AdamOptions& options_;
  Matrix x_;
  Matrix y_;
  Matrix weights_;
  std::size_t samples_;
  std::size_t batch_;
  std::size_t piece_;
  NetworkGradient<T> gradient_of_;
  std::vector<T> parameters_;
  AdamResult result_;
};

} // namespace

AdamResult train_adam(const MlpTerm& start, const Eigen::MatrixXd& x, const Eigen::MatrixXd& y,
                      const AdamOptions& options, const Eigen::MatrixXd& weights) {
  if (x.cols() == 0 || x.cols() != y.cols()) {
    throw InvalidArgument("train_adam: expected as many inputs as targets and at least one, found " +
                          std::to_string(x.cols()) + " and " + std::to_string(y.cols()));
  }
  if (weights.size() != 0 && (weights.rows() != y.rows() || weights.cols() != y.cols())) {
    throw InvalidArgument("train_adam: expected one weight for each of " + std::to_string(y.size()) +
                          " targets, found " + std::to_string(weights.size()));
  }
  if (start.layers.size() < 2 || start.layers.front().inputs != static_cast<std::size_t>(x.rows()) ||
      start.layers.back().outputs != static_cast<std::size_t>(y.rows())) {
    throw InvalidArgument("train_adam: the network and the data do not fit: the data has " + std::to_string(x.rows()) +
                          " inputs and " + std::to_string(y.rows()) + " targets");
  }
  if (options.batch == 0) throw InvalidArgument("train_adam: expected batches of at least 1 sample, found 0");
  if (options.precision == Precision::f32) return Trainer<float>(start, x, y, weights, options).run();
  return Trainer<double>(start, x, y, weights, options).run();
}

MlpTerm random_network(Random& random, const std::vector<std::size_t>& widths, Activation activation) {
  MlpTerm network;
  network.activation = activation;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    AffineLayer layer{widths[l], widths[l + 1], std::vector<double>(widths[l] * widths[l + 1]),
                      std::vector<double>(widths[l + 1])};
    const double spread = 1.0 / std::sqrt(static_cast<double>(widths[l]));
    for (double& w : layer.weight) w = random.uniform(-spread, spread);
    for (double& b : layer.bias) b = random.uniform(-spread, spread);
    network.layers.push_back(std::move(layer));
  }
  return network;
}

} // namespace lodestep::detail
