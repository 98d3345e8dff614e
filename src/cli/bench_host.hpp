#pragma once

#include "cli/command.hpp"
#include "report/work_precision.hpp"

#include <lodestep/problem.hpp>

#include <optional>
#include <string>
#include <vector>

namespace lodestep::cli {

/// What `bench --host` was asked for.
struct HostBench {
  std::string host;
  Problem problem;
  std::vector<report::NamedModel> models;
  std::optional<std::size_t> trajectories;
  std::optional<double> seconds;
  double horizon = 0.0;
  double output_dt = 0.0;
  double error = 0.0;
  std::uint64_t seed = 0;
  Backend backend = Backend::automatic;
};

/// Models inside a host against what the host has itself. Throws InvalidArgument for a host this command was built
/// without.
int bench_host(const HostBench& bench, bool json, bool quiet);

} // namespace lodestep::cli
