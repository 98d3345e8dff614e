#include "problem/hopf.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Hopf;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Hopf>("hopf", "the normal form of a Hopf bifurcation")
                        .parameter("omega", &Hopf::omega)
                        .parameter("A", &Hopf::a)
                        .variable("mu", -0.2, 0.6)
                        .variable("x", -1.0, 2.0)
                        .variable("y", -1.0, 1.0)
                        .horizon(51.2)
                        .dt(0.16));
