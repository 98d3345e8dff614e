#include "boundary.hpp"
#include "corrector_method.hpp"
#include "hierarchy_method.hpp"
#include "host_rhs.hpp"
#include "model.hpp"
#include "tableau_method.hpp"
#include "time_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

using namespace lodestep;
using c::TimeGrid;

namespace {

using Method = std::variant<c::CorrectorMethod, c::HierarchyMethod, c::TableauMethod>;

struct MethodOf {
  Method operator()(const std::shared_ptr<const Corrector>& corrector) const {
    return Method(std::in_place_type<c::CorrectorMethod>, corrector);
  }
  Method operator()(const std::shared_ptr<const Hierarchy>& hierarchy) const {
    return Method(std::in_place_type<c::HierarchyMethod>, hierarchy);
  }
  Method operator()(const std::shared_ptr<const Model>& tableau) const {
    return Method(std::in_place_type<c::TableauMethod>, tableau);
  }
};

} // namespace

struct lodestep_stepper {
  lodestep_stepper(const lodestep_model& model, lodestep_rhs function, void* user)
      : dimension(model.model->dimension()), dt(lodestep_model_dt(&model)),
        method(std::visit(MethodOf(), model.packed)), rhs(dimension, function, user) {}

  std::size_t dimension;
  double dt; ///< of a whole step
  Method method;
  c::HostRhs rhs;
  std::vector<double> reference; ///< the state after the step, more finely
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

/// The step from y, left in the method's next(): a bad result is never seen by the caller and a good one is copied
/// once.
template <class M> int attempt(lodestep_stepper& s, M& method, double t, const double* y, double dt) {
  if (const int result = method.attempt(s.rhs, t, y, dt)) return rhs_failed(result, t, dt);
  return finite(method.next(), s.dimension) ? LODESTEP_SUCCESS : not_finite(method.next(), s.dimension, t, dt);
}

int step(lodestep_stepper& s, double t, double* y, double dt) {
  return std::visit(
      [&](auto& method) -> int {
        if (const int status = attempt(s, method, t, y, dt)) return status;
        method.accept(y);
        return LODESTEP_SUCCESS;
      },
      s.method);
}

int step_ensemble(lodestep_stepper& s, double t, double* y, std::size_t n, double dt) {
  return std::visit(
      [&](auto& method) -> int {
        if (const int result = method.attempt_ensemble(s.rhs, t, y, n, dt)) return rhs_failed(result, t, dt);
        for (std::size_t i = 0; i < n; ++i) {
          const double* after = method.next_ensemble() + i * s.dimension;
          if (finite(after, s.dimension)) continue;
          not_finite(after, s.dimension, t, dt);
          return c::fail(LODESTEP_NOT_FINITE, "state " + std::to_string(i) + ": " + lodestep_last_error());
        }
        method.accept_ensemble(y, n);
        return LODESTEP_SUCCESS;
      },
      s.method);
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

template <class M>
int states_at(lodestep_stepper& s, M& method, double* t, double* y, std::size_t count, const double* times,
              double* states) {
  if (const int status = check_times(times, count, *t, s.dt)) return status;
  if (count == 0) return LODESTEP_SUCCESS;
  const TimeGrid grid(*t, std::fmax(*t, times[count - 1]), s.dt);
  if (!grid.sound()) return bad_interval("lodestep_states_at", *t, times[count - 1], s.dt);
  double k = 0.0;
  method.leave();
  for (std::size_t i = 0; i < count; ++i) {
    while (k < grid.whole() && grid.time(k + 1.0) <= times[i] + TimeGrid::tolerance * s.dt) {
      if (const int result = method.go_on(s.rhs, *t, y)) return rhs_failed(result, *t, s.dt);
      if (!finite(method.next(), s.dimension)) return not_finite(method.next(), s.dimension, *t, s.dt);
      method.accept(y);
      method.leave();
      *t = grid.time(++k);
    }
    double* state = states + i * s.dimension;
    const double beyond = times[i] - *t;
    if (std::abs(beyond) <= TimeGrid::tolerance * s.dt) {
      std::copy_n(y, s.dimension, state);
      continue;
    }
    if (const int result = method.within(s.rhs, *t, y, beyond, state)) return rhs_failed(result, *t, beyond);
    if (!finite(state, s.dimension)) return not_finite(state, s.dimension, *t, beyond);
  }
  return LODESTEP_SUCCESS;
}

template <class M>
int estimate_error(lodestep_stepper& s, M& method, double t, const double* y, double dt, double* error) {
  if (const int status = attempt(s, method, t, y, dt)) return status;
  s.reference.assign(y, y + s.dimension);
  double* reference = s.reference.data();
  if (const int result = method.reference(s.rhs, t, reference, dt)) return rhs_failed(result, t, dt);
  if (!finite(reference, s.dimension)) return not_finite(reference, s.dimension, t, dt);
  for (std::size_t i = 0; i < s.dimension; ++i) error[i] = method.next()[i] - reference[i];
  return LODESTEP_SUCCESS;
}

/// `count` fine states after y by solve(t, states), and *t and y moved to the last of them.
template <class Solve>
int fine_states(const char* function, lodestep_stepper& s, double fine_dt, double* t, double* y, std::size_t count,
                double* states, Solve&& solve) {
  const double length = static_cast<double>(count) * fine_dt;
  if (fine_dt == 0.0) {
    return c::fail(LODESTEP_INVALID_ARGUMENT, std::string(function) +
                                                  ": the model gives no states within its steps: expected a hierarchy, "
                                                  "or a corrector trained with an output step");
  }
  if (!TimeGrid(*t, *t + length, fine_dt).sound()) return bad_interval(function, *t, *t + length, fine_dt);
  std::copy_n(y, s.dimension, states);
  if (const int result = solve(*t, states)) return rhs_failed(result, *t, length);
  if (!finite(states, (count + 1) * s.dimension)) {
    std::size_t k = 0;
    while (finite(states + k * s.dimension, s.dimension)) ++k;
    return not_finite(states + k * s.dimension, s.dimension, *t, static_cast<double>(k) * fine_dt);
  }
  std::copy_n(states + count * s.dimension, s.dimension, y);
  *t += length;
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
    *stepper = new lodestep_stepper(*model, rhs, user);
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
  const std::size_t expected = stepper->dimension;
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
    return evolve("lodestep_evolve", stepper->dt, t, t_end,
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
  return guarded(*stepper, [&] {
    return std::visit([&](auto& method) { return states_at(*stepper, method, t, y, count, times, states); },
                      stepper->method);
  });
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
    return evolve("lodestep_evolve_ensemble", stepper->dt, t, t_end,
                  [&](double at, double dt) { return step_ensemble(*stepper, at, y, n, dt); });
  });
}

int lodestep_stepper_set_parameter(lodestep_stepper* stepper, const char* name, double value) {
  if (!stepper) return c::fail_null("lodestep_stepper_set_parameter", "stepper");
  if (!name) return c::fail_null("lodestep_stepper_set_parameter", "name");
  return c::guarded([&]() -> int {
    std::visit([&](auto& method) { method.set_parameter(name, value); }, stepper->method);
    return LODESTEP_SUCCESS;
  });
}

int lodestep_estimate_error(lodestep_stepper* stepper, double t, const double* y, double dt, double* error) {
  if (!stepper) return c::fail_null("lodestep_estimate_error", "stepper");
  if (!y) return c::fail_null("lodestep_estimate_error", "y");
  if (!error) return c::fail_null("lodestep_estimate_error", "error");
  if (const int status = check_step("lodestep_estimate_error", t, dt)) return status;
  return guarded(*stepper, [&] {
    return std::visit([&](auto& method) { return estimate_error(*stepper, method, t, y, dt, error); }, stepper->method);
  });
}

int lodestep_step_error(lodestep_stepper* stepper, double t, double* y, double dt, double* error) {
  if (!stepper) return c::fail_null("lodestep_step_error", "stepper");
  if (!y) return c::fail_null("lodestep_step_error", "y");
  if (!error) return c::fail_null("lodestep_step_error", "error");
  if (const int status = check_step("lodestep_step_error", t, dt)) return status;
  return guarded(*stepper, [&] {
    return std::visit(
        [&](auto& method) -> int {
          if (const int status = attempt(*stepper, method, t, y, dt)) return status;
          method.error_estimate(dt, error);
          method.accept(y);
          return LODESTEP_SUCCESS;
        },
        stepper->method);
  });
}

int lodestep_stepper_set_threads(lodestep_stepper* stepper, unsigned threads) {
  if (!stepper) return c::fail_null("lodestep_stepper_set_threads", "stepper");
  auto* hierarchy = std::get_if<c::HierarchyMethod>(&stepper->method);
  if (threads == 0) return c::fail(LODESTEP_INVALID_ARGUMENT, "lodestep_stepper_set_threads: expected 1 or more");
  return c::guarded([&] {
    if (hierarchy) hierarchy->set_threads(threads);
    return LODESTEP_SUCCESS;
  });
}

int lodestep_fine_states(lodestep_stepper* stepper, double* t, double* y, size_t count, double* states) {
  if (!stepper) return c::fail_null("lodestep_fine_states", "stepper");
  if (!t) return c::fail_null("lodestep_fine_states", "t");
  if (!y) return c::fail_null("lodestep_fine_states", "y");
  if (!states) return c::fail_null("lodestep_fine_states", "states");
  return guarded(*stepper, [&] {
    return std::visit(
        [&](auto& method) {
          return fine_states("lodestep_fine_states", *stepper, method.fine_dt(), t, y, count, states,
                             [&](double at, double* to) { return method.fine_states(stepper->rhs, at, count, to); });
        },
        stepper->method);
  });
}

int lodestep_parareal_states(lodestep_stepper* stepper, double* t, double* y, size_t count, double* states,
                             unsigned sweeps, lodestep_parareal_result* result) {
  if (!stepper) return c::fail_null("lodestep_parareal_states", "stepper");
  if (!t) return c::fail_null("lodestep_parareal_states", "t");
  if (!y) return c::fail_null("lodestep_parareal_states", "y");
  if (!states) return c::fail_null("lodestep_parareal_states", "states");
  auto* hierarchy = std::get_if<c::HierarchyMethod>(&stepper->method);
  if (!hierarchy) {
    return c::fail(LODESTEP_INVALID_ARGUMENT, "lodestep_parareal_states: the model has no flow maps: expected a "
                                              "hierarchy");
  }
  return guarded(*stepper, [&] {
    Parareal::Options options;
    options.sweeps = sweeps;
    Parareal::Result solved;
    const int status = fine_states(
        "lodestep_parareal_states", *stepper, hierarchy->fine_dt(), t, y, count, states,
        [&](double at, double* to) { return hierarchy->parareal(stepper->rhs, at, count, to, options, solved); });
    if (result) *result = {solved.sweeps, solved.jump, solved.converged ? 1 : 0};
    return status;
  });
}

int lodestep_get_counters(const lodestep_stepper* stepper, lodestep_counters* counters) {
  if (!stepper) return c::fail_null("lodestep_get_counters", "stepper");
  if (!counters) return c::fail_null("lodestep_get_counters", "counters");
  const StepCounters steps = std::visit([](const auto& method) { return method.counters(); }, stepper->method);
  counters->learned = steps[Verdict::learned];
  counters->step_size = steps[Verdict::step_size];
  counters->domain = steps[Verdict::domain];
  counters->correction = steps[Verdict::correction];
  counters->rhs_evaluations = stepper->rhs.evaluations();
  return LODESTEP_SUCCESS;
}

int lodestep_reset_counters(lodestep_stepper* stepper) {
  if (!stepper) return c::fail_null("lodestep_reset_counters", "stepper");
  std::visit([](auto& method) { method.reset_counters(); }, stepper->method);
  stepper->rhs.reset_evaluations();
  return LODESTEP_SUCCESS;
}

int lodestep_last_rhs_result(const lodestep_stepper* stepper) {
  return stepper ? stepper->rhs.last_result() : 0;
}

} // extern "C"
