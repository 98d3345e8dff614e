#include "problem/spring_mass.hpp"

#include <lodestep/plugin.hpp>

#include <stdexcept>

using Chain = lodestep::problem::SpringMass<>;

namespace {

void set_masses(Chain& chain, double masses) {
  if (!(masses >= 1.0 && masses <= 10000.0 && masses == static_cast<double>(static_cast<int>(masses))))
    throw std::invalid_argument("d must be a whole number from 1 to 10000");
  chain.masses = static_cast<std::size_t>(masses);
}

void describe(const Chain& chain, lodestep::PluginVariables& variables) {
  for (std::size_t i = 1; i <= chain.masses; ++i) variables.add("q_" + std::to_string(i), -2.5, 2.5, "m");
  for (std::size_t i = 1; i <= chain.masses; ++i) variables.add("p_" + std::to_string(i), -2.5, 2.5, "kg m/s");
}

} // namespace

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Chain>("spring_mass", "equal masses in a row between springs and walls")
                        .parameter("d", 20.0, &set_masses)
                        .parameter("k", &Chain::k)
                        .parameter("m", &Chain::m)
                        .variables(&describe)
                        .horizon(20.0)
                        .dt(0.2));
