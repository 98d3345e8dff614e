#pragma once

#include "report/work_precision.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/problem.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::report {

/// All contenders on the fastest state type there is for a problem.
struct Contenders {
  std::string state_type;
  std::vector<Contender> classical;
  /// The corrector, at the parameters of the problem.
  std::function<Contender(std::shared_ptr<const Corrector>, const Problem&)> learned;
  /// What the flow maps of a hierarchy can do for outputs every `output_dt`: see flow_map_contenders.
  std::function<std::vector<Contender>(std::shared_ptr<const Hierarchy>, double output_dt)> flow_maps;
};

/// std::array and an inlined right-hand side where the problem's size is known when lodestep is compiled, else
/// std::vector and problem.rhs. The problem must outlive the result.
Contenders make_contenders(const Problem& problem);

} // namespace lodestep::report
