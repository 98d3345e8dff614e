#pragma once

#include "problem/duffing.hpp"
#include "problem/elastic_pendulum.hpp"
#include "problem/k_link_pendulum.hpp"
#include "problem/spring_mass.hpp"

#include <tuple>

namespace lodestep::problem {

/// The built-in problems. To add one, write src/problem/<name>.hpp (see problem/definition.hpp) and name its definition
/// here: the commands, benchmarks and tests that go over all problems take it from this list.
using Definitions =
    std::tuple<ElasticPendulumDefinition, KLinkPendulumDefinition, SpringMassDefinition, DuffingDefinition>;

} // namespace lodestep::problem
