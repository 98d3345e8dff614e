#include <lodestep/error.hpp>
#include <lodestep/order_conditions.hpp>
#include <lodestep/tableau.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <string>

using namespace lodestep;

BOOST_AUTO_TEST_CASE(the_numbers_of_rooted_trees_are_the_known_ones) {
  std::array<unsigned, 9> count{};
  for (const auto& tree : rooted_trees()) ++count.at(tree.order);
  const std::array<unsigned, 9> known{0, 1, 1, 2, 4, 9, 20, 48, 115};
  BOOST_TEST(count == known, boost::test_tools::per_element());
}

// Butcher: sum over trees of n nodes of n! / (sigma gamma) = (n - 1)!, the number of monotonically labelled trees.
BOOST_AUTO_TEST_CASE(densities_and_symmetries_count_labelled_trees) {
  std::array<double, 9> sum{};
  for (const auto& tree : rooted_trees()) sum.at(tree.order) += 1.0 / (tree.symmetry * tree.density);
  for (unsigned n = 1; n <= 8; ++n) BOOST_TEST(sum[n] * n == 1.0, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(classical_tableaux_have_their_order_and_no_more) {
  for (const auto& tableau : classical_tableaux()) {
    BOOST_TEST_CONTEXT(tableau.name) {
      BOOST_TEST(attained_order(tableau) == tableau.order);
      if (tableau.embedded_order > 0) BOOST_TEST(attained_order(tableau, true) == tableau.embedded_order);
    }
  }
}

// The conditions say that one step's Taylor coefficients are the flow's: for u' = u they are those of exp up to the
// order, which needs no tree.
BOOST_AUTO_TEST_CASE(the_tall_trees_are_the_coefficients_of_the_stability_function) {
  for (const auto& tableau : classical_tableaux()) {
    const std::size_t s = tableau.stages();
    std::vector<double> power(s, 1.0);
    double factorial = 1.0;
    for (unsigned n = 1; n <= tableau.order; ++n) {
      factorial *= n;
      double sum = 0.0;
      for (std::size_t i = 0; i < s; ++i) sum += tableau.b[i] * power[i];
      BOOST_TEST(sum * factorial == 1.0, boost::test_tools::tolerance(1e-12));
      std::vector<double> next(s, 0.0);
      for (std::size_t i = 0; i < s; ++i) {
        for (std::size_t j = 0; j < i; ++j) next[i] += tableau.a[i * s + j] * power[j];
      }
      power = next;
    }
  }
}

BOOST_AUTO_TEST_CASE(a_small_change_of_a_coefficient_is_seen) {
  auto tableau = classical_tableau("rk4");
  tableau.b[1] += 1e-12;
  tableau.b[2] -= 1e-12;
  BOOST_TEST(attained_order(tableau) == 2u); // c_2 = c_3, so the conditions of order 2 do not see it
  auto dormand_prince = classical_tableau("dormand_prince");
  dormand_prince.b[0] += 1e-11;
  dormand_prince.b[2] -= 1e-11;
  BOOST_TEST(attained_order(dormand_prince) == 1u);
}

BOOST_AUTO_TEST_CASE(a_stated_order_that_does_not_hold_is_refused_with_the_tree) {
  auto tableau = classical_tableau("heun");
  tableau.order = 3;
  BOOST_CHECK_EXCEPTION(tableau.validate(), InvalidModel, [](const InvalidModel& error) {
    const std::string what = error.what();
    return error.field() == "tableau.order" && what.find("[[t]]") != std::string::npos &&
           what.find("state the order the method has, 2") != std::string::npos;
  });
  tableau.order = 9;
  BOOST_CHECK_THROW(tableau.validate(), InvalidModel);
  tableau.order = 0;
  BOOST_CHECK_THROW(tableau.validate(), InvalidModel);
  auto embedded = classical_tableau("bogacki_shampine");
  embedded.embedded_order = 3;
  BOOST_CHECK_EXCEPTION(embedded.validate(), InvalidModel,
                        [](const InvalidModel& error) { return error.field() == "tableau.embedded_order"; });
  auto not_fsal = classical_tableau("rk4");
  not_fsal.fsal = true;
  BOOST_CHECK_EXCEPTION(not_fsal.validate(), InvalidModel,
                        [](const InvalidModel& error) { return error.field() == "tableau.fsal"; });
}

BOOST_AUTO_TEST_CASE(error_coefficients_of_known_methods) {
  // Midpoint rule, order 3: [t,t]: b c^2 - 1/3 = -1/12, over sigma = 2; [[t]]: 0 - 1/6.
  BOOST_TEST(error_coefficient_norm(classical_tableau("midpoint"), 3) == std::hypot(1.0 / 24.0, 1.0 / 6.0),
             boost::test_tools::tolerance(1e-14));
  BOOST_CHECK_THROW(order_conditions(classical_tableau("rk4"), 9), InvalidArgument);
  BOOST_CHECK_THROW(order_conditions(classical_tableau("rk4"), 4, true), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(an_fsal_stage_changes_no_step) {
  const auto tableau = with_fsal_stage(classical_tableau("cash_karp"));
  BOOST_TEST(tableau.stages() == 7u);
  BOOST_CHECK_NO_THROW(tableau.validate());
  BOOST_TEST(attained_order(tableau) == 5u);
  BOOST_TEST(attained_order(tableau, true) == 4u);
  BOOST_TEST(with_fsal_stage(classical_tableau("dormand_prince")).stages() == 7u);
}
