#include "stepper.hpp"

#include "corrector_cells.hpp"
#include "flow_map_cells.hpp"

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

LodestepStepper make_stepper(std::shared_ptr<const Model> model, ARKRhsFn f, N_Vector y, SUNContext sunctx) {
  return new LodestepStepper_(make_cell_stepper(std::move(model)), f, y, sunctx);
}

LodestepStepper make_stepper(std::shared_ptr<const Corrector> corrector, ARKRhsFn f, N_Vector y, SUNContext sunctx) {
  if (!corrector) throw InvalidArgument("no corrector given (null pointer)");
  const CellLayout one{1, corrector->dimension(), false};
  return new LodestepStepper_(std::make_unique<CorrectorCells>(std::move(corrector), one), f, y, sunctx);
}

LodestepStepper make_stepper(std::shared_ptr<const Hierarchy> hierarchy, ARKRhsFn f, N_Vector y, SUNContext sunctx) {
  if (!hierarchy) throw InvalidArgument("no hierarchy given (null pointer)");
  const CellLayout one{1, hierarchy->dimension(), false};
  return new LodestepStepper_(std::make_unique<FlowMapCells>(std::move(hierarchy), one), f, y, sunctx);
}

} // namespace lodestep::arkode

LodestepStepper_::LodestepStepper_(std::unique_ptr<lodestep::arkode::CellStepper> prototype, ARKRhsFn rhs, N_Vector y,
                                   SUNContext context)
    : f(rhs), sunctx(context), cells(std::move(prototype)) {
  if (!f) throw InvalidArgument("no right-hand side given (null pointer)");
  if (!sunctx) throw InvalidArgument("no SUNContext given (null pointer)");
  resize(y);
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
  const std::size_t d = cells->layout().dimension;
  if (a.size() % d != 0) {
    throw InvalidArgument("the vector has " + std::to_string(a.size()) +
                          " entries on this rank; expected a multiple of the model's dimension " + std::to_string(d));
  }
  return a.size() / d;
}

void LodestepStepper_::resize(N_Vector y) {
  VectorAccess new_access(y);
  const std::size_t n = cell_count(new_access);
  const CellLayout cell_layout{n, cells->layout().dimension, layout == LODESTEP_LAYOUT_VARIABLES};
  auto fresh = cells->with_layout(cell_layout); // options and counts outlive a resize
  access = std::move(new_access);
  length = lodestep::arkode::global_length(y);
  make_vectors(y); // from here on y may be gone, if it was one of ours
  cells = std::move(fresh);
  current.resize(access.size());
  slope_state.resize(access.size());
  first_slope.resize(access.size());
  forcing.count = 0;
  slope_known = false;
  held_known = false;
  host_slope = nullptr;
  trail.clear();
  event.reset();
}

void LodestepStepper_::reset(double t, N_Vector y) {
  if (lodestep::arkode::global_length(y) != length) resize(y);
  held.resize(access.size());
  access.gather(y, held.data());
  held_t = t;
  held_known = true;
  slope_known = false;
  // ARKODE resets its inner stepper to where that is already, too: its states are good then.
  if (trail.empty() || (trail.last() == t && std::equal(held.begin(), held.end(), trail.last_state()))) return;
  trail.clear();
  event.reset();
}

void LodestepStepper_::set_layout(LodestepLayout new_layout) {
  if (new_layout != LODESTEP_LAYOUT_CELLS && new_layout != LODESTEP_LAYOUT_VARIABLES) {
    throw InvalidArgument("unknown layout " + std::to_string(static_cast<int>(new_layout)));
  }
  layout = new_layout;
  resize(stage);
}

void LodestepStepper_::set_parameter(const char* name, double value) {
  cells->set_parameter(name, value);
  slope_known = false; // of another right-hand side
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
    access.replace(stage, const_cast<double*>(u)); // f does not write to its argument
    access.replace(slope, dudt);
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
  if (flag >= 0 && status != 0) {
    char message[128];
    std::snprintf(message, sizeof message, "the right-hand side returned %d at t = %.17g", status, t);
    lodestep::arkode::report(errfp, "full right-hand side", message);
  }
  if (flag < 0 || status != 0) ++failures;
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
    if (host_slope) {
      if (!slope_known || slope_t != t0) {
        access.scatter(current.data(), y);
        if (full_rhs(t0, y, host_slope) != 0) { // ARKODE, where it asks for this itself, recovers from no failure
          status = -1;
          return ARK_SUCCESS;
        }
      } else {
        access.scatter(first_slope.data(), host_slope);
      }
    }
    double t = t0;
    trail.clear();
    fine_known = false;
    if (main_memory) trail.start(t0, current.data(), current.size());
    status = advance_throwing(t, tout, Extent::whole);
    if (status != 0) trail.clear();
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
  user_data = rhs_user_data();
  // NOTE: tout - t0 carries the rounding of both ends. Within that, the interval is a whole number of trained steps,
  // and steps of exactly the trained size are what the model knows (and what it takes outside of SUNDIALS).
  const double rounding = rounding_of(t, tout);
  const std::vector<double>& trained_steps = cells->trained_steps();
  for (std::size_t level = 0; t != tout; ++level) {
    double h = tout - t; // what remains when no trained step fits any more
    double count = 1.0;
    bool fits = true;
    if (level < trained_steps.size()) {
      const double trained = trained_steps[level];
      const double left = h;
      h = std::copysign(trained, left);
      count = std::round(left / h);
      const double off = std::abs(left - count * h);
      fits = off <= rounding + 1e-9 * trained;
      if (fits && count == 0.0) { // nothing remains
        t = tout;
        break;
      }
      if (fits && off > rounding) h = left / count;
      if (!fits) count = std::floor(left / h);
    }
    const double start = t;
    const auto steps = static_cast<std::uint64_t>(count);
    for (std::uint64_t i = 0; i < steps; ++i) {
      const double next = fits && i + 1 == steps ? tout : start + static_cast<double>(i + 1) * h;
      if (const int status = take_step(t, h, next)) return status;
      t = next;
      if (extent == Extent::one_step) return 0;
    }
  }
  return 0;
}

int LodestepStepper_::take_step(double t, double h, double t_next) {
  auto rhs = [this](double at, const double* u, double* dudt) { return call_rhs(at, u, dudt); };
  const bool known = slope_known && slope_t == t &&
                     std::memcmp(slope_state.data(), current.data(), current.size() * sizeof(double)) == 0;
  const int status = cells->step(rhs, t, current.data(), h, known ? first_slope.data() : nullptr, forcing);
  slope_known = false;
  if (status != 0) {
    char message[256];
    std::snprintf(message, sizeof message, "the right-hand side %s at t = %.17g; the step is not taken",
                  status < 0 ? "failed fatally" : "kept failing, or giving no finite state, in finer steps too", t);
    lodestep::arkode::report(errfp, "evolve", message);
    ++failures;
    return status;
  }
  if (trail.empty()) return 0;
  if (const std::size_t points = cells->dense_points(h)) {
    const std::size_t size = current.size();
    dense.resize(points * size);
    // A right-hand side that fails here leaves the step, which stands, without states within it.
    if (cells->dense_states(rhs, t, trail.last_state(), h, current.data(), dense.data()) == 0) {
      for (std::size_t j = 0; j < points; ++j) {
        trail.add(t + h * static_cast<double>(j + 1) / static_cast<double>(points + 1), dense.data() + j * size);
      }
    }
  }
  trail.add(t_next, current.data());
  return 0;
}

bool LodestepStepper_::state_within(double t, N_Vector y, int& status) {
  status = 0;
  if (!trail.spans(t)) return false;
  if (const auto found = trail.find(t)) {
    access.scatter(trail.state(*found), y);
    return true;
  }
  dense.resize(current.size());
  if (const double h = cells->fine_dt(); h > 0.0) {
    const std::size_t from = trail.before(t);
    // Goes on from the fine state asked for last, if that helps.
    if (!fine_known || fine_t > t || fine_t < trail.time(from)) {
      fine.assign(trail.state(from), trail.state(from) + current.size());
      fine_t = trail.time(from);
    }
    user_data = rhs_user_data();
    auto rhs = [this](double at, const double* u, double* dudt) { return call_rhs(at, u, dudt); };
    const double whole = fine_t + std::floor((t - fine_t) / h * (1.0 + 1e-12) + 1e-9) * h;
    fine_known = false;
    status = cells->fill(rhs, fine_t, fine.data(), whole);
    if (status == 0) {
      fine_t = whole;
      fine_known = true;
      dense = fine;
      status = cells->fill(rhs, fine_t, dense.data(), t);
    }
  } else if (trail.count() >= 4) {
    trail.interpolate(t, dense.data());
  } else {
    return false;
  }
  if (status == 0) access.scatter(dense.data(), y);
  return true;
}

int LodestepStepper_Create(const char* model, ARKRhsFn f, N_Vector y, SUNContext sunctx, LodestepStepper* stepper) {
  return guarded(stderr, "LodestepStepper_Create", [&] {
    if (!stepper) throw InvalidArgument("no place for the stepper given (null pointer)");
    *stepper = nullptr;
    if (!model) throw InvalidArgument("no model file given (null pointer)");
    *stepper = lodestep::arkode::make_stepper(lodestep::load_model(model), f, y, sunctx);
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
    s.set_parameter(name, value);
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
  return with(stepper, "LodestepStepper_GetTrainedStep",
              [&](LodestepStepper_& s) { *h = s.cells->trained_steps().front(); });
}
