#include <lodestep/error.hpp>
#include <lodestep/family.hpp>

#include <algorithm>
#include <cmath>

namespace lodestep {

namespace {

double widened(Random& random, Interval range, double widen) {
  const double centre = 0.5 * (range.lower + range.upper);
  const double half = 0.5 * (range.upper - range.lower) * widen;
  return random.uniform(centre - half, centre + half);
}

// A family of independent uniform parameters and initial states.
Family box(std::string name, std::string description, std::vector<FamilyParameter> parameters,
           std::vector<std::string> variables, std::vector<Interval> initial) {
  Family family;
  family.name = std::move(name);
  family.description = std::move(description);
  family.parameters = parameters;
  for (auto& variable : variables) family.variables.push_back({variable, ""});
  family.sample = [parameters, initial](Random& random, double widen, double* p, double* u0) {
    for (std::size_t i = 0; i < parameters.size(); ++i) p[i] = widened(random, parameters[i].range, widen);
    for (std::size_t i = 0; i < initial.size(); ++i) u0[i] = widened(random, initial[i], widen);
  };
  return family;
}

Family linear() {
  auto family = with_rhs(box("linear", "y' = -a y, a in (1, 5), y(0) in (-5, 5)", {{"a", {1, 5}}}, {"y"}, {{-5, 5}}),
                         families::Linear());
  family.exact = [](const double* p, const double* u0, double t, long double* u) {
    u[0] = u0[0] * std::exp(-static_cast<long double>(p[0]) * t);
  };
  return family;
}

Family square() {
  auto family =
      with_rhs(box("square", "y' = -a y^2, a in (0.1, 0.5), y(0) in (1, 3)", {{"a", {0.1, 0.5}}}, {"y"}, {{1, 3}}),
               families::Square());
  family.exact = [](const double* p, const double* u0, double t, long double* u) {
    const long double y = u0[0];
    u[0] = y / (1.0L + static_cast<long double>(p[0]) * t * y);
  };
  return family;
}

Family van_der_pol() {
  return with_rhs(box("van_der_pol", "u' = v, v' = a (1 - u^2) v - u, a in (1, 2), u(0) in (-4, -3), v(0) in (0, 2)",
                      {{"a", {1, 2}}}, {"u", "v"}, {{-4, -3}, {0, 2}}),
                  families::VanDerPol());
}

Family brusselator() {
  return with_rhs(box("brusselator",
                      "u' = 1 - (b + 1) u + u^2 v, v' = b u - u^2 v, b in (0.5, 2), u(0) in (1.5, 3), v(0) in (2, 3)",
                      {{"b", {0.5, 2}}}, {"u", "v"}, {{1.5, 3}, {2, 3}}),
                  families::Brusselator());
}

// "y3". (Written so because GCC 12 warns of overlap in "y" + std::to_string(3).)
std::string numbered_name(const char* letter, std::size_t i) {
  std::string name = letter;
  name += std::to_string(i + 1);
  return name;
}

std::vector<std::string> numbered(std::size_t d) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < d; ++i) names.push_back(numbered_name("y", i));
  return names;
}

Family linear_system(std::size_t d) {
  std::vector<FamilyParameter> parameters;
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      parameters.push_back({numbered_name("A", i) + "_" + std::to_string(j + 1), {-2.0 * scale, -scale}});
    }
  }
  return with_rhs(box("linear_system", "y' = A y, d variables, A_ij in (-2, -1) / sqrt(d), y(0) in (-3, 3)",
                      std::move(parameters), numbered(d), std::vector<Interval>(d, {-3, 3})),
                  families::LinearSystem{d});
}

Family square_system(std::size_t d) {
  std::vector<FamilyParameter> parameters;
  for (std::size_t i = 0; i < d; ++i) {
    const double shift = static_cast<double>(i);
    parameters.push_back({numbered_name("B", i), {-2.0 + 0.05 * shift, -2.0 + 0.05 * (shift + 2.0)}});
  }
  return with_rhs(box("square_system", "y_i' = B_i y_i^2, d variables, B_i in -2 + 0.05 (i - 1, i + 1), y(0) in (1, 3)",
                      std::move(parameters), numbered(d), std::vector<Interval>(d, {1, 3})),
                  families::SquareSystem{d});
}

std::size_t dimension_of(const std::string& text, std::size_t colon, std::size_t otherwise) {
  if (colon == std::string::npos) return otherwise;
  const std::string setting = text.substr(colon + 1);
  std::size_t used = 0;
  unsigned long d = 0;
  if (setting.rfind("d=", 0) == 0 && setting.size() > 2 && setting[2] >= '0' && setting[2] <= '9') {
    try {
      d = std::stoul(setting.substr(2), &used);
    } catch (const std::out_of_range&) {
      used = 0;
    }
  }
  if (used == 0 || used + 2 != setting.size() || d < 1 || d > 1000) {
    throw InvalidArgument("family '" + text + "': expected d=<1..1000> after the colon, found '" + setting + "'");
  }
  return d;
}

} // namespace

std::vector<FamilyInfo> list_families() {
  std::vector<FamilyInfo> list;
  for (const auto& family : {linear(), square(), van_der_pol(), brusselator(), linear_system(2), square_system(2)}) {
    list.push_back({family.name, family.description});
  }
  return list;
}

Family make_family(const std::string& text, const std::vector<ParameterRange>& ranges) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto families = list_families();
  const bool built_in =
      std::any_of(families.begin(), families.end(), [&](const FamilyInfo& info) { return info.name == name; });
  if (built_in && !ranges.empty()) {
    throw InvalidArgument("family '" + name + "' has parameters and ranges of its own: ranges are for problems");
  }
  if (name == "linear_system") return linear_system(dimension_of(text, colon, 2));
  if (name == "square_system") return square_system(dimension_of(text, colon, 2));
  if (colon == std::string::npos) {
    if (name == "linear") return linear();
    if (name == "square") return square();
    if (name == "van_der_pol") return van_der_pol();
    if (name == "brusselator") return brusselator();
  }
  std::string known;
  for (const auto& info : families) {
    if (!known.empty()) known += ", ";
    known += info.name;
  }
  if (built_in) {
    throw InvalidArgument("family '" + name + "' takes nothing after a colon, found '" + text.substr(colon + 1) + "'");
  }
  const auto problems = list_problems();
  const bool is_problem =
      std::any_of(problems.begin(), problems.end(), [&](const ProblemInfo& info) { return info.name == name; });
  if (is_problem || text.find('/') != std::string::npos) return family_of(make_problem(text), ranges);
  throw InvalidArgument("unknown family '" + text + "': expected one of " + known +
                        " (the systems take their dimension, as in linear_system:d=5), a problem (lodestep problems) "
                        "or the path of a plugin, as in ./mine.so");
}

} // namespace lodestep
