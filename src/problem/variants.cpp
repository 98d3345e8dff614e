#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

/// A problem with something about it changed: its distribution of initial states, its parameters.
namespace lodestep {

void use_initial(Problem& problem, const std::string& name) {
  std::string known;
  for (const auto& distribution : problem.distributions) {
    if (distribution.name == name) {
      problem.initial = name;
      problem.sample = distribution.sample;
      problem.horizon = distribution.horizon;
      return;
    }
    known += (known.empty() ? "" : ", ") + distribution.name;
  }
  if (name == problem.initial) return;
  throw InvalidArgument("problem '" + problem.name + "' has no distribution of initial states '" + name + "'" +
                        (known.empty() ? "" : " (known: " + known + ")"));
}

Problem with_parameters(const Problem& problem, const std::vector<Parameter>& values) {
  if (problem.source.empty()) {
    throw InvalidArgument("problem '" + problem.name +
                          "' cannot be made with other parameters: it is neither built in nor a plugin");
  }
  std::vector<Parameter> parameters = problem.parameters;
  for (const auto& value : values) {
    const auto same = [&](const Parameter& p) { return p.name == value.name; };
    const auto found = std::find_if(parameters.begin(), parameters.end(), same);
    if (found == parameters.end()) {
      std::string known;
      for (const auto& p : parameters) known += (known.empty() ? "" : ", ") + p.name;
      throw InvalidArgument("problem '" + problem.name + "' has no parameter '" + value.name + "' (known: " + known +
                            ")");
    }
    found->value = value.value;
  }
  std::string text = problem.source;
  char separator = ':';
  for (const auto& parameter : parameters) {
    char number[32];
    std::snprintf(number, sizeof number, "%.17g", parameter.value); // enough digits to give back the same number
    text += separator + parameter.name + "=" + number;
    separator = ',';
  }
  Problem made = make_problem(text);
  made.horizon = problem.horizon;
  made.dt = problem.dt;
  const auto& named = made.distributions;
  const auto same = [&](const InitialStates& d) { return d.name == problem.initial; };
  const auto found = std::find_if(named.begin(), named.end(), same);
  // A distribution may depend on parameters; one that came from elsewhere does not.
  made.sample = found != named.end() ? found->sample : problem.sample;
  made.initial = problem.initial;
  return made;
}

bool depends_on_time(const Problem& problem, std::uint64_t seed) {
  constexpr std::uint64_t stream = 32; // beside those of Split
  constexpr std::size_t states = 4;
  constexpr std::size_t times = 8;
  const std::size_t dimension = problem.dimension();
  std::vector<double> u(dimension), first(dimension), dudt(dimension);
  for (std::size_t i = 0; i < states; ++i) {
    Random random(seed, stream, i);
    problem.sample(random, u.data());
    problem.rhs(0.0, u.data(), first.data());
    for (std::size_t n = 1; n <= times; ++n) {
      problem.rhs(random.uniform(0.0, problem.horizon), u.data(), dudt.data());
      for (std::size_t v = 0; v < dimension; ++v) {
        if (std::isfinite(dudt[v]) && dudt[v] != first[v]) return true;
      }
    }
  }
  return false;
}

} // namespace lodestep
