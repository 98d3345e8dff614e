#pragma once

#include <lodestep/export.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace lodestep {

/// An explicit Runge-Kutta method as data:
///
///     k_i = f(t + c_i dt, u + dt sum_{j<i} a_ij k_j),    u' = u + dt sum_i b_i k_i.
struct LODESTEP_EXPORT ButcherTableau {
  std::string name;
  unsigned order = 0;
  std::vector<double> a;          ///< [stages, stages], row-major, strictly lower triangular
  std::vector<double> b;          ///< [stages]
  std::vector<double> c;          ///< [stages]
  unsigned embedded_order = 0;    ///< 0 when there is no embedded row
  std::vector<double> b_embedded; ///< [stages] or empty
  bool fsal = false;              ///< the last stage is the first of the next step

  std::size_t stages() const noexcept { return b.size(); }
  /// Shapes, explicitness, finiteness, sum b = 1, row sums of a equal c. Throws InvalidModel naming the field.
  void validate(const std::string& path = "tableau") const;
};

/// The classical tableau of that name: "euler", "heun" (improved Euler), "rk3" (Kutta), "rk4".
/// Throws InvalidArgument listing the known names.
LODESTEP_EXPORT const ButcherTableau& classical_tableau(const std::string& name);
LODESTEP_EXPORT const std::vector<ButcherTableau>& classical_tableaux();

} // namespace lodestep
