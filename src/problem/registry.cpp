#include "problem/list.hpp"
#include "problem/parameter_text.hpp"
#include "problem/plugin.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace lodestep {

namespace {

using problem::Alias;

struct Entry {
  ProblemInfo info;
  problem::Aliases aliases;
  void (*define)(Problem&);
};

template <class... Definition> std::vector<Entry> entries(std::tuple<Definition...>*) {
  return {Entry{{Definition::name, Definition::description, Definition::parameters()},
                Definition::aliases(),
                &Definition::define}...};
}

std::vector<Entry> entries() {
  return entries(static_cast<problem::Definitions*>(nullptr));
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Names are written with '_' and in lower case, but "2-link pendulum" is understood.
std::string normalised(const std::string& text) {
  std::string name = trimmed(text);
  for (char& c : name) {
    if (c == '-' || c == ' ') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

/// Levenshtein's distance.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean 'x'?", or nothing if no name is near.
std::string suggestion(const std::string& wrong, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, wrong.size() / 2);
  for (const auto& name : names) {
    const std::size_t distance = edit_distance(wrong, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

[[noreturn]] void fail_unknown_problem(const std::string& name, const std::vector<Entry>& all) {
  std::vector<std::string> known, accepted;
  for (const auto& entry : all) {
    known.push_back(entry.info.name);
    accepted.push_back(entry.info.name);
    for (const auto& alias : entry.aliases) accepted.push_back(alias.name);
  }
  throw InvalidArgument("unknown problem '" + name + "'" + suggestion(normalised(name), accepted) +
                        " (known: " + joined(known) + ")");
}

} // namespace

namespace detail {

std::vector<Parameter> parse_parameters(const std::string& text, const std::string& where) {
  std::vector<Parameter> parameters;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos)
      throw InvalidArgument("problem '" + where + "': '" + item + "' is not of the form parameter=value, as in \"" +
                            where + ":g=1.62\"");
    const std::string name = trimmed(item.substr(0, equals));
    const std::string number = trimmed(item.substr(equals + 1));
    double value = 0.0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || stop != number.data() + number.size() || !std::isfinite(value))
      throw InvalidArgument("problem '" + where + "': parameter " + name + ": '" + number + "' is not a finite number");
    parameters.push_back({name, value});
  }
  return parameters;
}

void set_parameters(Problem& problem, const std::vector<Parameter>& given) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto same = [&](const Parameter& other) { return other.name == given[i].name; };
    const auto found = std::find_if(problem.parameters.begin(), problem.parameters.end(), same);
    if (found == problem.parameters.end()) {
      std::vector<std::string> known;
      for (const auto& parameter : problem.parameters) known.push_back(parameter.name);
      throw InvalidArgument("problem '" + problem.name + "' has no parameter '" + given[i].name + "'" +
                            suggestion(given[i].name, known) + " (known: " + joined(known) + ")");
    }
    if (std::any_of(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(i), same))
      throw InvalidArgument("problem '" + problem.name + "': parameter " + given[i].name + " is given twice");
    found->value = given[i].value;
  }
}

} // namespace detail

std::vector<ProblemInfo> list_problems() {
  std::vector<ProblemInfo> infos;
  for (auto& entry : entries()) infos.push_back(std::move(entry.info));
  return infos;
}

Problem make_problem(const std::string& text) {
  if (detail::names_plugin(text)) return detail::load_plugin(text);
  const std::size_t colon = text.find(':');
  const std::string name = normalised(text.substr(0, colon));
  const auto all = entries();
  const Alias plain{name, {}};
  for (const auto& entry : all) {
    const Alias* match = entry.info.name == name ? &plain : nullptr;
    for (const auto& alias : entry.aliases)
      if (alias.name == name) match = &alias;
    if (!match) continue;

    Problem problem;
    problem.name = entry.info.name;
    problem.source = entry.info.name;
    problem.description = entry.info.description;
    problem.parameters = entry.info.parameters;
    // What an alias implies counts as given: "2_link_pendulum:K=3" contradicts itself and is refused.
    std::vector<Parameter> given = match->implies;
    if (colon != std::string::npos)
      for (auto& parameter : detail::parse_parameters(text.substr(colon + 1), name))
        given.push_back(std::move(parameter));
    detail::set_parameters(problem, given);
    entry.define(problem);
    // What the definition samples from comes first, as "paper".
    problem.distributions.insert(problem.distributions.begin(),
                                 {problem.initial, "the default", problem.horizon, problem.sample});
    return problem;
  }
  fail_unknown_problem(text.substr(0, colon), all);
}

} // namespace lodestep
