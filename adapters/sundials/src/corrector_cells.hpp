#pragma once

#include "cell_stepper.hpp"

#include <lodestep/corrector.hpp>

namespace lodestep::arkode {

/// Cells stepped by a corrector: the base scheme on all of them, the correction of all as one batch.
class CorrectorCells final : public CellStepper {
public:
  /// Throws InvalidArgument if the layout's dimension is not the corrector's. Forced steps are learned as long as that
  /// moves the correction by less than the model's largest one-step error.
  CorrectorCells(std::shared_ptr<const Corrector> corrector, CellLayout layout);

  void set_parameter(const std::string& name, double value) override;
  std::size_t dense_points(double dt) const noexcept override;
  int dense_states(RhsRef rhs, double t, const double* u, double dt, const double* u_next, double* states) override;

protected:
  std::size_t admit(double t, double dt, const double* u, const Forcing& forcing) override;
  int base_step(RhsRef rhs, double t, const double* u, double dt, const double* dudt) override;
  std::size_t correct(double t, const double* u, double dt, const Forcing& forcing) override;
  std::size_t substeps(double dt) const noexcept override;
  std::unique_ptr<CellStepper> make(CellLayout layout) const override;

private:
  std::size_t correct_batch(double t, const double* u, double dt, const double* forcing_increment);
  /// Whether the forcing moves the correction `q` of a cell by more than the tolerance.
  bool forcing_too_large(const double* q, const double* u, const double* u_next,
                         const double* increment) const noexcept;

  std::shared_ptr<const Corrector> corrector_;
  RungeKutta base_;
  Corrector::Scratch scratch_;
  std::vector<double> limit_;                                           ///< [dimension], largest |correction|
  std::vector<double> inverse_width_;                                   ///< [dimension], of the domain
  std::vector<double> forcing_increment_;                               ///< [cells, dimension], the host's layout
  std::vector<double> features_, corrections_, increments_;             ///< [cells, features], [cells, dimension] twice
  std::vector<double> cell_u_, cell_next_, cell_forcing_, cell_stages_; ///< one cell
  std::vector<double> cell_dense_;                                      ///< [points, dimension]
};

} // namespace lodestep::arkode
