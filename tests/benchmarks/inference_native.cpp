#include "inference.hpp"

#include <Eigen/Core>
#include <hwy/highway.h>

#include <cmath>
#include <utility>
#include <vector>

namespace lodestep::benchmarks {

template <class T> struct EigenMlp<T>::Implementation {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  Activation activation;
  std::array<T, 4> numerator;
  std::array<T, 3> denominator;
  std::vector<Matrix> weights;
  std::vector<Vector> biases;
  std::vector<Matrix> values; ///< of the hidden layers, kept between calls
  std::vector<Vector> vectors;

  template <class Array> void activate(Array&& a) const {
    switch (activation) {
    case Activation::tanh:
      a = a.tanh();
      break;
    case Activation::silu:
      a = a / (T{1} + (-a).exp());
      break;
    case Activation::relu:
      a = a.max(T{0});
      break;
    case Activation::rational:
      a = (((numerator[3] * a + numerator[2]) * a + numerator[1]) * a + numerator[0]) /
          ((denominator[2] * a + denominator[1]) * a + denominator[0]);
      break;
    }
  }
};

template <class T> EigenMlp<T>::EigenMlp(const MlpTerm& mlp) : implementation_(std::make_unique<Implementation>()) {
  auto& m = *implementation_;
  m.activation = mlp.activation;
  for (std::size_t i = 0; i < 4; ++i) m.numerator[i] = static_cast<T>(mlp.numerator[i]);
  for (std::size_t i = 0; i < 3; ++i) m.denominator[i] = static_cast<T>(mlp.denominator[i]);
  for (const auto& layer : mlp.layers) {
    const auto rows = static_cast<Eigen::Index>(layer.outputs);
    const auto columns = static_cast<Eigen::Index>(layer.inputs);
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    m.weights.push_back(Eigen::Map<const RowMajor>(layer.weight.data(), rows, columns).template cast<T>());
    m.biases.push_back(Eigen::Map<const Eigen::VectorXd>(layer.bias.data(), rows).template cast<T>());
  }
  m.values.resize(mlp.layers.size() - 1);
  m.vectors.resize(mlp.layers.size() - 1);
}

template <class T> EigenMlp<T>::~EigenMlp() = default;
template <class T> EigenMlp<T>::EigenMlp(EigenMlp&&) noexcept = default;

template <class T> void EigenMlp<T>::evaluate(const T* x, T* y, std::size_t batch) {
  auto& m = *implementation_;
  const std::size_t hidden = m.values.size();
  const auto columns = static_cast<Eigen::Index>(batch);
  using Matrix = typename Implementation::Matrix;
  using Vector = typename Implementation::Vector;
  if (batch == 1) {
    // Its matrix-vector kernels, which is what one would write for one state.
    for (std::size_t l = 0; l < hidden; ++l) {
      auto& out = m.vectors[l];
      if (l == 0) {
        out = m.biases[l];
        out.noalias() += m.weights[l] * Eigen::Map<const Vector>(x, m.weights[l].cols());
      } else {
        out = m.biases[l];
        out.noalias() += m.weights[l] * m.vectors[l - 1];
      }
      m.activate(out.array());
    }
    Eigen::Map<Vector> result(y, m.weights[hidden].rows());
    result = m.biases[hidden];
    result.noalias() += m.weights[hidden] * m.vectors[hidden - 1];
    return;
  }
  for (std::size_t l = 0; l < hidden; ++l) {
    auto& out = m.values[l];
    if (l == 0) {
      out.noalias() = m.weights[l] * Eigen::Map<const Matrix>(x, m.weights[l].cols(), columns);
    } else {
      out.noalias() = m.weights[l] * m.values[l - 1];
    }
    out.colwise() += m.biases[l];
    m.activate(out.array());
  }
  Eigen::Map<Matrix> result(y, m.weights[hidden].rows(), columns);
  result.noalias() = m.weights[hidden] * m.values[hidden - 1];
  result.colwise() += m.biases[hidden];
}

template class EigenMlp<float>;
template class EigenMlp<double>;

template <class T> std::size_t multiply_add_peak(std::size_t repeats, T* sink) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<T> d;
  constexpr std::size_t chains = 12; // more than latency times units
  hn::Vec<decltype(d)> sums[chains];
  for (std::size_t c = 0; c < chains; ++c) sums[c] = hn::Set(d, static_cast<T>(c));
  // The sums tend to 2. NOTE: were it 0, they would pass through denormal numbers, which processors are slow with.
  const auto factor = hn::Set(d, static_cast<T>(0.5));
  const auto term = hn::Set(d, *sink + T{1});
  for (std::size_t r = 0; r < repeats; ++r) {
    for (std::size_t c = 0; c < chains; ++c) sums[c] = hn::MulAdd(sums[c], factor, term);
  }
  auto sum = sums[0];
  for (std::size_t c = 1; c < chains; ++c) sum = hn::Add(sum, sums[c]);
  *sink = hn::GetLane(hn::SumOfLanes(d, sum)) * T{0};
  return repeats * chains * 2 * hn::Lanes(d);
}

template std::size_t multiply_add_peak<float>(std::size_t, float*);
template std::size_t multiply_add_peak<double>(std::size_t, double*);

} // namespace lodestep::benchmarks
