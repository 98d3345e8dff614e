#include "stepper.hpp"

#include <lodestep/error.hpp>
#include <lodestep/sundials/stepper.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

using lodestep::Corrector;
using lodestep::InvalidArgument;
using lodestep::arkode::CellLayout;
using lodestep::arkode::guarded;
using lodestep::arkode::Outcome;
using lodestep::arkode::VectorAccess;

namespace lodestep::arkode {

namespace {
thread_local std::string last_error;
}

void report(std::FILE* errfp, const char* function, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear(); // out of memory: the message is still printed
  }
  if (errfp) std::fprintf(errfp, "[ERROR][lodestep::%s] %s\n", function, message);
}

LodestepStepper make_stepper(std::shared_ptr<const Corrector> corrector, ARKRhsFn f, N_Vector y, SUNContext sunctx) {
  return new LodestepStepper_(std::move(corrector), f, y, sunctx);
}

} // namespace lodestep::arkode

LodestepStepper_::LodestepStepper_(std::shared_ptr<const Corrector> c, ARKRhsFn rhs, N_Vector y, SUNContext context)
    : f(rhs), sunctx(context), corrector(std::move(c)) {
  if (!corrector) throw InvalidArgument("no corrector given (null pointer)");
  if (!f) throw InvalidArgument("no right-hand side given (null pointer)");
  if (!sunctx) throw InvalidArgument("no SUNContext given (null pointer)");
  resize(y);
  cells->forcing_tolerance = corrector->model().error.step_max;
}

LodestepStepper_::~LodestepStepper_() {
  if (main_inner) MRIStepInnerStepper_Free(&main_inner);
  free_vectors();
}

void LodestepStepper_::free_vectors() noexcept {
  if (stage) N_VDestroy(stage);
  if (slope) N_VDestroy(slope);
  stage = slope = nullptr;
}

void LodestepStepper_::make_vectors(N_Vector y) {
  const auto clone = access.replaceable() ? N_VCloneEmpty : N_VClone;
  N_Vector new_stage = clone(y);
  N_Vector new_slope = clone(y);
  free_vectors(); // not before: y may be one of them
  stage = new_stage;
  slope = new_slope;
  if (!stage || !slope) throw InvalidArgument("N_Vector: N_VClone failed");
}

std::size_t LodestepStepper_::cell_count(const VectorAccess& a) const {
  const std::size_t d = corrector->dimension();
  if (a.size() % d != 0) {
    throw InvalidArgument("the vector has " + std::to_string(a.size()) +
                          " entries on this rank; expected a multiple of the model's dimension " + std::to_string(d));
  }
  return a.size() / d;
}

void LodestepStepper_::resize(N_Vector y) {
  VectorAccess new_access(y);
  const std::size_t n = cell_count(new_access);
  const CellLayout cell_layout{n, corrector->dimension(), layout == LODESTEP_LAYOUT_VARIABLES};
  lodestep::arkode::CellStepper fresh(corrector, cell_layout);
  if (cells) { // options and counts outlive a resize
    fresh.forcing_tolerance = cells->forcing_tolerance;
    fresh.max_recoveries = cells->max_recoveries;
    fresh.copy_parameters(*cells);
    fresh.steps = cells->steps;
    std::copy_n(cells->outcomes, lodestep::arkode::outcome_count, fresh.outcomes);
    fresh.network_evaluations = cells->network_evaluations;
  }
  access = std::move(new_access);
  length = lodestep::arkode::global_length(y);
  make_vectors(y); // from here on y may be gone, if it was one of ours
  cells.emplace(std::move(fresh));
  current.resize(access.size());
  slope_state.resize(access.size());
  first_slope.resize(access.size());
  forcing.count = 0;
  slope_known = false;
  held_known = false;
  host_slope = nullptr;
}

void LodestepStepper_::reset(double t, N_Vector y) {
  if (lodestep::arkode::global_length(y) != length) resize(y);
  held.resize(access.size());
  access.gather(y, held.data());
  held_t = t;
  held_known = true;
  slope_known = false;
}

void LodestepStepper_::set_layout(LodestepLayout new_layout) {
  if (new_layout != LODESTEP_LAYOUT_CELLS && new_layout != LODESTEP_LAYOUT_VARIABLES) {
    throw InvalidArgument("unknown layout " + std::to_string(static_cast<int>(new_layout)));
  }
  layout = new_layout;
  resize(stage);
}

void* LodestepStepper_::rhs_user_data() const noexcept {
  if (!main_memory) return user_data;
  void* data = nullptr;
  LODESTEP_ARK(MRIStep, GetUserData)(main_memory, &data);
  return data;
}

int LodestepStepper_::call_rhs(double t, const double* u, double* dudt) {
  ++rhs_evaluations;
  if (access.replaceable()) {
    N_VSetArrayPointer(const_cast<double*>(u), stage); // f does not write to its argument
    N_VSetArrayPointer(dudt, slope);
    return f(t, stage, slope, user_data);
  }
  access.scatter(u, stage);
  const int status = f(t, stage, slope, user_data);
  if (status == 0) access.gather(slope, dudt);
  return status;
}

int LodestepStepper_::full_rhs(double t, N_Vector y, N_Vector ydot) noexcept {
  int status = 0;
  const int flag = guarded(errfp, "full right-hand side", [&] {
    if (lodestep::arkode::global_length(y) != length) resize(y);
    ++rhs_evaluations;
    slope_known = false;
    status = f(t, y, ydot, rhs_user_data());
    if (status == 0) {
      access.gather(y, slope_state.data());
      access.gather(ydot, first_slope.data());
      slope_t = t;
      slope_known = true;
      // A full right-hand side at the time of the state held is one of that state, postprocessed perhaps.
      if (!held_known || held_t == t) {
        held = slope_state;
        held_t = t;
        held_known = true;
      }
    }
    return ARK_SUCCESS;
  });
  return flag < 0 ? flag : status;
}

void LodestepStepper_::set_forcing(double shift, double scale, N_Vector* terms, int count) {
  forcing.count = 0;
  // Trailing zero terms carry nothing, and a main integrator's forcing is nothing else.
  while (count > 0 && access.is_zero(terms[count - 1])) --count;
  if (count == 0) return;
  const std::size_t size = access.size();
  forcing.terms.resize(static_cast<std::size_t>(count) * size);
  for (int k = 0; k < count; ++k) access.gather(terms[k], forcing.terms.data() + static_cast<std::size_t>(k) * size);
  forcing.shift = shift;
  forcing.scale = scale;
  forcing.count = static_cast<std::size_t>(count);
}

namespace {

/// Times that differ by less are one time, computed in two ways.
double rounding_of(double t0, double t1) noexcept {
  return 4.0 * std::numeric_limits<double>::epsilon() * std::max(std::abs(t0), std::abs(t1));
}

} // namespace

int LodestepStepper_::evolve(double t0, double tout, N_Vector y) noexcept {
  int status = 0;
  const int flag = guarded(errfp, "evolve", [&] {
    if (lodestep::arkode::global_length(y) != length) resize(y);
    if (held_known && std::abs(held_t - t0) <= rounding_of(held_t, t0)) {
      std::copy(held.begin(), held.end(), current.begin());
      if (slope_known && slope_t == held_t) slope_t = t0;
    } else {
      access.gather(y, current.data());
    }
    if (host_slope) { // a recoverable failure here is one of the step's first stage: dealt with there
      if (!slope_known || slope_t != t0) {
        access.scatter(current.data(), y);
        status = full_rhs(t0, y, host_slope);
        if (status < 0) return ARK_SUCCESS;
      } else {
        access.scatter(first_slope.data(), host_slope);
      }
    }
    double t = t0;
    status = advance_throwing(t, tout, Extent::whole);
    if (status == 0) {
      access.scatter(current.data(), y);
      held = current;
      held_t = tout;
      held_known = true;
    }
    return ARK_SUCCESS;
  });
  if (flag < 0) ++failures;
  return flag < 0 ? flag : status;
}

int LodestepStepper_::advance(double& t, double tout, Extent extent) noexcept {
  int status = 0;
  const int flag = guarded(errfp, "evolve", [&] {
    status = advance_throwing(t, tout, extent);
    return ARK_SUCCESS;
  });
  if (flag < 0) ++failures;
  return flag < 0 ? flag : status;
}

/// Trained steps as long as they fit, then what remains. On failure the state is the one after the last good step, and
/// t its time.
int LodestepStepper_::advance_throwing(double& t, double tout, Extent extent) {
  const double span = tout - t;
  if (span == 0.0) return 0;
  if (!std::isfinite(span)) {
    lodestep::arkode::report(errfp, "evolve", "the interval to evolve over is not finite");
    ++failures;
    return -1;
  }
  const double trained = corrector->dt();
  const double dt = std::copysign(trained, span);
  // NOTE: tout - t0 carries the rounding of both ends. Within that, the interval is a whole number of trained steps,
  // and steps of exactly the trained size are what the model knows (and what it takes outside of SUNDIALS).
  const double rounding = rounding_of(t, tout);
  double whole = std::round(span / dt);
  double h = dt;
  if (whole >= 1.0 && std::abs(span - whole * dt) <= rounding + 1e-9 * trained) {
    if (std::abs(span - whole * dt) > rounding) h = span / whole;
  } else {
    whole = std::floor(span / dt);
  }
  const double remainder =
      std::abs(span - whole * h) <= rounding + 1e-9 * trained ? 0.0 : tout - (t + whole * h); // 0: none

  user_data = rhs_user_data();
  const auto rhs = [this](double at, const double* u, double* dudt) { return call_rhs(at, u, dudt); };
  const double start = t;
  const auto steps = static_cast<std::uint64_t>(whole) + (remainder != 0.0);
  for (std::uint64_t i = 0; i < steps; ++i) {
    const bool last = remainder != 0.0 && i + 1 == steps;
    const bool known = slope_known && slope_t == t &&
                       std::memcmp(slope_state.data(), current.data(), current.size() * sizeof(double)) == 0;
    const int status =
        cells->step(rhs, t, current.data(), last ? remainder : h, known ? first_slope.data() : nullptr, forcing);
    slope_known = false;
    if (status != 0) {
      char message[256];
      std::snprintf(message, sizeof message, "the right-hand side %s at t = %.17g; the step is not taken",
                    status < 0 ? "failed fatally" : "kept failing, or giving no finite state, in finer steps too", t);
      lodestep::arkode::report(errfp, "evolve", message);
      ++failures;
      return status;
    }
    t = i + 1 == steps ? tout : start + static_cast<double>(i + 1) * h;
    if (extent == Extent::one_step) break;
  }
  return 0;
}

int LodestepStepper_Create(const char* model, ARKRhsFn f, N_Vector y, SUNContext sunctx, LodestepStepper* stepper) {
  return guarded(stderr, "LodestepStepper_Create", [&] {
    if (!stepper) throw InvalidArgument("no place for the stepper given (null pointer)");
    *stepper = nullptr;
    if (!model) throw InvalidArgument("no model file given (null pointer)");
    *stepper = new LodestepStepper_(std::make_shared<const Corrector>(lodestep::load_model(model)), f, y, sunctx);
    return ARK_SUCCESS;
  });
}

int LodestepStepper_Free(LodestepStepper* stepper) {
  if (stepper) {
    delete *stepper;
    *stepper = nullptr;
  }
  return ARK_SUCCESS;
}

const char* Lodestep_GetLastError(void) {
  return lodestep::arkode::last_error.c_str();
}

namespace {

/// Options and queries: a null stepper is an error, everything else is `body`'s.
template <class Body> int with(LodestepStepper stepper, const char* function, Body&& body) noexcept {
  if (!stepper) {
    lodestep::arkode::report(stderr, function, "no stepper given (null pointer)");
    return ARK_MEM_NULL;
  }
  return guarded(stepper->errfp, function, [&] {
    body(*stepper);
    return ARK_SUCCESS;
  });
}

} // namespace

int LodestepStepper_SetUserData(LodestepStepper stepper, void* user_data) {
  return with(stepper, "LodestepStepper_SetUserData", [&](LodestepStepper_& s) { s.user_data = user_data; });
}

int LodestepStepper_SetLayout(LodestepStepper stepper, LodestepLayout layout) {
  return with(stepper, "LodestepStepper_SetLayout", [&](LodestepStepper_& s) { s.set_layout(layout); });
}

int LodestepStepper_SetForcingTolerance(LodestepStepper stepper, sunrealtype tol) {
  return with(stepper, "LodestepStepper_SetForcingTolerance", [&](LodestepStepper_& s) {
    if (!(tol >= 0.0))
      throw InvalidArgument("the forcing tolerance must not be negative, it is " + std::to_string(tol));
    s.cells->forcing_tolerance = tol;
  });
}

int LodestepStepper_SetMaxRecoveries(LodestepStepper stepper, int n) {
  return with(stepper, "LodestepStepper_SetMaxRecoveries", [&](LodestepStepper_& s) {
    if (n < 0 || n > 20) throw InvalidArgument("recoveries must lie in 0 .. 20, not " + std::to_string(n));
    s.cells->max_recoveries = static_cast<unsigned>(n);
  });
}

int LodestepStepper_SetParameter(LodestepStepper stepper, const char* name, sunrealtype value) {
  return with(stepper, "LodestepStepper_SetParameter", [&](LodestepStepper_& s) {
    if (!name) throw InvalidArgument("no name given (null pointer)");
    s.cells->set_parameter(name, value);
  });
}

int LodestepStepper_SetErrFile(LodestepStepper stepper, FILE* errfp) {
  return with(stepper, "LodestepStepper_SetErrFile", [&](LodestepStepper_& s) { s.errfp = errfp; });
}

int LodestepStepper_Resize(LodestepStepper stepper, N_Vector y) {
  return with(stepper, "LodestepStepper_Resize", [&](LodestepStepper_& s) { s.resize(y); });
}

int LodestepStepper_Reset(LodestepStepper stepper, sunrealtype t, N_Vector y) {
  return with(stepper, "LodestepStepper_Reset", [&](LodestepStepper_& s) {
    if (!y) throw InvalidArgument("no state given (null pointer)");
    s.reset(t, y);
  });
}

int LodestepStepper_GetTrainedStep(LodestepStepper stepper, sunrealtype* h) {
  return with(stepper, "LodestepStepper_GetTrainedStep", [&](LodestepStepper_& s) { *h = s.corrector->dt(); });
}
