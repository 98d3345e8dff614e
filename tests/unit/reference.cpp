#include "problem/extrapolation.hpp"

#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

struct Solution {
  std::vector<double> states;
  double estimate;
};

Solution solve(const Problem& problem, std::uint64_t index, double dt, double horizon, bool estimate = true) {
  Random random(3, static_cast<std::uint64_t>(Split::test), index);
  std::vector<double> u0(problem.dimension());
  problem.sample(random, u0.data());
  const std::size_t times = steps_in(horizon, dt) + 1;
  Solution solution{std::vector<double>(times * problem.dimension()), 0.0};
  solution.estimate = reference_solution(problem, u0.data(), 0.0, dt, times, solution.states.data(), estimate);
  return solution;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

} // namespace

// What everything else is judged by: 1e-12 over the horizons of the registry, by a second method's word.
BOOST_AUTO_TEST_CASE(the_error_is_below_1e_12_over_the_horizon) {
  for (const std::string& name : std::vector<std::string>{"elastic_pendulum", "k_link_pendulum", "k_link_pendulum:K=3",
                                                          "k_link_pendulum:K=5", "spring_mass", "spring_mass:d=5"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      for (std::uint64_t i = 0; i < 5; ++i) {
        const double estimate = solve(problem, i, problem.dt, problem.horizon).estimate;
        BOOST_TEST(estimate < 1e-12);
        BOOST_TEST(estimate > 0.0); // something was compared
      }
    }
  }
}

// Closed form against integration: the two share nothing but the problem's statement.
BOOST_AUTO_TEST_CASE(normal_modes_agree_with_integration) {
  for (const char* name : {"spring_mass", "spring_mass:d=1", "spring_mass:d=7,k=5,m=0.3"}) {
    const auto problem = make_problem(name);
    auto integrated = problem;
    integrated.exact = nullptr;
    const auto exact = solve(problem, 1, 0.2, 20.0, false);
    const auto numeric = solve(integrated, 1, 0.2, 20.0, false);
    BOOST_TEST(largest_difference(exact.states, numeric.states) < 1e-13 * 20);
  }
}

// The grid of outputs decides order and step: the solution must not care.
BOOST_AUTO_TEST_CASE(the_solution_does_not_depend_on_the_grid) {
  const auto problem = make_problem("elastic_pendulum");
  const auto fine = solve(problem, 2, 0.0625, 20.0, false);
  for (const double dt : {0.25, 1.0, 4.0}) {
    const auto coarse = solve(problem, 2, dt, 20.0, false);
    const auto stride = static_cast<std::size_t>(dt / 0.0625);
    for (std::size_t n = 0; n < coarse.states.size() / 4; ++n)
      for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(std::abs(coarse.states[n * 4 + i] - fine.states[n * stride * 4 + i]) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(energy_stays_over_the_horizon) {
  const auto problem = make_problem("k_link_pendulum:K=1");
  const auto solution = solve(problem, 4, 0.1, 100.0, false);
  const auto energy = [&](std::size_t n) {
    const double* u = solution.states.data() + 2 * n;
    return 0.5 * u[1] * u[1] - 9.81 * std::cos(u[0]);
  };
  for (std::size_t n = 0; n < solution.states.size() / 2; ++n) BOOST_TEST(std::abs(energy(n) - energy(0)) < 2e-14 * 10);
}

// A plugin may offer its right-hand side in double only. Its rounding, 40 times that of r in the elastic pendulum's
// acceleration, then is the limit, and the estimate says so.
BOOST_AUTO_TEST_CASE(double_precision_alone_loses_one_digit) {
  for (const char* name : {"elastic_pendulum", "k_link_pendulum"}) {
    auto problem = make_problem(name);
    const auto extended = solve(problem, 6, problem.dt, problem.horizon);
    problem.rhs_extended = nullptr;
    const auto plain = solve(problem, 6, problem.dt, problem.horizon);
    const double difference = largest_difference(extended.states, plain.states);
    BOOST_TEST(difference > 0.0);
    BOOST_TEST(difference < 1e-11);
    BOOST_TEST(plain.estimate > 0.05 * difference);
    BOOST_TEST(plain.estimate < 1e-11);
    BOOST_TEST(extended.estimate < 0.1 * plain.estimate);
  }
}

// The estimate must see an error that is there: an "exact" solution wrong by 1e-9 is found out.
BOOST_AUTO_TEST_CASE(the_estimate_sees_a_wrong_solution) {
  auto problem = make_problem("spring_mass:d=5");
  const auto right = problem.exact;
  problem.exact = [right](const double* u0, double t, double* u) {
    right(u0, t, u);
    u[3] += 1e-9 * t;
  };
  const double estimate = solve(problem, 1, 0.2, 20.0).estimate;
  BOOST_TEST(estimate > 1e-9);
  BOOST_TEST(estimate < 2e-8);
}

BOOST_AUTO_TEST_CASE(time_dependence_and_kinks) {
  // u' = |sin t|: kinks at multiples of pi. u(t) = 2 floor(t / pi) + 1 - cos(t mod pi).
  Problem problem;
  problem.name = "rectified";
  problem.variables = {{"u", ""}};
  problem.rhs = [](double t, const double*, double* dudt) { dudt[0] = std::abs(std::sin(t)); };
  problem.rhs_extended = [](long double t, const long double*, long double* dudt) { dudt[0] = std::abs(std::sin(t)); };
  std::vector<double> states(101);
  const double u0 = 0.0, t0 = 1.0, pi = std::acos(-1.0);
  const double estimate = reference_solution(problem, &u0, t0, 0.1, states.size(), states.data());
  const auto integral = [&](double t) { return 2 * std::floor(t / pi) + 1 - std::cos(std::fmod(t, pi)); };
  for (std::size_t n = 0; n < states.size(); ++n)
    BOOST_TEST(std::abs(states[n] - (integral(t0 + 0.1 * static_cast<double>(n)) - integral(t0))) < 1e-12);
  BOOST_TEST(estimate < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_step_that_grows_again_after_a_hard_stretch) {
  // Van der Pol with mu = 50 has fronts a thousand times shorter than the plateaux between them.
  Problem problem;
  problem.name = "van_der_pol";
  problem.variables = {{"x", ""}, {"v", ""}};
  std::size_t evaluations = 0;
  problem.rhs_extended = [&](long double, const long double* u, long double* dudt) {
    ++evaluations;
    dudt[0] = u[1];
    dudt[1] = 50 * (1 - u[0] * u[0]) * u[1] - u[0];
  };
  problem.rhs = [](double, const double*, double*) {};
  std::vector<double> states(2 * 201);
  const double u0[] = {2.0, 0.0};
  reference_solution(problem, u0, 0.0, 0.5, 201, states.data(), false);
  BOOST_TEST(evaluations < 400000u);
  BOOST_TEST(reference_solution(problem, u0, 0.0, 0.5, 201, states.data()) < 1e-10);
}

BOOST_AUTO_TEST_CASE(generated_sets_are_prefixes_of_longer_ones) {
  const auto problem = make_problem("k_link_pendulum");
  GenerateOptions options;
  options.trajectories = 3;
  options.horizon = 1.0;
  options.seed = 42;
  const auto few = generate_trajectories(problem, options);
  options.trajectories = 6;
  const auto more = generate_trajectories(problem, options);
  BOOST_TEST(few.times == 11u);
  BOOST_TEST(few.dimension == 4u);
  BOOST_TEST(few.states.size() == 3u * 11 * 4);
  BOOST_TEST(std::equal(few.states.begin(), few.states.end(), more.states.begin()));
  BOOST_TEST(more.error_estimate > 0.0);
  BOOST_TEST(more.error_estimate < 1e-12);
  options.split = Split::validation;
  const auto other = generate_trajectories(problem, options);
  BOOST_TEST(other.state(0, 0)[0] != more.state(0, 0)[0]);
  options.split = Split::train;
  options.seed = 43;
  BOOST_TEST(generate_trajectories(problem, options).state(0, 0)[0] != more.state(0, 0)[0]);
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_may_stop) {
  const auto problem = make_problem("spring_mass:d=5");
  GenerateOptions options;
  options.trajectories = 10;
  options.horizon = 2.0;
  std::vector<double> fractions;
  options.progress = [&](double fraction, const std::string& what) {
    fractions.push_back(fraction);
    BOOST_TEST(what.find("spring_mass") != std::string::npos);
    return fractions.size() < 4;
  };
  const auto set = generate_trajectories(problem, options);
  BOOST_TEST(set.trajectories == 4u);
  BOOST_TEST(set.states.size() == 4u * 11 * 10);
  BOOST_TEST(fractions.back() == 0.4);
}

BOOST_AUTO_TEST_CASE(steps_are_counted_up_to_rounding) {
  BOOST_TEST(steps_in(50.0, 0.1) == 500u);
  BOOST_TEST(steps_in(20.0, 0.2) == 100u);
  BOOST_TEST(steps_in(0.3, 0.1) == 3u);
  BOOST_TEST(steps_in(1e4, 1e-3) == 10000000u);
  BOOST_TEST(steps_in(0.7, 0.7) == 1u);
}
