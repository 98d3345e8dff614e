#pragma once

#include <lodestep/approximator.hpp>

#include <vector>

namespace lodestep::detail {

/// The plain loop: the definition of an approximator, written for reading. Every other backend is tested against it.
class ReferenceApproximator {
public:
  explicit ReferenceApproximator(const ApproximatorSpec& spec);
  /// One state, in double whatever the precision of the spec (whose weights an f32 spec has rounded already).
  void evaluate(const double* x, double* y, Workspace& workspace) const;

private:
  ApproximatorSpec spec_;
  std::vector<Monomial> monomials_;
  std::size_t widest_;
};

/// The activation of `mlp` at x.
LODESTEP_EXPORT double activate(const MlpTerm& mlp, double x) noexcept;

} // namespace lodestep::detail
