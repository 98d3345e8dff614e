#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>

namespace lodestep {

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
  constexpr double tolerance = 1e-13;
  const auto sum_to_one = [&](const char* field, const std::vector<double>& weights) {
    double sum = 0.0;
    for (double w : weights) sum += w;
    if (!(std::abs(sum - 1.0) <= tolerance)) {
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
    if (!(std::abs(sum - c[i]) <= tolerance)) {
      throw InvalidModel(path + ".c[" + std::to_string(i) + "]",
                         "must equal its row sum of a, " + std::to_string(sum) + ", found " + std::to_string(c[i]));
    }
  }
}

const std::vector<ButcherTableau>& classical_tableaux() {
  static const std::vector<ButcherTableau> tableaux = [] {
    std::vector<ButcherTableau> list{
        {"euler", 1, {0}, {1}, {0}, 0, {}, false},
        {"heun", 2, {0, 0, 1, 0}, {0.5, 0.5}, {0, 1}, 0, {}, false},
        {"rk3", 3, {0, 0, 0, 0.5, 0, 0, -1, 2, 0}, {1. / 6, 2. / 3, 1. / 6}, {0, 0.5, 1}, 0, {}, false},
        {"rk4",
         4,
         {0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1, 0},
         {1. / 6, 1. / 3, 1. / 3, 1. / 6},
         {0, 0.5, 0.5, 1},
         0,
         {},
         false},
    };
    for (const auto& tableau : list) tableau.validate(tableau.name);
    return list;
  }();
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
