#include "train/least_squares.hpp"

#include "train/mlp_fit.hpp"
#include "train/variable_projection.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace lodestep;
using namespace lodestep::detail;

namespace {

Eigen::MatrixXd uniform(std::uint64_t seed, Eigen::Index rows, Eigen::Index cols) {
  Random random(seed, 0, 0);
  Eigen::MatrixXd m(rows, cols);
  for (Eigen::Index c = 0; c < cols; ++c) {
    for (Eigen::Index r = 0; r < rows; ++r) m(r, c) = random.uniform(-1.0, 1.0);
  }
  return m;
}

/// Largest difference between a spec, evaluated, and `expected`.
double error_of(const ApproximatorSpec& spec, const Eigen::MatrixXd& inputs, const Eigen::MatrixXd& expected) {
  Eigen::MatrixXd y(expected.rows(), expected.cols());
  Workspace workspace;
  Approximator(spec).evaluate(inputs.data(), y.data(), static_cast<std::size_t>(inputs.cols()), workspace);
  return (y - expected).cwiseAbs().maxCoeff();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_polynomial_is_recovered_in_the_users_units) {
  // Inputs far from zero and of unlike size: standardisation must be undone exactly.
  Eigen::MatrixXd x = uniform(1, 2, 400);
  x.row(0) = 1000.0 + 5.0 * x.row(0).array();
  x.row(1) = -3e-4 + 1e-5 * x.row(1).array();
  Eigen::MatrixXd y(2, x.cols());
  const Eigen::ArrayXXd p = (x.row(0).array() - 1000.0) / 5.0;
  const Eigen::ArrayXXd q = (x.row(1).array() + 3e-4) / 1e-5;
  y.row(0) = 2.0 + p - 3.0 * p * q + 0.5 * q.cube();
  y.row(1) = 1e-6 * (p.square() * q - 4.0);
  const Standardisation scales(x, y);
  const RidgeSolver solver(polynomial_basis(scales.inputs(x), 3), scales.outputs(y));
  const auto spec = polynomial_spec(scales, solver.solve(1e-13), 3);
  BOOST_TEST(error_of(spec, x, y) < 1e-11);
}

BOOST_AUTO_TEST_CASE(the_ridge_solution_satisfies_its_normal_equations) {
  const Eigen::MatrixXd basis = uniform(2, 7, 50);
  const Eigen::MatrixXd y = uniform(3, 3, 50);
  for (double ridge : {1e-6, 0.1, 10.0}) {
    const Eigen::MatrixXd w = RidgeSolver(basis, y).solve(ridge);
    const double damping = ridge * ridge * basis.squaredNorm() / 7.0;
    const Eigen::MatrixXd left = w * (basis * basis.transpose()) + damping * w;
    BOOST_TEST((left - y * basis.transpose()).norm() < 1e-12 * left.norm() + 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(dependent_features_and_too_few_samples_still_give_a_finite_fit) {
  Eigen::MatrixXd basis = uniform(4, 6, 40);
  basis.row(5) = basis.row(0) - basis.row(1);
  const Eigen::MatrixXd y = 2.0 * basis.row(0) + basis.row(5);
  BOOST_TEST((RidgeSolver(basis, y).solve(1e-10) * basis - y).norm() < 1e-8);
  const Eigen::MatrixXd few = uniform(5, 20, 8);
  const Eigen::MatrixXd target = uniform(6, 1, 8);
  const Eigen::MatrixXd w = RidgeSolver(few, target).solve(1e-8);
  BOOST_TEST(w.allFinite());
  BOOST_TEST((w * few - target).norm() < 1e-6);
}

BOOST_AUTO_TEST_CASE(an_input_that_never_varies_does_no_harm) {
  Eigen::MatrixXd x = uniform(7, 2, 100);
  x.row(1).setConstant(3.0);
  const Eigen::MatrixXd y = 2.0 * x.row(0);
  const Standardisation scales(x, y);
  const auto spec =
      polynomial_spec(scales, RidgeSolver(polynomial_basis(scales.inputs(x), 2), scales.outputs(y)).solve(1e-12), 2);
  spec.validate();
  BOOST_TEST(error_of(spec, x, y) < 1e-10);
}

BOOST_AUTO_TEST_CASE(variable_projection_finds_a_small_network) {
  // Data made by three tanh units and an affine map: nothing is left when they are found.
  Random random(8, 0, 0);
  const Eigen::MatrixXd z = uniform(9, 2, 600);
  const AffineLayer truth = random_layer(random, 2, 3, 1.5);
  const Eigen::MatrixXd y = uniform(10, 2, 6) * hidden_basis(z, truth, Activation::tanh);
  VariableProjectionOptions options;
  options.iterations = 300;
  options.ridge = 1e-12;
  options.tolerance = 1e-12;
  // Three units have local minima: the start is off by a fifth, near enough for the right one.
  AffineLayer start = truth;
  for (double& w : start.weight) w *= 1.2;
  const double before = (RidgeSolver(hidden_basis(z, start, Activation::tanh), y).solve(1e-12) *
                             hidden_basis(z, start, Activation::tanh) -
                         y)
                            .norm();
  const auto fit = variable_projection(z, y, start, options);
  BOOST_TEST(before / std::sqrt(1200.0) > 1e-4);
  BOOST_TEST(fit.rms < 1e-12);
  BOOST_TEST((fit.weights * hidden_basis(z, fit.hidden, Activation::tanh) - y).norm() < 1e-10);
}

// Eight states are too few for the eleven weights of a small network; with the difference quotients to a neighbour of
// each along each input, which count nothing by themselves, they are enough, and it is found.
BOOST_AUTO_TEST_CASE(a_network_fits_derivatives_by_difference_quotients) {
  const Eigen::Index count = 8;
  const double apart = 1e-4;
  const auto target = [](const Eigen::MatrixXd& z) -> Eigen::MatrixXd {
    return (1.5 * z.row(0).array() - z.row(1).array() + 0.3).tanh() -
           0.5 * (z.row(0).array() + 2.0 * z.row(1).array() - 0.2).tanh();
  };
  const auto beside = [&](const Eigen::MatrixXd& z) { // z, and its neighbours along both inputs
    Eigen::MatrixXd all(2, 3 * z.cols());
    all << z, z.colwise() + apart * Eigen::Vector2d::UnitX(), z.colwise() + apart * Eigen::Vector2d::UnitY();
    return all;
  };
  const auto derivative_error = [&](const MlpFitResult& fit) {
    ApproximatorSpec spec = ApproximatorSpec::zero(2, 1);
    spec.affine = fit.affine;
    spec.term = fit.mlp;
    const Eigen::MatrixXd z = beside(uniform(9, 2, 400));
    const Eigen::MatrixXd truth = target(z);
    Eigen::MatrixXd y(1, z.cols());
    Workspace workspace;
    Approximator(spec).evaluate(z.data(), y.data(), static_cast<std::size_t>(z.cols()), workspace);
    const Eigen::MatrixXd error = y - truth;
    return ((error.rightCols(800) - error.leftCols(400).replicate(1, 2)) / apart).norm() / std::sqrt(800.0);
  };
  MlpFitOptions options;
  options.iterations = 200;
  const Eigen::MatrixXd few = uniform(8, 2, count), all = beside(few);
  std::vector<DifferencePair> pairs;
  for (std::size_t n = 0; n < 2 * count; ++n) pairs.push_back({n % count, count + n, 0.2 / apart});
  Eigen::VectorXd weight = Eigen::VectorXd::Zero(3 * count);
  weight.head(count).setOnes();
  // So small a network often ends in a local minimum: the best of a few starts.
  const auto best = [&](const auto& z, const auto& counts, const auto& quotients) {
    MlpFitResult found;
    found.rms = 1e300;
    for (std::uint64_t draw = 0; draw < 12; ++draw) {
      Random random(1, 2, draw);
      auto fit = fit_mlp(z, target(z), counts, quotients, {2}, random, options);
      if (fit.rms < found.rms) found = std::move(fit);
    }
    return derivative_error(found);
  };
  const double without = best(few, Eigen::VectorXd(), std::vector<DifferencePair>());
  const double with = best(all, weight, pairs);
  BOOST_TEST_MESSAGE("root mean square error of derivatives " << with << ", of values alone " << without);
  BOOST_TEST(with < 1e-5);
  BOOST_TEST(without > 1e-2);
}

BOOST_AUTO_TEST_CASE(variable_projection_stops_when_told) {
  const Eigen::MatrixXd z = uniform(11, 2, 200);
  const Eigen::MatrixXd y = z.array().cube().matrix();
  Random random(12, 0, 0);
  const AffineLayer start = random_layer(random, 2, 4, 0.8);
  VariableProjectionOptions options;
  int asked = 0;
  options.proceed = [&asked] { return ++asked < 3; };
  const auto fit = variable_projection(z, y, start, options);
  BOOST_TEST(asked == 3);
  BOOST_TEST(fit.weights.allFinite());
}
