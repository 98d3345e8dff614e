// Eight threads share one model, each with a stepper of its own: the bits are those of one thread after the other.
// Under the thread sanitizer (preset tsan) this is also the test that they share nothing they should not.
#include "pendulum_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

using namespace lodestep;
using State = std::array<double, 4>;

namespace {

constexpr std::size_t thread_count = 8;

void pendulum(double, const double* u, double* dudt) {
  dudt[0] = u[2];
  dudt[1] = u[3];
  dudt[2] = -(9.81 * std::sin(u[0]) + 2.0 * u[2] * u[3]) / u[1];
  dudt[3] = u[1] * u[2] * u[2] - 40.0 * (u[1] - 10.0) + 9.81 * std::cos(u[0]);
}

/// Steps of one size, and now and then of another: the fallback has scratch of its own.
std::vector<double> walk(const std::shared_ptr<const Corrector>& corrector, const State& start, int steps) {
  CorrectedRungeKutta stepper(corrector);
  State u = start;
  std::vector<double> path;
  for (int n = 0; n < steps; ++n) {
    stepper.step(pendulum, 0.0, u.data(), n % 17 == 16 ? 0.03 : 0.1);
    path.insert(path.end(), u.begin(), u.end());
  }
  return path;
}

/// Every thread evaluates batches of its own with one approximator.
std::vector<double> evaluate(const Approximator& approximator, std::size_t seed, std::size_t batch) {
  test::SmallRandom random(seed);
  Workspace workspace;
  std::vector<double> x(batch * approximator.inputs()), y(batch * approximator.outputs()), all;
  for (int repeat = 0; repeat < 5; ++repeat) {
    for (double& value : x) value = random.number();
    approximator.evaluate(x.data(), y.data(), batch, workspace);
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

template <class Work> void same_bits_as_serial(const Work& work) {
  std::vector<std::vector<double>> serial(thread_count), parallel(thread_count);
  for (std::size_t i = 0; i < thread_count; ++i) serial[i] = work(i);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < thread_count; ++i) threads.emplace_back([&, i] { parallel[i] = work(i); });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < thread_count; ++i) BOOST_TEST((parallel[i] == serial[i]));
  BOOST_TEST((serial[0] != serial[1]));
}

/// Null if this library was built without it, or it cannot run the shape.
template <class T, class... Arguments> std::shared_ptr<const T> if_built(const Arguments&... arguments) {
  try {
    return std::make_shared<const T>(arguments...);
  } catch (const InvalidArgument& error) {
    BOOST_TEST_MESSAGE(error.what());
    return nullptr;
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(steppers_of_one_model) {
  for (const Precision precision : {Precision::f64, Precision::f32}) {
    test::PendulumOptions options;
    options.precision = precision;
    const auto model = std::make_shared<const Model>(test::pendulum_model(options));
    for (const Backend backend : {Backend::fused, Backend::onednn, Backend::reference}) {
      const auto corrector = if_built<Corrector>(model, backend);
      if (!corrector) continue;
      same_bits_as_serial([&](std::size_t i) {
        return walk(corrector, {0.05 * static_cast<double>(i), 10.2, 0.0, 0.3}, 100);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(evaluations_of_one_approximator) {
  for (const Precision precision : {Precision::f64, Precision::f32}) {
    test::PendulumOptions options;
    options.precision = precision;
    options.hidden = {48, 32};
    const auto spec = std::get<CorrectorModel>(test::pendulum_model(options).method).approximator;
    for (const Backend backend : {Backend::fused, Backend::onednn, Backend::automatic}) {
      const auto approximator = if_built<Approximator>(spec, backend);
      if (!approximator) continue;
      // Several batches: a backend that keeps something for each size makes it while others use theirs.
      for (const std::size_t batch : {1, 7, 64}) {
        same_bits_as_serial([&](std::size_t i) { return evaluate(*approximator, i + 1, batch + i % 2); });
      }
    }
  }
}
