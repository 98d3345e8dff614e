#include "problem/harmonic_oscillator.hpp"

#include <lodestep/plugin.hpp>

using lodestep::problem::HarmonicOscillator;

LODESTEP_CXX_PLUGIN(lodestep::Plugin<HarmonicOscillator>("harmonic_oscillator",
                                                         "the harmonic oscillator, started within the unit circle")
                        .parameter("omega", &HarmonicOscillator::omega)
                        .variable("x", -1.0, 1.0)
                        .variable("y", -1.0, 1.0)
                        .sampler([](const HarmonicOscillator&, const lodestep::PluginRandom& random, double* u0) {
                          lodestep::problem::HarmonicOscillatorDefinition::sample(random, u0);
                        })
                        .horizon(20.48)
                        .dt(0.128));
