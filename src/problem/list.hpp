#pragma once

#include "problem/cubic_oscillator.hpp"
#include "problem/duffing.hpp"
#include "problem/elastic_pendulum.hpp"
#include "problem/harmonic_oscillator.hpp"
#include "problem/hires.hpp"
#include "problem/hopf.hpp"
#include "problem/hyperbolic.hpp"
#include "problem/k_link_pendulum.hpp"
#include "problem/kuramoto_sivashinsky.hpp"
#include "problem/lorenz.hpp"
#include "problem/robertson.hpp"
#include "problem/spring_mass.hpp"
#include "problem/stiff_van_der_pol.hpp"
#include "problem/van_der_pol.hpp"

#include <tuple>

namespace lodestep::problem {

/// The built-in problems. To add one, write src/problem/<name>.hpp (see problem/definition.hpp) and name its definition
/// here: the commands, benchmarks and tests that go over all problems take it from this list.
using Definitions = std::tuple<ElasticPendulumDefinition, KLinkPendulumDefinition, SpringMassDefinition,
                               HarmonicOscillatorDefinition, HyperbolicDefinition, CubicOscillatorDefinition,
                               VanDerPolDefinition, StiffVanDerPolDefinition, HopfDefinition, LorenzDefinition,
                               KuramotoSivashinskyDefinition, HiresDefinition, RobertsonDefinition, DuffingDefinition>;

} // namespace lodestep::problem
