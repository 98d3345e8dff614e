#pragma once

#include "report/work_precision.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/problem.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::report {

/// A stepper with one setting left open, ready to be run from any initial state. Everything inside the call is
/// compiled for one state type and one right-hand side, so that a measurement pays one indirect call per trajectory.
struct Contender {
  std::string name;
  Family family = Family::classical;
  Setting setting = Setting::tolerance; ///< a classical dt must divide output_dt
  /// Integrates from u0 [dimension] at t = 0, writes the states at 0, output_dt, 2 output_dt, ... as
  /// [times, dimension], and returns the number of right-hand side evaluations. A stepper that gives up (no progress,
  /// far too many evaluations) leaves NaN in the outputs it did not reach.
  std::function<std::size_t(double parameter, const double* u0, std::size_t times, double output_dt, double* states)>
      run;
};

/// All contenders on the fastest state type there is for a problem.
struct Contenders {
  std::string state_type;
  std::vector<Contender> classical;
  /// The corrector, at the parameters of the problem.
  std::function<Contender(std::shared_ptr<const Corrector>, const Problem&)> learned;
};

/// std::array and an inlined right-hand side where the problem's size is known when lodestep is compiled, else
/// std::vector and problem.rhs. The problem must outlive the result.
Contenders make_contenders(const Problem& problem);

} // namespace lodestep::report
