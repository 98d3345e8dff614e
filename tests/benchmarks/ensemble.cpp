// One step of 4096 elastic pendulums: as one ensemble, by the registry's batched right-hand side, and as 4096 single
// systems through Odeint.
#include "ensemble.hpp"

#include "elastic_pendulum.hpp"
#include "problem/batched.hpp"
#include "random_approximator.hpp"

#include <lodestep/ensemble.hpp>
#include <lodestep/odeint.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/vector_math.hpp>

#include <benchmark/benchmark.h>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>

#include <array>
#include <memory>
#include <vector>

namespace lodestep::benchmarks {

namespace {

constexpr std::size_t members = 4096;
constexpr double dt = 0.1;

/// The same for n members at once, [variable][member], as someone may write it. NOTE: without `__restrict` there are
/// too many arrays that might overlap for GCC to vectorise the loop; and the program is compiled for the oldest
/// processor.
void elastic_pendulums(double, const double* __restrict u, double* __restrict dudt, std::size_t n) {
  const double* theta = u;
  const double* r = u + n;
  const double* dtheta = u + 2 * n;
  const double* dr = u + 3 * n;
  std::array<double, ensemble_block> s;
  std::array<double, ensemble_block> c;
  sine_cosine(theta, s.data(), c.data(), n);
  for (std::size_t k = 0; k < n; ++k) {
    dudt[k] = dtheta[k];
    dudt[n + k] = dr[k];
    dudt[2 * n + k] = (-9.8 * s[k] - 2.0 * dtheta[k] * dr[k]) / r[k];
    dudt[3 * n + k] = r[k] * dtheta[k] * dtheta[k] - 40.0 * (r[k] - 10.0) + 9.8 * c[k];
  }
}

/// A corrector of the bar's shape; its corrections are of a trained one's size, but random.
std::shared_ptr<const Corrector> make_corrector(Precision precision) {
  test::Engine engine(5);
  auto model = std::make_shared<Model>();
  for (const char* name : {"theta", "r", "dtheta", "dr"}) {
    Variable variable;
    variable.name = name;
    model->variables.push_back(variable);
  }
  CorrectorModel corrector;
  corrector.base = "rk4";
  corrector.dt = dt;
  corrector.approximator = test::random_mlp(engine, precision, Activation::tanh, 4, {64}, 4);
  corrector.approximator.output_scale.assign(4, 1e-12);
  corrector.domain.state.assign(4, {-1e3, 1e3});
  corrector.domain.correction_limit.assign(4, 1e-6);
  model->method = corrector;
  return std::make_shared<const Corrector>(model);
}

std::vector<double> initial_states() {
  test::Engine engine(6);
  std::vector<double> x(4 * members);
  for (std::size_t j = 0; j < members; ++j) {
    x[4 * j] = test::uniform(engine, -0.4, 0.4);
    x[4 * j + 1] = test::uniform(engine, 9.8, 11.2);
    x[4 * j + 2] = test::uniform(engine, -0.25, 0.25);
    x[4 * j + 3] = test::uniform(engine, -2.0, 2.0);
  }
  return x;
}

/// `step` advances all members by dt; after 50 steps they start anew, since RK4 alone drifts.
template <class Step> void run(benchmark::State& state, Step step) {
  const auto start = initial_states();
  auto x = start;
  int steps = 0;
  for (auto _ : state) {
    if (++steps % 50 == 0) x = start;
    step(x);
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
  state.counters["us_per_member"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(members) * 1e-6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class Stepper> void run_single(benchmark::State& state, Stepper stepper) {
  run(state, [&](std::vector<double>& x) {
    for (std::size_t j = 0; j < members; ++j) {
      Pendulum u{x[4 * j], x[4 * j + 1], x[4 * j + 2], x[4 * j + 3]};
      stepper.do_step(elastic_pendulum, u, 0.0, dt);
      std::copy(u.begin(), u.end(), x.begin() + static_cast<std::ptrdiff_t>(4 * j));
    }
  });
}

using Rk4 = boost::numeric::odeint::runge_kutta4<Pendulum>;

} // namespace

void register_ensembles() {
  static const Problem problem = make_problem("elastic_pendulum:g=9.8");
  static const auto batched = problem::batched_rhs(problem);
  for (Precision precision : {Precision::f64, Precision::f32}) {
    const std::string which = std::string("/") + to_string(precision) + "/tanh/h:64/n:4096";
    benchmark::RegisterBenchmark(("ensemble/corrected" + which).c_str(), [=](benchmark::State& state) {
      EnsembleCorrected stepper(make_corrector(precision));
      run(state, [&](std::vector<double>& x) { stepper.step(batched, 0.0, x.data(), dt, members); });
      state.counters["fallen_back"] = static_cast<double>(stepper.counters().fallen_back());
    });
    benchmark::RegisterBenchmark(("single/corrected" + which).c_str(), [=](benchmark::State& state) {
      run_single(state, odeint::corrector<Rk4>(make_corrector(precision)));
    });
  }
  const auto classical = [](const char* name, auto rhs) {
    benchmark::RegisterBenchmark(name, [rhs](benchmark::State& state) {
      EnsembleRungeKutta stepper(classical_tableau("rk4"), 4);
      run(state, [&](std::vector<double>& x) { stepper.step(rhs, 0.0, x.data(), dt, members); });
    });
  };
  classical("ensemble/rk4/n:4096", batched);
  classical("ensemble/rk4_plain_loop/n:4096", elastic_pendulums);
  benchmark::RegisterBenchmark("single/rk4/n:4096", [](benchmark::State& state) { run_single(state, Rk4()); });
}

} // namespace lodestep::benchmarks
