#include "problem/stiff_van_der_pol.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::LienardVanDerPol;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<LienardVanDerPol>("stiff_van_der_pol",
                                                       "Van der Pol's oscillator in Lienard's coordinates: stiff")
                        .parameter("mu", &LienardVanDerPol::mu)
                        .variable("x", -2.0, 2.0)
                        .variable("w", -0.65, 0.65)
                        .horizon(204.8)
                        .dt(1.28));
