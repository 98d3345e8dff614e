#include "problem/k_link_pendulum.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

template std::optional<Contenders> static_contenders<problem::KLinkPendulumDefinition>(const Problem&);

} // namespace lodestep::report
