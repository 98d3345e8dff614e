#include "problem/list.hpp"
#include "problem/static_problem.hpp"

#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <Eigen/Core>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

const std::vector<std::string> problems{"elastic_pendulum",    "k_link_pendulum:K=1", "k_link_pendulum",
                                        "k_link_pendulum:K=3", "k_link_pendulum:K=7", "spring_mass",
                                        "spring_mass:d=1",     "spring_mass:d=7",     "spring_mass:d=5,k=3,m=0.5"};

std::vector<double> sample(const Problem& problem, std::uint64_t index, Split split = Split::test) {
  Random random(7, static_cast<std::uint64_t>(split), index);
  std::vector<double> u(problem.dimension());
  problem.sample(random, u.data());
  return u;
}

/// A state in general position: samplers start pendulums at rest.
std::vector<double> moving_state(const Problem& problem, std::uint64_t index) {
  std::vector<double> u = sample(problem, index);
  Random random(11, 0, index);
  for (auto& x : u) x += random.uniform(-0.8, 0.8);
  return u;
}

std::vector<double> rhs(const Problem& problem, const std::vector<double>& u) {
  std::vector<double> dudt(u.size());
  problem.rhs(0.0, u.data(), dudt.data());
  return dudt;
}

std::string message_of(const std::string& text) {
  try {
    make_problem(text);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

double elastic_energy(const std::vector<long double>& u, double g, double k, double m, double l0) {
  const long double kinetic = 0.5L * m * (u[3] * u[3] + u[1] * u[1] * u[2] * u[2]);
  return static_cast<double>(kinetic + 0.5L * k * (u[1] - l0) * (u[1] - l0) - m * g * u[1] * std::cos(u[0]));
}

/// From positions in the plane, not from eq. 13: unit masses and rods, kinetic plus potential energy.
double links_energy(const std::vector<long double>& u, double g) {
  const std::size_t n = u.size() / 2;
  long double energy = 0, y = 0, vx = 0, vy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    y -= std::cos(u[i]);
    vx += std::cos(u[i]) * u[n + i];
    vy += std::sin(u[i]) * u[n + i];
    energy += 0.5L * (vx * vx + vy * vy) + g * y;
  }
  return static_cast<double>(energy);
}

double spring_energy(const std::vector<long double>& u, double k, double m) {
  const std::size_t d = u.size() / 2;
  long double energy = 0, left = 0;
  for (std::size_t i = 0; i <= d; ++i) {
    const long double q = i < d ? u[i] : 0;
    energy += 0.5L * k * (q - left) * (q - left);
    if (i < d) energy += 0.5L * u[d + i] * u[d + i] / m;
    left = q;
  }
  return static_cast<double>(energy);
}

/// d/dt of `energy` along the right-hand side, by a central difference along the flow's direction in long double.
template <class Energy> double energy_rate(const Problem& problem, const std::vector<double>& u, Energy energy) {
  const std::vector<double> f = rhs(problem, u);
  const long double step = 1e-6L;
  std::vector<long double> ahead(u.begin(), u.end()), behind = ahead;
  for (std::size_t i = 0; i < u.size(); ++i) {
    ahead[i] += step * f[i];
    behind[i] -= step * f[i];
  }
  return static_cast<double>((static_cast<long double>(energy(ahead)) - energy(behind)) / (2 * step));
}

} // namespace

// The derivative of the energy along f is zero at every state: this pins each term of f against its Lagrangian. The
// elastic pendulum as printed in the paper (one theta' r', not two) fails it.
BOOST_AUTO_TEST_CASE(energy_is_conserved) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto elastic = make_problem("elastic_pendulum:g=9.5,k=33,m=1.3,l0=9");
    const auto of_elastic = [](const auto& u) { return elastic_energy(u, 9.5, 33, 1.3, 9); };
    BOOST_TEST(std::abs(energy_rate(elastic, moving_state(elastic, i), of_elastic)) < 1e-6);
    for (const int links : {1, 2, 3, 4, 9}) {
      const auto pendulum = make_problem("k_link_pendulum:g=3.7,K=" + std::to_string(links));
      const auto of_links = [](const auto& u) { return links_energy(u, 3.7); };
      BOOST_TEST(std::abs(energy_rate(pendulum, moving_state(pendulum, i), of_links)) < 1e-6);
    }
    for (const int masses : {1, 2, 5, 13}) {
      const auto chain = make_problem("spring_mass:k=3,m=0.4,d=" + std::to_string(masses));
      const auto of_chain = [](const auto& u) { return spring_energy(u, 3, 0.4); };
      BOOST_TEST(std::abs(energy_rate(chain, moving_state(chain, i), of_chain)) < 1e-6);
    }
  }
}

// The equations of a double pendulum as mechanics books solve them for the accelerations, with m1 = m2 = l1 = l2 = 1.
BOOST_AUTO_TEST_CASE(two_links_are_the_textbook_double_pendulum) {
  const auto problem = make_problem("2-link pendulum");
  const double g = 9.81;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto u = moving_state(problem, i);
    const double a = u[0], b = u[1], va = u[2], vb = u[3];
    const double denominator = 3 - std::cos(2 * a - 2 * b);
    const double acceleration_a =
        (-3 * g * std::sin(a) - g * std::sin(a - 2 * b) - 2 * std::sin(a - b) * (vb * vb + va * va * std::cos(a - b))) /
        denominator;
    const double acceleration_b =
        2 * std::sin(a - b) * (2 * va * va + 2 * g * std::cos(a) + vb * vb * std::cos(a - b)) / denominator;
    const auto f = rhs(problem, u);
    BOOST_TEST(f[0] == va);
    BOOST_TEST(f[1] == vb);
    BOOST_TEST(f[2] == acceleration_a, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(f[3] == acceleration_b, boost::test_tools::tolerance(1e-12));
  }
}

// Eq. 13 as printed, solved by Gaussian elimination, for every number of links and both versions of the code.
BOOST_AUTO_TEST_CASE(links_solve_equation_13) {
  for (const std::size_t n : {1u, 2u, 3u, 4u, 8u, 20u}) {
    const auto problem = make_problem("k_link_pendulum:K=" + std::to_string(n));
    const auto u = moving_state(problem, n);
    const auto f = rhs(problem, u);
    std::vector<double> dynamic(2 * n);
    lodestep::problem::KLinkPendulum<>{9.81, n}(u, dynamic, 0.0);
    for (std::size_t i = 0; i < n; ++i) { // A theta'' - b = 0
      double residual = static_cast<double>(n - i) * 9.81 * std::sin(u[i]), size = std::abs(residual);
      for (std::size_t j = 0; j < n; ++j) {
        const auto c = static_cast<double>(n - std::max(i, j));
        const double terms = c * std::cos(u[i] - u[j]) * f[n + j] + c * u[n + j] * u[n + j] * std::sin(u[i] - u[j]);
        residual += terms;
        size += std::abs(c * f[n + j]);
      }
      BOOST_TEST(std::abs(residual) < 1e-13 * size);
      BOOST_TEST(dynamic[n + i] == f[n + i], boost::test_tools::tolerance(1e-10));
    }
  }
}

BOOST_AUTO_TEST_CASE(small_swings_have_the_frequencies_of_linear_theory) {
  // f linearised at rest by a tiny displacement: theta'' = -w^2 theta.
  const double tiny = 1e-6;
  const auto elastic = make_problem("elastic_pendulum");
  const double rest = 10.0 + 9.81 / 40.0;
  BOOST_TEST(rhs(elastic, {tiny, rest, 0, 0})[2] / -tiny == 9.81 / rest, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(rhs(elastic, {0, rest + tiny, 0, 0})[3] / -tiny == 40.0, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(std::abs(rhs(elastic, {0, rest, 0, 0})[3]) < 1e-12);
  // The double pendulum's two modes: w^2 = g (2 +- sqrt 2), theta_2 = -+ sqrt 2 theta_1.
  const auto two = make_problem("k_link_pendulum:K=2");
  for (const double sign : {1.0, -1.0}) {
    const auto f = rhs(two, {tiny, -sign * std::sqrt(2.0) * tiny, 0, 0});
    BOOST_TEST(f[2] / -tiny == 9.81 * (2 + sign * std::sqrt(2.0)), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(f[3] / (sign * std::sqrt(2.0) * tiny) == 9.81 * (2 + sign * std::sqrt(2.0)),
               boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(extended_precision_is_the_same_function) {
  for (const std::string& name : problems) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      const auto u = moving_state(problem, 3);
      const auto f = rhs(problem, u);
      const std::vector<long double> wide(u.begin(), u.end());
      std::vector<long double> wide_f(u.size());
      problem.rhs_extended(0.0L, wide.data(), wide_f.data());
      for (std::size_t i = 0; i < u.size(); ++i)
        BOOST_TEST(std::abs(static_cast<double>(wide_f[i]) - f[i]) <= 1e-12 * std::max(1.0, std::abs(f[i])));
      BOOST_TEST(problem.rhs_cost_ns > 0.0);
      BOOST_TEST(problem.rhs_cost_ns == make_problem(name).rhs_cost_ns);
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_are_the_papers) {
  for (const std::string& name : problems) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      const bool pendulum = !contains(name, "spring");
      BOOST_TEST(problem.horizon == (contains(name, "elastic") ? 50.0 : pendulum ? 10.0 : 20.0));
      BOOST_TEST(problem.dt == (pendulum ? 0.1 : 0.2));
      const double eighth = std::acos(-1.0) / 8;
      std::vector<double> lowest(problem.dimension(), 1e9), highest(problem.dimension(), -1e9);
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const auto u = sample(problem, i);
        for (std::size_t n = 0; n < u.size(); ++n) {
          lowest[n] = std::min(lowest[n], u[n]);
          highest[n] = std::max(highest[n], u[n]);
        }
      }
      for (std::size_t n = 0; n < problem.dimension(); ++n) {
        double least = -2.5, most = 2.5;
        if (pendulum) least = 0.0, most = problem.variables[n].unit == "rad" ? eighth : 0.0;
        if (problem.variables[n].name == "r") least = most = 10.0;
        BOOST_TEST(lowest[n] >= least);
        BOOST_TEST(highest[n] <= most);
        // The range is filled: 2000 uniform numbers leave 1% at an end empty with probability 2e-9.
        BOOST_TEST(lowest[n] <= least + 0.01 * (most - least));
        BOOST_TEST(highest[n] >= most - 0.01 * (most - least));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(streams_of_samples_are_independent) {
  const auto problem = make_problem("spring_mass");
  const auto same = [](const auto& a, const auto& b) { return a == b; };
  BOOST_TEST(same(sample(problem, 5, Split::train), sample(problem, 5, Split::train)));
  BOOST_TEST(!same(sample(problem, 5, Split::train), sample(problem, 5, Split::validation)));
  BOOST_TEST(!same(sample(problem, 5, Split::train), sample(problem, 5, Split::test)));
  BOOST_TEST(!same(sample(problem, 5), sample(problem, 6)));
  // 40 numbers a state: neighbouring streams are uncorrelated within 5 standard deviations.
  double product = 0.0;
  const int count = 2000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto a = sample(problem, i, Split::train), b = sample(problem, i, Split::test), c = sample(problem, i + 1);
    for (std::size_t n = 0; n < a.size(); ++n) product += a[n] * b[n] + b[n] * c[n];
  }
  const double variance = 25.0 / 12.0;
  BOOST_TEST(std::abs(product) < 5 * variance * std::sqrt(2.0 * 40 * count));
}

BOOST_AUTO_TEST_CASE(names_are_understood) {
  for (const char* name : {"k_link_pendulum", "two_link_pendulum", "2_link_pendulum", "2-link pendulum",
                           "Two-Link Pendulum", " k-link-pendulum:K=2 ", "k_link_pendulum: K = 2 , g = 9.81"}) {
    const auto problem = make_problem(name);
    BOOST_TEST(problem.name == "k_link_pendulum");
    BOOST_TEST(problem.dimension() == 4u);
    BOOST_TEST(problem.parameters[0].name == "K");
    BOOST_TEST(problem.parameters[0].value == 2.0);
  }
  BOOST_TEST(make_problem("spring_mass_chain").dimension() == 40u);
  BOOST_TEST(make_problem("elastic pendulum:g=1.62").parameters[0].value == 1.62);
  for (const auto& info : list_problems()) {
    const auto problem = make_problem(info.name);
    BOOST_TEST(problem.name == info.name);
    BOOST_TEST(problem.description == info.description);
    BOOST_TEST(problem.parameters.size() == info.parameters.size());
  }
}

BOOST_AUTO_TEST_CASE(what_is_unknown_or_impossible_is_said) {
  BOOST_TEST(contains(message_of("elastic_pendulm"), "did you mean 'elastic_pendulum'?"));
  BOOST_TEST(contains(message_of("lorentz_force"), "elastic_pendulum, k_link_pendulum, spring_mass"));
  BOOST_TEST(contains(message_of(""), "known: "));
  BOOST_TEST(contains(message_of("elastic_pendulum:G=3"), "no parameter 'G'; did you mean 'g'? (known: g, k, m, l0)"));
  BOOST_TEST(contains(message_of("elastic_pendulum:g"), "parameter=value"));
  BOOST_TEST(contains(message_of("elastic_pendulum:"), "parameter=value"));
  BOOST_TEST(contains(message_of("elastic_pendulum:g=ten"), "'ten' is not a finite number"));
  BOOST_TEST(contains(message_of("elastic_pendulum:g=nan"), "not a finite number"));
  BOOST_TEST(contains(message_of("elastic_pendulum:g=1,g=2"), "given twice"));
  BOOST_TEST(contains(message_of("2_link_pendulum:K=3"), "given twice"));
  BOOST_TEST(contains(message_of("elastic_pendulum:m=0"), "must be positive"));
  BOOST_TEST(contains(message_of("k_link_pendulum:K=2.5"), "whole number from 1 to 64"));
  BOOST_TEST(contains(message_of("k_link_pendulum:K=65"), "whole number from 1 to 64"));
  BOOST_TEST(contains(message_of("spring_mass:d=-1"), "whole number"));
  BOOST_TEST(contains(message_of("spring_mass:d=1e30"), "whole number"));
}

namespace {

/// Steps the concrete right-hand side on std::array, as benchmarks do.
struct StepOnArray {
  std::vector<double> u;
  std::size_t dimension = 0;
  template <class Rhs, std::size_t N> void operator()(const Rhs& system, std::integral_constant<std::size_t, N>) {
    dimension = N;
    std::array<double, N> state;
    std::copy_n(u.begin(), N, state.begin());
    boost::numeric::odeint::runge_kutta4<std::array<double, N>> stepper;
    stepper.do_step(system, state, 0.0, 0.1);
    u.assign(state.begin(), state.end());
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(the_concrete_right_hand_side_is_the_problems) {
  for (const std::string& name : problems) {
    BOOST_TEST_CONTEXT(name) {
      const auto problem = make_problem(name);
      // Only the sizes people meet are worth their compile time.
      const std::set<std::string> of_any_size{"k_link_pendulum:K=1", "k_link_pendulum:K=3", "k_link_pendulum:K=7",
                                              "spring_mass:d=1",     "spring_mass:d=7",     "spring_mass:d=10"};
      const bool fixed = of_any_size.count(name) == 0;
      StepOnArray step{moving_state(problem, 1)};
      auto u = step.u;
      BOOST_TEST(visit_static(problem, step) == fixed);
      if (!fixed) continue;
      BOOST_TEST(step.dimension == problem.dimension());
      const auto system = [&](const std::vector<double>& x, std::vector<double>& dxdt, double t) {
        problem.rhs(t, x.data(), dxdt.data());
      };
      boost::numeric::odeint::runge_kutta4<std::vector<double>> stepper;
      stepper.do_step(system, u, 0.0, 0.1);
      for (std::size_t i = 0; i < u.size(); ++i) BOOST_TEST(step.u[i] == u[i], boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(another_problem_of_the_same_name_is_not_mistaken) {
  auto problem = make_problem("elastic_pendulum");
  problem.rhs = [](double, const double*, double* dudt) { dudt[0] = 1.0; };
  BOOST_TEST(!visit_static(problem, StepOnArray{}));
}

BOOST_AUTO_TEST_CASE(right_hand_sides_take_eigen_states) {
  const Eigen::Vector4d u(0.3, 10.2, 0.1, -0.5);
  Eigen::Vector4d dudt;
  lodestep::problem::ElasticPendulum{}(u, dudt, 0.0);
  const auto expected = rhs(make_problem("elastic_pendulum"), {u[0], u[1], u[2], u[3]});
  for (int i = 0; i < 4; ++i) BOOST_TEST(dudt[i] == expected[static_cast<std::size_t>(i)]);
}
