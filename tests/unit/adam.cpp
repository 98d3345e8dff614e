#include "train/adam.hpp"

#include "train/activation_gradient.hpp"

#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace lodestep;
using namespace lodestep::detail;

namespace {

const Activation activations[] = {Activation::tanh, Activation::rational, Activation::silu, Activation::relu};

struct Batch {
  std::vector<double> x;
  std::vector<double> y;
};

Batch random_batch(Random& random, std::size_t batch, std::size_t inputs, std::size_t outputs) {
  Batch b{std::vector<double>(batch * inputs), std::vector<double>(batch * outputs)};
  for (double& v : b.x) v = random.uniform(-1.5, 1.5);
  for (double& v : b.y) v = random.uniform(-1.0, 1.0);
  return b;
}

/// The loss from the definition of an MLP, in plain loops.
double plain_loss(const MlpTerm& network, const Batch& b) {
  const std::size_t inputs = network.layers.front().inputs;
  const std::size_t outputs = network.layers.back().outputs;
  auto spec = ApproximatorSpec::zero(inputs, outputs);
  spec.term = network;
  const Approximator reference(spec, Backend::reference);
  Workspace workspace;
  std::vector<double> y(outputs);
  double sum = 0.0;
  for (std::size_t n = 0; n < b.x.size() / inputs; ++n) {
    reference.evaluate(b.x.data() + n * inputs, y.data(), 1, workspace);
    for (std::size_t o = 0; o < outputs; ++o) sum += std::pow(y[o] - b.y[n * outputs + o], 2);
  }
  return sum / static_cast<double>(b.y.size());
}

std::vector<float> in_f32(const std::vector<double>& v) {
  return {v.begin(), v.end()};
}

} // namespace

static void gradients_are_those_of_finite_differences_of(Activation activation) {
  Random random(1, 2, 3);
  // Two hidden layers, widths and a batch that are no multiples of a vector's length.
  MlpTerm network = random_network(random, {3, 7, 5, 2}, activation);
  const Batch b = random_batch(random, 13, 3, 2);
  NetworkGradient<double> of(network, 13, TrainingBackend::automatic);
  auto parameters = pack_parameters(network);
  BOOST_REQUIRE(of.parameters() == parameters.size());
  std::vector<double> gradient(parameters.size());
  const double scale = 1e6;
  const double loss = of.evaluate(parameters.data(), b.x.data(), b.y.data(), nullptr, scale, gradient.data());
  BOOST_TEST(loss == plain_loss(network, b), boost::test_tools::tolerance(1e-13));
  double largest = 0.0;
  for (double g : gradient) largest = std::max(largest, std::abs(g));
  BOOST_TEST(largest > 0.01 * scale);
  const double h = 1e-5; // truncation and rounding about 1e-10 both
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto moved = [&](double by) {
      auto p = parameters;
      p[i] += by;
      MlpTerm n = network;
      unpack_parameters(p, n);
      return plain_loss(n, b);
    };
    const double difference = scale * (moved(h) - moved(-h)) / (2.0 * h);
    BOOST_TEST(std::abs(gradient[i] - difference) <= 1e-7 * largest,
               "parameter " << i << ": " << gradient[i] << ", by differences " << difference);
  }
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
  for (Activation activation : activations) {
    BOOST_TEST_CONTEXT(to_string(activation)) {
      gradients_are_those_of_finite_differences_of(activation);
    }
  }
}

static void onednn_and_eigen_train_alike_of(Activation activation) {
  if (!onednn_training_available()) return;
  for (const auto& widths : {std::vector<std::size_t>{4, 64, 4}, {5, 33, 70, 3}, {4, 1024, 4}}) {
    Random random(4, 5, widths[1]);
    const std::size_t batch = 96;
    const MlpTerm network = random_network(random, widths, activation);
    const Batch b = random_batch(random, batch, widths.front(), widths.back());
    const auto x = in_f32(b.x), y = in_f32(b.y), parameters = in_f32(pack_parameters(network));
    std::vector<float> one(parameters.size()), two(parameters.size());
    NetworkGradient<float> eigen(network, batch, TrainingBackend::eigen);
    NetworkGradient<float> onednn(network, batch, TrainingBackend::onednn);
    for (int repetition = 0; repetition < 2; ++repetition) { // buffers are used again
      const double loss1 = eigen.evaluate(parameters.data(), x.data(), y.data(), nullptr, 1.0, one.data());
      const double loss2 = onednn.evaluate(parameters.data(), x.data(), y.data(), nullptr, 1.0, two.data());
      BOOST_TEST(loss1 == loss2, boost::test_tools::tolerance(1e-5));
      BOOST_TEST(loss1 == plain_loss(network, b), boost::test_tools::tolerance(1e-4));
      float largest = 0.0f, apart = 0.0f;
      for (std::size_t i = 0; i < one.size(); ++i) {
        largest = std::max(largest, std::abs(one[i]));
        apart = std::max(apart, std::abs(one[i] - two[i]));
      }
      BOOST_TEST(apart <= 2e-5f * largest); // some tens of roundings in f32
    }
  }
}

BOOST_AUTO_TEST_CASE(onednn_and_eigen_train_alike) {
  for (Activation activation : activations) {
    BOOST_TEST_CONTEXT(to_string(activation)) {
      onednn_and_eigen_train_alike_of(activation);
    }
  }
}

BOOST_AUTO_TEST_CASE(f64_has_no_onednn) {
  Random random(0, 0, 0);
  const MlpTerm network = random_network(random, {2, 3, 2}, Activation::tanh);
  BOOST_CHECK_THROW(NetworkGradient<double>(network, 4, TrainingBackend::onednn), InvalidArgument);
}

namespace {

struct Data {
  Eigen::MatrixXd x;
  Eigen::MatrixXd y;
};

/// Two smooth functions of two variables.
Data smooth_functions(Eigen::Index samples) {
  Random random(7, 8, 9);
  Data data{Eigen::MatrixXd(2, samples), Eigen::MatrixXd(2, samples)};
  for (Eigen::Index n = 0; n < samples; ++n) {
    const double a = random.uniform(-1.0, 1.0);
    const double b = random.uniform(-1.0, 1.0);
    data.x.col(n) << a, b;
    data.y.col(n) << std::sin(2.0 * a + b), a * b;
  }
  return data;
}

} // namespace

static void smooth_functions_are_learned_of(Activation activation) {
  const Data data = smooth_functions(1000);
  Random random(1, 1, 1);
  const MlpTerm start = random_network(random, {2, 32, 2}, activation);
  AdamOptions options;
  options.epochs = 200;
  options.batch = 50;
  options.learning_rate = 1e-2;
  const auto result = train_adam(start, data.x, data.y, options);
  BOOST_TEST(!result.diverged);
  BOOST_TEST(!result.interrupted);
  BOOST_REQUIRE(result.loss.size() == options.epochs);
  // ReLU's kinks leave more.
  BOOST_TEST(result.loss.back() < (activation == Activation::relu ? 2e-3 : 3e-4));
  BOOST_TEST(result.loss.back() < 0.02 * result.loss.front());
  if (activation == Activation::rational) BOOST_TEST(result.network.numerator[3] != start.numerator[3]);

  const auto again = train_adam(start, data.x, data.y, options);
  BOOST_TEST(pack_parameters(again.network) == pack_parameters(result.network));
  options.precision = Precision::f64;
  options.train_activation = false;
  const auto in_f64 = train_adam(start, data.x, data.y, options);
  BOOST_TEST(in_f64.network.numerator == start.numerator);
  BOOST_TEST(in_f64.loss.back() < 2e-3);
}

BOOST_AUTO_TEST_CASE(smooth_functions_are_learned) {
  for (Activation activation : activations) {
    BOOST_TEST_CONTEXT(to_string(activation)) {
      smooth_functions_are_learned_of(activation);
    }
  }
}

// Adam's step does not depend on the scale of the loss but for epsilon, so scaling the loss of small targets changes
// little: it is the targets that must be scaled.
BOOST_AUTO_TEST_CASE(first_steps_are_of_the_learning_rate_whatever_the_scale_of_the_loss) {
  const Data data = smooth_functions(64);
  Random random(1, 1, 1);
  const MlpTerm start = random_network(random, {2, 4, 2}, Activation::tanh);
  AdamOptions options;
  options.epochs = 1;
  options.batch = 64;
  options.precision = Precision::f64;
  const auto before = pack_parameters(start);
  for (double scale : {1.0, 1e6}) {
    options.loss_scale = scale;
    const auto after = pack_parameters(train_adam(start, data.x, data.y, options).network);
    for (std::size_t i = 0; i < before.size(); ++i) {
      BOOST_TEST(std::abs(std::abs(after[i] - before[i]) - options.learning_rate) < 1e-3 * options.learning_rate);
    }
  }
}

// A batch that is worked on in pieces has the gradient of the whole: the first step's sign tells, and the loss.
BOOST_AUTO_TEST_CASE(large_batches_are_batches) {
  const Data data = smooth_functions(1024);
  Random random(1, 1, 1);
  const MlpTerm start = random_network(random, {2, 4, 2}, Activation::tanh);
  AdamOptions options;
  options.epochs = 1;
  options.batch = 1024;
  options.precision = Precision::f64;
  const auto result = train_adam(start, data.x, data.y, options);
  Batch all{{data.x.data(), data.x.data() + data.x.size()}, {data.y.data(), data.y.data() + data.y.size()}};
  BOOST_TEST(result.loss.front() == plain_loss(start, all), boost::test_tools::tolerance(1e-12));
  NetworkGradient<double> whole(start, 1024, TrainingBackend::eigen);
  const auto before = pack_parameters(start);
  const auto after = pack_parameters(result.network);
  std::vector<double> gradient(before.size());
  whole.evaluate(before.data(), all.x.data(), all.y.data(), nullptr, 1.0, gradient.data());
  for (std::size_t i = 0; i < before.size(); ++i) BOOST_TEST((after[i] < before[i]) == (gradient[i] > 0.0));
}

// w N(x) = y with y = w t is N(x) = t where no w is small.
BOOST_AUTO_TEST_CASE(weights_multiply_what_the_network_gives) {
  const Data data = smooth_functions(512);
  Eigen::MatrixXd weights(2, 512);
  for (Eigen::Index n = 0; n < 512; ++n) weights.col(n) << 2.0, (n % 2 == 0 ? 1.0 : -3.0);
  Random random(1, 1, 1);
  const MlpTerm start = random_network(random, {2, 16, 2}, Activation::tanh);
  AdamOptions options;
  options.epochs = 150;
  options.batch = 64;
  options.learning_rate = 1e-2;
  const auto result = train_adam(start, data.x, data.y.cwiseProduct(weights), options, weights);
  Batch all{{data.x.data(), data.x.data() + data.x.size()}, {data.y.data(), data.y.data() + data.y.size()}};
  BOOST_TEST(plain_loss(result.network, all) < 0.02 * plain_loss(start, all));
  BOOST_CHECK_THROW(train_adam(start, data.x, data.y, options, weights.leftCols(3)), InvalidArgument);

  NetworkGradient<double> of(start, 512, TrainingBackend::eigen);
  auto parameters = pack_parameters(start);
  std::vector<double> gradient(parameters.size()), ignored(parameters.size());
  const auto loss = [&](std::vector<double>& to) {
    return of.evaluate(parameters.data(), data.x.data(), data.y.data(), weights.data(), 1.0, to.data());
  };
  loss(gradient);
  parameters[3] += 1e-5;
  const double above = loss(ignored);
  parameters[3] -= 2e-5;
  BOOST_TEST((above - loss(ignored)) / 2e-5 == gradient[3], boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(training_stops_when_told_and_when_it_diverges) {
  Data data = smooth_functions(64);
  Random random(1, 1, 1);
  const MlpTerm start = random_network(random, {2, 4, 2}, Activation::tanh);
  AdamOptions options;
  options.epochs = 100;
  options.proceed = [](std::size_t epoch, double) { return epoch < 3; };
  const auto stopped = train_adam(start, data.x, data.y, options);
  BOOST_TEST(stopped.interrupted);
  BOOST_TEST(stopped.loss.size() == 3u);
  data.y(0, 5) = std::numeric_limits<double>::quiet_NaN();
  const auto diverged = train_adam(start, data.x, data.y, options);
  BOOST_TEST(diverged.diverged);
  BOOST_TEST(pack_parameters(diverged.network) == pack_parameters(start));
}

BOOST_AUTO_TEST_CASE(data_that_does_not_fit_is_refused) {
  const Data data = smooth_functions(10);
  Random random(1, 1, 1);
  BOOST_CHECK_THROW(train_adam(random_network(random, {3, 4, 2}, Activation::tanh), data.x, data.y, {}),
                    InvalidArgument);
  const MlpTerm start = random_network(random, {2, 4, 2}, Activation::tanh);
  BOOST_CHECK_THROW(train_adam(start, data.x, data.y.leftCols(9), {}), InvalidArgument);
  AdamOptions options;
  options.batch = 0;
  BOOST_CHECK_THROW(train_adam(start, data.x, data.y, options), InvalidArgument);
}
