#include "boundary.hpp"
#include "ensemble.hpp"
#include "host_rhs.hpp"
#include "model.hpp"
#include "time_grid.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace lodestep;
using c::TimeGrid;

struct lodestep_stepper {
  lodestep_stepper(std::shared_ptr<const Corrector> shared, lodestep_rhs function, void* user)
      : corrector(std::move(shared)),
        base(classical_tableau(std::get<CorrectorModel>(corrector->model().method).base), corrector->dimension()),
        scratch(*corrector), ensemble(*corrector), rhs(corrector->dimension(), function, user),
        next(corrector->dimension()), reference(corrector->dimension()) {}

  std::shared_ptr<const Corrector> corrector;
  RungeKutta base;
  Corrector::Scratch scratch;
  c::Ensemble ensemble;
  c::HostRhs rhs;
  StepCounters counters;
  std::vector<double> next;      ///< the state after the step
  std::vector<double> reference; ///< the same, more finely
};

namespace {

bool finite(const double* numbers, std::size_t count) noexcept {
  // A sum of zeros unless a number is infinite or NaN: one branch for all.
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += numbers[i] * 0.0;
  return sum == 0.0;
}

/// The status of a step from t that ended with the right-hand side's code.
int rhs_failed(int result, double t, double dt) noexcept {
  char text[160];
  std::snprintf(text, sizeof text, "the right-hand side returned %d (%s) in the step from t = %.17g by dt = %.17g",
                result, result > 0 ? "recoverable" : "fatal", t, dt);
  return c::fail(result > 0 ? LODESTEP_RHS_RECOVERABLE : LODESTEP_RHS_FATAL, text);
}

int not_finite(const double* u, std::size_t dimension, double t, double dt) noexcept {
  std::size_t i = 0;
  while (i < dimension && std::isfinite(u[i])) ++i;
  char text[160];
  std::snprintf(text, sizeof text, "variable %zu is not finite after the step from t = %.17g by dt = %.17g", i, t, dt);
  return c::fail(LODESTEP_NOT_FINITE, text);
}

/// Runs `body`, in which the host's right-hand side is called; exceptions become a status.
template <class Body> int guarded(lodestep_stepper& stepper, Body&& body) {
  return c::guarded([&]() -> int {
    try {
      return body();
    }
#if defined(__GLIBCXX__)
    catch (abi::__forced_unwind&) {
      throw;
    }
#endif
    catch (const std::exception& error) {
      if (!stepper.rhs.take_running()) throw;
      return c::fail(LODESTEP_RHS_THREW, std::string("the right-hand side threw: ") + error.what());
    } catch (...) {
      if (!stepper.rhs.take_running()) throw;
      return c::fail(LODESTEP_RHS_THREW, "the right-hand side threw an object that is no std::exception");
    }
  });
}

/// u + the base scheme over `length` from time t in `count` equal sub-steps.
int sub_step(lodestep_stepper& s, double t, double* u, double length, std::size_t count) {
  const double h = length / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double at = t + static_cast<double>(i) * h;
    if (const int result = s.base.step(s.rhs, at, u, h, u)) return rhs_failed(result, at, h);
  }
  return LODESTEP_SUCCESS;
}

/// The step from y, written to s.next: the steps of CorrectedRungeKutta, out of place, so that a bad result is never
/// seen by the caller and a good one is copied once.
int take_step(lodestep_stepper& s, double t, const double* y, double dt, Verdict& verdict) {
  double* next = s.next.data();
  verdict = s.corrector->admits(t, dt, y, s.scratch);
  if (verdict == Verdict::learned) {
    if (const int result = s.base.step(s.rhs, t, y, dt, next)) return rhs_failed(result, t, dt);
    verdict = s.corrector->correct(t, dt, y, next, s.base.stage_derivatives(), s.scratch);
  }
  if (verdict != Verdict::learned) {
    std::copy_n(y, s.next.size(), next);
    if (const int status = sub_step(s, t, next, dt, s.corrector->substeps(dt))) return status;
  }
  return finite(next, s.next.size()) ? LODESTEP_SUCCESS : not_finite(next, s.next.size(), t, dt);
}

int step(lodestep_stepper& s, double t, double* y, double dt) {
  Verdict verdict;
  if (const int status = take_step(s, t, y, dt, verdict)) return status;
  for (std::size_t i = 0; i < s.next.size(); ++i) y[i] = s.next[i];
  ++s.counters.steps[static_cast<std::size_t>(verdict)];
  return LODESTEP_SUCCESS;
}

int step_ensemble(lodestep_stepper& s, double t, double* y, std::size_t n, double dt) {
  const std::size_t d = s.corrector->dimension();
  if (const int result = s.ensemble.step(s.rhs, t, y, n, dt)) return rhs_failed(result, t, dt);
  for (std::size_t i = 0; i < n; ++i) {
    const double* after = s.ensemble.next() + i * d;
    if (finite(after, d)) continue;
    not_finite(after, d, t, dt);
    return c::fail(LODESTEP_NOT_FINITE, "state " + std::to_string(i) + ": " + lodestep_last_error());
  }
  std::copy_n(s.ensemble.next(), n * d, y);
  s.ensemble.count();
  return LODESTEP_SUCCESS;
}

int bad_interval(const char* function, double t, double t_end, double dt) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%s: from t = %.17g to %.17g there are no countable steps of %.17g: expected finite times at which a "
                "step makes a difference",
                function, t, t_end, dt);
  return c::fail(LODESTEP_INVALID_ARGUMENT, text);
}

/// Takes `step(t, dt)` along the interval, *t being kept at the last good step.
template <class Step> int evolve(const char* function, double dt, double* t, double t_end, Step&& step) {
  const TimeGrid grid(*t, t_end, dt);
  if (!grid.sound()) return bad_interval(function, *t, t_end, dt);
  for (double k = 0.0; k < grid.whole(); ++k) {
    if (const int status = step(grid.time(k), grid.dt())) return status;
    *t = grid.time(k + 1.0);
  }
  if (grid.rest() != 0.0) {
    if (const int status = step(*t, grid.rest())) return status;
    *t = t_end;
  }
  return LODESTEP_SUCCESS;
}

int check_times(const double* times, std::size_t count, double t, double dt) {
  double previous = t - TimeGrid::tolerance * dt;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(times[i] >= previous) || !std::isfinite(times[i])) {
      char text[160];
      std::snprintf(text, sizeof text,
                    "lodestep_states_at: times[%zu] = %.17g: expected finite times in order, none before %.17g", i,
                    times[i], i == 0 ? t : previous);
      return c::fail(LODESTEP_INVALID_ARGUMENT, text);
    }
    previous = times[i];
  }
  return LODESTEP_SUCCESS;
}

int states_at(lodestep_stepper& s, double* t, double* y, std::size_t count, const double* times, double* states) {
  const std::size_t d = s.corrector->dimension();
  const double dt = s.corrector->dt();
  if (const int status = check_times(times, count, *t, dt)) return status;
  if (count == 0) return LODESTEP_SUCCESS;
  const TimeGrid grid(*t, std::fmax(*t, times[count - 1]), dt);
  if (!grid.sound()) return bad_interval("lodestep_states_at", *t, times[count - 1], dt);
  double k = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    while (k < grid.whole() && grid.time(k + 1.0) <= times[i] + TimeGrid::tolerance * dt) {
      if (const int status = step(s, grid.time(k), y, dt)) return status;
      *t = grid.time(++k);
    }
    double* state = states + i * d;
    std::copy_n(y, d, state);
    const double beyond = times[i] - *t;
    if (std::abs(beyond) <= TimeGrid::tolerance * dt) continue;
    if (const int status = sub_step(s, *t, state, beyond, s.corrector->substeps(beyond))) return status;
    if (!finite(state, d)) return not_finite(state, d, *t, beyond);
  }
  return LODESTEP_SUCCESS;
}

int estimate_error(lodestep_stepper& s, double t, const double* y, double dt, double* error) {
  const std::size_t d = s.corrector->dimension();
  Verdict verdict;
  if (const int status = take_step(s, t, y, dt, verdict)) return status;
  double* reference = s.reference.data();
  std::copy_n(y, d, reference);
  if (const int status = sub_step(s, t, reference, dt, 2 * s.corrector->substeps(dt))) return status;
  if (!finite(reference, d)) return not_finite(reference, d, t, dt);
  for (std::size_t i = 0; i < d; ++i) error[i] = s.next[i] - reference[i];
  return LODESTEP_SUCCESS;
}

int check_step(const char* function, double t, double dt) {
  // A step over no countable number of sub-steps would never end.
  if (std::isfinite(t) && std::isfinite(dt)) return LODESTEP_SUCCESS;
  char text[160];
  std::snprintf(text, sizeof text, "%s: t = %g, dt = %g: expected finite numbers", function, t, dt);
  return c::fail(LODESTEP_INVALID_ARGUMENT, text);
}

} // namespace

extern "C" {

int lodestep_stepper_create(const lodestep_model* model, lodestep_rhs rhs, void* user, lodestep_stepper** stepper) {
  if (!stepper) return c::fail_null("lodestep_stepper_create", "stepper");
  *stepper = nullptr;
  if (!model) return c::fail_null("lodestep_stepper_create", "model");
  if (!rhs) return c::fail_null("lodestep_stepper_create", "rhs");
  return c::guarded([&] {
    *stepper = new lodestep_stepper(model->corrector, rhs, user);
    return LODESTEP_SUCCESS;
  });
}

int lodestep_stepper_set_rhs_batch(lodestep_stepper* stepper, lodestep_rhs_batch rhs_batch) {
  if (!stepper) return c::fail_null("lodestep_stepper_set_rhs_batch", "stepper");
  stepper->rhs.set_batch(rhs_batch);
  return LODESTEP_SUCCESS;
}

void lodestep_stepper_free(lodestep_stepper* stepper) {
  delete stepper;
}

int lodestep_stepper_check_dimension(const lodestep_stepper* stepper, size_t dimension) {
  if (!stepper) return c::fail(LODESTEP_INVALID_ARGUMENT, "the stepper is a null pointer: was it loaded?");
  const std::size_t expected = stepper->corrector->dimension();
  if (dimension == expected) return LODESTEP_SUCCESS;
  char text[160];
  std::snprintf(text, sizeof text, "the state has %zu variables, the model was trained for %zu", dimension, expected);
  return c::fail(LODESTEP_INVALID_ARGUMENT, text);
}

int lodestep_step(lodestep_stepper* stepper, double t, double* y, double dt) {
  if (!stepper) return c::fail_null("lodestep_step", "stepper");
  if (!y) return c::fail_null("lodestep_step", "y");
  if (const int status = check_step("lodestep_step", t, dt)) return status;
  return guarded(*stepper, [&] { return step(*stepper, t, y, dt); });
}

int lodestep_evolve(lodestep_stepper* stepper, double* t, double* y, double t_end) {
  if (!stepper) return c::fail_null("lodestep_evolve", "stepper");
  if (!t) return c::fail_null("lodestep_evolve", "t");
  if (!y) return c::fail_null("lodestep_evolve", "y");
  return guarded(*stepper, [&] {
    return evolve("lodestep_evolve", stepper->corrector->dt(), t, t_end,
                  [&](double at, double dt) { return step(*stepper, at, y, dt); });
  });
}

int lodestep_states_at(lodestep_stepper* stepper, double* t, double* y, size_t count, const double* times,
                       double* states) {
  if (!stepper) return c::fail_null("lodestep_states_at", "stepper");
  if (!t) return c::fail_null("lodestep_states_at", "t");
  if (!y) return c::fail_null("lodestep_states_at", "y");
  if (!times && count > 0) return c::fail_null("lodestep_states_at", "times");
  if (!states && count > 0) return c::fail_null("lodestep_states_at", "states");
  return guarded(*stepper, [&] { return states_at(*stepper, t, y, count, times, states); });
}

int lodestep_step_ensemble(lodestep_stepper* stepper, double t, double* y, size_t n, double dt) {
  if (!stepper) return c::fail_null("lodestep_step_ensemble", "stepper");
  if (!y && n > 0) return c::fail_null("lodestep_step_ensemble", "y");
  if (const int status = check_step("lodestep_step_ensemble", t, dt)) return status;
  return guarded(*stepper, [&] { return step_ensemble(*stepper, t, y, n, dt); });
}

int lodestep_evolve_ensemble(lodestep_stepper* stepper, double* t, double* y, size_t n, double t_end) {
  if (!stepper) return c::fail_null("lodestep_evolve_ensemble", "stepper");
  if (!t) return c::fail_null("lodestep_evolve_ensemble", "t");
  if (!y && n > 0) return c::fail_null("lodestep_evolve_ensemble", "y");
  return guarded(*stepper, [&] {
    return evolve("lodestep_evolve_ensemble", stepper->corrector->dt(), t, t_end,
                  [&](double at, double dt) { return step_ensemble(*stepper, at, y, n, dt); });
  });
}

int lodestep_stepper_set_parameter(lodestep_stepper* stepper, const char* name, double value) {
  if (!stepper) return c::fail_null("lodestep_stepper_set_parameter", "stepper");
  if (!name) return c::fail_null("lodestep_stepper_set_parameter", "name");
  return c::guarded([&]() -> int {
    stepper->corrector->set_parameter(stepper->scratch, name, value);
    stepper->ensemble.set_parameter(name, value);
    return LODESTEP_SUCCESS;
  });
}

int lodestep_estimate_error(lodestep_stepper* stepper, double t, const double* y, double dt, double* error) {
  if (!stepper) return c::fail_null("lodestep_estimate_error", "stepper");
  if (!y) return c::fail_null("lodestep_estimate_error", "y");
  if (!error) return c::fail_null("lodestep_estimate_error", "error");
  if (const int status = check_step("lodestep_estimate_error", t, dt)) return status;
  return guarded(*stepper, [&] { return estimate_error(*stepper, t, y, dt, error); });
}

int lodestep_get_counters(const lodestep_stepper* stepper, lodestep_counters* counters) {
  if (!stepper) return c::fail_null("lodestep_get_counters", "stepper");
  if (!counters) return c::fail_null("lodestep_get_counters", "counters");
  const StepCounters& one = stepper->counters;
  const StepCounters& many = stepper->ensemble.counters();
  counters->learned = one[Verdict::learned] + many[Verdict::learned];
  counters->step_size = one[Verdict::step_size] + many[Verdict::step_size];
  counters->domain = one[Verdict::domain] + many[Verdict::domain];
  counters->correction = one[Verdict::correction] + many[Verdict::correction];
  counters->rhs_evaluations = stepper->rhs.evaluations();
  return LODESTEP_SUCCESS;
}

int lodestep_reset_counters(lodestep_stepper* stepper) {
  if (!stepper) return c::fail_null("lodestep_reset_counters", "stepper");
  stepper->counters = {};
  stepper->ensemble.reset_counters();
  stepper->rhs.reset_evaluations();
  return LODESTEP_SUCCESS;
}

int lodestep_last_rhs_result(const lodestep_stepper* stepper) {
  return stepper ? stepper->rhs.last_result() : 0;
}

} // extern "C"
