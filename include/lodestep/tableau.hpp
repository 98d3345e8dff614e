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
  /// Shapes, explicitness, finiteness, sum b = 1, row sums of a equal c, that the last row of `a` is b if `fsal`, and
  /// that the stated orders hold: each is checked against the order conditions of every rooted tree up to it
  /// (order_conditions.hpp). Throws InvalidModel naming the field.
  void validate(const std::string& path = "tableau") const;
};

/// The classical tableau of that name:
///
/// | name               | order | stages |                                                             |
/// |--------------------|-------|--------|-------------------------------------------------------------|
/// | `euler`            | 1     | 1      |                                                             |
/// | `heun`             | 2     | 2      | improved Euler                                              |
/// | `rk3`              | 3     | 3      | Kutta; "RK3 (#3)" of Guo et al. 2021, SM4                   |
/// | `rk4`              | 4     | 4      | Kutta, "the" Runge-Kutta method                             |
/// | `midpoint`         | 2     | 2      |                                                             |
/// | `rk3_guo1`         | 3     | 3      | "RK3 (#1)" of Guo et al. 2021, SM4                          |
/// | `rk3_guo2`         | 3     | 3      | "RK3 (#2)" of Guo et al. 2021, SM4                          |
/// | `rk38`             | 4     | 4      | Kutta's 3/8 rule                                            |
/// | `bogacki_shampine` | 3(2)  | 4      | FSAL; Bogacki, Shampine 1989                                |
/// | `cash_karp`        | 5(4)  | 6      | Cash, Karp 1990                                             |
/// | `dormand_prince`   | 5(4)  | 7      | FSAL; Dormand, Prince 1980                                  |
/// | `fehlberg78`       | 8(7)  | 13     | Fehlberg 1968, advancing with the higher order              |
///
/// Throws InvalidArgument listing the known names.
LODESTEP_EXPORT const ButcherTableau& classical_tableau(const std::string& name);
LODESTEP_EXPORT const std::vector<ButcherTableau>& classical_tableaux();

/// The same method with one stage more, f(t + dt, u'), so that it is first-same-as-last and any host can reuse that
/// derivative. A tableau that is FSAL already is returned unchanged.
LODESTEP_EXPORT ButcherTableau with_fsal_stage(ButcherTableau tableau);

/// A tableau as JSON for people, every coefficient with 17 digits, so that reading gives the same bits:
///
///     {"name": "heun", "order": 2, "c": [0, 1], "a": [[], [1]], "b": [0.5, 0.5]}
///
/// `a` is written by rows, row i with i entries. "embedded_order" and "b_embedded" come together; "fsal" defaults to
/// false. Reading also accepts full rows, and no `c` (the row sums). A key that is unknown, missing or given twice, a
/// number that is not finite and everything validate() rejects throw InvalidModel naming the field.
LODESTEP_EXPORT std::string to_json(const ButcherTableau& tableau);
LODESTEP_EXPORT ButcherTableau tableau_from_json(const std::string& text, const std::string& path = "tableau");

} // namespace lodestep
