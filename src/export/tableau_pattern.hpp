#pragma once

#include <lodestep/learned_tableau.hpp>
#include <lodestep/model.hpp>

#include <cstddef>

namespace lodestep::source {

/// The tableau that steps are written from. Without terms it is the learned one, `c` being the row sums that
/// LearnedTableau works with; with terms it tells by its zeros which coefficients are never used.
inline ButcherTableau tableau_pattern(const TableauModel& model) {
  ButcherTableau tableau = model.tableau;
  const std::size_t s = tableau.stages();
  for (const auto& term : model.terms) {
    for (std::size_t i = 0; i < s * s; ++i) {
      if (tableau.a[i] == 0.0) tableau.a[i] = term.a[i];
    }
    for (std::size_t i = 0; i < s; ++i) {
      if (tableau.b[i] != 0.0) continue;
      tableau.b[i] = term.b[i];
      if (!tableau.b_embedded.empty()) tableau.b_embedded[i] += term.b[i]; // it moves with b
    }
  }
  for (std::size_t i = 0; i < s && model.terms.empty(); ++i) {
    tableau.c[i] = 0.0;
    for (std::size_t j = 0; j < i; ++j) tableau.c[i] += tableau.a[i * s + j];
  }
  return tableau;
}

/// Whether some coefficient depends on a parameter of the family.
inline bool depends_on_parameters(const TableauModel& model) {
  for (const auto& term : model.terms) {
    for (std::size_t i = 1; i < term.powers.size(); ++i) {
      if (term.powers[i] > 0) return true;
    }
  }
  return false;
}

} // namespace lodestep::source
