#include "model/strict_json.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>
#include <utility>

namespace lodestep {

namespace {

using detail::Json;

// Rows of the lower triangle, i numbers in row i, or full rows of s numbers.
std::vector<double> read_rows(const Json::array_t& rows, std::size_t stages, const std::string& path) {
  if (rows.size() != stages) {
    throw InvalidModel(path, "expected " + std::to_string(stages) + " rows, as many as b has weights, found " +
                                 std::to_string(rows.size()));
  }
  std::vector<double> a(stages * stages, 0.0);
  for (std::size_t i = 0; i < stages; ++i) {
    // One-member objects let the strict reader check each row.
    const std::string row_path = path + "[" + std::to_string(i) + "]";
    const Json holder = {{"row", rows[i]}};
    const std::vector<double> row = detail::ObjectReader(holder, row_path).numbers("row");
    if (row.size() != i && row.size() != stages) {
      throw InvalidModel(row_path, "expected " + std::to_string(i) + " numbers (strictly lower triangular) or " +
                                       std::to_string(stages) + ", found " + std::to_string(row.size()));
    }
    std::copy(row.begin(), row.end(), a.begin() + static_cast<std::ptrdiff_t>(i * stages));
  }
  return a;
}

} // namespace

std::string to_json(const ButcherTableau& tableau) {
  tableau.validate();
  detail::check_utf8(tableau.name, "tableau.name");
  const std::size_t s = tableau.stages();
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < s; ++i) {
    const double* row = tableau.a.data() + i * s;
    rows.push_back(std::vector<double>(row, row + i));
  }
  nlohmann::ordered_json json = {
      {"name", tableau.name}, {"order", tableau.order}, {"c", tableau.c}, {"a", rows}, {"b", tableau.b}};
  if (tableau.embedded_order > 0) {
    json["embedded_order"] = tableau.embedded_order;
    json["b_embedded"] = tableau.b_embedded;
  }
  if (tableau.fsal) json["fsal"] = true;
  // The shortest digits that give the same bits back, 17 at most.
  return json.dump(2) + "\n";
}

ButcherTableau tableau_from_json(const std::string& text, const std::string& path) {
  const Json json = detail::parse_json_object(text, path);
  detail::ObjectReader reader(json, path);
  constexpr unsigned largest_order = 100; // validate() says what can be checked
  ButcherTableau tableau;
  tableau.name = reader.text("name");
  tableau.order = reader.small_integer("order", largest_order);
  tableau.b = reader.numbers("b");
  tableau.a = read_rows(reader.array("a"), tableau.stages(), path + ".a");
  const std::size_t s = tableau.stages();
  if (json.contains("c")) {
    tableau.c = reader.numbers("c");
  } else {
    for (std::size_t i = 0; i < s; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < i; ++j) sum += tableau.a[i * s + j];
      tableau.c.push_back(sum);
    }
  }
  if (json.contains("embedded_order") || json.contains("b_embedded")) {
    tableau.embedded_order = reader.small_integer("embedded_order", largest_order);
    tableau.b_embedded = reader.numbers("b_embedded");
  }
  if (json.contains("fsal")) tableau.fsal = reader.boolean("fsal");
  reader.finish();
  tableau.validate(path);
  return tableau;
}

} // namespace lodestep
