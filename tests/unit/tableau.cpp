#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace lodestep;

BOOST_AUTO_TEST_CASE(classical_tableaux_are_sound) {
  for (const auto& tableau : classical_tableaux()) BOOST_CHECK_NO_THROW(tableau.validate());
}

BOOST_AUTO_TEST_CASE(unsound_tableaux_name_the_field) {
  const auto field_of = [](const ButcherTableau& tableau) -> std::string {
    try {
      tableau.validate();
    } catch (const InvalidModel& error) {
      return error.field();
    }
    return "";
  };
  auto implicit = classical_tableau("rk4");
  implicit.a[0] = 0.25;
  BOOST_TEST(field_of(implicit) == "tableau.a[0,0]");
  auto inconsistent = classical_tableau("rk4");
  inconsistent.b[0] += 1e-6;
  BOOST_TEST(field_of(inconsistent) == "tableau.b");
  auto row_sum = classical_tableau("rk4");
  row_sum.c[3] = 0.9;
  BOOST_TEST(field_of(row_sum) == "tableau.c[3]");
  auto shape = classical_tableau("rk4");
  shape.a.pop_back();
  BOOST_TEST(field_of(shape) == "tableau.a");
  auto not_finite = classical_tableau("rk4");
  not_finite.b[2] = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(field_of(not_finite) == "tableau.b[2]");
}

BOOST_AUTO_TEST_CASE(an_unknown_name_lists_the_known) {
  BOOST_CHECK_EXCEPTION(classical_tableau("rk5"), InvalidArgument, [](const InvalidArgument& error) {
    return std::string(error.what()).find("euler, heun, rk3, rk4") != std::string::npos;
  });
}
