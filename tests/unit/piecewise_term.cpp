// What piecewise polynomials are: which cell a state is in, and which tables of cells make sense.
#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace lodestep;

// Coordinates that the test knows: the plain loop itself is checked here.
BOOST_AUTO_TEST_CASE(each_cell_has_its_own_polynomial) {
  auto spec = ApproximatorSpec::zero(2, 1);
  spec.input_mean = {1.0, 0.0};
  spec.input_scale = {1.0, 2.0}; // the box [0, 2] x [-2, 2]
  spec.affine.weight = {10.0, 0.0};
  PiecewiseTerm term;
  term.degree = 1;
  term.cells = {2, 1};
  // The left half has a polynomial; the right one is halved in both directions, its lower left quarter without one.
  term.tree = {0, -1 - 2, -1, 1, 2, 3};
  term.coefficient = {100, 1, 0.5, 200, 1, 0, 300, 0, 1, 400, 1, 1};
  spec.term = term;
  const auto at = [&](double x, double y) {
    std::vector<double> values;
    for (Backend backend : {Backend::reference, Backend::fused}) {
      const Approximator approximator(spec, backend);
      Workspace workspace;
      const double point[] = {x, y};
      double value = 0.0;
      approximator.evaluate(point, &value, 1, workspace);
      values.push_back(value);
    }
    BOOST_TEST((std::isnan(values[0]) ? std::isnan(values[1]) : std::abs(values[0] - values[1]) < 1e-12));
    return values[0];
  };
  BOOST_TEST(at(0.5, 1.0) == 100 + 0.25 - 5);      // the middle in x, 3/4 of the way in y
  BOOST_TEST(at(0.0, -2.0) == 100 - 1 - 0.5 - 10); // the box's own corner
  BOOST_TEST(std::isnan(at(1.25, -1.0)));          // no polynomial
  BOOST_TEST(at(1.25, 1.0) == 200 + 2.5);          // upper left quarter
  BOOST_TEST(at(1.75, -1.5) == 300 - 0.5 + 7.5);   // lower right
  BOOST_TEST(at(2.0, 2.0) == 400 + 1 + 1 + 10);    // the opposite corner
  for (const auto& [x, y] : {std::pair{-0.01, 0.0}, {2.01, 0.0}, {1.0, 2.01}, {1.0, -1e300}, {1e300, 0.0}}) {
    BOOST_TEST(std::isnan(at(x, y)));
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_tree_is_refused) {
  auto spec = ApproximatorSpec::zero(2, 1);
  PiecewiseTerm term;
  term.degree = 1;
  term.cells = {2, 1};
  term.tree = {0, -1 - 2, -1, 1, 2, 3};
  term.coefficient.assign(4 * 3, 1.0);
  const auto refused = [&](auto spoil) -> std::string {
    PiecewiseTerm changed = term;
    spoil(changed);
    spec.term = changed;
    try {
      spec.validate();
    } catch (const InvalidModel& error) {
      return error.field();
    }
    return "accepted";
  };
  const std::string path = "approximator.piecewise";
  BOOST_TEST(refused([](auto&) {}) == "accepted");
  BOOST_TEST(refused([](auto& t) { t.degree = 0; }) == path + ".degree");
  BOOST_TEST(refused([](auto& t) { t.degree = 8; }) == path + ".degree");
  BOOST_TEST(refused([](auto& t) { t.cells = {2}; }) == path + ".cells");
  BOOST_TEST(refused([](auto& t) { t.cells[1] = 0; }) == path + ".cells[1]");
  BOOST_TEST(refused([](auto& t) { t.cells = {1000000, 1000000}; }) == path + ".cells[1]");
  BOOST_TEST(refused([](auto& t) { t.cells = {2, 4}; }) == path + ".tree");
  BOOST_TEST(refused([](auto& t) { t.tree[3] = 0; }) == path + ".tree[3]");      // in two cells
  BOOST_TEST(refused([](auto& t) { t.tree[5] = 4; }) == path + ".tree[5]");      // no such polynomial
  BOOST_TEST(refused([](auto& t) { t.tree[1] = -1 - 3; }) == path + ".tree[1]"); // children beyond the end
  BOOST_TEST(refused([](auto& t) { t.tree[1] = -1; }) == path + ".tree[2]");     // nobody's children
  BOOST_TEST(refused([](auto& t) { t.tree[2] = -1 - 2; }) == path + ".tree[2]"); // a circle
  BOOST_TEST(refused([](auto& t) { t.tree[3] = -1; }) == path + ".coefficient"); // nobody's polynomial
  BOOST_TEST(refused([](auto& t) { t.coefficient.pop_back(); }) == path + ".coefficient");
  BOOST_TEST(refused([](auto& t) { t.coefficient[7] = std::numeric_limits<double>::infinity(); }) ==
             path + ".coefficient[7]");
  spec = ApproximatorSpec::zero(4, 1);
  spec.term = term;
  BOOST_CHECK_THROW(spec.validate(), InvalidModel);
}
