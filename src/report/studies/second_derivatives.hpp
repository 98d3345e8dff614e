#pragma once

#include <lodestep/problem.hpp>

#include <vector>

namespace lodestep::report {

/// |u''|, the largest over variables, at every point of the reference, [trajectory, time]: u'' = d/dt f(u(t)),
/// differenced along the flow.
std::vector<double> second_derivatives(const Problem& problem, const Trajectories& truth);

/// The largest of each trajectory.
std::vector<double> largest_second_derivatives(const Problem& problem, const Trajectories& truth);

} // namespace lodestep::report
