#include "problem/lorenz.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Lorenz;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Lorenz>("lorenz", "Lorenz's chaotic system, started on its attractor")
                        .parameter("sigma", &Lorenz::sigma)
                        .parameter("rho", &Lorenz::rho)
                        .parameter("beta", &Lorenz::beta)
                        .variable("x")
                        .variable("y")
                        .variable("z")
                        .sampler([](const Lorenz& rhs, const lodestep::PluginRandom& random, double* u0) {
                          lodestep::problem::LorenzDefinition::sample(rhs, random, u0);
                        })
                        .horizon(2.56)
                        .dt(0.032));
