#pragma once

#include "train/inner_product.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep::detail {

/// The parameters of an MLP as one vector: for every layer its weights [outputs, inputs] and its bias, then, for a
/// rational activation, a0 .. a3 and b0 .. b2, which all layers share.
LODESTEP_TRAIN_EXPORT std::vector<double> pack_parameters(const MlpTerm& network);
LODESTEP_TRAIN_EXPORT void unpack_parameters(const std::vector<double>& parameters, MlpTerm& network);

/// Mean squared error of an MLP over batches of fixed size, and its gradient by back-propagation. Nothing is allocated
/// after construction. T is float or double.
template <class T> class LODESTEP_TRAIN_EXPORT NetworkGradient {
public:
  /// `shape` gives layers and activation, not the parameters.
  NetworkGradient(const MlpTerm& shape, std::size_t batch, TrainingBackend backend);
  ~NetworkGradient();

  std::size_t batch() const noexcept { return batch_; }
  std::size_t parameters() const noexcept { return parameters_; }
  /// Of which the last ones are the activation's.
  std::size_t activation_parameters() const noexcept { return rational() ? 7 : 0; }

  /// mean over batch and outputs of (w N(x) - y)^2 for x [batch, inputs], y and w [batch, outputs], and `scale` times
  /// its gradient by the parameters. w null: 1.
  double evaluate(const T* parameters, const T* x, const T* y, const T* w, double scale, T* gradient);

private:
  struct Layer {
    std::size_t inputs;
    std::size_t outputs;
    std::size_t weights; ///< index among the parameters
    std::size_t bias;
    std::unique_ptr<InnerProduct<T>> product;
    std::vector<T> before; ///< the activation, [batch, outputs]
    std::vector<T> after;  ///< the activation; of the last layer the derivative by its output
  };
  bool rational() const noexcept { return kind_ == Activation::rational; }

  std::size_t batch_;
  std::size_t parameters_ = 0;
  Activation kind_;
  std::vector<Layer> layers_;
};

} // namespace lodestep::detail
