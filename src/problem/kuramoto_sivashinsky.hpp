#pragma once

#include "problem/definition.hpp"

#include <tuple>

namespace lodestep::problem {

/// The Kuramoto-Sivashinsky equation u_t = -u u_x - u_xx - u_xxxx on a periodic interval, by its values on evenly
/// spaced points; spectral in space. Chaotic in space and time, and stiff: its own solver, an exponential integrator,
/// is Problem::solve. HiTS (Liu et al. 2022), section 3.2 and appendix A.3: 512 points on (0, 16 pi), 4001 snapshots of
/// one solution. Their spacing in time and the initial state are not printed: here 0.025, T = 100, and a state on the
/// attractor.
struct KuramotoSivashinskyDefinition {
  static constexpr const char* name = "kuramoto_sivashinsky";
  static constexpr const char* description =
      "Kuramoto-Sivashinsky equation on a periodic interval, spectral in space (HiTS, Table 1)";
  using FixedRhs = std::tuple<>;

  static Aliases aliases() { return {{"ks", {}}}; }
  static std::vector<Parameter> parameters() { return {{"points", 512.0}, {"length", 16.0 * pi}}; }

  static void define(Problem& problem);
};

} // namespace lodestep::problem
