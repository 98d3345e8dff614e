#include "problem/k_link_pendulum.hpp"

#include <lodestep/plugin.hpp>

#include <stdexcept>

using Pendulum = lodestep::problem::KLinkPendulum<>;

namespace {

void set_links(Pendulum& pendulum, double links) {
  if (!(links >= 1.0 && links <= Pendulum::max_links && links == static_cast<double>(static_cast<int>(links))))
    throw std::invalid_argument("K must be a whole number from 1 to " + std::to_string(Pendulum::max_links));
  pendulum.links = static_cast<std::size_t>(links);
}

void describe(const Pendulum& pendulum, lodestep::PluginVariables& variables) {
  for (std::size_t i = 1; i <= pendulum.links; ++i)
    variables.add("theta_" + std::to_string(i), 0.0, lodestep::problem::pi / 8, "rad");
  for (std::size_t i = 1; i <= pendulum.links; ++i) variables.add("theta_dot_" + std::to_string(i), 0.0, 0.0, "rad/s");
}

} // namespace

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Pendulum>("k_link_pendulum",
                                               "K point masses on rods, each hanging from the one before")
                        .parameter("K", 2.0, &set_links)
                        .parameter("g", &Pendulum::g)
                        .variables(&describe)
                        .horizon(10.0)
                        .dt(0.1));
