#pragma once

#include "cell_stepper.hpp"
#include "trail.hpp"
#include "vector_access.hpp"

#include <lodestep/sundials/lodestep_sundials.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace lodestep::arkode {

/// Records `message` for Lodestep_GetLastError and writes it to `errfp` (nowhere if null) as SUNDIALS would.
void report(std::FILE* errfp, const char* function, const char* message) noexcept;

/// Runs `body`, which returns one of ARKODE's flags; whatever it throws becomes a message and a flag.
template <class Body> int guarded(std::FILE* errfp, const char* function, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    report(errfp, function, "out of memory");
    return ARK_MEM_FAIL;
  } catch (const std::exception& e) {
    report(errfp, function, e.what());
    return ARK_ILL_INPUT;
  } catch (...) {
    report(errfp, function, "unknown exception");
    return ARK_ILL_INPUT;
  }
}

} // namespace lodestep::arkode

/// What all facilities have in common: the right-hand side on the host's vectors, and learned steps over an interval.
struct LodestepStepper_ {
  /// Throws InvalidArgument, InvalidModel.
  LodestepStepper_(std::unique_ptr<lodestep::arkode::CellStepper> cells, ARKRhsFn f, N_Vector y, SUNContext sunctx);
  ~LodestepStepper_();
  LodestepStepper_(const LodestepStepper_&) = delete;
  LodestepStepper_& operator=(const LodestepStepper_&) = delete;

  /// Advances `y` from t0 to tout. Returns 0, > 0 (recoverable) or < 0 (fatal) with y unchanged. Never throws.
  int evolve(double t0, double tout, N_Vector y) noexcept;
  /// The state kept by a SUNStepper: `current` advanced to tout, or by at most one trained step towards it.
  enum class Extent { whole, one_step };
  int advance(double& t, double tout, Extent extent) noexcept;
  /// The learned state within the last step of a main integrator, at t, as if the step had ended there. False if there
  /// is none at t, and ARKODE's interpolation is what there is. Sets `status` where a right-hand side was called for
  /// it.
  bool state_within(double t, N_Vector y, int& status);
  /// f at (t, y), kept for the step that starts there. Reports and counts its failure. Never throws.
  int full_rhs(double t, N_Vector y, N_Vector ydot) noexcept;
  /// `count` terms of a polynomial; none if all are zero.
  void set_forcing(double shift, double scale, N_Vector* terms, int count);
  /// The next step starts at t from the numbers of `y`. Throws if these cannot be stepped.
  void reset(double t, N_Vector y);
  void resize(N_Vector y);
  void set_layout(LodestepLayout layout);
  void set_parameter(const char* name, double value);
  void* rhs_user_data() const noexcept;

  ARKRhsFn f;
  void* user_data = nullptr;
  SUNContext sunctx;
  std::FILE* errfp = stderr;
  MRIStepInnerStepper main_inner = nullptr; ///< owned, of the main integrator
  bool priming = false;                     ///< see main_integrator.cpp
  N_Vector host_slope = nullptr;            ///< see main_integrator.cpp; not owned
  void* main_memory = nullptr;              ///< ARKODE memory whose main integrator this is; not owned

  lodestep::arkode::VectorAccess access;
  std::unique_ptr<lodestep::arkode::CellStepper> cells; ///< never null
  LodestepLayout layout = LODESTEP_LAYOUT_CELLS;
  sunindextype length = 0; ///< global
  lodestep::arkode::Forcing forcing;
  std::vector<double> current; ///< state being advanced
  /// The state the next step starts from, once it is known. NOTE: MRIStep keeps its inner stepper's state by resetting
  /// it; the vector it passes to evolve is where the result goes, and may hold output interpolated since.
  bool held_known = false;
  double held_t = 0.0;
  std::vector<double> held;
  /// A main integrator's states within its last step, its ends among them: those of learned steps, and what the model
  /// gives within these.
  lodestep::arkode::Trail trail;
  /// A root or a stop time that ARKODE has returned from, beyond the output asked for: see LodestepStepEvolve.
  struct Event {
    int flag;
    double t;
    std::vector<double> state;
  };
  std::optional<Event> event;
  long int rhs_evaluations = 0;
  long int failures = 0;

private:
  int call_rhs(double t, const double* u, double* dudt);
  int take_step(double t, double h, double t_next);
  int advance_throwing(double& t, double tout, Extent extent);
  void make_vectors(N_Vector y);
  void free_vectors() noexcept;
  std::size_t cell_count(const lodestep::arkode::VectorAccess& a) const;

  N_Vector stage = nullptr; ///< argument and result of f, of the host's kind
  N_Vector slope = nullptr;
  bool slope_known = false; ///< first_slope is f(slope_t, slope_state)
  double slope_t = 0.0;
  std::vector<double> slope_state, first_slope;
  std::vector<double> dense; ///< states within a step
  bool fine_known = false;   ///< fine is the fine scheme's state at fine_t, within the trail
  double fine_t = 0.0;
  std::vector<double> fine;
};
