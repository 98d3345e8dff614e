#include "train/attns_recipe.hpp"

#include "train/least_squares.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace lodestep::detail {

namespace {
constexpr std::uint64_t network_stream = 33; // beside those of Split, of hidden layers and of the samples' order
}

AdamOptions AttnsRecipe::published() {
  AdamOptions adam;
  adam.epochs = 500;
  adam.batch = 16384;
  adam.learning_rate = 1e-3;
  adam.loss_scale = 1e6;
  return adam;
}

AttnsRecipeFit fit_attns_recipe(const Eigen::MatrixXd& inputs, const Eigen::MatrixXd& targets,
                                const AttnsRecipe& recipe, const Eigen::MatrixXd& weights) {
  if (recipe.hidden.empty()) throw InvalidArgument("AttNS recipe: expected at least one hidden layer, found none");
  if (recipe.skip && inputs.rows() != targets.rows()) {
    throw InvalidArgument("AttNS recipe: a skip connection needs as many inputs as outputs, found " +
                          std::to_string(inputs.rows()) + " and " + std::to_string(targets.rows()));
  }
  const auto in = static_cast<std::size_t>(inputs.rows());
  const auto out = static_cast<std::size_t>(targets.rows());
  AttnsRecipeFit fit;
  auto& spec = fit.approximator;
  spec = ApproximatorSpec::zero(in, out);
  if (recipe.standardised) {
    spec = Standardisation(inputs, targets).spec();
    // With weights the network gives factors near 1, whatever the unit of what they multiply.
    if (weights.size() != 0) std::fill(spec.output_scale.begin(), spec.output_scale.end(), 1.0);
  } else {
    std::fill(spec.input_scale.begin(), spec.input_scale.end(), recipe.input_unit);
  }
  spec.precision = recipe.adam.precision;
  const Eigen::Map<const Eigen::ArrayXd> mean(spec.input_mean.data(), inputs.rows());
  const Eigen::Map<const Eigen::ArrayXd> scale(spec.input_scale.data(), inputs.rows());
  const Eigen::Map<const Eigen::ArrayXd> unit(spec.output_scale.data(), targets.rows());
  const Eigen::MatrixXd z = (inputs.array().colwise() - mean).colwise() / scale;
  Eigen::MatrixXd y = targets.array().colwise() / unit;
  if (recipe.skip) {
    // What is added needs no training: it is taken from the targets, and stands in the affine term.
    if (weights.size() == 0) {
      y -= z;
    } else {
      y -= weights.cwiseProduct(z);
    }
    for (std::size_t i = 0; i < in; ++i) spec.affine.weight[i * in + i] = 1.0;
  }
  std::vector<std::size_t> widths{in};
  widths.insert(widths.end(), recipe.hidden.begin(), recipe.hidden.end());
  widths.push_back(out);
  Random random(recipe.adam.seed, network_stream, widths[1]);
  AdamOptions adam = recipe.adam;
  if (recipe.standardised) adam.loss_scale = 1.0;
  auto result = train_adam(random_network(random, widths, recipe.activation), z, y, adam, weights);
  spec.term = std::move(result.network);
  fit.loss = std::move(result.loss);
  fit.diverged = result.diverged;
  fit.interrupted = result.interrupted;
  return fit;
}

} // namespace lodestep::detail
