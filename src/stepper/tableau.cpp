#include <lodestep/error.hpp>
#include <lodestep/order_conditions.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>
#include <utility>

namespace lodestep {

namespace {

// Row sums and sums of weights are exact up to the rounding of their terms.
constexpr double sum_tolerance = 1e-13;

void check_stated_order(const ButcherTableau& tableau, bool embedded, const std::string& path) {
  const unsigned stated = embedded ? tableau.embedded_order : tableau.order;
  const std::string field = path + (embedded ? ".embedded_order" : ".order");
  if (stated == 0 || stated > max_checked_order) {
    throw InvalidModel(field, "expected an order of 1 to " + std::to_string(max_checked_order) + ", found " +
                                  std::to_string(stated));
  }
  for (const OrderCondition& condition : order_conditions(tableau, stated, embedded)) {
    if (condition.holds()) continue;
    throw InvalidModel(field, "order " + std::to_string(stated) + " is stated, but the order condition of the tree " +
                                  condition.tree->notation() + " (order " + std::to_string(condition.tree->order) +
                                  ") is violated by " + std::to_string(condition.residual) +
                                  ": state the order the method has, " +
                                  std::to_string(attained_order(tableau, embedded)));
  }
}

// `rows` is the strictly lower triangle of a, row by row from the second.
ButcherTableau make(std::string name, unsigned order, std::vector<double> c, const std::vector<double>& rows,
                    std::vector<double> b, unsigned embedded_order = 0, std::vector<double> b_embedded = {},
                    bool fsal = false) {
  const std::size_t s = b.size();
  std::vector<double> a(s * s, 0.0);
  std::size_t next = 0;
  for (std::size_t i = 1; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i * s + j] = rows.at(next++);
  }
  ButcherTableau tableau{std::move(name), order,          std::move(a),          std::move(b),
                         std::move(c),    embedded_order, std::move(b_embedded), fsal};
  tableau.validate(tableau.name);
  return tableau;
}

} // namespace

void ButcherTableau::validate(const std::string& path) const {
  const std::size_t s = stages();
  if (s == 0) throw InvalidModel(path + ".b", "a tableau needs at least one stage");
  const auto shape = [&](const char* field, std::size_t actual, std::size_t expected) {
    if (actual != expected) {
      throw InvalidModel(path + "." + field, "expected " + std::to_string(expected) + " numbers for " +
                                                 std::to_string(s) + " stages, found " + std::to_string(actual));
    }
  };
  shape("a", a.size(), s * s);
  shape("c", c.size(), s);
  if (!b_embedded.empty()) shape("b_embedded", b_embedded.size(), s);
  const auto finite = [&](const char* field, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        throw InvalidModel(path + "." + field + "[" + std::to_string(i) + "]", "not a finite number");
      }
    }
  };
  finite("a", a);
  finite("b", b);
  finite("c", c);
  finite("b_embedded", b_embedded);
  const auto sum_to_one = [&](const char* field, const std::vector<double>& weights) {
    double sum = 0.0;
    for (double w : weights) sum += w;
    if (!(std::abs(sum - 1.0) <= sum_tolerance)) {
      throw InvalidModel(path + "." + field, "weights must sum to 1, they sum to " + std::to_string(sum));
    }
  };
  sum_to_one("b", b);
  if (!b_embedded.empty()) sum_to_one("b_embedded", b_embedded);
  for (std::size_t i = 0; i < s; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < s; ++j) {
      if (j >= i && a[i * s + j] != 0.0) {
        throw InvalidModel(path + ".a[" + std::to_string(i) + "," + std::to_string(j) + "]",
                           "must be 0: only explicit methods are supported");
      }
      sum += a[i * s + j];
    }
    if (!(std::abs(sum - c[i]) <= sum_tolerance)) {
      throw InvalidModel(path + ".c[" + std::to_string(i) + "]",
                         "must equal its row sum of a, " + std::to_string(sum) + ", found " + std::to_string(c[i]));
    }
  }
  if (fsal) {
    for (std::size_t j = 0; j < s; ++j) {
      if (std::abs(a[(s - 1) * s + j] - b[j]) > sum_tolerance) {
        throw InvalidModel(path + ".fsal", "the last row of a must be b, but a[" + std::to_string(s - 1) + "," +
                                               std::to_string(j) + "] = " + std::to_string(a[(s - 1) * s + j]) +
                                               " and b[" + std::to_string(j) + "] = " + std::to_string(b[j]));
      }
    }
  }
  check_stated_order(*this, false, path);
  if (b_embedded.empty() != (embedded_order == 0)) {
    throw InvalidModel(path + ".embedded_order", b_embedded.empty() ? "there is no embedded row: it must be 0"
                                                                    : "there is an embedded row: state its order");
  }
  if (!b_embedded.empty()) check_stated_order(*this, true, path);
}

ButcherTableau with_fsal_stage(ButcherTableau tableau) {
  if (tableau.fsal) return tableau;
  const std::size_t s = tableau.stages();
  std::vector<double> a((s + 1) * (s + 1), 0.0);
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i * (s + 1) + j] = tableau.a[i * s + j];
  }
  double sum = 0.0;
  for (std::size_t j = 0; j < s; ++j) {
    a[s * (s + 1) + j] = tableau.b[j];
    sum += tableau.b[j];
  }
  tableau.a = std::move(a);
  tableau.b.push_back(0.0);
  tableau.c.push_back(sum); // 1 up to rounding
  if (!tableau.b_embedded.empty()) tableau.b_embedded.push_back(0.0);
  tableau.fsal = true;
  return tableau;
}

const std::vector<ButcherTableau>& classical_tableaux() {
  // clang-format off
  static const std::vector<ButcherTableau> tableaux{
      make("euler", 1, {0}, {}, {1}),
      make("heun", 2, {0, 1}, {1}, {0.5, 0.5}),
      make("rk3", 3, {0, 0.5, 1},
           {0.5,
            -1, 2},
           {1. / 6, 2. / 3, 1. / 6}),
      make("rk4", 4, {0, 0.5, 0.5, 1},
           {0.5,
            0, 0.5,
            0, 0, 1},
           {1. / 6, 1. / 3, 1. / 3, 1. / 6}),
      make("midpoint", 2, {0, 0.5}, {0.5}, {0, 1}),
      make("rk3_guo1", 3, {0, 2. / 3, 0},
           {2. / 3,
            -0.5, 0.5},
           {-0.25, 0.75, 0.5}),
      make("rk3_guo2", 3, {0, 2. / 3, 2. / 3},
           {2. / 3,
            1. / 6, 0.5},
           {0.25, 0.25, 0.5}),
      make("rk38", 4, {0, 1. / 3, 2. / 3, 1},
           {1. / 3,
            -1. / 3, 1,
            1, -1, 1},
           {1. / 8, 3. / 8, 3. / 8, 1. / 8}),
      make("bogacki_shampine", 3, {0, 0.5, 0.75, 1},
           {0.5,
            0, 0.75,
            2. / 9, 1. / 3, 4. / 9},
           {2. / 9, 1. / 3, 4. / 9, 0},
           2, {7. / 24, 1. / 4, 1. / 3, 1. / 8}, true),
      make("cash_karp", 5, {0, 0.2, 0.3, 0.6, 1, 7. / 8},
           {0.2,
            3. / 40, 9. / 40,
            0.3, -0.9, 1.2,
            -11. / 54, 2.5, -70. / 27, 35. / 27,
            1631. / 55296, 175. / 512, 575. / 13824, 44275. / 110592, 253. / 4096},
           {37. / 378, 0, 250. / 621, 125. / 594, 0, 512. / 1771},
           4, {2825. / 27648, 0, 18575. / 48384, 13525. / 55296, 277. / 14336, 0.25}),
      make("dormand_prince", 5, {0, 0.2, 0.3, 0.8, 8. / 9, 1, 1},
           {0.2,
            3. / 40, 9. / 40,
            44. / 45, -56. / 15, 32. / 9,
            19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729,
            9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656,
            35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
           {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0},
           4, {5179. / 57600, 0, 7571. / 16695, 393. / 640, -92097. / 339200, 187. / 2100, 1. / 40}, true),
      make("fehlberg78", 8, {0, 2. / 27, 1. / 9, 1. / 6, 5. / 12, 0.5, 5. / 6, 1. / 6, 2. / 3, 1. / 3, 1, 0, 1},
           {2. / 27,
            1. / 36, 1. / 12,
            1. / 24, 0, 1. / 8,
            5. / 12, 0, -25. / 16, 25. / 16,
            1. / 20, 0, 0, 1. / 4, 1. / 5,
            -25. / 108, 0, 0, 125. / 108, -65. / 27, 125. / 54,
            31. / 300, 0, 0, 0, 61. / 225, -2. / 9, 13. / 900,
            2, 0, 0, -53. / 6, 704. / 45, -107. / 9, 67. / 90, 3,
            -91. / 108, 0, 0, 23. / 108, -976. / 135, 311. / 54, -19. / 60, 17. / 6, -1. / 12,
            2383. / 4100, 0, 0, -341. / 164, 4496. / 1025, -301. / 82, 2133. / 4100, 45. / 82, 45. / 164, 18. / 41,
            3. / 205, 0, 0, 0, 0, -6. / 41, -3. / 205, -3. / 41, 3. / 41, 6. / 41, 0,
            -1777. / 4100, 0, 0, -341. / 164, 4496. / 1025, -289. / 82, 2193. / 4100, 51. / 82, 33. / 164, 12. / 41, 0, 1},
           {0, 0, 0, 0, 0, 34. / 105, 9. / 35, 9. / 35, 9. / 280, 9. / 280, 0, 41. / 840, 41. / 840},
           7, {41. / 840, 0, 0, 0, 0, 34. / 105, 9. / 35, 9. / 35, 9. / 280, 9. / 280, 41. / 840, 0, 0}),
  };
  // clang-format on
  return tableaux;
}

const ButcherTableau& classical_tableau(const std::string& name) {
  std::string known;
  for (const auto& tableau : classical_tableaux()) {
    if (tableau.name == name) return tableau;
    known += (known.empty() ? "" : ", ") + tableau.name;
  }
  throw InvalidArgument("unknown base scheme '" + name + "': expected one of " + known);
}

} // namespace lodestep
