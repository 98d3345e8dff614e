#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <array>
#include <cstddef>

namespace lodestep::detail {

/// An activation as training needs it: with coefficients that change, where it has any.
struct TrainedActivation {
  Activation kind = Activation::tanh;
  std::array<double, 4> numerator{};   ///< of `rational`, as in MlpTerm
  std::array<double, 3> denominator{}; ///< of `rational`
};

/// y_i = a(x_i), vectorised for the processor it runs on; x and y may be the same. T is float or double.
template <class T>
LODESTEP_TRAIN_EXPORT void activation_forward(const TrainedActivation& a, const T* x, T* y, std::size_t n);

/// From dy, a loss's derivative by y, the one by x, in place: dy_i *= a'(x_i). For `rational`, and if `d_coefficients`
/// is not null, adds the derivatives by a0 .. a3 and b0 .. b2 to its seven numbers.
template <class T>
LODESTEP_TRAIN_EXPORT void activation_backward(const TrainedActivation& a, const T* x, T* dy, std::size_t n,
                                               double* d_coefficients);

} // namespace lodestep::detail
