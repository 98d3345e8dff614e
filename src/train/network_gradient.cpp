#include "train/network_gradient.hpp"

#include "train/activation_gradient.hpp"

#include <algorithm>

namespace lodestep::detail {

std::vector<double> pack_parameters(const MlpTerm& network) {
  std::vector<double> all;
  for (const auto& layer : network.layers) {
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  if (network.activation == Activation::rational) {
    all.insert(all.end(), network.numerator.begin(), network.numerator.end());
    all.insert(all.end(), network.denominator.begin(), network.denominator.end());
  }
  return all;
}

void unpack_parameters(const std::vector<double>& parameters, MlpTerm& network) {
  auto from = parameters.begin();
  const auto take = [&](auto& to) {
    const auto end = from + static_cast<std::ptrdiff_t>(to.size());
    std::copy(from, end, to.begin());
    from = end;
  };
  for (auto& layer : network.layers) {
    take(layer.weight);
    take(layer.bias);
  }
  if (network.activation == Activation::rational) {
    take(network.numerator);
    take(network.denominator);
  }
}

template <class T>
NetworkGradient<T>::NetworkGradient(const MlpTerm& shape, std::size_t batch, TrainingBackend backend)
    : batch_(batch), kind_(shape.activation) {
  for (const auto& layer : shape.layers) {
    const std::size_t weights = parameters_;
    const std::size_t bias = weights + layer.inputs * layer.outputs;
    parameters_ = bias + layer.outputs;
    layers_.push_back({layer.inputs, layer.outputs, weights, bias,
                       make_inner_product<T>(backend, batch, layer.inputs, layer.outputs),
                       std::vector<T>(batch * layer.outputs), std::vector<T>(batch * layer.outputs)});
  }
  parameters_ += activation_parameters();
}

template <class T> NetworkGradient<T>::~NetworkGradient() = default;

template <class T>
double NetworkGradient<T>::evaluate(const T* parameters, const T* x, const T* y, const T* w, double scale,
                                    T* gradient) {
  TrainedActivation activation{kind_, {}, {}};
  if (rational()) {
    const T* coefficients = parameters + parameters_ - 7;
    std::copy_n(coefficients, 4, activation.numerator.begin());
    std::copy_n(coefficients + 4, 3, activation.denominator.begin());
  }
  const T* in = x;
  for (auto& layer : layers_) {
    layer.product->forward(in, parameters + layer.weights, parameters + layer.bias, layer.before.data());
    if (&layer == &layers_.back()) break;
    activation_forward(activation, layer.before.data(), layer.after.data(), layer.before.size());
    in = layer.after.data();
  }

  auto& last = layers_.back();
  const double mean = 1.0 / static_cast<double>(last.before.size());
  const T factor = static_cast<T>(2.0 * mean * scale);
  double sum = 0.0;
  for (std::size_t i = 0; i < last.before.size(); ++i) {
    const T error = (w ? w[i] * last.before[i] : last.before[i]) - y[i];
    sum += static_cast<double>(error) * static_cast<double>(error);
    last.after[i] = w ? factor * error * w[i] : factor * error;
  }

  double d_coefficients[7] = {};
  T* dy = last.after.data();
  for (std::size_t l = layers_.size(); l-- > 0;) {
    auto& layer = layers_[l];
    const T* input = l == 0 ? x : layers_[l - 1].after.data();
    layer.product->backward_weights(input, dy, gradient + layer.weights, gradient + layer.bias);
    if (l == 0) break;
    // What came out of the activation has been used for the last time: its place takes the derivative by it.
    auto& below = layers_[l - 1];
    layer.product->backward_data(dy, parameters + layer.weights, below.after.data());
    activation_backward(activation, below.before.data(), below.after.data(), below.before.size(), d_coefficients);
    dy = below.after.data();
  }
  for (std::size_t c = 0; c < activation_parameters(); ++c) {
    gradient[parameters_ - 7 + c] = static_cast<T>(d_coefficients[c]);
  }
  return sum * mean;
}

template class NetworkGradient<float>;
template class NetworkGradient<double>;

} // namespace lodestep::detail
