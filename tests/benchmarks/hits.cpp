// The speed of flow maps on one long trajectory of Van der Pol's oscillator (T = 51.2) against classical steppers that
// give the same states: all compiled alike, for this machine, on std::array. Prints a table and ratios; wants a quiet
// machine with two free cores.
//
//     lodestep_bench_hits [model.safetensors]        (learns one in seconds without)
#include "problem/van_der_pol.hpp"
#include "report/processor_clock.hpp"

#include <lodestep/hybrid.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/parareal.hpp>
#include <lodestep/train_hits.hpp>

#include <boost/numeric/odeint/stepper/bulirsch_stoer_dense_out.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_cash_karp54.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace bno = boost::numeric::odeint;
using namespace lodestep;
using State = std::array<double, 2>;

namespace {

constexpr std::size_t steps = 5120;
constexpr double fine_dt = 0.01;
constexpr std::size_t coarse_every = 128; // 1.28

struct Row {
  std::string name;
  bool learned;
  double rms;
  double microseconds;
};

/// One right-hand side, `Spin` dependent additions dearer.
template <int Spin> struct VdP {
  static double spin(double x) {
    double wait = x;
    for (int i = 0; i < Spin; ++i) {
      wait += 1e-300;
      asm volatile("" : "+x"(wait));
    }
    return wait;
  }
  void operator()(double, const double* u, double* f) const {
    const double x = Spin > 0 ? spin(u[0]) : u[0];
    f[0] = u[1];
    f[1] = 2.0 * (1.0 - x * x) * u[1] - x;
  }
  void operator()(double t, const double* u, double* f, std::size_t n) const {
    for (std::size_t k = 0; k < n; ++k) { // a dear right-hand side is one that does not vectorise
      const double state[2] = {u[k], u[n + k]};
      double slope[2];
      (*this)(t, state, slope);
      f[k] = slope[0];
      f[n + k] = slope[1];
    }
  }
  void operator()(const State& u, State& f, double t) const { (*this)(t, u.data(), f.data()); }
};

std::vector<double> reference;

/// Root mean square over every `every`-th state.
double rms(const std::vector<double>& states, std::size_t every) {
  double sum = 0.0;
  std::size_t count = 0;
  for (std::size_t n = every; n <= steps; n += every, count += 2) {
    for (std::size_t i = 0; i < 2; ++i) sum += std::pow(states[2 * n + i] - reference[2 * n + i], 2);
  }
  return std::sqrt(sum / static_cast<double>(count));
}

/// Median of many, by the wall clock or by the processor time of this thread. A sample is as many calls as take a
/// twentieth of a millisecond, for the clock's sake.
double microseconds(const std::function<void()>& solve, bool wall, double budget = 0.3) {
  std::vector<double> samples;
  double spent = 0.0;
  int calls = 1;
  while (samples.size() < 3 || spent < budget * 1e6) {
    const auto w = std::chrono::steady_clock::now();
    const auto p = report::ProcessorClock::now();
    for (int call = 0; call < calls; ++call) solve();
    const std::chrono::duration<double, std::micro> by_wall = std::chrono::steady_clock::now() - w;
    const std::chrono::duration<double, std::micro> by_processor = report::ProcessorClock::now() - p;
    spent += by_wall.count();
    if (calls < 1000 && by_wall.count() < 50.0) {
      calls *= 2;
      continue;
    }
    samples.push_back((wall ? by_wall.count() : by_processor.count()) / calls);
  }
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2), samples.end());
  return samples[samples.size() / 2];
}

/// The cheap right-hand side in lanes of registers; a dear one is called for one state after the other.
template <int Spin> auto forms_of() {
  if constexpr (Spin == 0) {
    return lane_forms<2>(problem::VanDerPol{2.0});
  } else {
    return rhs_forms(VdP<Spin>{}, VdP<Spin>{});
  }
}

/// Fine states that a step spans when they are written, and in parareal's sweeps.
struct Strides {
  std::size_t filling;
  std::size_t sweeping;
};
constexpr Strides strides[] = {{1, 1}, {2, 1}, {2, 2}, {2, 4}};

class Bench {
public:
  explicit Bench(const Model& model)
      : hierarchy_(std::make_shared<const Hierarchy>(std::make_shared<const Model>(model))) {
    states_.resize(2 * (steps + 1));
    std::copy_n(reference.begin(), 2, states_.begin());
  }

  template <int Spin> void classical(std::size_t every, double budget = 0.3) {
    const VdP<Spin> rhs;
    for (const std::size_t stride : {1u, 2u, 3u, 4u, 8u, 16u, 32u}) {
      if (every % stride != 0 && every > 1) continue;
      if (every == 1 && stride > 4) continue;
      const double h = fine_dt * static_cast<double>(stride);
      // With states wanted between its steps, RK4 is given Hermite's cubic, which Odeint has not.
      const bool between = every == 1 && stride > 1;
      add("rk4, h " + text(h) + (between ? " and Hermite" : ""), false, every, budget,
          [=, this, &rhs] { fixed_steps<bno::runge_kutta4<State>>(rhs, stride, between); });
    }
    // So is Cash and Karp's formula of order 5, with fixed steps: the tool of someone who knows the problem.
    for (const std::size_t stride : {1u, 2u, 3u, 4u, 8u, 16u}) {
      if (every % stride != 0 && every > 1) continue;
      if (every == 1 && stride > 4) continue;
      const double h = fine_dt * static_cast<double>(stride);
      const bool between = every == 1 && stride > 1;
      add("cash_karp54, h " + text(h) + (between ? " and Hermite" : ""), false, every, budget,
          [=, this, &rhs] { fixed_steps<bno::runge_kutta_cash_karp54<State>>(rhs, stride, between); });
    }
    for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8}) {
      add("dopri5 dense, " + text(tolerance), false, every, budget, [=, this, &rhs] {
        auto stepper = bno::make_dense_output(tolerance, tolerance, bno::runge_kutta_dopri5<State>());
        dense(stepper, rhs, every);
      });
      add("bulirsch_stoer dense, " + text(tolerance), false, every, budget, [=, this, &rhs] {
        bno::bulirsch_stoer_dense_out<State> stepper(tolerance, tolerance);
        dense(stepper, rhs, every);
      });
    }
  }

  /// All fine states, by every map of `hierarchy`.
  template <int Spin> void learned(const std::shared_ptr<const Hierarchy>& hierarchy, double budget = 0.3) {
    auto forms = forms_of<Spin>();
    for (std::size_t k = 0; k < hierarchy->size(); ++k) {
      const std::string map = name_of(*hierarchy, k);
      for (const std::size_t stride : {1u, 2u, 3u, 4u}) {
        Hybrid scheme(hierarchy, stride, k);
        add("hybrid" + map + ", stride " + std::to_string(stride), true, 1, budget,
            [&] { scheme.solve(forms, 0.0, steps, states_.data()); });
      }
      for (const std::size_t sweeps : {1u, 2u, 3u}) {
        for (const auto [stride, sweep_stride] : strides) {
          Parareal scheme(hierarchy, k, stride, sweep_stride);
          add("parareal" + map + ", " + std::to_string(sweeps) + " sweeps, strides " + std::to_string(stride) + ", " +
                  std::to_string(sweep_stride),
              true, 1, budget, [&] {
                scheme.solve(forms, 0.0, steps, states_.data(), {sweeps, 0.0});
              });
        }
      }
    }
  }

  /// States every 1.28 only, from bare maps of `hierarchy`, which ask for no right-hand side at all: one after the
  /// other, or all that one evaluation gives on the way.
  void placed_alone(const std::shared_ptr<const Hierarchy>& hierarchy) {
    for (std::size_t k = 0; k < hierarchy->size(); ++k) {
      FlowMap map(hierarchy, k);
      const std::size_t m = map.fine_steps_apart();
      if (hierarchy->map(k).base || coarse_every % m != 0) continue;
      auto forms = no_rhs();
      std::vector<double> placed(2 * (steps / m + map.states()));
      placed[0] = states_[0];
      placed[1] = states_[1];
      const auto place = [&] {
        for (std::size_t n = 0; n < steps / m; n += map.states()) {
          map.step_states(forms, 0.0, &placed[2 * n], &placed[2 * (n + 1)]);
        }
      };
      place();
      for (std::size_t n = 1; n <= steps / m; ++n) std::copy_n(&placed[2 * n], 2, &states_[2 * n * m]);
      rows_.push_back(
          {"placed alone" + name_of(*hierarchy, k), true, rms(states_, coarse_every), microseconds(place, false, 0.3)});
    }
  }
  const std::shared_ptr<const Hierarchy>& hierarchy() const noexcept { return hierarchy_; }

  /// Wall times of one and two threads, and what they make of the same scheme.
  template <int Spin>
  void threads(const char* title, double budget, const std::vector<std::shared_ptr<const Hierarchy>>& hierarchies) {
    auto forms = forms_of<Spin>();
    ThreadTeam two(2);
    std::printf("\n%s, wall clock, one thread and two (%u processors)\n", title, std::thread::hardware_concurrency());
    for (const auto& hierarchy : hierarchies) {
      for (std::size_t k = 0; k < hierarchy->size(); ++k) {
        const std::string map = name_of(*hierarchy, k);
        Hybrid hybrid(hierarchy, 1, k);
        const auto pair = [&](const std::string& name, auto solve) {
          const double one = microseconds([&] { solve(nullptr); }, true, budget);
          const double both = microseconds([&] { solve(&two); }, true, budget);
          std::printf("  %-50s %10.1f us %10.1f us   %.2f times\n", name.c_str(), one, both, one / both);
        };
        pair("hybrid" + map, [&](Executor* e) { hybrid.solve(forms, 0.0, steps, states_.data(), e); });
        Parareal parareal(hierarchy, k);
        pair("parareal" + map + ", 1 sweep", [&](Executor* e) {
          parareal.solve(forms, 0.0, steps, states_.data(), {1, 0.0}, e);
        });
      }
    }
  }

  void verdict(const char* title, double target) {
    std::printf("\n%s\n", title);
    const Row* best[2] = {nullptr, nullptr};
    for (const auto& row : rows_) {
      std::printf("  %-44s rms %9.2e %10.2f us\n", row.name.c_str(), row.rms, row.microseconds);
      auto& winner = best[row.learned];
      if (row.rms <= target && (!winner || row.microseconds < winner->microseconds)) winner = &row;
    }
    if (best[0] && best[1]) {
      std::printf("at rms <= %.0e: %s %.2f us, %s %.2f us: %.2f times\n", target, best[1]->name.c_str(),
                  best[1]->microseconds, best[0]->name.c_str(), best[0]->microseconds,
                  best[0]->microseconds / best[1]->microseconds);
    } else {
      std::printf("at rms <= %.0e: %s gets there\n", target, best[0] ? "nothing learned" : "nothing classical");
    }
    rows_.clear();
  }

private:
  static std::string name_of(const Hierarchy& hierarchy, std::size_t k) {
    const auto& map = hierarchy.map(k);
    return ", map of " + text(map.dt) + (map.base ? " on rk4" : "") +
           (map.states > 1 ? ", " + std::to_string(map.states) + " states each" : "");
  }
  static std::string text(double number) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", number);
    return buffer;
  }
  void add(const std::string& name, bool learned, std::size_t every, double budget,
           const std::function<void()>& solve) {
    std::fill(states_.begin() + 2, states_.end(), 0.0);
    solve();
    rows_.push_back({name, learned, rms(states_, every), microseconds(solve, false, budget)});
  }
  /// Steps over `stride` fine states each; those `between` by Hermite's cubic, whose slopes are the next step's first
  /// stage.
  template <class Stepper, class Rhs> void fixed_steps(const Rhs& rhs, std::size_t stride, bool between) {
    double h = fine_dt * static_cast<double>(stride);
    Stepper stepper;
    State u{states_[0], states_[1]}, f, g, next;
    rhs(u, f, 0.0);
    for (std::size_t n = 0; n < steps; n += stride) {
      if (n + stride > steps) { // what is left is shorter
        stride = steps - n;
        h = fine_dt * static_cast<double>(stride);
      }
      stepper.do_step(std::cref(rhs), u, f, 0.0, next, h);
      rhs(next, g, 0.0);
      if (between) {
        for (std::size_t j = 1; j < stride; ++j) {
          const double x = static_cast<double>(j) / static_cast<double>(stride);
          for (std::size_t i = 0; i < 2; ++i) {
            states_[2 * (n + j) + i] = (1 + 2 * x) * (1 - x) * (1 - x) * u[i] + x * x * (3 - 2 * x) * next[i] +
                                       h * x * (1 - x) * ((1 - x) * f[i] - x * g[i]);
          }
        }
      }
      std::copy_n(next.data(), 2, &states_[2 * (n + stride)]);
      u = next;
      f = g;
    }
  }
  template <class Stepper, class Rhs> void dense(Stepper& stepper, const Rhs& rhs, std::size_t every) {
    State u{states_[0], states_[1]};
    stepper.initialize(u, 0.0, 0.01);
    for (std::size_t n = every; n <= steps; n += every) {
      const double t = fine_dt * static_cast<double>(n);
      while (stepper.current_time() < t) stepper.do_step(std::cref(rhs));
      stepper.calc_state(t, u);
      std::copy_n(u.data(), 2, &states_[2 * n]);
    }
  }

  std::shared_ptr<const Hierarchy> hierarchy_;
  std::vector<double> states_;
  std::vector<Row> rows_;
};

/// One map for the step of level `levels.last`, which gives the states of `levels.first` on the way.
std::shared_ptr<const Hierarchy> dense_map(const Problem& problem, Levels levels, double tolerance) {
  HitsOptions options;
  options.levels = levels;
  options.dense = true;
  options.tolerance = tolerance;
  return std::make_shared<const Hierarchy>(std::make_shared<const Model>(train_hits(problem, options).model));
}

} // namespace

int main(int argc, char** argv) {
  const Problem problem = make_problem("van_der_pol");
  const Model model = argc > 1 ? *load_model(argv[1]) : train_hits(problem, {}).model;
  reference.resize(2 * (steps + 1));
  std::vector<double> u0(2);
  Random random(0, static_cast<std::uint64_t>(Split::test), 1);
  problem.sample(random, u0.data());
  reference_solution(problem, u0.data(), 0.0, fine_dt, steps + 1, reference.data(), false);

  Bench bench(model);
  bench.classical<0>(1);
  bench.learned<0>(bench.hierarchy());
  const auto dense = dense_map(problem, {6, 8}, 3e-8);
  bench.learned<0>(dense);
  bench.verdict("All 5120 fine states, one thread", 3e-6);
  bench.classical<0>(coarse_every);
  const auto rare_states = dense_map(problem, {7, 10}, 1e-4);
  bench.placed_alone(bench.hierarchy());
  bench.placed_alone(rare_states);
  bench.verdict("States every 1.28 only", 5e-3);
  constexpr int dear = 400; // additions of 4 cycles: some 100 times the right-hand side's own
  const double cheap_ns = 1e3 *
                          microseconds(
                              [] {
                                State u{1.0, 1.0}, f;
                                for (int n = 0; n < 1000; ++n) {
                                  VdP<0>{}(u, f, 0.0);
                                  u[0] += 1e-9 * f[1];
                                }
                                asm volatile("" : : "x"(u[0]));
                              },
                              false, 0.05) /
                          1e3;
  const double dear_ns = 1e3 *
                         microseconds(
                             [] {
                               State u{1.0, 1.0}, f;
                               for (int n = 0; n < 1000; ++n) {
                                 VdP<dear>{}(u, f, 0.0);
                                 u[0] += 1e-9 * f[1];
                               }
                               asm volatile("" : : "x"(u[0]));
                             },
                             false, 0.05) /
                         1e3;
  std::printf("\nA right-hand side of %.1f ns, made one of %.0f ns\n", cheap_ns, dear_ns);
  bench.classical<dear>(coarse_every, 0.05);
  bench.placed_alone(rare_states);
  bench.verdict("The dear one: states every 1.28 only", 5e-3);
  bench.threads<0>("All fine states, the cheap right-hand side", 0.3, {bench.hierarchy(), dense});
  bench.threads<dear>("All fine states, the dear right-hand side", 1.0, {bench.hierarchy(), dense});
  return 0;
}
