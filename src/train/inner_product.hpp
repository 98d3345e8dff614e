#pragma once

#include <lodestep/train_export.hpp>

#include <cstddef>
#include <memory>

namespace lodestep::detail {

/// Who computes the products of training: oneDNN's training primitives (f32 only), or plain Eigen expressions.
/// `automatic` is oneDNN where it is built in: it was 1.1 to 3 times faster for every width from 16 to 1024.
enum class TrainingBackend { automatic, eigen, onednn };

/// One affine layer over a batch of fixed size, forwards and backwards: y = x W' + b. All matrices are row-major:
/// x [batch, inputs], y [batch, outputs], W [outputs, inputs]. One object serves one thread.
template <class T> class InnerProduct {
public:
  virtual ~InnerProduct() = default;
  virtual void forward(const T* x, const T* weights, const T* bias, T* y) = 0;
  /// dx = dy W
  virtual void backward_data(const T* dy, const T* weights, T* dx) = 0;
  /// dW = dy' x, db = the column sums of dy
  virtual void backward_weights(const T* x, const T* dy, T* d_weights, T* d_bias) = 0;
};

/// Throws InvalidArgument if oneDNN is asked for and not built in, or for f64.
template <class T>
LODESTEP_TRAIN_EXPORT std::unique_ptr<InnerProduct<T>> make_inner_product(TrainingBackend backend, std::size_t batch,
                                                                          std::size_t inputs, std::size_t outputs);

/// Null where oneDNN is not built in.
std::unique_ptr<InnerProduct<float>> make_onednn_inner_product(std::size_t batch, std::size_t inputs,
                                                               std::size_t outputs);

/// Whether oneDNN's training primitives were built in.
LODESTEP_TRAIN_EXPORT bool onednn_training_available() noexcept;

} // namespace lodestep::detail
