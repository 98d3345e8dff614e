#include "train/rknn_recipe.hpp"

#include "train/rknn_tasks.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train_rknn.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace lodestep;
using namespace lodestep::detail;

namespace {

RknnTasks one_step_tasks(const Family& family) {
  RknnTaskOptions ask;
  ask.tasks = 4;
  ask.horizons = {0.0};
  ask.dt = {0.02, 0.07};
  return make_rknn_tasks(family, classical_tableau("rk3"), ask);
}

/// A gradient against central differences of its own loss, whose values are tested elsewhere.
void check_gradient(const RknnLoss& loss, std::vector<double> x) {
  std::vector<double> gradient, ignored;
  loss(x, gradient);
  BOOST_REQUIRE(gradient.size() == x.size());
  double largest = 0.0;
  for (double g : gradient) largest = std::max(largest, std::abs(g));
  BOOST_TEST(largest > 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double h = 1e-5;
    const double at = x[i];
    x[i] = at + h;
    const double above = loss(x, ignored);
    x[i] = at - h;
    const double below = loss(x, ignored);
    x[i] = at;
    BOOST_TEST(std::abs(gradient[i] - (above - below) / (2.0 * h)) <= 1e-6 * largest);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(losses_have_the_gradients_of_finite_differences) {
  for (const char* name : {"square", "van_der_pol", "brusselator"}) {
    for (bool softmax : {true, false}) {
      BOOST_TEST_CONTEXT(name << (softmax ? ", softmax" : ", free")) {
        const Family family = make_family(name);
        const RknnTasks tasks = one_step_tasks(family);
        RknnFitOptions options;
        options.shape.softmax = softmax;
        const RknnFitter fitter(family, tasks, options);
        std::vector<double> x{0.6, -0.2, 0.9, 0.3, 0.4};
        if (softmax) x.push_back(-0.1);
        check_gradient(fitter.scaled_loss(), x);
        check_gradient(fitter.taylor_loss(3), x);
      }
    }
  }
}

// With the classical tableau's own numbers the scaled loss (eq. 14) is 1, and the Taylor loss (eq. 16) up to its order
// is rounding.
BOOST_AUTO_TEST_CASE(the_classical_tableau_scores_one) {
  const Family family = make_family("van_der_pol");
  const RknnTasks tasks = one_step_tasks(family);
  const RknnFitter fitter(family, tasks, {});
  const std::vector<double> rk3{0.5, -1.0, 2.0, 1.0 / 6.0, 2.0 / 3.0};
  std::vector<double> gradient;
  BOOST_TEST(fitter.scaled_loss()(rk3, gradient) == 1.0, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(fitter.taylor_loss(4)(rk3, gradient) < 1e-28);
}

BOOST_AUTO_TEST_CASE(the_papers_recipe_learns_positive_weights_that_beat_rk3_a_little) {
  RknnOptions options;
  options.recipe = "paper";
  options.epochs = 3000;
  options.samples = 200;
  const auto result = train_rknn(make_family("van_der_pol"), options);
  const auto& tableau = std::get<TableauModel>(result.model.method).tableau;
  BOOST_TEST(result.model.provenance.recipe == "paper");
  BOOST_TEST(result.one_step_ratio < 1.0);
  for (double b : tableau.b) BOOST_TEST(b > 0.0);
  BOOST_TEST(std::accumulate(tableau.b.begin(), tableau.b.end(), 0.0) == 1.0, boost::test_tools::tolerance(1e-14));
  const auto again = train_rknn(make_family("van_der_pol"), options);
  BOOST_CHECK(serialize_model(again.model) == serialize_model(result.model));
}

// Section 4.3: two stages of order 3 on y' = -a y^2 are theta = 2, b = (3/4, 1/4), and Adam finds them.
BOOST_AUTO_TEST_CASE(two_stages_reach_order_three_on_the_square_family) {
  const Family family = make_family("square");
  auto recipe = RknnRecipe::published("square", 2, 3);
  recipe.samples = 20;
  recipe.learning_rate = 0.1; // published: 1, which leaves it to luck whether a start ends up here
  recipe.epochs = 4000;
  const auto fit = fit_rknn_recipe(family, classical_tableau("heun"), 2, 3, recipe, 1, {});
  const ButcherTableau tableau = rknn_recipe_tableau(fit.x, 2);
  BOOST_TEST(tableau.a[2] == 2.0, boost::test_tools::tolerance(1e-4));
  BOOST_TEST(tableau.b[0] == 0.75, boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(contradictory_options_are_refused) {
  const Family family = make_family("linear");
  RknnOptions options;
  options.recipe = "papier";
  BOOST_CHECK_THROW(train_rknn(family, options), InvalidArgument);
  options = {};
  options.epochs = 10;
  BOOST_CHECK_THROW(train_rknn(family, options), InvalidArgument);
  options = {};
  options.recipe = "paper";
  options.exact_order = true;
  BOOST_CHECK_THROW(train_rknn(family, options), InvalidArgument);
  Family black_box = family;
  black_box.rhs_series = nullptr;
  options = {};
  options.recipe = "paper";
  BOOST_CHECK_THROW(train_rknn(black_box, options), InvalidArgument);
}
