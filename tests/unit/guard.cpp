// The guard of a model trained on a thin family: initial states that vary in one number fill a sheet, the box around it
// holds much that was never seen. Truth is the reference solution.
#include "train/guard.hpp"

#include "train/density.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/train.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

using namespace lodestep;

namespace {

/// The elastic pendulum from rest, at an angle between 0 and pi / 8.
Problem pendulum() {
  Problem problem = make_problem("elastic_pendulum");
  problem.horizon = 10.0;
  return problem;
}

AttnsOptions options() {
  AttnsOptions options;
  options.error = 1e-4;
  options.trajectories = 20;
  return options;
}

double distance(const double* a, const double* b) {
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / 4.0);
}

} // namespace

BOOST_AUTO_TEST_CASE(states_beside_a_sheet_are_not_learned_where_the_step_is_wrong) {
  const Problem problem = pendulum();
  const auto model = std::make_shared<const Model>(train_attns(problem, options()).model);
  const auto corrector = std::make_shared<const Corrector>(model);
  const auto& box = corrector->description().domain.state;
  const double dt = corrector->dt();
  Corrector::Scratch scratch(*corrector);
  RungeKutta base(classical_tableau(corrector->description().base), 4);
  RungeKutta fallback(classical_tableau(corrector->fallback()), 4);
  std::size_t inside_box = 0, wrong_in_box = 0, wrong_learned = 0;
  for (std::size_t n = 0; n < 400; ++n) {
    Random random(11, 99, n);
    double u[4], next[4], other[4], exact[8];
    for (int i = 0; i < 4; ++i) other[i] = u[i] = random.uniform(box[i].lower, box[i].upper);
    if (corrector->admits(0.0, dt, u, scratch) != Verdict::learned) continue;
    ++inside_box;
    base.step(problem.rhs, 0.0, u, dt, next);
    const Verdict verdict = corrector->correct(0.0, dt, u, next, base.stage_derivatives(), scratch);
    if (verdict == Verdict::correction) continue;
    reference_solution(problem, u, 0.0, dt, 2, exact, false);
    const std::size_t count = corrector->substeps(dt);
    for (std::size_t k = 0; k < count; ++k) {
      fallback.step(problem.rhs, 0.0, other, dt / static_cast<double>(count), other);
    }
    const double right = std::max({distance(other, exact + 4), model->error.step_max});
    const bool wrong = distance(next, exact + 4) > 3.0 * right;
    wrong_in_box += wrong;
    wrong_learned += wrong && verdict == Verdict::learned;
  }
  BOOST_TEST(inside_box > 300u);
  BOOST_TEST(wrong_in_box > 100u); // the box alone would let them all in
  BOOST_TEST(wrong_learned == 0u);
}

BOOST_AUTO_TEST_CASE(states_of_the_problem_are_learned) {
  const Problem problem = pendulum();
  const AttnsResult trained = train_attns(problem, options());
  EvaluateOptions held_out;
  held_out.trajectories = 100;
  BOOST_TEST(evaluate(trained.model, problem, held_out).fallback_fraction < 1e-3);
}

// A polynomial whose zeros are known: the density of errors vanishes there and tells the rest in the right proportion.
BOOST_AUTO_TEST_CASE(a_density_of_errors_is_the_error_in_units_of_its_scale) {
  constexpr Eigen::Index samples = 400;
  Eigen::MatrixXd x(2, samples), error(1, samples);
  for (Eigen::Index n = 0; n < samples; ++n) {
    Random random(3, 7, static_cast<std::size_t>(n));
    x(0, n) = random.uniform(-1.0, 1.0);
    x(1, n) = random.uniform(-1.0, 1.0);
    error(0, n) = 0.3 * (x(0, n) - x(1, n) * x(1, n));
  }
  const Density density = detail::error_density(x, error, 2, 0.1);
  const Approximator projection(density.projection);
  BOOST_TEST(projection.outputs() == 1u);
  Workspace workspace;
  for (const auto& [a, b] : {std::pair(0.25, 0.5), std::pair(0.5, 0.1), std::pair(-0.9, 0.8)}) {
    const double u[2] = {a, b};
    double y = 0.0;
    projection.evaluate(u, &y, 1, workspace);
    BOOST_TEST(std::abs(y - 3.0 * (a - b * b)) < 1e-6);
  }
}
