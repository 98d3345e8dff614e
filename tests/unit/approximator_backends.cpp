// Every backend against the plain loop, on every instruction set this processor has.
#include "approximator/fused.hpp"
#include "approximator/onednn.hpp"
#include "random_approximator.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <thread>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

namespace {

std::atomic<std::size_t> allocations{0};

/// Runs `body` with approximators made for each instruction set in turn, the lowest included.
template <class Body> void for_each_instruction_set(Body body) {
  const auto names = detail::instruction_sets();
  BOOST_TEST_REQUIRE(!names.empty());
  for (const auto& name : names) {
    BOOST_TEST_CONTEXT("instruction set " << name) {
      detail::force_instruction_set(name);
      BOOST_TEST(std::string(Approximator::instruction_set()) == name);
      body();
    }
  }
  detail::force_instruction_set("");
}

std::vector<Backend> backends() {
  std::vector<Backend> list{Backend::fused, Backend::automatic};
  if (detail::onednn_available()) list.push_back(Backend::onednn);
  return list;
}

/// Largest error relative to the largest output of the same variable.
template <class Io>
double error_against_reference(const ApproximatorSpec& spec, Backend backend, std::size_t batch, Engine& engine) {
  const Approximator reference(spec, Backend::reference);
  const Approximator tested(spec, backend);
  Workspace workspace;
  const auto random = uniform(engine, batch * spec.inputs, -1.5, 1.5);
  const std::vector<Io> x(random.begin(), random.end());
  const std::vector<double> exact_x(x.begin(), x.end());
  std::vector<Io> y(batch * spec.outputs, std::numeric_limits<Io>::quiet_NaN());
  std::vector<double> truth(y.size());
  tested.evaluate(x.data(), y.data(), batch, workspace);
  reference.evaluate(exact_x.data(), truth.data(), batch, workspace);
  std::vector<double> size(spec.outputs);
  for (std::size_t i = 0; i < y.size(); ++i) {
    size[i % spec.outputs] = std::max(size[i % spec.outputs], std::abs(truth[i]) / spec.output_scale[i % spec.outputs]);
  }
  double worst = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t o = i % spec.outputs;
    const double difference = std::abs(static_cast<double>(y[i]) - truth[i]) / spec.output_scale[o];
    // One output alone may be near zero by chance: what counts is the size of the terms it is summed from.
    const double error = difference / std::max(size[o], 1.0);
    if (!(error <= worst)) worst = error; // NaN is kept
  }
  return worst;
}

void check_agreement(const ApproximatorSpec& spec, Engine& engine, const std::vector<std::size_t>& batches) {
  const bool f64 = spec.precision == Precision::f64;
  for (Backend backend : backends()) {
    if (backend == Backend::onednn && !std::holds_alternative<MlpTerm>(spec.term)) continue;
    if (backend == Backend::onednn && f64) continue;
    for (std::size_t batch : batches) {
      BOOST_TEST_CONTEXT(spec.description() << ' ' << to_string(spec.precision) << ", backend " << to_string(backend)
                                            << ", batch " << batch) {
        BOOST_TEST(error_against_reference<double>(spec, backend, batch, engine) < (f64 ? 1e-13 : 1e-5));
        BOOST_TEST(error_against_reference<float>(spec, backend, batch, engine) < 1e-5);
      }
    }
  }
}

constexpr Activation activations[] = {Activation::tanh, Activation::rational, Activation::silu, Activation::relu};
constexpr Precision precisions[] = {Precision::f64, Precision::f32};

} // namespace

// Counts allocations, for the test that there are none. Not inlined: GCC would take the pair for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(unit, (size + unit) / unit * unit)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

BOOST_AUTO_TEST_CASE(affine_maps_and_polynomials_agree_with_the_plain_loop) {
  for_each_instruction_set([] {
    Engine engine(1);
    for (Precision precision : precisions) {
      for (std::size_t inputs : {1, 2, 3, 4, 5, 16, 33}) {
        for (std::size_t outputs : {1, 2, 4, 5, 9}) {
          check_agreement(random_affine(engine, precision, inputs, outputs), engine, {1, 3});
        }
      }
      for (unsigned degree = 2; degree <= 9; ++degree) {
        for (std::size_t inputs : {1, 2, 3, 4, 5, 6, 8}) {
          if (monomial_count(inputs, degree) > 1000) continue;
          const std::size_t outputs = 1 + engine() % 10;
          check_agreement(random_polynomial(engine, precision, inputs, outputs, degree), engine, {1, 2});
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(piecewise_polynomials_agree_with_the_plain_loop) {
  for_each_instruction_set([] {
    Engine engine(11);
    for (Precision precision : precisions) {
      for (std::size_t inputs = 1; inputs <= PiecewiseTerm::most_inputs; ++inputs) {
        for (unsigned degree = 1; degree <= PiecewiseTerm::highest_degree; ++degree) {
          for (std::size_t outputs : {1, 2, 3, 6, 16}) {
            check_agreement(random_piecewise(engine, precision, inputs, outputs, degree), engine, {1, 9});
          }
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(networks_agree_with_the_plain_loop) {
  for_each_instruction_set([] {
    Engine engine(2);
    const std::vector<std::vector<std::size_t>> shapes{{1}, {7}, {16}, {64}, {100}, {20, 13}, {64, 64}, {5, 40, 17}};
    const std::vector<std::pair<std::size_t, std::size_t>> ends{{1, 1}, {2, 2},  {4, 4},  {4, 1},
                                                                {3, 8}, {16, 4}, {20, 10}};
    for (Precision precision : precisions) {
      for (Activation activation : activations) {
        for (const auto& hidden : shapes) {
          const auto [inputs, outputs] = ends[engine() % ends.size()];
          const auto spec = random_mlp(engine, precision, activation, inputs, hidden, outputs);
          check_agreement(spec, engine, {1, 1 + engine() % 40, 64});
        }
      }
      for (const auto& [inputs, outputs] : ends) {
        check_agreement(random_mlp(engine, precision, Activation::tanh, inputs, {33}, outputs), engine,
                        {1, 5, 37, 130});
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(rational_coefficients_of_any_kind_agree) {
  // The split into line and reciprocal must not be used where it does not hold (a numerator with a linear remainder,
  // no quadratic term below) or would cancel (a tiny quadratic term).
  for_each_instruction_set([] {
    Engine engine(3);
    for (Precision precision : precisions) {
      for (const auto& [numerator, denominator] : std::vector<std::pair<std::array<double, 4>, std::array<double, 3>>>{
               {{0.1, 0.7, 1.5, 1.1}, {1.0, 0.25, 2.0}},
               {{0.1, 0.7, 0.5, 0.0}, {1.0, 0.0, 0.0}},
               {{0.02, 0.5, 1.6, 1.2}, {1.0, 0.0, 1e-9}},
               {{0.0218, 0.5, 1.5957, 1.1915}, {1.0, 0.0, 2.383}},
               {{1.3, 1.5, 2.0, 2.0}, {1.0, 1.0, 2.0}},    // x + 1/2 and a fraction whose square is completed
               {{1.3, 3.0, 4.0, 2.0}, {1.0, 2.0, 2.0}}}) { // the same, more shifted
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{24}, {24, 24}}) {
          auto spec = random_mlp(engine, precision, Activation::rational, 3, hidden, 2);
          std::get<MlpTerm>(spec.term).numerator = numerator;
          std::get<MlpTerm>(spec.term).denominator = denominator;
          check_agreement(spec, engine, {1, 50});
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(scales_far_from_one_agree) {
  // Means that dwarf the scale cancel if folded into a bias; powers of extreme scales overflow if folded at all.
  for_each_instruction_set([] {
    Engine engine(4);
    for (int exponent : {-60, -30, 30, 60}) {
      const double scale = std::pow(10.0, exponent);
      for (auto spec : {random_polynomial(engine, Precision::f64, 3, 3, 7), random_affine(engine, Precision::f64, 3, 3),
                        random_mlp(engine, Precision::f64, Activation::tanh, 3, {20}, 3)}) {
        for (std::size_t i = 0; i < 3; ++i) {
          spec.input_scale[i] *= scale;
          spec.input_mean[i] *= scale;
        }
        const Approximator reference(spec, Backend::reference);
        const Approximator fused(spec, Backend::fused);
        Workspace workspace;
        auto x = uniform(engine, 3, -1.5, 1.5);
        for (auto& v : x) v *= scale;
        double y[3];
        double truth[3];
        fused.evaluate(x.data(), y, 1, workspace);
        reference.evaluate(x.data(), truth, 1, workspace);
        for (int o = 0; o < 3; ++o) {
          BOOST_TEST(std::abs(y[o] - truth[o]) <= 1e-13 * std::max(std::abs(truth[o]), spec.output_scale[o]));
        }
      }
    }
    auto spec = random_mlp(engine, Precision::f64, Activation::tanh, 4, {20}, 4);
    for (auto& mean : spec.input_mean) mean += 1e6;
    const Approximator reference(spec, Backend::reference);
    const Approximator fused(spec, Backend::fused);
    Workspace workspace;
    auto x = uniform(engine, 4, -1.0, 1.0);
    for (auto& v : x) v += 1e6;
    double y[4];
    double truth[4];
    fused.evaluate(x.data(), y, 1, workspace);
    reference.evaluate(x.data(), truth, 1, workspace);
    for (int o = 0; o < 4; ++o) {
      BOOST_TEST(std::abs(y[o] - truth[o]) <= 1e-13 * std::max(std::abs(truth[o]), spec.output_scale[o]));
    }
  });
}

BOOST_AUTO_TEST_CASE(tanh_is_within_4_units_in_the_last_place) {
  // A network with weights of one whose output reads one unit is its activation. Several units, and an output that
  // reads each in turn: kernels take vectors of units in groups, and not all of a group by the same instructions.
  for_each_instruction_set([] {
    constexpr std::size_t units = 64;
    std::vector<Approximator> f64;
    std::vector<Approximator> f32;
    for (std::size_t read = 3; read < units; read += 8) {
      auto spec = ApproximatorSpec::zero(1, 1);
      MlpTerm mlp;
      mlp.layers = {{1, units, std::vector<double>(units, 1.0), std::vector<double>(units)},
                    {units, 1, std::vector<double>(units), {0.0}}};
      mlp.layers[1].weight[read] = 1.0;
      spec.term = mlp;
      f64.emplace_back(spec, Backend::fused);
      spec.precision = Precision::f32;
      f32.emplace_back(spec, Backend::fused);
    }
    Engine engine(5);
    Workspace workspace;
    double worst64 = 0.0;
    double worst32 = 0.0;
    for (std::size_t i = 0; i < 400000; ++i) {
      // Every order of magnitude down to 1e-12, the range where it bends, and saturation.
      const double x = i % 2 == 0 ? uniform(engine, -22.0, 22.0)
                                  : std::pow(10.0, uniform(engine, -12.0, 0.5)) * (engine() % 2 == 0 ? 1.0 : -1.0);
      const std::size_t read = i / 2 % f64.size();
      double y = 0.0;
      f64[read].evaluate(&x, &y, 1, workspace);
      const long double truth = std::tanh(static_cast<long double>(x));
      const double size = std::abs(static_cast<double>(truth));
      const double ulp = std::nextafter(size, 2.0) - size;
      worst64 = std::max(worst64, static_cast<double>(std::abs(y - truth)) / ulp);
      const auto x32 = static_cast<float>(x);
      float y32 = 0.0f;
      f32[read].evaluate(&x32, &y32, 1, workspace);
      const double truth32 = std::tanh(static_cast<double>(x32));
      const auto size32 = static_cast<float>(std::abs(truth32));
      const double ulp32 = static_cast<double>(std::nextafter(size32, 2.0f)) - static_cast<double>(size32);
      worst32 = std::max(worst32, std::abs(static_cast<double>(y32) - truth32) / ulp32);
    }
    BOOST_TEST(worst64 <= 4.0);
    BOOST_TEST(worst32 <= 4.0);
    BOOST_TEST_MESSAGE("tanh, largest error in ulp: f64 " << worst64 << ", f32 " << worst32);
    for (const auto& approximator : f64) {
      for (double x : {-1e308, -800.0, 800.0, 1e308}) {
        double y = 0.0;
        approximator.evaluate(&x, &y, 1, workspace);
        BOOST_TEST(y == (x < 0 ? -1.0 : 1.0));
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(nan_gives_nan_for_that_state_and_no_other) {
  for_each_instruction_set([] {
    Engine engine(6);
    constexpr std::size_t inputs = 3;
    std::vector<ApproximatorSpec> specs;
    for (Precision precision : precisions) {
      specs.push_back(random_affine(engine, precision, inputs, 2));
      specs.push_back(random_polynomial(engine, precision, inputs, 2, 4));
      specs.push_back(random_piecewise(engine, precision, inputs, 2, 4));
      for (Activation activation : activations) {
        specs.push_back(random_mlp(engine, precision, activation, inputs, {20}, 2));
        specs.push_back(random_mlp(engine, precision, activation, inputs, {20, 20}, 2));
      }
    }
    for (const auto& spec : specs) {
      for (Backend backend : backends()) {
        if (backend == Backend::onednn &&
            (!std::holds_alternative<MlpTerm>(spec.term) || spec.precision == Precision::f64)) {
          continue;
        }
        for (std::size_t batch : {1, 3, 70}) {
          const Approximator approximator(spec, backend);
          Workspace workspace;
          auto x = uniform(engine, batch * inputs, -1.0, 1.0);
          const std::size_t bad = engine() % batch;
          x[bad * inputs + engine() % inputs] = std::numeric_limits<double>::quiet_NaN();
          std::vector<double> y(2 * batch);
          approximator.evaluate(x.data(), y.data(), batch, workspace);
          BOOST_TEST_CONTEXT(spec.description() << ", backend " << to_string(backend) << ", batch " << batch) {
            for (std::size_t i = 0; i < y.size(); ++i) BOOST_TEST(std::isnan(y[i]) == (i / 2 == bad));
          }
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_after_the_first_evaluation) {
  Engine engine(7);
  for (Precision precision : precisions) {
    for (const auto& spec :
         {random_affine(engine, precision, 4, 4), random_polynomial(engine, precision, 5, 4, 3),
          random_piecewise(engine, precision, 2, 2, 5), random_mlp(engine, precision, Activation::tanh, 4, {64}, 4),
          random_mlp(engine, precision, Activation::rational, 5, {64, 64}, 20)}) {
      // NOTE: oneDNN allocates inside of its own library
      for (Backend backend : {Backend::fused, Backend::reference}) {
        const Approximator approximator(spec, backend);
        for (std::size_t batch : {1, 100}) {
          Workspace workspace;
          const auto x = uniform(engine, batch * spec.inputs, -1.0, 1.0);
          const std::vector<float> x32(x.begin(), x.end());
          std::vector<double> y(batch * spec.outputs);
          std::vector<float> y32(y.size());
          approximator.evaluate(x.data(), y.data(), batch, workspace);
          approximator.evaluate(x32.data(), y32.data(), batch, workspace);
          const std::size_t before = allocations.load();
          for (int i = 0; i < 3; ++i) {
            approximator.evaluate(x.data(), y.data(), batch, workspace);
            approximator.evaluate(x32.data(), y32.data(), batch, workspace);
          }
          BOOST_TEST(allocations.load() == before);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(eight_threads_share_an_approximator) {
  Engine engine(8);
  const auto spec = random_mlp(engine, Precision::f32, Activation::tanh, 6, {48, 32}, 5);
  for (Backend backend : backends()) {
    const Approximator approximator(spec, backend);
    constexpr std::size_t batch = 90;
    const auto x = uniform(engine, batch * 6, -1.0, 1.0);
    std::vector<double> expected(batch * 5);
    Workspace workspace;
    approximator.evaluate(x.data(), expected.data(), batch, workspace);
    std::atomic<int> differences{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        Workspace own;
        std::vector<double> y(batch * 5);
        for (int repeat = 0; repeat < 50; ++repeat) {
          approximator.evaluate(x.data(), y.data(), batch, own);
          if (y != expected) ++differences;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    BOOST_TEST(differences == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_state_gives_the_same_bits_in_any_place_of_a_batch_of_that_size) {
  Engine engine(9);
  for (Precision precision : precisions) {
    for (Activation activation : {Activation::tanh, Activation::silu, Activation::rational}) {
      for (std::size_t width : {7, 40}) {
        const Approximator approximator(random_mlp(engine, precision, activation, 4, {width}, 4));
        Workspace workspace;
        constexpr std::size_t batch = 77;
        std::size_t differences = 0;
        for (int state = 0; state < 400; ++state) {
          const auto one = uniform(engine, 4, -1.0, 1.0);
          std::vector<double> x;
          for (std::size_t i = 0; i < batch; ++i) x.insert(x.end(), one.begin(), one.end());
          std::vector<double> y(4 * batch);
          approximator.evaluate(x.data(), y.data(), batch, workspace);
          for (std::size_t i = 4; i < y.size(); ++i) differences += y[i] != y[i - 4];
        }
        BOOST_TEST(differences == 0, to_string(precision) << " " << to_string(activation) << " " << width);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_network_wider_than_the_cache_gives_the_same_bits_each_time) {
  // Its weights are read forwards and backwards in turn. Widths that do not divide into equal segments, too.
  for_each_instruction_set([] {
    Engine engine(11);
    for (Precision precision : precisions) {
      for (std::size_t width : {1024, 999, 2050}) {
        const auto spec = random_mlp(engine, precision, Activation::rational, 4, {width}, 4);
        check_agreement(spec, engine, {1, 2});
        const Approximator approximator(spec, Backend::fused);
        Workspace workspace;
        const auto x = uniform(engine, 4, -1.0, 1.0);
        std::vector<double> first(4);
        approximator.evaluate(x.data(), first.data(), 1, workspace);
        for (int repeat = 0; repeat < 3; ++repeat) {
          std::vector<double> y(4);
          approximator.evaluate(x.data(), y.data(), 1, workspace);
          BOOST_TEST(y == first, boost::test_tools::per_element());
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(the_rational_activation_is_right_where_its_denominator_overflows) {
  // f32: x^2 is infinite from 1.8e19 on, the quotient then 0 beside the line; see ActivationRationalReciprocal.
  for_each_instruction_set([] {
    Engine engine(12);
    auto spec = random_mlp(engine, Precision::f32, Activation::rational, 4, {64}, 4);
    for (double scale : {1e10, 1e19, 1e21}) {
      const Approximator reference(spec, Backend::reference);
      const Approximator fused(spec, Backend::fused);
      Workspace workspace;
      auto x = uniform(engine, 4, 0.5, 1.5);
      for (auto& v : x) v *= scale;
      std::vector<double> y(4);
      std::vector<double> truth(4);
      fused.evaluate(x.data(), y.data(), 1, workspace);
      reference.evaluate(x.data(), truth.data(), 1, workspace);
      for (std::size_t o = 0; o < 4; ++o) {
        BOOST_TEST(std::abs(y[o] - truth[o]) <= 1e-5 * scale * spec.output_scale[o] * 4.0);
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(the_backend_that_is_named_is_the_one_that_runs) {
  Engine engine(10);
  Workspace workspace;
  bool onednn_chosen = false;
  for (std::size_t width : {30, 260, 520}) { // of each kind that the choice tells apart
    const auto spec = random_mlp(engine, Precision::f32, Activation::tanh, 4, {width, width}, 4);
    const Approximator automatic(spec);
    const Approximator fused(spec, Backend::fused);
    for (std::size_t batch = 1; batch <= 44; ++batch) {
      const Backend named = automatic.backend(batch);
      BOOST_TEST((fused.backend(batch) == Backend::fused));
      onednn_chosen |= named == Backend::onednn;
      const Approximator forced(spec, named);
      const auto x = uniform(engine, 4 * batch, -1.0, 1.0);
      std::vector<double> y(4 * batch);
      std::vector<double> expected(4 * batch);
      automatic.evaluate(x.data(), y.data(), batch, workspace);
      forced.evaluate(x.data(), expected.data(), batch, workspace);
      BOOST_TEST(y == expected, boost::test_tools::per_element());
    }
  }
  if (!detail::onednn_available()) BOOST_TEST(!onednn_chosen);
  for (const auto& impossible :
       {random_affine(engine, Precision::f32, 2, 2), random_mlp(engine, Precision::f64, Activation::tanh, 2, {8}, 2)}) {
    BOOST_CHECK_THROW(Approximator(impossible, Backend::onednn), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(unknown_instruction_sets_name_the_known) {
  BOOST_CHECK_EXCEPTION(detail::force_instruction_set("MMX"), InvalidArgument, [](const InvalidArgument& error) {
    return std::string(error.what()).find(detail::instruction_sets().back()) != std::string::npos;
  });
}
