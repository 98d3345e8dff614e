#pragma once

#include "cell_stepper.hpp"

#include <lodestep/hierarchy.hpp>

#include <optional>

namespace lodestep::arkode {

/// Cells stepped by the flow maps of a hierarchy (HiTS, Liu et al. 2022, eq. 7): by the one that places states for the
/// hybrid scheme and, over what it leaves, by smaller ones; the fine scheme takes what is left of that. A flow map is
/// one of the bare right-hand side: forced steps are all taken by the fine scheme, whatever the forcing tolerance.
class FlowMapCells final : public CellStepper {
public:
  /// Throws InvalidArgument if the layout's dimension is not the hierarchy's.
  FlowMapCells(std::shared_ptr<const Hierarchy> hierarchy, CellLayout layout);

  double fine_dt() const noexcept override { return hierarchy_->fine_dt(); }

protected:
  std::size_t admit(double t, double dt, const double* u, const Forcing& forcing) override;
  int base_step(RhsRef rhs, double t, const double* u, double dt, const double* dudt) override;
  std::size_t correct(double t, const double* u, double dt, const Forcing& forcing) override;
  std::size_t substeps(double dt) const noexcept override;
  std::unique_ptr<CellStepper> make(CellLayout layout) const override;

private:
  struct Level {
    const Hierarchy::Map* map;
    std::optional<RungeKutta> base; ///< none: the identity
  };

  std::shared_ptr<const Hierarchy> hierarchy_;
  std::vector<Level> levels_;        ///< in the order of trained_steps()
  Level* level_ = nullptr;           ///< that takes the step at hand
  std::vector<double> from_, added_; ///< [cells, dimension], cell after cell
  std::vector<double> cell_;         ///< one cell
  Workspace workspace_;
};

} // namespace lodestep::arkode
