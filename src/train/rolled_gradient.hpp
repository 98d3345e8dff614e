#pragma once

#include "train/inner_product.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep::detail {

/// The multi-step loss of a flow map x -> x + N(x) (HiTS, Liu et al. 2022, eq. 9) over batches of fixed size, and its
/// gradient by back-propagation through all steps. In f32, for activations without parameters. Nothing is allocated
/// after construction.
class LODESTEP_TRAIN_EXPORT RolledGradient {
public:
  /// `shape` gives layers and activation, not the parameters; as many outputs as inputs.
  RolledGradient(const MlpTerm& shape, std::size_t batch, std::size_t steps, TrainingBackend backend);
  ~RolledGradient();

  std::size_t batch() const noexcept { return batch_; }
  std::size_t parameters() const noexcept { return parameters_; }

  /// Mean over batch, steps and variables of (x_k - truth_k)^2, k = 1 .. steps, from x_0 = truth_0; `truth`
  /// [steps + 1, batch, variable], parameters as pack_parameters gives them. Adds `scale` times its gradient.
  double evaluate(const float* parameters, const float* truth, double scale, float* gradient);
  /// Of the first step alone, in the last evaluation.
  double one_step() const noexcept { return one_step_; }

private:
  struct Layer {
    std::size_t inputs;
    std::size_t outputs;
    std::size_t weights; ///< index among the parameters
    std::size_t bias;
    std::unique_ptr<InnerProduct<float>> product;
    std::vector<std::vector<float>> before; ///< the activation, of each step [batch, outputs]
    std::vector<std::vector<float>> after;
  };

  std::size_t batch_;
  std::size_t steps_;
  std::size_t dimension_;
  std::size_t parameters_ = 0;
  Activation kind_;
  std::vector<Layer> layers_;
  std::vector<std::vector<float>> states_; ///< of each step [batch, variable]
  std::vector<float> slope_;               ///< of the loss by a step's state
  std::vector<float> passed_;              ///< the same through the network
  std::vector<float> part_;
  double one_step_ = 0.0;
};

} // namespace lodestep::detail
