#include "problem/hyperbolic.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Hyperbolic;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Hyperbolic>("hyperbolic", "a hyperbolic fixed point with a slow manifold")
                        .parameter("mu", &Hyperbolic::mu)
                        .parameter("lambda", &Hyperbolic::lambda)
                        .variable("x", -1.0, 1.0)
                        .variable("y", -1.0, 1.0)
                        .horizon(51.2)
                        .dt(0.64));
