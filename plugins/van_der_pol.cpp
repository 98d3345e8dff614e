#include "problem/van_der_pol.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::VanDerPol;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<VanDerPol>("van_der_pol", "Van der Pol's oscillator")
                        .parameter("mu", &VanDerPol::mu)
                        .variable("x", -2.0, 2.0)
                        .variable("y", -4.0, 4.0)
                        .horizon(51.2)
                        .dt(0.16));
