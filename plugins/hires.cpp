#include "problem/hires.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::Hires;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<Hires>("hires", "HIRES: eight reactants of plant physiology, stiff")
                        .variable("y_1", 0.8, 1.2)
                        .variable("y_2", 0.0, 0.0)
                        .variable("y_3", 0.0, 0.0)
                        .variable("y_4", 0.0, 0.0)
                        .variable("y_5", 0.0, 0.0)
                        .variable("y_6", 0.0, 0.0)
                        .variable("y_7", 0.0, 0.0)
                        .variable("y_8", 0.0052, 0.0062)
                        .horizon(320.0)
                        .dt(2.56));
