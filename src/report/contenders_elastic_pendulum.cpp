#include "problem/elastic_pendulum.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

template std::optional<Contenders> static_contenders<problem::ElasticPendulumDefinition>(const Problem&);

} // namespace lodestep::report
