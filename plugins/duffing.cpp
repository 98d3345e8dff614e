#include "problem/duffing.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Duffing;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Duffing>("duffing", "a damped oscillator with a cubic spring, driven periodically")
                        .parameter("delta", &Duffing::delta)
                        .parameter("alpha", &Duffing::alpha)
                        .parameter("beta", &Duffing::beta)
                        .parameter("gamma", &Duffing::gamma)
                        .parameter("omega", &Duffing::omega)
                        .variable("x", -1.0, 1.0)
                        .variable("x_dot", -1.0, 1.0)
                        .horizon(20.0)
                        .dt(0.1));
