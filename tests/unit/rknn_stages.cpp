#include <lodestep/error.hpp>
#include <lodestep/train_rknn_stages.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>

using namespace lodestep;

// On y' = -a y^2 two stages have order 3, so few are needed; each step found must keep the error it was found for.
BOOST_AUTO_TEST_CASE(the_cheapest_number_of_stages_is_found_and_keeps_the_error) {
  const Family family = make_family("square");
  const double error = 1e-5;
  const auto result = search_rknn_stages(family, {}, error);
  BOOST_TEST(result.reached);
  const auto& tableau = std::get<TableauModel>(result.best.model.method).tableau;
  double fewest = INFINITY;
  for (const auto& tried : result.tried) {
    if (tried.learned) fewest = std::min(fewest, tried.evaluations);
    if (tried.dt == 0.0) continue;
    BOOST_TEST(tried.dt >= family.dt.lower);
    BOOST_TEST(tried.dt <= family.dt.upper);
    BOOST_TEST(tried.evaluations > 0.0);
  }
  const auto best = std::find_if(result.tried.begin(), result.tried.end(), [&](const RknnStages& tried) {
    return tried.learned && tried.stages == tableau.stages();
  });
  BOOST_REQUIRE(best != result.tried.end());
  BOOST_TEST(best->evaluations == fewest);
  // Heun's two stages need several times as many.
  const auto heun = std::find_if(result.tried.begin(), result.tried.end(),
                                 [](const RknnStages& tried) { return tried.name == "heun"; });
  BOOST_TEST(heun->evaluations > 2.0 * best->evaluations);
  // On tasks of another seed, at the step found.
  TableauEvaluateOptions other;
  other.seed = 7;
  other.dt = {best->dt, best->dt};
  other.step_sizes = 1;
  other.fallback = false;
  BOOST_TEST(evaluate_tableau(result.best.model, family, other).by_dt.at(0).global_error < 1.5 * error);
}

BOOST_AUTO_TEST_CASE(an_error_that_no_step_reaches_is_said_so) {
  BOOST_CHECK_THROW(search_rknn_stages(make_family("square"), {}, 0.0), InvalidArgument);
  BOOST_CHECK_THROW(search_rknn_stages(make_family("square"), {}, -1.0), InvalidArgument);
  const auto result = search_rknn_stages(make_family("linear"), {}, 1e-15);
  BOOST_TEST(!result.reached);
  BOOST_TEST(std::get<TableauModel>(result.best.model.method).tableau.stages() >= 4u); // the most accurate
}
