#include "stepper.hpp"

/* A learned stepper as a partition of SplittingStep or ForcingStep. */

#if LODESTEP_HAVE_SUNSTEPPER

#include <lodestep/error.hpp>

#include <cmath>
#include <limits>
#include <memory>

namespace {

/// A SUNStepper keeps its own time and state. Both live with the SUNStepper and are freed with it.
struct Content {
  LodestepStepper stepper;
  double t;
  std::vector<double> state;
  double stop_time = std::numeric_limits<double>::quiet_NaN(); ///< NaN: none
  double direction = 1.0;
};

Content& content_of(SUNStepper s) noexcept {
  void* content = nullptr;
  SUNStepper_GetContent(s, &content);
  return *static_cast<Content*>(content);
}

/// SUNDIALS wants to know that an operation failed, and keeps the reason apart.
SUNErrCode result(SUNStepper s, int status) noexcept {
  SUNStepper_SetLastFlag(s, status);
  return status == 0 ? SUN_SUCCESS : SUN_ERR_OP_FAIL;
}

int adapt(LodestepStepper stepper, N_Vector v) noexcept {
  return lodestep::arkode::guarded(stepper->errfp, "SUNStepper", [&] {
    if (lodestep::arkode::global_length(v) != stepper->length) stepper->resize(v);
    return ARK_SUCCESS;
  });
}

SUNErrCode advance(SUNStepper s, sunrealtype tout, N_Vector out, sunrealtype* tret, LodestepStepper_::Extent extent) {
  Content& c = content_of(s);
  LodestepStepper stepper = c.stepper;
  if (const int flag = adapt(stepper, out)) return result(s, flag);
  if (c.state.size() != stepper->current.size()) {
    lodestep::arkode::report(stepper->errfp, "SUNStepper evolve", "the vector was resized without a reset");
    return result(s, ARK_ILL_INPUT);
  }
  // Never past the stop time, in whichever direction.
  if (!std::isnan(c.stop_time) && (tout - c.stop_time) * c.direction > 0.0) tout = c.stop_time;
  if ((tout - c.t) * c.direction < 0.0) {
    lodestep::arkode::report(stepper->errfp, "SUNStepper evolve", "the time asked for lies against the direction set");
    return result(s, ARK_ILL_INPUT);
  }
  stepper->current.swap(c.state);
  const int status = stepper->advance(c.t, tout, extent);
  stepper->current.swap(c.state);
  // NOTE: after a failure the state is the one of the last good step, and *tret says which.
  stepper->access.scatter(c.state.data(), out);
  *tret = c.t;
  return result(s, status);
}

SUNErrCode evolve(SUNStepper s, sunrealtype tout, N_Vector out, sunrealtype* tret) {
  return advance(s, tout, out, tret, LodestepStepper_::Extent::whole);
}

SUNErrCode one_step(SUNStepper s, sunrealtype tout, N_Vector out, sunrealtype* tret) {
  return advance(s, tout, out, tret, LodestepStepper_::Extent::one_step);
}

SUNErrCode full_rhs(SUNStepper s, sunrealtype t, N_Vector y, N_Vector ydot, SUNFullRhsMode) {
  LodestepStepper stepper = content_of(s).stepper;
  return result(s, stepper->full_rhs(t, y, ydot));
}

SUNErrCode reset(SUNStepper s, sunrealtype t, N_Vector y) {
  Content& c = content_of(s);
  if (const int flag = adapt(c.stepper, y)) return result(s, flag);
  return result(s, lodestep::arkode::guarded(c.stepper->errfp, "SUNStepper reset", [&] {
                  c.state.resize(c.stepper->access.size());
                  c.stepper->access.gather(y, c.state.data());
                  c.t = t;
                  return ARK_SUCCESS;
                }));
}

SUNErrCode set_stop_time(SUNStepper s, sunrealtype tstop) {
  content_of(s).stop_time = tstop;
  return result(s, 0);
}

SUNErrCode set_step_direction(SUNStepper s, sunrealtype direction) {
  if (direction != 0.0) content_of(s).direction = std::copysign(1.0, direction);
  return result(s, 0);
}

SUNErrCode set_forcing(SUNStepper s, sunrealtype shift, sunrealtype scale, N_Vector* terms, int count) {
  LodestepStepper stepper = content_of(s).stepper;
  if (count > 0) {
    if (const int flag = adapt(stepper, terms[0])) return result(s, flag);
  }
  return result(s, lodestep::arkode::guarded(stepper->errfp, "SUNStepper forcing", [&] {
                  stepper->set_forcing(shift, scale, terms, count);
                  return ARK_SUCCESS;
                }));
}

SUNErrCode destroy(SUNStepper s) {
  void* content = nullptr;
  SUNStepper_GetContent(s, &content);
  delete static_cast<Content*>(content);
  return SUN_SUCCESS;
}

#if LODESTEP_SUNDIALS_VERSION >= 703
SUNErrCode reinit(SUNStepper s, sunrealtype t, N_Vector y) {
  content_of(s).stop_time = std::numeric_limits<double>::quiet_NaN();
  return reset(s, t, y);
}

/// A learned stepper keeps no checkpoints, so that it cannot be part of an adjoint integration.
SUNErrCode reset_checkpoint_index(SUNStepper, suncountertype) {
  return SUN_ERR_NOT_IMPLEMENTED;
}

SUNErrCode get_num_steps(SUNStepper s, suncountertype* steps) {
  *steps = static_cast<suncountertype>(content_of(s).stepper->cells->steps);
  return SUN_SUCCESS;
}
#endif

} // namespace

int LodestepStepper_CreateSUNStepper(LodestepStepper stepper, sunrealtype t0, N_Vector y0, SUNStepper* sunstepper) {
  return lodestep::arkode::guarded(stderr, "LodestepStepper_CreateSUNStepper", [&] {
    if (!stepper || !y0 || !sunstepper) {
      throw lodestep::InvalidArgument("no stepper, initial state or place for the SUNStepper given");
    }
    *sunstepper = nullptr;
    if (stepper->main_memory) throw lodestep::InvalidArgument("the stepper is a main integrator already; make another");
    if (lodestep::arkode::global_length(y0) != stepper->length) stepper->resize(y0);
    auto content = std::make_unique<Content>();
    content->stepper = stepper;
    content->t = t0;
    content->state.resize(stepper->access.size());
    stepper->access.gather(y0, content->state.data());

    SUNStepper s = nullptr;
    if (SUNStepper_Create(stepper->sunctx, &s) != SUN_SUCCESS || !s) throw std::bad_alloc();
    // NOTE: SUNStepper_Create leaves some operations unset rather than null: every one must be set here.
    SUNErrCode failed = SUNStepper_SetDestroyFn(s, destroy);
    failed |= SUNStepper_SetContent(s, content.get());
    failed |= SUNStepper_SetEvolveFn(s, evolve);
    failed |= SUNStepper_SetOneStepFn(s, one_step);
    failed |= SUNStepper_SetFullRhsFn(s, full_rhs);
    failed |= SUNStepper_SetResetFn(s, reset);
    failed |= SUNStepper_SetStopTimeFn(s, set_stop_time);
    failed |= SUNStepper_SetStepDirectionFn(s, set_step_direction);
    failed |= SUNStepper_SetForcingFn(s, set_forcing);
#if LODESTEP_SUNDIALS_VERSION >= 703
    failed |= SUNStepper_SetReInitFn(s, reinit);
    failed |= SUNStepper_SetResetCheckpointIndexFn(s, reset_checkpoint_index);
    failed |= SUNStepper_SetGetNumStepsFn(s, get_num_steps);
#endif
    if (failed != SUN_SUCCESS) {
      SUNStepper_SetDestroyFn(s, nullptr);
      SUNStepper_Destroy(&s);
      throw lodestep::Error("SUNStepper_Set... failed");
    }
    content.release();
    *sunstepper = s;
    return ARK_SUCCESS;
  });
}

#endif
