// Flow maps against what the HiTS paper prints (Liu et al. 2022, Tables 6 and Fig. 9), on 320 held-out initial states
// and references of 1e-12, where the authors' own are solutions at scipy's default tolerance.
#include "report/processor_clock.hpp"

#include <lodestep/hierarchy.hpp>
#include <lodestep/train_hits.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace lodestep;

namespace {

constexpr std::size_t held_out = 320;

struct Trained {
  Problem problem;
  Model model;
  double processor_seconds;
};

Trained train(const std::string& name, const HitsOptions& options = {}) {
  Trained trained{make_problem(name), {}, 0.0};
  const auto start = report::ProcessorClock::now();
  trained.model = train_hits(trained.problem, options).model;
  trained.processor_seconds = std::chrono::duration<double>(report::ProcessorClock::now() - start).count();
  BOOST_TEST(trained.processor_seconds <= 90.0);
  return trained;
}

HierarchyEvaluation evaluate_as(const Trained& trained, HierarchyMode mode, std::size_t sweeps = 0,
                                std::size_t map = 999, std::size_t trajectories = held_out) {
  HierarchyEvaluateOptions options;
  options.trajectories = trajectories;
  options.mode = mode;
  options.sweeps = sweeps;
  if (map != 999) options.map = map;
  const auto e = evaluate_hierarchy(trained.model, trained.problem, options);
  BOOST_TEST_MESSAGE(trained.problem.name
                     << ", " << to_string(mode) << ", " << sweeps << " sweeps, placed every " << e.dt << ": mse "
                     << e.mse_mean << ", fine " << e.fine_mse_mean << " (median " << e.fine_mse_median
                     << "), RK4 alone " << e.base_mse_mean << ", coarse RK4 in its place " << e.classical_fine_mse_mean
                     << ", trained in " << trained.processor_seconds << " s, fallbacks " << e.fallback_fraction);
  BOOST_TEST(e.trajectories == trajectories);
  return e;
}

HitsOptions networks() {
  HitsOptions options;
  options.kind = FlowMapKind::mlp;
  return options;
}

/// The hybrid scheme, and parareal, which ends at the fine scheme's own error: after `sweeps` on a bare flow map, after
/// one on corrected coarse steps.
void check(const std::string& name, double bar, const HitsOptions& options, std::size_t sweeps) {
  const Trained trained = train(name, options);
  const auto hybrid = evaluate_as(trained, HierarchyMode::hybrid);
  BOOST_TEST(hybrid.fine_mse_mean <= bar);
  BOOST_TEST(hybrid.fallback_fraction <= 0.02);
  const auto& maps = std::get<HierarchyModel>(trained.model.method).maps;
  for (std::size_t k = 0; k < maps.size(); ++k) {
    const auto e = evaluate_as(trained, HierarchyMode::parareal, maps[k].base.empty() ? sweeps : 1, k, 64);
    BOOST_TEST(e.fine_mse_mean <= 1.1 * e.base_mse_mean);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(hyperbolic) { // the paper: 5.1e-8
  const Trained trained = train("hyperbolic");
  BOOST_TEST(evaluate_as(trained, HierarchyMode::hybrid).fine_mse_mean <= 1e-20);
  const auto e = evaluate_as(trained, HierarchyMode::parareal, 1, 999, 32);
  BOOST_TEST(e.fine_mse_mean <= 1.1 * e.base_mse_mean);
}

// The bars of networks, and of piecewise polynomials what they reach with room to spare.
BOOST_AUTO_TEST_CASE(cubic_oscillator) { // the paper: 2e-4
  check("cubic_oscillator", 1e-13, {}, 1);
  check("cubic_oscillator", 1e-9, networks(), 3);
}

BOOST_AUTO_TEST_CASE(van_der_pol) { // the paper: 3.2e-3
  check("van_der_pol", 1e-12, {}, 1);
  check("van_der_pol", 1e-6, networks(), 3);
}

BOOST_AUTO_TEST_CASE(hopf) {   // the paper: 4.1e-5
  check("hopf", 1e-10, {}, 2); // a third variable: tolerances are looser, and jumps of a sweep larger
  check("hopf", 1e-7, networks(), 3);
}

BOOST_AUTO_TEST_CASE(lorenz) { // the paper: 4.1
  const Trained trained = train("lorenz");
  BOOST_TEST(evaluate_as(trained, HierarchyMode::hybrid).fine_mse_mean <= 1e-7);
}
