#include "problem/cubic_oscillator.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::CubicOscillator;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<CubicOscillator>("cubic_oscillator", "a damped oscillator with cubic forces")
                        .parameter("a", &CubicOscillator::a)
                        .parameter("b", &CubicOscillator::b)
                        .variable("x", -1.0, 1.0)
                        .variable("y", -1.0, 1.0)
                        .horizon(51.2)
                        .dt(0.16));
