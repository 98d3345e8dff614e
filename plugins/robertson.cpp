#include "problem/robertson.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Robertson;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Robertson>("robertson",
                                                "Robertson's reaction in logarithms of its concentrations: stiff")
                        .variable("ln_y_1")
                        .variable("ln_y_2")
                        .variable("ln_y_3")
                        .sampler([](const Robertson&, const lodestep::PluginRandom& random, double* u0) {
                          lodestep::problem::RobertsonDefinition::sample(random, u0);
                        })
                        .horizon(40.96)
                        .dt(0.512));
