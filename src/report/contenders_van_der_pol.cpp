#include "problem/van_der_pol.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

template std::optional<Contenders> static_contenders<problem::VanDerPolDefinition>(const Problem&);

} // namespace lodestep::report
