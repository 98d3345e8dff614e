#pragma once

#include <lodestep/family.hpp>

#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// Directions of a FamilyJet.
constexpr std::size_t jet_lanes = 8;

/// One step of a tableau, with derivatives in the directions of the jets. Where the family is a black box they are
/// taken by central differences, of a relative accuracy of about 1e-10.
class JetStepper {
public:
  JetStepper(const Family& family, std::size_t stages);

  /// A tableau whose coefficients, [its lower triangle, b], are themselves the directions: coefficient `first` the
  /// first, the next seven the others.
  void step(const double* parameters, const double* coefficients, std::size_t first, double dt, FamilyJet* u);
  /// A tableau whose coefficients depend on whatever the directions are.
  void step(const double* parameters, const FamilyJet* coefficients, double dt, FamilyJet* u);
  /// dudt = f(u).
  void evaluate(const double* parameters, const FamilyJet* u, FamilyJet* dudt);
  /// k_i of the last step, [dimension].
  const FamilyJet* stage(std::size_t i) const { return k_.data() + i * at_.size(); }

private:
  const Family& family_;
  std::size_t stages_;
  std::vector<FamilyJet> k_, at_;
  std::vector<double> x_, f_;
};

} // namespace lodestep::detail
