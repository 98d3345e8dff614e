#include "approximator/activation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

constexpr double log2_e = 1.4426950408889634074;
constexpr double ln_2 = 0.69314718055994530942;

/// A cubic over a quadratic is a line plus a proper fraction. Where the fraction's numerator is a constant (as in the
/// default coefficients, whose derivative vanishes fast on both sides), one division is all that is left to do per
/// unit. Not done where line and fraction nearly cancel, which would lose digits.
bool split_rational(const MlpTerm& mlp, FoldedActivation& folded) {
  const auto& a = mlp.numerator;
  const auto& b = mlp.denominator;
  if (b[2] == 0.0) return false;
  const double d0 = b[0] / b[2];
  const double d1 = b[1] / b[2];
  const double slope = a[3] / b[2];
  const double offset = a[2] / b[2] - slope * d1;
  const double linear = a[1] / b[2] - slope * d0 - offset * d1;
  const double constant = a[0] / b[2] - offset * d0;
  const double rounding = 8.0 * std::numeric_limits<double>::epsilon() *
                          (std::abs(a[1] / b[2]) + std::abs(slope * d0) + std::abs(offset * d1));
  if (std::abs(linear) > rounding || !std::isfinite(constant) || !std::isfinite(d0) || !std::isfinite(offset)) {
    return false;
  }
  double largest = 0.0;
  double largest_part = 0.0;
  for (int i = -64; i <= 64; ++i) {
    const double x = i / 16.0;
    const double line = slope * x + offset;
    const double fraction = constant / ((x + d1) * x + d0);
    largest = std::max(largest, std::abs(line + fraction));
    largest_part = std::max({largest_part, std::abs(line), std::abs(fraction)});
  }
  if (!(largest_part <= 4.0 * largest)) return false;
  // x^2 + d1 x + d0 is a square and a number, unless they cancel near a double root.
  const double square = 0.25 * d1 * d1;
  if (!(std::abs(d0 - square) >= 0.25 * std::max(std::abs(d0), square))) return false;
  folded.kernel = ActivationKernel::rational_reciprocal;
  folded.input_shift = 0.5 * d1;
  folded.slope = slope;
  folded.offset = offset;
  folded.output_factor = constant;
  folded.denominator[0] = d0 - square;
  folded.denominator[2] = 1.0;
  return true;
}

} // namespace

FoldedActivation fold_activation(const MlpTerm& mlp, bool one_hidden_layer) {
  FoldedActivation folded;
  switch (mlp.activation) {
  case Activation::tanh: // tanh(x) = (e^2x - 1) / (e^2x + 1)
    folded.kernel = ActivationKernel::tanh;
    folded.input_factor = 2.0 * log2_e;
    break;
  case Activation::silu: // x / (1 + e^-x)
    folded.kernel = ActivationKernel::silu;
    folded.input_factor = -log2_e;
    folded.output_factor = -ln_2;
    break;
  case Activation::relu:
    folded.kernel = ActivationKernel::relu;
    break;
  case Activation::rational:
    if (one_hidden_layer && split_rational(mlp, folded)) break;
    folded.kernel = ActivationKernel::rational;
    std::copy(mlp.numerator.begin(), mlp.numerator.end(), folded.numerator);
    std::copy(mlp.denominator.begin(), mlp.denominator.end(), folded.denominator);
    break;
  }
  return folded;
}

} // namespace lodestep::detail
