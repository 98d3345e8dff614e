#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace lodestep;

// For a single wave everything is known: u u_x is a wave of twice the number.
BOOST_AUTO_TEST_CASE(the_derivative_of_a_wave_is_exact) {
  const auto problem = make_problem("kuramoto_sivashinsky:points=64,length=20");
  const std::size_t n = problem.dimension();
  BOOST_TEST(n == 64u);
  const double q = 3 * 2 * std::acos(-1.0) / 20.0;
  std::vector<double> u(n), f(n);
  for (std::size_t i = 0; i < n; ++i) u[i] = std::sin(q * 20.0 * static_cast<double>(i) / static_cast<double>(n));
  problem.rhs(0.0, u.data(), f.data());
  for (std::size_t i = 0; i < n; ++i) {
    const double x = 20.0 * static_cast<double>(i) / static_cast<double>(n);
    const double expected =
        -q * std::sin(q * x) * std::cos(q * x) + q * q * std::sin(q * x) - std::pow(q, 4) * std::sin(q * x);
    BOOST_TEST(std::abs(f[i] - expected) < 2e-11); // rounding, times the fourth power of the highest wave number
  }
}

// The exponential integrator against the general reference solver, which shares nothing with it but the right-hand
// side.
BOOST_AUTO_TEST_CASE(its_own_solver_agrees_with_the_general_one) {
  const auto problem = make_problem("kuramoto_sivashinsky:points=32,length=22");
  auto general = problem;
  general.solve = nullptr;
  Random random(1, static_cast<std::uint64_t>(Split::test), 0);
  const std::size_t d = problem.dimension();
  std::vector<double> u0(d), own(5 * d), other(5 * d);
  problem.sample(random, u0.data());
  const double estimate = reference_solution(problem, u0.data(), 0.0, 0.25, 5, own.data());
  reference_solution(general, u0.data(), 0.0, 0.25, 5, other.data(), false);
  double worst = 0.0;
  for (std::size_t n = 0; n < own.size(); ++n) worst = std::max(worst, std::abs(own[n] - other[n]));
  BOOST_TEST(worst < 1e-10);
  BOOST_TEST(estimate < 1e-10);
  BOOST_TEST(estimate > 0.1 * worst / 4.0); // the estimate is no lie, either
}

// On the attractor: mean zero (it is conserved), the variance known for long intervals, no decay into the trivial
// state.
BOOST_AUTO_TEST_CASE(initial_states_are_on_the_attractor) {
  const auto problem = make_problem("ks");
  BOOST_TEST(problem.name == "kuramoto_sivashinsky");
  BOOST_TEST(problem.dimension() == 512u);
  for (std::uint64_t k = 0; k < 3; ++k) {
    Random random(5, static_cast<std::uint64_t>(Split::train), k);
    std::vector<double> u(512);
    problem.sample(random, u.data());
    double sum = 0.0, squares = 0.0;
    for (const double v : u) {
      sum += v;
      squares += v * v;
    }
    BOOST_TEST(std::abs(sum) < 1e-8);
    BOOST_TEST(squares / 512.0 > 0.5);
    BOOST_TEST(squares / 512.0 < 5.0);
  }
}

BOOST_AUTO_TEST_CASE(impossible_grids_are_refused) {
  BOOST_CHECK_THROW(make_problem("kuramoto_sivashinsky:points=33"), InvalidArgument);
  BOOST_CHECK_THROW(make_problem("kuramoto_sivashinsky:points=8"), InvalidArgument);
  BOOST_CHECK_THROW(make_problem("kuramoto_sivashinsky:length=-1"), InvalidArgument);
}
