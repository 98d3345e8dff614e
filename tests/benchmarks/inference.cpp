// lodestep_bench_inference: what one evaluation of a small network costs, by backend, beside Eigen and one classical
// step, and the bars that follow from it: ratios within this one run.
#include "inference.hpp"

#include "elastic_pendulum.hpp"
#include "ensemble.hpp"
#include "random_approximator.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <benchmark/benchmark.h>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace lodestep;
using lodestep::test::Engine;

struct Shape {
  Precision precision;
  Activation activation;
  std::size_t ends;
  std::size_t width;
  std::size_t layers;
  std::size_t batch;

  std::string name(const std::string& backend) const {
    return "mlp/" + backend + "/" + to_string(precision) + "/" + to_string(activation) + "/d:" + std::to_string(ends) +
           "/h:" + std::to_string(width) + "/layers:" + std::to_string(layers) + "/b:" + std::to_string(batch);
  }
  std::string choice_name() const { return "choice/" + name("in_turn"); }
  /// No affine term and no scaling, for the sake of those who have none.
  ApproximatorSpec spec() const {
    Engine engine(1);
    auto spec = test::random_mlp(engine, precision, activation, ends, std::vector<std::size_t>(layers, width), ends);
    const auto term = std::get<MlpTerm>(spec.term);
    spec = ApproximatorSpec::zero(ends, ends);
    spec.precision = precision;
    spec.term = term;
    return spec;
  }
};

template <class T, class Evaluate> void run(benchmark::State& state, const Shape& shape, Evaluate&& evaluate) {
  Engine engine(2);
  const auto random = test::uniform(engine, shape.batch * shape.ends, -1.0, 1.0);
  std::vector<T> x(random.begin(), random.end());
  std::vector<T> y(x.size());
  evaluate(x.data(), y.data()); // allocates
  for (auto _ : state) {
    evaluate(x.data(), y.data());
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.counters["us_per_state"] = benchmark::Counter(static_cast<double>(state.iterations() * shape.batch) * 1e-6,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class T> void run_backend(benchmark::State& state, const Shape& shape, Backend backend) {
  const Approximator approximator(shape.spec(), backend);
  Workspace workspace;
  run<T>(state, shape, [&](const T* x, T* y) { approximator.evaluate(x, y, shape.batch, workspace); });
}

template <class T> void run_eigen(benchmark::State& state, const Shape& shape) {
  benchmarks::EigenMlp<T> mlp(std::get<MlpTerm>(shape.spec().term));
  run<T>(state, shape, [&](const T* x, T* y) { mlp.evaluate(x, y, shape.batch); });
}

using Evaluation = std::function<void()>;

/// All of them in turn, so that what slows the machine for a while slows each: the median of each one's nanoseconds is
/// a counter of its name. A turn is as many evaluations as take some 50 us, since the first finds the others' weights
/// in the cache.
void run_in_turn(benchmark::State& state, const std::map<std::string, Evaluation>& evaluations) {
  using Clock = std::chrono::steady_clock;
  struct Contender {
    std::size_t repeats = 1;
    std::vector<double> ns;
  };
  std::map<std::string, Contender> contenders;
  const auto measure = [](const Evaluation& evaluate, std::size_t repeats) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < repeats; ++i) evaluate();
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(repeats);
  };
  for (const auto& [name, evaluate] : evaluations) {
    evaluate(); // allocates
    contenders[name].repeats = 1 + static_cast<std::size_t>(50e3 / measure(evaluate, 4));
  }
  for (auto _ : state) {
    for (const auto& [name, evaluate] : evaluations) {
      auto& contender = contenders[name];
      contender.ns.push_back(measure(evaluate, contender.repeats));
    }
  }
  for (auto& [name, contender] : contenders) {
    auto middle = contender.ns.begin() + static_cast<std::ptrdiff_t>(contender.ns.size() / 2);
    std::nth_element(contender.ns.begin(), middle, contender.ns.end());
    state.counters[name] = *middle;
  }
}

/// False where a backend is not built in, or not in this precision.
bool can_run(const Shape& shape, Backend backend) {
  try {
    const Approximator possible(shape.spec(), backend);
    return true;
  } catch (const InvalidArgument&) {
    return false;
  }
}

/// The backends of a shape in f32, in turn.
void run_choice(benchmark::State& state, const Shape& shape, bool with_eigen) {
  Engine engine(2);
  const auto random = test::uniform(engine, shape.batch * shape.ends, -1.0, 1.0);
  const std::vector<float> x(random.begin(), random.end());
  std::vector<float> y(x.size());
  Workspace workspace;
  std::map<std::string, Approximator> approximators;
  std::map<std::string, Evaluation> evaluations;
  for (Backend backend : {Backend::fused, Backend::onednn, Backend::automatic}) {
    if (!can_run(shape, backend)) continue;
    const auto& approximator =
        approximators.emplace(to_string(backend), Approximator(shape.spec(), backend)).first->second;
    evaluations[to_string(backend)] = [&] { approximator.evaluate(x.data(), y.data(), shape.batch, workspace); };
  }
  benchmarks::EigenMlp<float> eigen(std::get<MlpTerm>(shape.spec().term));
  if (with_eigen) evaluations["eigen"] = [&] { eigen.evaluate(x.data(), y.data(), shape.batch); };
  run_in_turn(state, evaluations);
}

void register_shape(const Shape& shape) {
  const bool f64 = shape.precision == Precision::f64;
  for (Backend backend : {Backend::fused, Backend::onednn, Backend::automatic}) {
    if (!can_run(shape, backend)) continue;
    benchmark::RegisterBenchmark(shape.name(to_string(backend)).c_str(), [=](benchmark::State& state) {
      f64 ? run_backend<double>(state, shape, backend) : run_backend<float>(state, shape, backend);
    });
  }
  benchmark::RegisterBenchmark(shape.name("eigen").c_str(), [=](benchmark::State& state) {
    f64 ? run_eigen<double>(state, shape) : run_eigen<float>(state, shape);
  });
}

void register_spec(const std::string& name, const ApproximatorSpec& spec) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    const Approximator approximator(spec);
    Workspace workspace;
    Engine engine(2);
    const auto x = test::uniform(engine, spec.inputs, -1.0, 1.0);
    std::vector<double> y(spec.outputs);
    for (auto _ : state) {
      approximator.evaluate(x.data(), y.data(), 1, workspace);
      benchmark::DoNotOptimize(y.data());
      benchmark::ClobberMemory();
    }
    state.counters["modelled_ns"] = spec.cost_ns();
  });
}

using benchmarks::elastic_pendulum;
using benchmarks::Pendulum;

void rk4_step(benchmark::State& state) {
  boost::numeric::odeint::runge_kutta4<Pendulum> stepper;
  Pendulum u{0.1, 10.2, 0.05, 0.1};
  double t = 0.0;
  for (auto _ : state) {
    stepper.do_step(elastic_pendulum, u, t, 0.01);
    t += 0.01;
    benchmark::DoNotOptimize(u);
  }
}

template <class T> void peak(benchmark::State& state) {
  T sink{};
  double operations = 0.0;
  for (auto _ : state) {
    operations += static_cast<double>(benchmarks::multiply_add_peak<T>(10000, &sink));
    benchmark::DoNotOptimize(sink);
  }
  state.counters["flops"] = benchmark::Counter(operations, benchmark::Counter::kIsRate);
}

/// Console output as usual, and of every benchmark the best time and the counters' medians for the bars.
class Collector : public benchmark::ConsoleReporter {
public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      const double ns = run.GetAdjustedCPUTime();
      auto& result = results_[run.run_name.function_name];
      result.ns = result.ns == 0.0 ? ns : std::min(result.ns, ns);
      for (const auto& [name, counter] : run.counters) result.counters[name].push_back(counter.value);
    }
    ConsoleReporter::ReportRuns(runs);
  }
  /// Nanoseconds, or 0 if it did not run.
  double ns(const std::string& name) const {
    const auto found = results_.find(name);
    return found == results_.end() ? 0.0 : found->second.ns;
  }
  /// The median over the repetitions, or 0 if there is none.
  double counter(const std::string& name, const std::string& which) const {
    const auto found = results_.find(name);
    if (found == results_.end() || !found->second.counters.contains(which)) return 0.0;
    auto values = found->second.counters.at(which);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

private:
  struct Result {
    double ns = 0.0;
    std::map<std::string, std::vector<double>> counters;
  };
  std::map<std::string, Result> results_;
};

const Shape paper{Precision::f32, Activation::rational, 4, 1024, 1, 1};
const Shape narrow{Precision::f64, Activation::tanh, 4, 64, 1, 1};
const Shape paper_batch{Precision::f32, Activation::rational, 4, 1024, 1, 4096};
const Shape wide{Precision::f32, Activation::rational, 40, 1024, 1, 256};
const Shape deep{Precision::f32, Activation::relu, 2, 512, 3, 320};

/// Shapes and batches over which the choice of a backend is checked.
std::vector<Shape> grid_of_choices() {
  std::vector<Shape> shapes;
  for (std::size_t batch : {2, 3, 4, 6, 8, 11, 12, 16, 24, 40}) {
    shapes.push_back({Precision::f32, Activation::tanh, 4, 128, 1, batch});
    shapes.push_back({Precision::f32, Activation::relu, 16, 1024, 1, batch});
    shapes.push_back({Precision::f32, Activation::tanh, 8, 256, 2, batch});
    shapes.push_back({Precision::f32, Activation::relu, 2, 512, 3, batch});
  }
  return shapes;
}

/// What Approximator chooses at every shape that was measured, and what that costs against the better backend: as the
/// backend it names, and as Backend::automatic was measured beside them.
void print_choices(const Collector& results) {
  double worst = 0.0;
  for (const Shape& shape : grid_of_choices()) {
    const std::string name = shape.choice_name();
    const double fused = results.counter(name, "fused");
    const double onednn = results.counter(name, "onednn");
    if (fused == 0.0 || onednn == 0.0) continue;
    if (worst == 0.0)
      std::printf("\nChoice of a backend %17s %12s  chosen  chosen/best automatic/best\n", "fused ns", "oneDNN ns");
    const bool chosen = Approximator(shape.spec()).backend(shape.batch) == Backend::onednn;
    const double best = std::min(fused, onednn);
    const double ratio = (chosen ? onednn : fused) / best;
    worst = std::max(worst, ratio);
    std::printf("  %zu-%zux%zu %s b%-4zu %16.0f %12.0f  %-7s %8.2f %8.2f\n", shape.ends, shape.width, shape.layers,
                to_string(shape.activation), shape.batch, fused, onednn, chosen ? "oneDNN" : "fused", ratio,
                results.counter(name, "automatic") / best);
  }
  if (worst > 0.0) std::printf("  the worst choice %.2f, bar <= 1.05: %s\n", worst, worst <= 1.05 ? "met" : "MISSED");
}

void print_bars(const Collector& results) {
  std::printf("\nBars (ratios within this run, instruction set %s)\n", Approximator::instruction_set());
  const auto bar = [](const char* what, double ratio, const char* relation, double limit) {
    if (!std::isfinite(ratio) || ratio == 0.0) return; // something of it did not run
    const bool met = relation[0] == '>' ? ratio >= limit : ratio <= limit;
    std::printf("  %-76s %7.2f   bar %s %.2f   %s\n", what, ratio, relation, limit, met ? "met" : "MISSED");
  };
  const auto ratio = [&](const std::string& numerator, const std::string& denominator) {
    return results.ns(numerator) / results.ns(denominator);
  };
  const auto better = [&](const Shape& shape) {
    const double onednn = results.ns(shape.name("onednn"));
    const double eigen = results.ns(shape.name("eigen"));
    return onednn == 0.0 ? eigen : std::min(onednn, eigen);
  };
  bar("4-1024-4 rational f32, batch 1: oneDNN / fused", ratio(paper.name("onednn"), paper.name("fused")), ">=", 9.0);
  bar("4-1024-4 rational f32, batch 1: Eigen / fused", ratio(paper.name("eigen"), paper.name("fused")), ">=", 3.8);
  bar("4-64-4 tanh f64, batch 1: fused / one rk4 step of the elastic pendulum",
      ratio(narrow.name("fused"), "rk4/elastic_pendulum"), "<=", 1.0);
  bar("4-1024-4 rational f32, batch 4096: better of oneDNN and Eigen / fused",
      better(paper_batch) / results.ns(paper_batch.name("fused")), ">=", 2.2);
  bar("40-1024-40 rational f32, batch 256: better of oneDNN and Eigen / fused",
      better(wide) / results.ns(wide.name("fused")), ">=", 1.15);
  double best = 0.0;
  for (const char* backend : {"fused", "onednn", "eigen"}) {
    const double ns = results.counter(deep.choice_name(), backend);
    if (ns != 0.0 && (best == 0.0 || ns < best)) best = ns;
  }
  bar("2-512-512-512-2 relu f32, batch 320: automatic / best backend, in turn",
      results.counter(deep.choice_name(), "automatic") / best, "<=", 1.05);
  // The operations that are really done: multiply-adds of both layers and, of the activation, the addition, the
  // multiply-add and the division that are left of it when its slope has become an affine map of the inputs, and that.
  const double operations =
      static_cast<double>(wide.batch * (wide.width * (4 * wide.ends + 4) + 2 * wide.ends * wide.ends));
  bar("40-1024-40 rational f32, batch 256: fraction of the multiply-add peak",
      operations / results.ns(wide.name("fused")) * 1e9 / results.counter("peak/f32", "flops"), ">=", 0.85);
  for (const std::string precision : {"f64", "f32"}) {
    const std::string which = "corrected/" + precision + "/tanh/h:64/n:4096";
    bar(("4096 elastic pendulums, corrector of 64 tanh in " + precision + ": single / ensemble").c_str(),
        ratio("single/" + which, "ensemble/" + which), ">=", 3.0);
  }
}

} // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RegisterBenchmark("peak/f32", peak<float>);
  benchmark::RegisterBenchmark("peak/f64", peak<double>);
  benchmark::RegisterBenchmark("rk4/elastic_pendulum", rk4_step);
  for (const Shape& shape : {paper, narrow, paper_batch, wide, deep}) register_shape(shape);
  for (Precision precision : {Precision::f64, Precision::f32}) {
    for (Activation activation : {Activation::tanh, Activation::rational, Activation::silu, Activation::relu}) {
      for (std::size_t width : {16, 64, 256}) {
        for (std::size_t batch : {1, 256}) register_shape({precision, activation, 4, width, 1, batch});
      }
    }
    for (std::size_t width : {16, 32}) register_shape({precision, Activation::tanh, 2, width, 2, 1});
    Engine engine(3);
    const std::string which = to_string(precision);
    for (std::size_t d : {2, 4, 8, 16}) {
      register_spec("affine/fused/" + which + "/d:" + std::to_string(d),
                    test::random_affine(engine, precision, d, std::min<std::size_t>(d, 4)));
      for (unsigned degree = 2; degree <= 7; ++degree) {
        if (monomial_count(d, degree) > 1000) continue;
        register_spec("polynomial/fused/" + which + "/degree:" + std::to_string(degree) + "/d:" + std::to_string(d),
                      test::random_polynomial(engine, precision, d, std::min<std::size_t>(d, 4), degree));
      }
    }
  }
  const auto register_choice = [](const Shape& shape, bool with_eigen) {
    benchmark::RegisterBenchmark(shape.choice_name().c_str(),
                                 [=](benchmark::State& state) { run_choice(state, shape, with_eigen); });
  };
  for (const Shape& shape : grid_of_choices()) register_choice(shape, false);
  register_choice(deep, true);
  benchmarks::register_ensembles();
  Collector results;
  benchmark::RunSpecifiedBenchmarks(&results);
  print_choices(results);
  print_bars(results);
  benchmark::Shutdown();
  return 0;
}
