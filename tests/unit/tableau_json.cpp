#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace lodestep;

BOOST_AUTO_TEST_CASE(every_bit_survives) {
  for (const auto& tableau : classical_tableaux()) {
    const auto read = tableau_from_json(to_json(tableau));
    BOOST_TEST(read.name == tableau.name);
    BOOST_TEST(read.order == tableau.order);
    BOOST_CHECK(read.a == tableau.a && read.b == tableau.b && read.c == tableau.c);
    BOOST_CHECK(read.b_embedded == tableau.b_embedded && read.embedded_order == tableau.embedded_order);
    BOOST_TEST(read.fsal == tableau.fsal);
  }
}

BOOST_AUTO_TEST_CASE(what_a_person_writes_is_read) {
  const auto full = tableau_from_json(R"({"name": "h", "order": 2, "a": [[0, 0], [1, 0]], "b": [0.5, 0.5]})");
  BOOST_CHECK(full.c == classical_tableau("heun").c && full.a == classical_tableau("heun").a);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
  const auto field_of = [](const std::string& text) -> std::string {
    try {
      tableau_from_json(text);
    } catch (const InvalidModel& error) {
      return error.field();
    }
    return "";
  };
  BOOST_TEST(field_of("{") == "tableau");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[], [1]]})") == "tableau.b");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[], [1, 2, 3]], "b": [0.5, 0.5]})") == "tableau.a[1]");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[]], "b": [0.5, 0.5]})") == "tableau.a");
  BOOST_TEST(field_of(R"({"name": "h", "order": 3, "a": [[], [1]], "b": [0.5, 0.5]})") == "tableau.order");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[0.5], [1, 0]], "b": [0.5, 0.5]})") == "tableau.a[0]");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[0, 1], [1, 0]], "b": [0.5, 0.5]})") == "tableau.a[0,1]");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[], [1]], "b": [0.5, 0.5], "embedded_order": 1})") ==
             "tableau.b_embedded");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[], [1]], "b": [0.5, 0.5], "weights": []})") ==
             "tableau.weights");
  BOOST_TEST(field_of(R"({"name": "h", "order": 2, "a": [[], [1]], "b": [0.5, null]})") == "tableau.b[1]");
}
