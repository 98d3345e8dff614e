// The built-in right-hand sides on many states at once against the same on one.
#include "approximator/fused.hpp"
#include "problem/batched.hpp"

#include <lodestep/ensemble.hpp>
#include <lodestep/problem.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

using namespace lodestep;

namespace {

/// Fills u [variable][member] with initial states, their velocities included.
std::vector<double> states(const Problem& problem, std::size_t n) {
  const std::size_t d = problem.dimension();
  std::vector<double> u(d * n);
  std::vector<double> one(d);
  for (std::size_t k = 0; k < n; ++k) {
    Random random(3, 0, k);
    problem.sample(random, one.data());
    for (std::size_t i = 0; i < d; ++i) u[i * n + k] = one[i] + random.uniform(-0.5, 0.5);
  }
  return u;
}

void check_equal(const Problem& problem) {
  const std::size_t d = problem.dimension();
  auto batched = problem::batched_rhs(problem);
  for (std::size_t n : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{21}, ensemble_block}) {
    const auto u = states(problem, n);
    std::vector<double> dudt(d * n, 1e300);
    std::vector<double> one(d);
    std::vector<double> expected(d);
    batched(0.3, u.data(), dudt.data(), n);
    double worst = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < d; ++i) one[i] = u[i * n + k];
      problem.rhs(0.3, one.data(), expected.data());
      // Relative to the largest: a component may be a small difference of large terms.
      double size = 0.0;
      for (double value : expected) size = std::max(size, std::abs(value));
      for (std::size_t i = 0; i < d; ++i) {
        const double error = std::abs(dudt[i * n + k] - expected[i]) / size;
        if (!(error <= worst)) worst = error;
      }
    }
    BOOST_TEST(worst <= 1e-14, problem.name << " with " << n << " members: " << worst);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(every_built_in_problem_is_the_same_batched) {
  for (const auto& info : list_problems()) check_equal(make_problem(info.name));
  // Sizes with and without code of their own.
  for (const char* name : {"k_link_pendulum:K=1", "k_link_pendulum:K=3", "k_link_pendulum:K=7", "spring_mass:d=1",
                           "spring_mass:d=5", "spring_mass:d=33", "elastic_pendulum:k=20"}) {
    check_equal(make_problem(name));
  }
}

BOOST_AUTO_TEST_CASE(on_every_instruction_set) {
  for (const auto& set : detail::instruction_sets()) {
    detail::force_instruction_set(set);
    for (const char* name : {"elastic_pendulum", "k_link_pendulum:K=7", "lorenz", "spring_mass:d=33", "robertson"}) {
      check_equal(make_problem(name));
    }
  }
  detail::force_instruction_set("");
}

BOOST_AUTO_TEST_CASE(the_built_in_ones_are_found_and_vectorised) {
  using Single = OneByOne<std::reference_wrapper<const std::function<void(double, const double*, double*)>>>;
  Problem problem;
  problem.name = "any other";
  problem.variables = {{"a", ""}};
  BOOST_TEST((problem::batched_rhs(problem).target<Single>() != nullptr));
  for (const char* name : {"elastic_pendulum", "2_link_pendulum", "k_link_pendulum:K=7", "spring_mass:d=5",
                           "spring_mass:d=33", "lorenz", "hires"}) {
    const auto built_in = make_problem(name);
    BOOST_TEST((problem::batched_rhs(built_in).target<Single>() == nullptr), name);
  }
}

BOOST_AUTO_TEST_CASE(a_member_has_the_same_bits_wherever_it_stands) {
  for (const char* name : {"elastic_pendulum", "2_link_pendulum", "k_link_pendulum:K=40", "robertson"}) {
    const auto problem = make_problem(name);
    const std::size_t d = problem.dimension();
    auto batched = problem::batched_rhs(problem);
    const auto u = states(problem, ensemble_block);
    std::vector<double> expected(u.size());
    batched(0.3, u.data(), expected.data(), ensemble_block);
    for (std::size_t n : {std::size_t{1}, std::size_t{3}, std::size_t{16}, std::size_t{21}}) {
      for (std::size_t first : {std::size_t{0}, std::size_t{5}, ensemble_block - n}) {
        std::vector<double> some(d * n), dudt(d * n);
        for (std::size_t i = 0; i < d; ++i) std::copy_n(&u[i * ensemble_block + first], n, &some[i * n]);
        batched(0.3, some.data(), dudt.data(), n);
        bool same = true;
        for (std::size_t i = 0; i < d; ++i) {
          same &= std::equal(&dudt[i * n], &dudt[i * n] + n, &expected[i * ensemble_block + first]);
        }
        BOOST_TEST(same, name << ", " << n << " members from " << first);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(any_other_problem_is_evaluated_one_by_one) {
  Problem problem;
  problem.name = "clock";
  problem.variables = {{"a", ""}, {"b", ""}};
  problem.rhs = [](double t, const double* u, double* dudt) {
    dudt[0] = t * u[1];
    dudt[1] = u[0] - u[1];
  };
  problem.sample = [](Random& random, double* u) { u[0] = u[1] = random.uniform(1.0, 2.0); };
  check_equal(problem);
}
