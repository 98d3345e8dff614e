#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace lodestep;

// The problems of the HiTS paper and the stiff ones beside them.

namespace {

std::vector<double> sample(const Problem& problem, std::uint64_t index) {
  Random random(3, static_cast<std::uint64_t>(Split::test), index);
  std::vector<double> u(problem.dimension());
  problem.sample(random, u.data());
  return u;
}

std::vector<double> rhs(const Problem& problem, const std::vector<double>& u) {
  std::vector<double> f(u.size());
  problem.rhs(0.0, u.data(), f.data());
  return f;
}

} // namespace

// Closed form against integration in extended precision: the two share nothing but the problem's statement.
BOOST_AUTO_TEST_CASE(exact_solutions_agree_with_integration) {
  for (const char* name :
       {"harmonic_oscillator:omega=1.3", "hyperbolic", "hyperbolic:mu=0.1,lambda=-2", "hopf", "hopf:omega=2,A=0.5"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      auto integrated = problem;
      integrated.exact = nullptr;
      BOOST_REQUIRE(problem.exact != nullptr);
      const std::size_t d = problem.dimension();
      for (std::uint64_t i = 0; i < 5; ++i) {
        const auto u0 = sample(problem, i);
        std::vector<double> exact(21 * d), numeric(21 * d);
        reference_solution(problem, u0.data(), 0.0, 0.5, 21, exact.data(), false);
        reference_solution(integrated, u0.data(), 0.0, 0.5, 21, numeric.data(), false);
        for (std::size_t n = 0; n < exact.size(); ++n) {
          BOOST_TEST(std::abs(exact[n] - numeric[n]) <= 1e-14 * std::max(1.0, std::abs(exact[n])) * 10);
        }
      }
    }
  }
}

// 1e-12 by a second method's word, over the whole horizon; stiff problems included.
BOOST_AUTO_TEST_CASE(references_are_tight) {
  for (const char* name : {"cubic_oscillator", "van_der_pol", "lorenz", "stiff_van_der_pol", "hires", "robertson"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      const bool stiff = std::string(name) != "cubic_oscillator" && problem.horizon / problem.fine_dt > 10000.0;
      // Stiff ones take the second, explicit method long; a part of the horizon has every phase of the solution.
      const double horizon = stiff ? 20.0 * problem.dt : problem.horizon;
      const std::size_t times = steps_in(horizon, problem.dt) + 1;
      std::vector<double> states(times * problem.dimension());
      const auto u0 = sample(problem, 1);
      const double estimate = reference_solution(problem, u0.data(), 0.0, problem.dt, times, states.data());
      BOOST_TEST(estimate < 1e-12);
      BOOST_TEST(estimate > 0.0);
    }
  }
}

// Hairer and Wanner's test: the states at t = 321.8122 from (1, 0, .., 0, 0.0057), as the test set of Bari prints them.
BOOST_AUTO_TEST_CASE(hires_ends_where_the_test_set_says) {
  const auto problem = make_problem("hires");
  const std::vector<double> u0{1, 0, 0, 0, 0, 0, 0, 0.0057};
  std::vector<double> states(2 * 8);
  reference_solution(problem, u0.data(), 0.0, 321.8122, 2, states.data(), false);
  const std::vector<double> expected{0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4,
                                     0.1175651343283149e-2, 0.2386356198831331e-2, 0.6238968252742796e-2,
                                     0.2849998395185769e-2, 0.2850001604814231e-2};
  for (std::size_t i = 0; i < 8; ++i) BOOST_TEST(states[8 + i] == expected[i], boost::test_tools::tolerance(1e-9));
}

// The solution from (1, 0, 0) at t = 0.4, 4 and 40, where everybody's example of it stops, to ten digits.
BOOST_AUTO_TEST_CASE(robertson_passes_where_everybodys_does) {
  const auto problem = make_problem("robertson");
  const std::vector<double> u0{std::log(0.9851721139), std::log(3.386395379e-5), std::log(0.0147940221)};
  std::vector<double> states(3 * 12);
  reference_solution(problem, u0.data(), 0.4, 3.6, 12, states.data(), false);
  const auto check = [&](std::size_t time, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < 3; ++i) {
      BOOST_TEST(std::exp(states[time * 3 + i]) == expected[i], boost::test_tools::tolerance(1e-7));
    }
  };
  check(1, {0.9055186786, 2.240475688e-5, 0.0944589167});
  check(11, {0.7158270688, 9.185534765e-6, 0.2841637457});
  // Nothing is lost: the derivatives of the concentrations sum to 0.
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto u = sample(problem, i);
    const auto f = rhs(problem, u);
    double sum = 0.0;
    for (std::size_t k = 0; k < 3; ++k) sum += std::exp(u[k]) * f[k];
    BOOST_TEST(std::abs(sum) < 1e-14);
    BOOST_TEST(std::exp(u[0]) + std::exp(u[2]) == 1.0, boost::test_tools::tolerance(1e-12));
  }
}

// Van der Pol in Lienard's coordinates: x' of the one is y of the other, whose derivative is then the textbook's.
BOOST_AUTO_TEST_CASE(both_forms_of_van_der_pol_are_one) {
  const auto plain = make_problem("van_der_pol:mu=100");
  const auto lienard = make_problem("stiff_van_der_pol");
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto u = sample(lienard, i);
    const auto f = rhs(lienard, u);
    const auto g = rhs(plain, {u[0], f[0]});
    BOOST_TEST(g[0] == f[0]);
    // d/dt of x' = mu (w + x - x^3 / 3)
    BOOST_TEST(g[1] == 100.0 * (f[1] + (1.0 - u[0] * u[0]) * f[0]), boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(fixed_points_and_rates_are_the_textbooks) {
  const double eighth = std::sqrt(8.0 / 3.0 * 27.0);
  for (const double sign : {1.0, -1.0}) {
    for (const double f : rhs(make_problem("lorenz"), {sign * eighth, sign * eighth, 27.0})) {
      BOOST_TEST(std::abs(f) < 1e-12);
    }
  }
  // The cubic oscillator's damping: d/dt (x^4 + y^4) / 4 = -a (x^6 + y^6).
  const auto cubic = make_problem("cubic_oscillator");
  const double x = 0.7, y = -0.4;
  const auto f = rhs(cubic, {x, y});
  BOOST_TEST(x * x * x * f[0] + y * y * y * f[1] == -0.1 * (std::pow(x, 6) + std::pow(y, 6)),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(samples_are_the_papers) {
  struct Region {
    const char* name;
    std::vector<Interval> region;
    double horizon;
    double fine_dt;
  };
  const std::vector<Region> table2{{"hyperbolic", {{-1, 1}, {-1, 1}}, 51.2, 0.01},
                                   {"cubic_oscillator", {{-1, 1}, {-1, 1}}, 51.2, 0.01},
                                   {"van_der_pol", {{-2, 2}, {-4, 4}}, 51.2, 0.01},
                                   {"hopf", {{-0.2, 0.6}, {-1, 2}, {-1, 1}}, 51.2, 0.01}};
  for (const auto& row : table2) {
    const auto problem = make_problem(row.name);
    BOOST_TEST(problem.horizon == row.horizon);
    BOOST_TEST(problem.fine_dt == row.fine_dt);
    BOOST_REQUIRE(problem.region.size() == row.region.size());
    for (std::size_t i = 0; i < row.region.size(); ++i) {
      double least = 1e9, most = -1e9;
      for (std::uint64_t n = 0; n < 2000; ++n) {
        const double u = sample(problem, n)[i];
        least = std::min(least, u);
        most = std::max(most, u);
      }
      const double width = row.region[i].upper - row.region[i].lower;
      BOOST_TEST(least >= row.region[i].lower);
      BOOST_TEST(most <= row.region[i].upper);
      BOOST_TEST(least <= row.region[i].lower + 0.01 * width);
      BOOST_TEST(most >= row.region[i].upper - 0.01 * width);
    }
  }
  // Lorenz starts on the attractor, both wings of it.
  const auto lorenz = make_problem("lorenz");
  int left = 0;
  for (std::uint64_t n = 0; n < 200; ++n) {
    const auto u = sample(lorenz, n);
    BOOST_TEST(u[2] > 0.5);
    BOOST_TEST(u[2] < 50.0);
    BOOST_TEST(std::abs(u[0]) < 22.0);
    left += u[0] < 0.0;
  }
  BOOST_TEST(left > 50);
  BOOST_TEST(left < 150);
  for (std::uint64_t n = 0; n < 200; ++n) {
    const auto u = sample(make_problem("harmonic_oscillator"), n);
    BOOST_TEST(u[0] * u[0] + u[1] * u[1] <= 1.0);
  }
}
