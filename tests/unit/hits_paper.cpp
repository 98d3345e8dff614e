#include "train/adam.hpp"
#include "train/rolled_gradient.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train_hits_paper.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace lodestep;
using detail::RolledGradient;
using detail::TrainingBackend;

namespace {

constexpr std::size_t batch = 3, steps = 4, dimension = 2;

std::vector<float> random_numbers(std::size_t count, std::uint64_t stream) {
  Random random(4, stream, 0);
  std::vector<float> numbers(count);
  for (float& x : numbers) x = static_cast<float>(random.uniform(-1.0, 1.0));
  return numbers;
}

/// Eq. 9 written anew, in double.
double loss_of(const MlpTerm& network, const std::vector<float>& truth) {
  double sum = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    std::vector<double> x(dimension);
    for (std::size_t i = 0; i < dimension; ++i) x[i] = truth[b * dimension + i];
    for (std::size_t k = 1; k <= steps; ++k) {
      std::vector<double> h = x;
      for (std::size_t l = 0; l < network.layers.size(); ++l) {
        const auto& layer = network.layers[l];
        std::vector<double> next(layer.outputs);
        for (std::size_t o = 0; o < layer.outputs; ++o) {
          next[o] = layer.bias[o];
          for (std::size_t i = 0; i < layer.inputs; ++i) next[o] += layer.weight[o * layer.inputs + i] * h[i];
          if (l + 1 < network.layers.size()) next[o] = std::max(next[o], 0.0);
        }
        h = next;
      }
      for (std::size_t i = 0; i < dimension; ++i) {
        x[i] += h[i];
        sum += std::pow(x[i] - truth[(k * batch + b) * dimension + i], 2);
      }
    }
  }
  return sum / static_cast<double>(batch * steps * dimension);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_multi_step_loss_and_its_gradient) {
  Random random(1, 2, 3);
  MlpTerm network = detail::random_network(random, {dimension, 7, 5, dimension}, Activation::relu);
  const auto truth = random_numbers((steps + 1) * batch * dimension, 5);
  const auto packed = detail::pack_parameters(network);
  const std::vector<float> parameters(packed.begin(), packed.end());
  for (const auto backend : {TrainingBackend::eigen, TrainingBackend::automatic}) {
    RolledGradient loss(network, batch, steps, backend);
    BOOST_TEST(loss.parameters() == parameters.size());
    std::vector<float> gradient(parameters.size(), 0.0F);
    BOOST_TEST(loss.evaluate(parameters.data(), truth.data(), 1.0, gradient.data()) == loss_of(network, truth),
               boost::test_tools::tolerance(1e-5));
    for (std::size_t p = 0; p < packed.size(); p += 3) {
      const double h = 1e-6;
      auto moved = packed;
      MlpTerm ahead = network, behind = network;
      moved[p] += h;
      detail::unpack_parameters(moved, ahead);
      moved[p] -= 2 * h;
      detail::unpack_parameters(moved, behind);
      const double expected = (loss_of(ahead, truth) - loss_of(behind, truth)) / (2 * h);
      BOOST_TEST(std::abs(gradient[p] - expected) < 1e-4 * std::max(1.0, std::abs(expected)));
    }
  }
  network.activation = Activation::rational;
  BOOST_CHECK_THROW(RolledGradient(network, batch, steps, TrainingBackend::eigen), InvalidArgument);
}

// Little training, but the road of the paper: ReLU, several levels, cross-validated, the same model for the same seed.
BOOST_AUTO_TEST_CASE(the_papers_recipe_learns) {
  const auto problem = make_problem("hyperbolic");
  HitsPaperOptions options;
  options.levels = {5, 7};
  options.trajectories = 100;
  options.hidden = {32, 32};
  options.epochs = 400;
  options.learning_rate = 3e-3;
  const auto result = train_hits_paper(problem, options);
  const auto& hierarchy = std::get<HierarchyModel>(result.model.method);
  BOOST_REQUIRE(hierarchy.maps.size() == 3u);
  BOOST_TEST(hierarchy.maps[0].dt == 0.32, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(hierarchy.maps[0].approximator.description().find("relu") != std::string::npos);
  for (const auto& map : result.maps) {
    BOOST_TEST(map.step_rms < 0.05);
    BOOST_TEST(map.validation_mse < 0.05); // a state not moved at all is off by 0.1
  }
  BOOST_TEST((serialize_model(train_hits_paper(problem, options).model) == serialize_model(result.model)));
  options.levels = {0, 13};
  BOOST_CHECK_THROW(train_hits_paper(problem, options), InvalidArgument);
  options.levels = {3, 2};
  BOOST_CHECK_THROW(train_hits_paper(problem, options), InvalidArgument);
  options = {};
  options.epochs = 0;
  BOOST_CHECK_THROW(train_hits_paper(problem, options), InvalidArgument);
}
