#include "problem/elastic_pendulum.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::ElasticPendulum;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<ElasticPendulum>("elastic_pendulum", "a mass on a spring, swinging in a plane")
                        .parameter("g", &ElasticPendulum::g)
                        .parameter("k", &ElasticPendulum::k)
                        .parameter("m", &ElasticPendulum::m)
                        .parameter("l0", &ElasticPendulum::l0)
                        .variables([](const ElasticPendulum& p, lodestep::PluginVariables& variables) {
                          variables.add("theta", 0.0, lodestep::problem::pi / 8, "rad");
                          variables.add("r", p.l0, p.l0, "m");
                          variables.add("theta_dot", 0.0, 0.0, "rad/s");
                          variables.add("r_dot", 0.0, 0.0, "m/s");
                        })
                        .horizon(50.0)
                        .dt(0.1));
