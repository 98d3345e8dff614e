#include "train/piecewise_fit.hpp"

#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace lodestep;
using detail::fit_piecewise;
using detail::PiecewiseFitOptions;
using Eigen::Index;

namespace {

const std::vector<Interval> box{{-1.0, 3.0}, {0.0, 2.0}};

detail::WantedStates everywhere() {
  detail::WantedStates wanted;
  wanted.region = box;
  wanted.visited = Eigen::MatrixXd::Constant(2, 1, 1.0);
  return wanted;
}

/// A ridge, narrow beside the box, and a wave.
double ridge(double x, double y) {
  return 1.0 / (1.0 + 50.0 * (x - y) * (x - y));
}

Eigen::MatrixXd surface(const Eigen::MatrixXd& at) {
  Eigen::MatrixXd f(2, at.cols());
  for (Index n = 0; n < at.cols(); ++n) {
    f(0, n) = ridge(at(0, n), at(1, n));
    f(1, n) = std::sin(3.0 * at(0, n)) * at(1, n);
  }
  return f;
}

double worst_error(const ApproximatorSpec& spec, std::size_t& missing) {
  const Approximator approximator(spec);
  Workspace workspace;
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> x(box[0].lower, box[0].upper), y(box[1].lower, box[1].upper);
  double worst = 0.0;
  missing = 0;
  for (int n = 0; n < 20000; ++n) {
    Eigen::MatrixXd at(2, 1);
    at << x(engine), y(engine);
    Eigen::MatrixXd found(2, 1);
    approximator.evaluate(at.data(), found.data(), 1, workspace);
    if (!found.allFinite()) {
      ++missing;
      continue;
    }
    worst = std::max(worst, (found - surface(at)).cwiseAbs().maxCoeff());
  }
  return worst;
}

} // namespace

// At points that no fit has seen, within a small factor of what was asked for, whatever that is.
BOOST_AUTO_TEST_CASE(the_tolerance_is_kept_between_the_points) {
  std::size_t pieces = 0;
  for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
    for (const unsigned degree : {3u, 5u}) {
      if (degree == 3 && tolerance < 1e-6) continue; // a hundred thousand cells
      PiecewiseFitOptions options;
      options.degree = degree;
      options.cells = 4;
      options.most_pieces = 200000;
      options.tolerance = {tolerance, tolerance};
      const auto fit = fit_piecewise(box, everywhere(), surface, options);
      BOOST_REQUIRE(fit.has_value());
      std::size_t missing = 0;
      const double worst = worst_error(fit->spec, missing);
      BOOST_TEST(worst < 3.0 * tolerance);
      BOOST_TEST(worst > 1e-3 * tolerance);
      BOOST_TEST(missing == 0u);
      BOOST_TEST(fit->unresolved == 0u);
      BOOST_TEST(fit->largest[0] <= 1.0);
      BOOST_TEST(fit->largest[1] > 1.5);
      const auto& term = std::get<PiecewiseTerm>(fit->spec.term);
      if (degree == 5) {
        const std::size_t now = term.coefficient.size() / (2 * PiecewiseTerm::terms(2, 5));
        BOOST_TEST(now > pieces); // more where more is asked for
        pieces = now;
      }
      fit->spec.validate();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_jump_is_left_without_polynomials) {
  const auto jump = [](const Eigen::MatrixXd& at) {
    Eigen::MatrixXd f(1, at.cols());
    for (Index n = 0; n < at.cols(); ++n) f(0, n) = at(0, n) + at(1, n) < 1.7 ? 0.0 : at(1, n);
    return f;
  };
  PiecewiseFitOptions options;
  options.cells = 4;
  options.deepest = 5;
  options.tolerance = {1e-6};
  options.unresolved_share = 0.4;
  auto wanted = everywhere();
  wanted.visited.resize(2, 3);
  wanted.visited << 0.7, 2.5, 2.6, 1.0, 1.0, 1.1; // the first at the jump
  const auto fit = fit_piecewise(box, wanted, jump, options);
  BOOST_REQUIRE(fit.has_value());
  BOOST_TEST(fit->unresolved > 10u);
  options.unresolved_share = 0.3; // less than one of three states
  BOOST_TEST(!fit_piecewise(box, wanted, jump, options).has_value());
  const Approximator approximator(fit->spec);
  Workspace workspace;
  double value = 0.0;
  const double at_the_jump[] = {0.7, 1.0 + 1e-4}, beyond[] = {2.5, 1.0};
  approximator.evaluate(at_the_jump, &value, 1, workspace);
  BOOST_TEST(std::isnan(value));
  approximator.evaluate(beyond, &value, 1, workspace);
  BOOST_TEST(value == 1.0, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(cells_that_nobody_wants_are_left_out) {
  PiecewiseFitOptions options;
  options.cells = 32;
  options.tolerance = {1e-3, 1e-3};
  detail::WantedStates wanted;
  wanted.visited.resize(2, 1);
  wanted.visited << 0.0, 1.0;
  const auto fit = fit_piecewise(box, wanted, surface, options);
  BOOST_REQUIRE(fit.has_value());
  std::size_t missing = 0;
  worst_error(fit->spec, missing);
  BOOST_TEST(missing > 19000u); // 9 of 1024 cells are beside it
  const Approximator approximator(fit->spec);
  Workspace workspace;
  const double there[] = {0.0, 1.0};
  double value[2];
  approximator.evaluate(there, value, 1, workspace);
  BOOST_TEST(std::abs(value[0] - ridge(0.0, 1.0)) < 3e-3);
}

BOOST_AUTO_TEST_CASE(it_gives_up_where_asked_to) {
  PiecewiseFitOptions options;
  options.tolerance = {1e-13, 1e-13};
  options.most_pieces = 1000;
  BOOST_TEST(!fit_piecewise(box, everywhere(), surface, options).has_value());
  options.tolerance = {1e-3, 1e-3};
  options.most_pieces = 100000;
  BOOST_TEST(fit_piecewise(box, everywhere(), surface, options).has_value());
  options.proceed = [] { return false; };
  BOOST_TEST(!fit_piecewise(box, everywhere(), surface, options).has_value());
}
