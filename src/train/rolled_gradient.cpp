#include "train/rolled_gradient.hpp"

#include "train/activation_gradient.hpp"

#include <lodestep/error.hpp>

#include <algorithm>

namespace lodestep::detail {

RolledGradient::RolledGradient(const MlpTerm& shape, std::size_t batch, std::size_t steps, TrainingBackend backend)
    : batch_(batch), steps_(steps), dimension_(shape.layers.front().inputs), kind_(shape.activation) {
  if (kind_ == Activation::rational || shape.layers.back().outputs != dimension_ || steps == 0) {
    throw InvalidArgument("multi-step loss: expected a network with as many outputs as inputs and an activation "
                          "without parameters, and at least one step");
  }
  for (const auto& layer : shape.layers) {
    const std::size_t weights = parameters_;
    const std::size_t bias = weights + layer.inputs * layer.outputs;
    parameters_ = bias + layer.outputs;
    const std::vector<std::vector<float>> buffers(steps, std::vector<float>(batch * layer.outputs));
    layers_.push_back({layer.inputs, layer.outputs, weights, bias,
                       make_inner_product<float>(backend, batch, layer.inputs, layer.outputs), buffers, buffers});
  }
  states_.assign(steps + 1, std::vector<float>(batch * dimension_));
  slope_.resize(batch * dimension_);
  passed_.resize(batch * dimension_);
  part_.resize(parameters_);
}

RolledGradient::~RolledGradient() = default;

double RolledGradient::evaluate(const float* parameters, const float* truth, double scale, float* gradient) {
  const TrainedActivation activation{kind_, {}, {}};
  const std::size_t numbers = batch_ * dimension_;
  std::copy_n(truth, numbers, states_[0].data());
  double sum = 0.0;
  for (std::size_t k = 0; k < steps_; ++k) {
    const float* in = states_[k].data();
    for (auto& layer : layers_) {
      layer.product->forward(in, parameters + layer.weights, parameters + layer.bias, layer.before[k].data());
      if (&layer == &layers_.back()) break;
      activation_forward(activation, layer.before[k].data(), layer.after[k].data(), layer.before[k].size());
      in = layer.after[k].data();
    }
    const auto& added = layers_.back().before[k];
    const float* expected = truth + (k + 1) * numbers;
    for (std::size_t i = 0; i < numbers; ++i) {
      states_[k + 1][i] = states_[k][i] + added[i];
      const double error = static_cast<double>(states_[k + 1][i]) - static_cast<double>(expected[i]);
      sum += error * error;
    }
    if (k == 0) one_step_ = sum / static_cast<double>(numbers);
  }

  const double mean = 1.0 / static_cast<double>(numbers * steps_);
  const auto factor = static_cast<float>(2.0 * mean * scale);
  std::fill(slope_.begin(), slope_.end(), 0.0F);
  double no_coefficients[7] = {};
  for (std::size_t k = steps_; k-- > 0;) {
    const float* expected = truth + (k + 1) * numbers;
    for (std::size_t i = 0; i < numbers; ++i) slope_[i] += factor * (states_[k + 1][i] - expected[i]);
    const float* dy = slope_.data();
    for (std::size_t l = layers_.size(); l-- > 0;) {
      auto& layer = layers_[l];
      const float* input = l == 0 ? states_[k].data() : layers_[l - 1].after[k].data();
      layer.product->backward_weights(input, dy, part_.data() + layer.weights, part_.data() + layer.bias);
      if (l == 0) {
        if (k > 0) layer.product->backward_data(dy, parameters + layer.weights, passed_.data());
        break;
      }
      // What came out of the activation has been used for the last time: its place takes the derivative by it.
      auto& below = layers_[l - 1];
      layer.product->backward_data(dy, parameters + layer.weights, below.after[k].data());
      activation_backward(activation, below.before[k].data(), below.after[k].data(), below.before[k].size(),
                          no_coefficients);
      dy = below.after[k].data();
    }
    for (std::size_t i = 0; i < parameters_; ++i) gradient[i] += part_[i];
    for (std::size_t i = 0; k > 0 && i < numbers; ++i) slope_[i] += passed_[i];
  }
  return sum * mean;
}

} // namespace lodestep::detail
