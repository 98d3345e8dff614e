#include "problem/duffing.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

template std::optional<Contenders> static_contenders<problem::DuffingDefinition>(const Problem&);

} // namespace lodestep::report
