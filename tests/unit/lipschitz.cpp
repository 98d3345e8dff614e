#include "report/lipschitz.hpp"

#include "random_approximator.hpp"

#include <lodestep/approximator.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

// No two points of the training box may show a steeper slope than the bound; and the bound of an affine map is met.
BOOST_AUTO_TEST_CASE(no_slope_exceeds_the_bound) {
  for (int kind = 0; kind < 6; ++kind) {
    Engine engine(static_cast<unsigned>(kind) + 1);
    ApproximatorSpec spec = kind < 4 ? random_mlp(engine, Precision::f64, static_cast<Activation>(kind), 3, {12}, 2)
                                     : ApproximatorSpec::zero(3, 2);
    if (kind == 4) spec.term = PolynomialTerm{4, uniform(engine, 2 * monomial_count(3, 4), -1.0, 1.0)};
    if (kind == 5) { // one cell: from cell to cell random ones jump
      spec.term = PiecewiseTerm{3, {1, 1, 1}, {0}, uniform(engine, 2 * PiecewiseTerm::terms(3, 3), -1.0, 1.0)};
    }
    spec.input_mean.assign(3, 0.0);
    spec.input_scale.assign(3, 1.0);
    spec.output_scale.assign(2, 1.0);
    const double bound = report::lipschitz_bound(spec);
    const Approximator approximator(spec);
    Workspace workspace;
    for (int n = 0; n < 2000; ++n) {
      const auto x = uniform(engine, 3, -1.0, 1.0);
      auto y = x;
      double apart = 0.0;
      const auto by = uniform(engine, 3, -1e-3, 1e-3);
      for (std::size_t i = 0; i < 3; ++i) {
        y[i] = std::clamp(x[i] + by[i], -1.0, 1.0);
        apart = std::max(apart, std::abs(y[i] - x[i]));
      }
      std::vector<double> qx(2), qy(2);
      approximator.evaluate(x.data(), qx.data(), 1, workspace);
      approximator.evaluate(y.data(), qy.data(), 1, workspace);
      const double moved = std::max(std::abs(qx[0] - qy[0]), std::abs(qx[1] - qy[1]));
      BOOST_TEST(moved <= bound * apart * (1.0 + 1e-9) + 1e-13);
    }
  }
  ApproximatorSpec affine = ApproximatorSpec::zero(2, 1);
  affine.affine.weight = {3.0, -4.0};
  BOOST_TEST(report::lipschitz_bound(affine) == 7.0);
}
