#include "problem/plugin.hpp"

#include <lodestep/error.hpp>
#include <lodestep/plugin.h>

#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

// Whatever a descriptor says of itself, it is refused as the plugin's fault, or makes a problem whose samples and
// derivatives are finite. Its pointers are null or point to as much as the interface promises.

namespace {

/// What the plugin's functions give back, and how long they play along.
struct Behaviour {
  std::vector<double> derivative;
  std::vector<double> state;
  int calls_until_failure;
};

int rhs(double, const double*, double* dudt, void* user) {
  auto& behaviour = *static_cast<Behaviour*>(user);
  for (std::size_t i = 0; i < behaviour.derivative.size(); ++i) dudt[i] = behaviour.derivative[i];
  return --behaviour.calls_until_failure == 0 ? 1 : 0;
}
int rhs_batch(double t, std::size_t n, const double* u, double* dudt, void* user) {
  const std::size_t dimension = static_cast<Behaviour*>(user)->derivative.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (rhs(t, u + i * dimension, dudt + i * dimension, user) != 0) return -1;
  }
  return 0;
}
int jvp(double, const double*, const double*, double* jv, void* user) {
  return rhs(0.0, nullptr, jv, user);
}
int sample(const lodestep_random* random, double* u0, void* user) {
  auto& behaviour = *static_cast<Behaviour*>(user);
  for (std::size_t i = 0; i < behaviour.state.size(); ++i)
    u0[i] = behaviour.state[i] + random->uniform(random->state, 0, 1);
  return --behaviour.calls_until_failure == 0 ? 2 : 0;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto number = [&] {
    return input.ConsumeBool() ? input.ConsumeFloatingPointInRange(-10.0, 10.0) : input.ConsumeFloatingPoint<double>();
  };
  lodestep_problem problem{};
  problem.abi = input.ConsumeBool() ? LODESTEP_PLUGIN_ABI : input.ConsumeIntegral<std::uint32_t>();
  problem.size = input.ConsumeBool() ? sizeof problem : input.ConsumeIntegral<std::uint32_t>();
  const std::size_t dimension = input.ConsumeIntegralInRange<std::size_t>(0, 5);
  const std::string name = input.ConsumeRandomLengthString(20);
  if (input.ConsumeBool()) problem.name = name.c_str();
  // A dimension that nobody can have says nothing of arrays.
  problem.dimension =
      input.ConsumeBool() ? dimension : input.ConsumeIntegral<std::uint64_t>() | (std::uint64_t{1} << 40);
  std::vector<std::string> texts;
  for (int i = 0; i < 10; ++i) texts.push_back(input.ConsumeRandomLengthString(8));
  std::vector<const char*> variables, units;
  std::vector<double> lower, upper;
  Behaviour behaviour;
  for (std::size_t i = 0; i < dimension; ++i) {
    variables.push_back(input.ConsumeBool() ? texts[i].c_str() : nullptr);
    units.push_back(input.ConsumeBool() ? texts[5 + i].c_str() : nullptr);
    lower.push_back(number());
    upper.push_back(number());
    behaviour.derivative.push_back(number());
    behaviour.state.push_back(number());
  }
  behaviour.calls_until_failure = input.ConsumeIntegralInRange(0, 20);
  if (input.ConsumeBool()) problem.variables = variables.data();
  if (input.ConsumeBool()) problem.units = units.data();
  if (input.ConsumeBool()) problem.lower = lower.data();
  if (input.ConsumeBool()) problem.upper = upper.data();
  std::vector<lodestep_parameter> parameters;
  for (std::size_t i = input.ConsumeIntegralInRange<std::size_t>(0, 4); i > 0; --i) {
    parameters.push_back({input.ConsumeBool() ? texts[i].c_str() : nullptr, number()});
  }
  problem.parameter_count = input.ConsumeBool() ? parameters.size() : 10001;
  if (input.ConsumeBool()) problem.parameters = parameters.data();
  problem.horizon = number();
  problem.dt = number();
  problem.rhs_cost_ns = number();
  if (input.ConsumeBool()) problem.rhs = rhs;
  if (input.ConsumeBool()) problem.rhs_batch = rhs_batch;
  if (input.ConsumeBool()) problem.jvp = jvp;
  if (input.ConsumeBool()) problem.sample = sample;
  problem.user = &behaviour;
  try {
    const lodestep::Problem made = lodestep::detail::problem_from_descriptor(problem, "fuzz");
    std::vector<double> u(dimension), dudt(dimension);
    lodestep::Random random(1, 1, 1);
    made.sample(random, u.data());
    made.rhs(0.0, u.data(), dudt.data());
    for (double value : u) {
      if (!std::isfinite(value)) std::abort();
    }
    if (made.name.empty() || made.dimension() != dimension) std::abort();
  } catch (const lodestep::InvalidData& error) {
    if (std::string(error.what()).find("plugin 'fuzz'") == std::string::npos) std::abort();
  }
  return 0;
}
