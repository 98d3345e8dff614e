#pragma once

#include <lodestep/approximator.hpp>

namespace lodestep::detail {

/// What a fused kernel computes per hidden unit. Every activation a(x) of a model is written as
///
///     a(x) = output_factor g(input_factor x + input_shift) + slope x + offset
///
/// with g the cheapest function the processor can be given. Factors and shift are folded into the weights and biases
/// around the activation when they are packed; so are slope and offset, which make an affine map of the layer below.
///
/// To add an activation: name it in `Activation` (approximator.hpp, spec.cpp), define it in `activate`
/// (reference.cpp), say here (activation.cpp) which g it uses, and write g in activation-inl.hpp.
enum class ActivationKernel {
  tanh,                ///< g(t) = (2^t - 1) / (2^t + 1)
  silu,                ///< g(t) = t / (1 + 2^t)
  relu,                ///< g(t) = max(t, 0)
  rational,            ///< g(t) = (c0 + c1 t + c2 t^2 + c3 t^3) / (d0 + d1 t + d2 t^2)
  rational_reciprocal, ///< g(t) = 1 / (d0 + t^2)
};

struct FoldedActivation {
  ActivationKernel kernel = ActivationKernel::relu;
  double input_factor = 1.0;
  double input_shift = 0.0;
  double output_factor = 1.0;
  double slope = 0.0;
  double offset = 0.0;
  double numerator[4] = {0.0, 0.0, 0.0, 0.0};
  double denominator[3] = {1.0, 0.0, 0.0};
};

/// A slope is used with one hidden layer only: there the line goes into the affine term.
FoldedActivation fold_activation(const MlpTerm& mlp, bool one_hidden_layer);

} // namespace lodestep::detail
