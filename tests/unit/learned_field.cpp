// A right-hand side behind noisy trajectories, the pairs it makes, and how well maps place.
#include "train/learned_field.hpp"

#include "problem/trajectory_file.hpp"
#include "train/made_pairs.hpp"
#include "train/placing.hpp"

#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

using namespace lodestep;

namespace {

const auto go_on = [] { return true; };

Trajectories solutions(const char* problem, std::size_t trajectories, double dt, double horizon) {
  GenerateOptions options;
  options.trajectories = trajectories;
  options.dt = dt;
  options.horizon = horizon;
  return generate_trajectories(make_problem(problem), options);
}

Trajectories noisy(Trajectories set, double deviation) {
  Random random(5, 1, 0);
  for (double& u : set.states) u += deviation * random.normal();
  return set;
}

std::optional<detail::LearnedField> learned_from(const Trajectories& measured) {
  Trajectories smoothed = measured;
  const auto smoothing = detail::smooth(smoothed);
  return detail::learn_field(measured, smoothed, smoothing, 2, go_on);
}

/// x' of the learned field, by a step so short that it is a difference quotient.
std::vector<double> slope(const detail::PolynomialField& field, std::vector<double> x) {
  const double h = 1e-6;
  const auto at = x;
  BOOST_REQUIRE(field.flow(x.data(), h, 1));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - at[i]) / h;
  return x;
}

} // namespace

BOOST_AUTO_TEST_CASE(slopes_of_monomials_are_their_derivatives) {
  detail::PolynomialField field(Eigen::VectorXd::Zero(3), Eigen::VectorXd::Ones(3), 4);
  BOOST_TEST(field.terms() == 35u); // 7 over 3
  const std::vector<double> z{0.3, -0.7, 0.9};
  const double h = 1e-6;
  std::vector<double> values(35), slopes(3 * 35), above(35), below(35);
  field.basis(z.data(), values.data(), slopes.data());
  for (std::size_t i = 0; i < 3; ++i) {
    auto moved = z;
    moved[i] += h;
    field.basis(moved.data(), above.data(), nullptr);
    moved[i] -= 2 * h;
    field.basis(moved.data(), below.data(), nullptr);
    for (std::size_t m = 0; m < 35; ++m)
      BOOST_TEST(std::abs(slopes[3 * m + i] - (above[m] - below[m]) / (2 * h)) < 1e-9);
  }
}

// Van der Pol's oscillator, mu = 2, under noise of a tenth of its amplitude.
BOOST_AUTO_TEST_CASE(the_right_hand_side_behind_noise_is_found) {
  const auto exact = solutions("van_der_pol", 12, 0.02, 10.0);
  const double deviation = 0.2;
  const auto found = learned_from(noisy(exact, deviation));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->field.degree() == 3u);
  BOOST_TEST(found->segments == 1u); // whole trajectories are solutions
  BOOST_TEST(found->residual > 0.9);
  BOOST_TEST(found->residual < 1.1);
  for (const auto& x : {std::vector<double>{0.5, 1.0}, {-1.5, 2.0}, {2.0, -0.3}}) {
    const auto f = slope(found->field, x);
    // 6000 samples fix twenty numbers to about a hundredth of what one sample is off.
    BOOST_TEST(std::abs(f[0] - x[1]) < 0.05);
    BOOST_TEST(std::abs(f[1] - (2.0 * (1.0 - x[0] * x[0]) * x[1] - x[0])) < 0.1);
  }
  double left = 0.0;
  for (std::size_t n = 0; n < exact.states.size(); ++n)
    left += std::pow(found->consistent.states[n] - exact.states[n], 2);
  // Each trajectory's two initial values are fixed by a thousand numbers.
  BOOST_TEST(left / static_cast<double>(exact.states.size()) < 0.02 * deviation * deviation);
}

// Without noise to within the trust in a sample, and of the lowest degree.
BOOST_AUTO_TEST_CASE(the_right_hand_side_of_clean_data_is_found) {
  const auto found = learned_from(solutions("harmonic_oscillator", 6, 0.05, 10.0));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->field.degree() == 1u);
  const auto f = slope(found->field, {0.3, 0.8});
  BOOST_TEST(std::abs(f[0] - 0.8) < 1e-5);
  BOOST_TEST(std::abs(f[1] + 0.3) < 1e-5);
}

// One variable of an oscillator alone goes both ways through the same value: no right-hand side explains it.
BOOST_AUTO_TEST_CASE(what_no_right_hand_side_explains_is_left_alone) {
  const auto both = solutions("harmonic_oscillator", 10, 0.05, 20.0);
  Trajectories one = both;
  one.dimension = 1;
  one.states.clear();
  for (std::size_t n = 0; n < both.states.size(); n += 2) one.states.push_back(both.states[n]);
  BOOST_TEST(!learned_from(noisy(one, 0.05)).has_value());
  BOOST_TEST(!learned_from(one).has_value());
}

BOOST_AUTO_TEST_CASE(made_pairs_are_solutions_within_the_box) {
  const auto set = solutions("harmonic_oscillator", 8, 0.05, 10.0);
  const auto found = learned_from(set);
  BOOST_REQUIRE(found.has_value());
  const std::vector<Interval> box{{-1.2, 1.2}, {-1.2, 1.2}};
  detail::MadePairs pairs(found->field, set, box, 500, 0, 1);
  for (const std::size_t steps : {std::size_t{4}, std::size_t{40}}) {
    const auto& data = pairs.after(steps);
    BOOST_TEST(data.from.cols() == 500);
    BOOST_TEST(data.weight.size() == 500);
    BOOST_TEST(data.from.cwiseAbs().maxCoeff() <= 1.2);
    const double t = 0.05 * static_cast<double>(steps), c = std::cos(t), s = std::sin(t);
    for (Eigen::Index n = 0; n < data.from.cols(); ++n) {
      BOOST_TEST(std::abs(data.to(0, n) - (c * data.from(0, n) + s * data.from(1, n))) < 1e-4);
      BOOST_TEST(std::abs(data.to(1, n) - (c * data.from(1, n) - s * data.from(0, n))) < 1e-4);
    }
  }
}

// Between states of a parabola cubics are exact and lines are not; an exact rotation places exactly, one that turns too
// far by e is off by 2 sin(k e / 2) after k steps.
BOOST_AUTO_TEST_CASE(placing_and_interpolation) {
  Trajectories parabola;
  parabola.dt = 0.1;
  parabola.trajectories = 1;
  parabola.dimension = 1;
  parabola.times = 200;
  for (std::size_t n = 0; n < 200; ++n) parabola.states.push_back(std::pow(0.1 * static_cast<double>(n), 2));
  BOOST_TEST(detail::interpolation_mse(parabola, 8) < 1e-20);
  BOOST_TEST(detail::interpolation_mse(parabola, 2) == 0.0);

  const auto turns = solutions("harmonic_oscillator", 3, 0.05, 2.0);
  const double dt = 0.4, e = 0.01;
  FlowMapModel map;
  map.dt = dt;
  map.approximator = ApproximatorSpec::zero(2, 2);
  map.approximator.affine.weight = {std::cos(dt + e) - 1.0, std::sin(dt + e), -std::sin(dt + e),
                                    std::cos(dt + e) - 1.0};
  map.state = {{-2.0, 2.0}, {-2.0, 2.0}};
  map.limit = {2.0, 2.0};
  double expected = 0.0;
  for (std::size_t k = 1; k <= 5; ++k) {
    for (std::size_t n = 0; n < 3; ++n) {
      const double* u = turns.state(n, 0);
      expected += std::pow(2.0 * std::sin(0.5 * e * static_cast<double>(k)), 2) * (u[0] * u[0] + u[1] * u[1]) / 30.0;
    }
  }
  const double found = detail::placing_mse(map, {{"x", ""}, {"y", ""}}, turns);
  BOOST_TEST(std::abs(found - expected) < 1e-9 * expected);
  map.state[0].upper = 0.0; // whatever starts at a positive x may not be stepped
  BOOST_TEST(detail::placing_mse(map, {{"x", ""}, {"y", ""}}, turns) > 1.0);
}
