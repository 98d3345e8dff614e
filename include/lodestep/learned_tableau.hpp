#pragma once

#include <lodestep/counters.hpp>
#include <lodestep/export.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep {

/// A tableau learned for a family of problems (RK-NN), and the judge of when it may be used. It knows no host: adapters
/// take the steps in their host's own way, with the coefficients this class hands out for a step size:
///
///     Verdict v = learned.admits(dt, u, n);
///     if (v == Verdict::learned) learned.coefficients(dt, a, b);   // else those of learned.classical()
///
/// Immutable and shared: any number of threads may use one object.
class LODESTEP_EXPORT LearnedTableau {
public:
  /// `parameters` are the values of the family's parameters the stepper is used at, in the model's order, or empty when
  /// they are not known: a tableau whose coefficients depend on them then cannot be made, and one whose coefficients do
  /// not is used without checking them. Values outside the model's range of validity are not an error: every step then
  /// falls back to the classical tableau.
  /// Throws InvalidModel if `model` is no tableau or not sound, InvalidArgument if `parameters` does not fit.
  explicit LearnedTableau(std::shared_ptr<const Model> model, std::vector<double> parameters = {});

  const Model& model() const noexcept { return *model_; }
  const TableauModel& method() const noexcept { return *method_; }
  std::size_t dimension() const noexcept { return model_->dimension(); }
  /// The exact-order tableau that steps outside the range of validity are taken with.
  const ButcherTableau& classical() const noexcept { return classical_; }
  /// Whether the coefficients depend on the step size: `at` must then be asked for each size of step.
  bool depends_on_dt() const noexcept { return depends_on_dt_; }
  /// The learned coefficients frozen for steps of `dt`: `a`, [stages, stages], and `b`, [stages]. Allocates nothing.
  /// An embedded row moves with b: see TableauTerm.
  void coefficients(double dt, double* a, double* b) const noexcept;
  /// The same as a tableau of its own.
  ButcherTableau at(double dt) const;

  /// Whether steps of `dt` may be learned.
  Verdict admits(double dt) const noexcept {
    return ((dt >= method_->dt.lower) & (dt <= method_->dt.upper) & parameters_inside_) ? Verdict::learned
                                                                                        : Verdict::step_size;
  }
  /// The same for a stepper that controls its steps by the embedded row.
  Verdict admits_controlled(double dt) const noexcept {
    return ((dt >= method_->controlled_dt.lower) & (dt <= method_->controlled_dt.upper) & parameters_inside_)
               ? Verdict::learned
               : Verdict::step_size;
  }
  /// Whether a step from `u`, [dimension], may be learned: inside the box of states, which NaN is not.
  Verdict admits_state(const double* u) const noexcept {
    int inside = 1; // clang warns of `&` between bools
    for (std::size_t i = 0; i < box_.size() / 2; ++i) {
      inside &= int{u[i] >= box_[2 * i]} & int{u[i] <= box_[2 * i + 1]};
    }
    return inside != 0 ? Verdict::learned : Verdict::domain;
  }

private:
  std::shared_ptr<const Model> model_;
  const TableauModel* method_;
  ButcherTableau classical_;
  std::vector<double> parameters_;
  bool parameters_inside_ = true;
  bool depends_on_dt_ = false;
  std::vector<double> box_; ///< lower and upper bound of each variable in turn; empty: everywhere
};

} // namespace lodestep
