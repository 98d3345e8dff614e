#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/sundials/lodestep_sundials.h>
#include <lodestep/sundials_export.h>
#include <lodestep/tableau.hpp>

#include <memory>
#include <utility>

/// The C++ entry points of the SUNDIALS adapter: the objects of lodestep_sundials.h made from models and tableaux that
/// are values already (in a namespace not called sundials, for SUNDIALS has one of that name). What they throw is
/// lodestep's own; nothing is thrown once they run inside ARKODE.
namespace lodestep::arkode {

/// As LodestepStepper_Create. Throws InvalidModel, or InvalidArgument (a vector that cannot be stepped, no
/// right-hand side, a tableau). Free the result with LodestepStepper_Free, or hold it in a Stepper.
LODESTEP_SUNDIALS_EXPORT LodestepStepper make_stepper(std::shared_ptr<const Model> model, ARKRhsFn f, N_Vector y,
                                                      SUNContext sunctx);
LODESTEP_SUNDIALS_EXPORT LodestepStepper make_stepper(std::shared_ptr<const Corrector> corrector, ARKRhsFn f,
                                                      N_Vector y, SUNContext sunctx);
LODESTEP_SUNDIALS_EXPORT LodestepStepper make_stepper(std::shared_ptr<const Hierarchy> hierarchy, ARKRhsFn f,
                                                      N_Vector y, SUNContext sunctx);

/// `tableau` for ERKStepSetTable, ARKStepSetTables and LodestepMRIStepCoupling_FromTable, its orders and embedding as
/// they are (an embedded order of 0: fixed steps only). Free it with ARKodeButcherTable_Free.
/// Throws InvalidModel if it is not sound.
LODESTEP_SUNDIALS_EXPORT ARKodeButcherTable make_butcher_table(const ButcherTableau& tableau);

/// Owns a LodestepStepper.
class Stepper {
public:
  Stepper() = default;
  /// Of a model, a corrector or a hierarchy.
  template <class Learned>
  Stepper(std::shared_ptr<Learned> learned, ARKRhsFn f, N_Vector y, SUNContext sunctx)
      : stepper_(make_stepper(std::shared_ptr<const Learned>(std::move(learned)), f, y, sunctx)) {}
  ~Stepper() { LodestepStepper_Free(&stepper_); }
  Stepper(Stepper&& other) noexcept : stepper_(std::exchange(other.stepper_, nullptr)) {}
  Stepper& operator=(Stepper&& other) noexcept {
    std::swap(stepper_, other.stepper_);
    return *this;
  }

  operator LodestepStepper() const noexcept { return stepper_; }
  LodestepStats stats() const noexcept {
    LodestepStats s{};
    LodestepStepper_GetStats(stepper_, &s);
    return s;
  }

private:
  LodestepStepper stepper_ = nullptr;
};

} // namespace lodestep::arkode
