#include "problem/spring_mass.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

template std::optional<Contenders> static_contenders<problem::SpringMassDefinition>(const Problem&);

} // namespace lodestep::report
