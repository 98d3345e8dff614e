#include "flow_maps.hpp"

#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/parareal.hpp>
#include <lodestep/rhs_forms.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace lodestep;
using test::ManyOscillators;
using test::OneOscillator;
using test::oscillator_hierarchy;

namespace {

std::shared_ptr<const Hierarchy> hierarchy_of(Model model) {
  return std::make_shared<const Hierarchy>(test::shared(std::move(model)));
}

auto forms() {
  return rhs_forms(OneOscillator{}, ManyOscillators{});
}

/// Largest distance of the states from (cos t, -sin t).
double worst(const std::vector<double>& states, double dt) {
  double largest = 0.0;
  for (std::size_t n = 0; 2 * n < states.size(); ++n) {
    const double t = static_cast<double>(n) * dt;
    largest = std::max({largest, std::abs(states[2 * n] - std::cos(t)), std::abs(states[2 * n + 1] + std::sin(t))});
  }
  return largest;
}

std::vector<double> start(std::size_t steps) {
  std::vector<double> states(2 * (steps + 1), std::numeric_limits<double>::quiet_NaN());
  states[0] = 1.0;
  states[1] = 0.0;
  return states;
}

std::vector<double> solve_hybrid(const std::shared_ptr<const Hierarchy>& hierarchy, std::size_t steps,
                                 Executor* executor, std::size_t stride = 1) {
  Hybrid scheme(hierarchy, stride);
  auto states = start(steps);
  scheme.solve(forms(), 0.0, steps, states.data(), executor);
  return states;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

} // namespace

// Exact maps place exactly, whatever the ratios of their steps, and so does every number of steps, with or without a
// whole number of the largest.
BOOST_AUTO_TEST_CASE(the_multiscale_scheme_places_every_state) {
  for (const auto& steps : std::vector<std::vector<double>>{{0.1}, {0.1, 0.2, 0.4, 0.8}, {0.1, 0.6, 2.4}, {0.1, 0.5}}) {
    const auto hierarchy = hierarchy_of(oscillator_hierarchy(steps, 0.1));
    Multiscale scheme(hierarchy);
    for (const std::size_t count : {1u, 5u, 24u, 97u, 1000u}) {
      auto states = start(count);
      scheme.solve(no_rhs(), 0.0, count, states.data(), Interpolation::linear);
      BOOST_TEST(worst(states, 0.1) < 1e-12);
    }
    BOOST_TEST(scheme.counters().fallen_back() == 0u);
  }
}

// Interpolation over h has the error h^2 / 8 (linear) and h^4 / 384 and the slopes' (cubic, fourth order in all).
BOOST_AUTO_TEST_CASE(states_between_are_interpolated) {
  for (const double h : {0.2, 0.4}) {
    const auto hierarchy = hierarchy_of(oscillator_hierarchy({h}, 0.05));
    Multiscale scheme(hierarchy);
    auto states = start(403); // ends within a step
    scheme.solve(no_rhs(), 0.0, 403, states.data(), Interpolation::linear);
    const double linear = worst(states, 0.05);
    BOOST_TEST(linear < 1.01 * h * h / 8);
    BOOST_TEST(linear > 0.9 * h * h / 8);
    states = start(403);
    scheme.solve(no_rhs(), 0.0, 403, states.data(), Interpolation::cubic);
    // Slopes are of second order beside the ends, h^2 / 3 wrong at the very end and h^2 / 6 at the next state, which
    // the cubic passes on by 4/27 h.
    BOOST_TEST(worst(states, 0.05) < (1.0 / 3 + 1.0 / 6) * 4 / 27 * h * h * h);
    const std::vector<double> middle(states.begin() + 80, states.end() - 80);
    double largest = 0.0;
    for (std::size_t n = 0; 2 * n < middle.size(); ++n) {
      largest = std::max(largest, std::abs(middle[2 * n] - std::cos(0.05 * static_cast<double>(n + 40))));
    }
    BOOST_TEST(largest < 0.015 * std::pow(h, 4));
  }
}

BOOST_AUTO_TEST_CASE(the_hybrid_scheme_fills_in_between) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.8}, 0.01));
  for (const std::size_t steps : {1u, 79u, 80u, 81u, 160u, 8000u, 8037u}) {
    // RK4 over one segment of 0.8: 80 steps of error h^5 / 120 each, nothing carried over.
    BOOST_TEST(worst(solve_hybrid(hierarchy, steps, nullptr), 0.01) < 80 * 1e-10 / 120 + 1e-12);
    // A step over 4 fine ones, and Hermite's cubic between: h^4 / 384 for h = 0.04, and RK4's own 20 h^5 / 120.
    BOOST_TEST(worst(solve_hybrid(hierarchy, steps, nullptr, 4), 0.01) < 1.1 * 6.7e-9 + 20 * 1.03e-7 / 120);
  }
}

BOOST_AUTO_TEST_CASE(any_number_of_threads_gives_the_same_bits) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.16}, 0.01, 1e-4));
  const auto alone = solve_hybrid(hierarchy, 16 * 333 + 5, nullptr);
  for (const std::size_t threads : {1u, 2u, 3u, 7u}) {
    ThreadTeam team(threads);
    BOOST_TEST(team.workers() == threads);
    for (int repetition = 0; repetition < 20; ++repetition) {
      BOOST_TEST(same_bits(solve_hybrid(hierarchy, 16 * 333 + 5, &team), alone));
    }
    Parareal scheme(hierarchy);
    auto one = start(5000), many = one;
    scheme.solve(forms(), 0.0, 5000, one.data(), {2, 0.0});
    const auto result = scheme.solve(forms(), 0.0, 5000, many.data(), {2, 0.0}, &team);
    BOOST_TEST(same_bits(one, many));
    BOOST_TEST(result.sweeps == 2u);
  }
}

namespace {

/// Runs workers one after the other, the last first.
struct Backwards final : Executor {
  std::size_t workers() const noexcept override { return 3; }
  void run(Task task, void* context) override {
    for (std::size_t w = 3; w-- > 0;) task(context, w);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(any_executor_will_do) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.16}, 0.01));
  Backwards executor;
  BOOST_TEST(same_bits(solve_hybrid(hierarchy, 4000, &executor), solve_hybrid(hierarchy, 4000, nullptr)));
}

namespace {

struct GenericOscillator {
  template <class State, class Deriv> void operator()(const State& u, Deriv& dudt, double /*t*/) const {
    dudt[0] = u[1];
    dudt[1] = -u[0];
  }
};

} // namespace

// Whole steps in registers are the same steps, for every tableau that there is one of: alike to rounding with those of
// the general path, in whole blocks and what is left of them, with and without states between.
BOOST_AUTO_TEST_CASE(lanes_of_registers_take_the_same_steps) {
  for (const char* fine : {"rk4", "cash_karp", "dormand_prince", "rk3"}) {
    auto model = oscillator_hierarchy({0.16}, 0.01, 1e-4);
    std::get<HierarchyModel>(model.method).fine = fine;
    const auto hierarchy = hierarchy_of(model);
    for (const std::size_t stride : {1u, 2u, 3u, 4u}) {
      for (const std::size_t steps : {5u, 16u, 16u * 3 + 7, 16u * 64, 16u * 777 + 13}) {
        const auto general = solve_hybrid(hierarchy, steps, nullptr, stride);
        Hybrid scheme(hierarchy, stride);
        auto states = start(steps);
        scheme.solve(lane_forms<2>(GenericOscillator{}), 0.0, steps, states.data());
        double largest = 0.0;
        for (std::size_t i = 0; i < states.size(); ++i) {
          if (!(std::abs(states[i] - general[i]) <= largest)) largest = std::abs(states[i] - general[i]);
        }
        BOOST_TEST(largest < 1e-13, fine << ", stride " << stride << ", " << steps << " steps: " << largest);
        ThreadTeam team(3);
        auto threaded = start(steps);
        scheme.solve(lane_forms<2>(GenericOscillator{}), 0.0, steps, threaded.data(), &team);
        BOOST_TEST(same_bits(states, threaded));
      }
    }
  }
}

// Sweeps by steps of one length, fine states by another: the result converges to the former's serial solution, whether
// the number of sweeps or the tolerance ends it, and every fine state is written.
BOOST_AUTO_TEST_CASE(parareals_sweeps_may_take_other_steps_than_its_fine_states) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.8}, 0.01, 0.01));
  const std::size_t steps = 80 * 40 + 33;
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t sweep_stride : {1u, 2u}) {
      Parareal scheme(hierarchy, 0, stride, sweep_stride);
      // RK4's phase error of h^5 / 120 a step, over 32 units of time; Hermite's h^4 / 384 within.
      const double h = 0.01 * static_cast<double>(sweep_stride), between = 0.01 * static_cast<double>(stride);
      const double expected = 1.05 * 33 * std::pow(h, 4) / 120 + std::pow(between, 4) / 384 + 1e-9;
      for (const auto& options : {Parareal::Options{12, 0.0}, Parareal::Options{100, 1e-10}}) {
        auto states = start(steps);
        const auto result = scheme.solve(lane_forms<2>(GenericOscillator{}), 0.0, steps, states.data(), options);
        BOOST_TEST(worst(states, 0.01) < expected);
        BOOST_TEST(result.jump < 1e-7);
        if (options.tolerance > 0.0 && stride == sweep_stride) BOOST_TEST(result.converged);
      }
    }
  }
  // Nothing left to do before the last sweep asked for: the fine states are written all the same.
  const auto exact = hierarchy_of(oscillator_hierarchy({0.8}, 0.01));
  Parareal scheme(exact, 0, 2, 1);
  auto states = start(80 * 3);
  BOOST_TEST(scheme.solve(forms(), 0.0, 80 * 3, states.data(), {50, 0.0}).converged);
  BOOST_TEST(worst(states, 0.01) < 1e-8);
  BOOST_CHECK_THROW(Parareal(exact, 0, 0), InvalidArgument);
}

// A coarse propagator that turns 1% too far: k sweeps make k segments exact and the rest (k + 1)st order in its error,
// until the result is the fine scheme's serial one.
BOOST_AUTO_TEST_CASE(parareal_ends_at_the_fine_scheme) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.8}, 0.01, 0.01));
  const std::size_t steps = 80 * 40;
  auto serial = start(steps);
  RungeKutta fine(classical_tableau("rk4"), 2);
  for (std::size_t n = 0; n < steps; ++n) fine.step(OneOscillator{}, 0.0, &serial[2 * n], 0.01, &serial[2 * n + 2]);
  const auto distance = [&](const std::vector<double>& states) {
    double largest = 0.0;
    for (std::size_t i = 0; i < states.size(); ++i) largest = std::max(largest, std::abs(states[i] - serial[i]));
    return largest;
  };
  Parareal scheme(hierarchy);
  double before = 0.0;
  for (std::size_t sweeps = 0; sweeps <= 4; ++sweeps) {
    auto states = start(steps);
    const auto result = scheme.solve(forms(), 0.0, steps, states.data(), {sweeps, 0.0});
    BOOST_TEST(result.sweeps == sweeps);
    const double error = distance(states);
    // The error of one map step is 0.008; the jumps estimate what 40 of them add up to.
    if (sweeps == 0) BOOST_TEST(error > 0.2);
    if (sweeps > 0) BOOST_TEST(error < 0.35 * before);
    BOOST_TEST(result.jump <= 2 * error);
    BOOST_TEST(error <= 40 * result.jump);
    before = error;
  }
  auto states = start(steps);
  const auto result = scheme.solve(forms(), 0.0, steps, states.data(), {100, 1e-9});
  BOOST_TEST(result.converged);
  BOOST_TEST(result.sweeps < 40u);
  BOOST_TEST(result.jump <= 1e-9);
  BOOST_TEST(distance(states) < 40 * 1e-9);
  // Segments become exact one by one: after as many sweeps as there are segments nothing is left to do.
  auto all = start(80 * 6);
  const auto full = scheme.solve(forms(), 0.0, 80 * 6, all.data(), {100, 0.0});
  BOOST_TEST(full.converged);
  BOOST_TEST(full.sweeps <= 6u);
}

BOOST_AUTO_TEST_CASE(what_may_not_be_learned_is_taken_by_the_fine_scheme_and_counted) {
  auto model = oscillator_hierarchy({0.8}, 0.01);
  auto& map = std::get<HierarchyModel>(model.method).maps[0];
  map.state[0] = {0.0, 10.0}; // the oscillator is outside half of the time
  const auto hierarchy = hierarchy_of(model);
  Hybrid scheme(hierarchy);
  auto states = start(8000);
  scheme.solve(forms(), 0.0, 8000, states.data());
  BOOST_TEST(worst(states, 0.01) < 1e-8);
  const auto counters = scheme.map().counters();
  BOOST_TEST(counters.total() == 100u);
  BOOST_TEST(counters[Verdict::domain] > 40u);
  BOOST_TEST(counters[Verdict::domain] < 60u);
  BOOST_TEST(counters[Verdict::correction] == 0u);
  // Many at once, as the lower levels of the multiscale scheme are stepped, are judged each for itself.
  FlowMap many(hierarchy, 0);
  std::vector<double> from, to(2 * 100);
  for (int k = 0; k < 100; ++k) from.insert(from.end(), {std::cos(0.1 * k), -std::sin(0.1 * k)});
  auto both = forms();
  many.step(both, 0.0, from.data(), to.data(), 100);
  for (int k = 0; k < 100; ++k) BOOST_TEST(std::abs(to[2 * k] - std::cos(0.1 * k + 0.8)) < 1e-9);
  BOOST_TEST(many.counters()[Verdict::domain] > 40u);
  many.step(both, 0.0, from.data(), from.data(), 100); // in place
  BOOST_TEST(same_bits(from, to));

  map.state[0] = {-10.0, 10.0};
  map.limit = {1e-3, 1e-3};
  const auto distrustful = hierarchy_of(model);
  Hybrid small(distrustful);
  small.solve(forms(), 0.0, 800, states.data());
  BOOST_TEST(small.map().counters()[Verdict::correction] == 10u);
  // Without a right-hand side there is nothing to fall back to.
  Multiscale data_only(distrustful);
  BOOST_CHECK_THROW(data_only.solve(no_rhs(), 0.0, 800, states.data(), Interpolation::linear), InvalidData);
}

// Coarse RK4 steps and what they lack: the map is exact although its base is not.
BOOST_AUTO_TEST_CASE(a_map_may_correct_classical_steps) {
  auto model = oscillator_hierarchy({0.8}, 0.01);
  auto& map = std::get<HierarchyModel>(model.method).maps[0];
  map.base = "rk4";
  map.substeps = 2;
  // RK4 turns and scales by the complex number P = sum (-i h)^k / k!: what is missing is exp(-0.8 i) - P^2.
  const std::complex<double> z(0.0, -0.4);
  const std::complex<double> p = 1.0 + z + z * z / 2.0 + z * z * z / 6.0 + z * z * z * z / 24.0;
  const std::complex<double> rest = std::exp(std::complex<double>(0.0, -0.8)) - p * p;
  // (x, v) as x + i v turns by the factor exp(-i t).
  map.approximator.affine.weight = {rest.real(), -rest.imag(), rest.imag(), rest.real()};
  const auto hierarchy = hierarchy_of(model);
  BOOST_TEST(std::abs(rest) > 1e-5);
  BOOST_TEST(worst(solve_hybrid(hierarchy, 8000, nullptr), 0.01) < 1e-10);
  Multiscale scheme(hierarchy); // the same, through the stepping of one and of many
  auto states = start(800);
  scheme.solve(forms(), 0.0, 800, states.data(), Interpolation::linear);
  for (int n = 0; n <= 800; n += 80)
    BOOST_TEST(std::abs(states[static_cast<std::size_t>(2 * n)] - std::cos(0.01 * n)) < 1e-11);
  FlowMap map_of_many(hierarchy, 0);
  std::vector<double> from, to(2 * 70);
  for (int k = 0; k < 70; ++k) from.insert(from.end(), {std::cos(0.1 * k), -std::sin(0.1 * k)});
  auto both = forms();
  map_of_many.step(both, 0.0, from.data(), to.data(), 70);
  for (int k = 0; k < 70; ++k) BOOST_TEST(std::abs(to[2 * k] - std::cos(0.1 * k + 0.8)) < 1e-13);
}

BOOST_AUTO_TEST_CASE(exceptions_of_the_right_hand_side_pass_through) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.16}, 0.01));
  for (const std::size_t threads : {1u, 3u}) {
    ThreadTeam team(threads);
    Hybrid scheme(hierarchy);
    auto states = start(16 * 500);
    std::atomic<int> calls{0};
    const auto failing = rhs_forms(OneOscillator{}, [&](double t, const double* u, double* dudt, std::size_t n) {
      if (++calls > 100) throw std::domain_error("too far");
      ManyOscillators{}(t, u, dudt, n);
    });
    BOOST_CHECK_THROW(scheme.solve(failing, 0.0, 16 * 500, states.data(), &team), std::domain_error);
    // And the scheme is sound afterwards.
    auto again = start(16 * 500);
    scheme.solve(forms(), 0.0, 16 * 500, again.data(), &team);
    BOOST_TEST(worst(again, 0.01) < 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(one_state_at_a_time_will_do) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.8}, 0.01));
  Hybrid scheme(hierarchy);
  auto states = start(3000);
  scheme.solve(rhs_forms(OneOscillator{}, std::size_t{2}), 0.0, 3000, states.data());
  BOOST_TEST(same_bits(states, solve_hybrid(hierarchy, 3000, nullptr)));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
  const auto hierarchy = hierarchy_of(oscillator_hierarchy({0.1, 0.2}, 0.1));
  BOOST_CHECK_THROW(FlowMap(hierarchy, 2), InvalidArgument);
  BOOST_CHECK_THROW(Multiscale(hierarchy, 1, 0), InvalidArgument);
  BOOST_CHECK_THROW(Multiscale(hierarchy, 0, 2), InvalidArgument);
  BOOST_CHECK_THROW(Hybrid(hierarchy, 0), InvalidArgument);
  BOOST_CHECK_THROW(ThreadTeam(0), InvalidArgument);
  BOOST_CHECK_THROW(Hierarchy(test::shared(test::zero_corrector(2, "rk4", 0.1))), InvalidModel);
}

// One evaluation places several states: by both schemes, for numbers of steps that are no multiple of anything.
BOOST_AUTO_TEST_CASE(a_map_gives_states_on_the_way) {
  const auto hierarchy = hierarchy_of(test::oscillator_on_a_grid(2.4, 3, 0.1));
  FlowMap map(hierarchy, 0);
  BOOST_TEST(map.states() == 3u);
  BOOST_TEST(map.fine_steps_apart() == 8u);
  Multiscale multiscale(hierarchy);
  BOOST_TEST(multiscale.dt() == 0.8, boost::test_tools::tolerance(1e-14));
  for (const std::size_t count : {8u, 16u, 24u, 25u, 97u, 240u}) {
    auto states = start(count);
    multiscale.solve(no_rhs(), 0.0, count, states.data(), Interpolation::cubic);
    for (std::size_t n = 0; n <= count; n += 8) {
      BOOST_TEST(std::abs(states[2 * n] - std::cos(0.1 * static_cast<double>(n))) < 1e-12);
      BOOST_TEST(std::abs(states[2 * n + 1] + std::sin(0.1 * static_cast<double>(n))) < 1e-12);
    }
    ThreadTeam two(2);
    const auto hybrid = solve_hybrid(hierarchy, count, nullptr);
    BOOST_TEST(worst(hybrid, 0.1) < 1e-6); // RK4's own over 0.8, not over the whole
    BOOST_TEST(same_bits(hybrid, solve_hybrid(hierarchy, count, &two)));
  }
  BOOST_TEST(multiscale.counters().fallen_back() == 0u);
  // A smaller map below it: the states on the way are there already, the rest is its work.
  Model model = test::oscillator_on_a_grid(2.4, 3, 0.1);
  auto& maps = std::get<HierarchyModel>(model.method).maps;
  maps.insert(maps.begin(), std::get<HierarchyModel>(oscillator_hierarchy({0.4}, 0.1).method).maps[0]);
  std::get<HierarchyModel>(model.method).upper = 1;
  Multiscale both(hierarchy_of(model));
  BOOST_TEST(both.fine_steps() == 4u);
  std::vector<double> placed = start(61);
  both.place(no_rhs(), 0.0, 61, placed.data());
  BOOST_TEST(worst(placed, 0.4) < 1e-12);
  BOOST_TEST(both.counters().learned() == 10u + 31u);
}

// Where the grid has no polynomial the fine scheme steps, and it is counted as what it is: a state nobody learned.
BOOST_AUTO_TEST_CASE(a_state_in_no_cell_is_left_to_the_fine_scheme) {
  const auto hierarchy = hierarchy_of(test::oscillator_on_a_grid(0.8, 2, 0.1));
  FlowMap map(hierarchy, 0);
  auto rhs = forms();
  const double from[] = {7.0, -7.0};
  double to[2], on_the_way[4];
  map.step(rhs, 0.0, from, to);
  map.step_states(rhs, 0.0, from, on_the_way);
  BOOST_TEST(map.counters()[Verdict::domain] == 2u);
  BOOST_TEST(map.counters().learned() == 0u);
  for (const double t : {0.4, 0.8}) {
    const double* state = t == 0.4 ? on_the_way : on_the_way + 2;
    BOOST_TEST(std::abs(state[0] - (7.0 * std::cos(t) - 7.0 * std::sin(t))) < 1e-5);
    BOOST_TEST(std::abs(state[1] - (-7.0 * std::cos(t) - 7.0 * std::sin(t))) < 1e-5);
  }
  BOOST_TEST(to[0] == on_the_way[2]);
  BOOST_TEST(to[1] == on_the_way[3]);
  // Among others, in a block: only that one.
  std::vector<double> many{1.0, 2.0, 7.0, -7.0, -3.0, 4.0}, next(6);
  map.reset_counters();
  map.step(rhs, 0.0, many.data(), next.data(), 3);
  BOOST_TEST(map.counters()[Verdict::domain] == 1u);
  BOOST_TEST(map.counters().learned() == 2u);
  BOOST_TEST(next[2] == to[0]);
  BOOST_TEST(std::abs(next[4] - (-3.0 * std::cos(0.8) + 4.0 * std::sin(0.8))) < 1e-12);
  auto none = no_rhs();
  BOOST_CHECK_THROW(map.step(none, 0.0, from, to), InvalidData);
}
