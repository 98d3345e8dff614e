#include "problem/extrapolation.hpp"

#include <lodestep/error.hpp>
#include <lodestep/problem.hpp>

#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

namespace lodestep {

namespace {

using Real = long double;
using problem::ExtrapolatedMidpoint;

std::string number(double value) {
  std::ostringstream text;
  text.precision(10);
  text << value;
  return text.str();
}

/// The right-hand side in extended precision; through double where the problem offers no more.
class ExtendedRhs {
public:
  explicit ExtendedRhs(const Problem& problem)
      : problem_(problem), u_(problem.rhs_extended ? 0 : problem.dimension()), dudt_(u_.size()) {}

  void operator()(Real t, const Real* u, Real* dudt) const {
    if (problem_.rhs_extended) return problem_.rhs_extended(t, u, dudt);
    for (std::size_t i = 0; i < u_.size(); ++i) u_[i] = static_cast<double>(u[i]);
    problem_.rhs(static_cast<double>(t), u_.data(), dudt_.data());
    for (std::size_t i = 0; i < u_.size(); ++i) dudt[i] = static_cast<Real>(dudt_[i]);
  }

  /// What a solver may ask of one step, relative to the state: some digits above the rounding of the right-hand side.
  Real tolerance() const { return problem_.rhs_extended ? 3e-16L : 1e-14L; }
  Real tight_tolerance() const { return problem_.rhs_extended ? 1e-17L : 1e-15L; }

private:
  const Problem& problem_;
  mutable std::vector<double> u_, dudt_;
};

/// Magnitude below which a variable's error counts as absolute.
constexpr Real magnitude_floor = 1e-2L;

/// Of a generated set, how many are solved twice: enough to notice a problem that the solver is not good at, few enough
/// not to dominate the time.
constexpr std::size_t estimated_trajectories = 4;

[[noreturn]] void fail(const Problem& problem, const ExtrapolatedMidpoint::Outcome& outcome) {
  using Status = ExtrapolatedMidpoint::Status;
  const std::string variable = problem.variables[outcome.variable].name;
  const std::string at = " at t = " + number(static_cast<double>(outcome.time));
  const std::string where = "problem '" + problem.name + "': ";
  switch (outcome.status) {
  case Status::rhs_not_finite:
    throw InvalidData(where + "the right-hand side gives a value that is not finite for d(" + variable + ")/dt" + at);
  case Status::not_finite:
    throw InvalidData(where + "the solution diverges in " + variable + at);
  default:
    throw InvalidData(where + "no step, however short, converges" + at + " (worst in " + variable +
                      "): the solution diverges there or the right-hand side is not continuous");
  }
}

void solve(const Problem& problem, const double* u0, double t0, double dt, std::size_t times, double* states) {
  const std::size_t dimension = problem.dimension();
  const ExtendedRhs rhs(problem);
  ExtrapolatedMidpoint solver(dimension, rhs.tolerance(), magnitude_floor);
  std::vector<Real> u(u0, u0 + dimension);
  std::copy(u0, u0 + dimension, states);
  for (std::size_t n = 1; n < times; ++n) {
    const Real t = static_cast<Real>(t0) + static_cast<Real>(n - 1) * static_cast<Real>(dt);
    const auto outcome = solver.advance(rhs, t, static_cast<Real>(dt), u.data());
    if (outcome.status != ExtrapolatedMidpoint::Status::finished) fail(problem, outcome);
    for (std::size_t i = 0; i < dimension; ++i) {
      states[n * dimension + i] = static_cast<double>(u[i]);
      if (!std::isfinite(states[n * dimension + i]))
        fail(problem, {ExtrapolatedMidpoint::Status::not_finite, outcome.time, i});
    }
  }
}

/// Largest difference between `states` and a second solution by another method, relative to the larger of 1 and the
/// largest magnitude of the variable. It shares no code with the first: Fehlberg's Runge-Kutta method of order 8, its
/// error estimated by halving the step. (Fehlberg's own estimate is zero for any f that depends on t alone.)
double difference_to_second_solution(const Problem& problem, double t0, double dt, std::size_t times,
                                     const double* states) {
  const std::size_t dimension = problem.dimension();
  const ExtendedRhs rhs(problem);
  const auto system = [&](const std::vector<Real>& u, std::vector<Real>& dudt, Real t) {
    rhs(t, u.data(), dudt.data());
  };
  boost::numeric::odeint::runge_kutta_fehlberg78<std::vector<Real>, Real> stepper;
  std::vector<Real> u(states, states + dimension), dudt(dimension), whole(dimension), half(dimension), next(dimension);
  std::vector<Real> scale(dimension, magnitude_floor), difference(dimension, 0);
  const Real length = static_cast<Real>(dt);
  const Real shortest = length * 1e-15L;
  Real h = length;
  for (std::size_t n = 1; n < times; ++n) {
    const Real begin = static_cast<Real>(t0) + static_cast<Real>(n - 1) * length;
    for (Real done = 0; done < length;) {
      const bool last = done + h * (1 + 1e-6L) >= length;
      const Real step = last ? length - done : h;
      const Real t = begin + done;
      system(u, dudt, t);
      stepper.do_step(system, u, dudt, t, whole, step);
      stepper.do_step(system, u, dudt, t, half, step / 2);
      stepper.do_step(system, half, t + step / 2, next, step / 2);
      Real error = 0; // of `next`: two half steps have 1/256 of the error of the whole one
      for (std::size_t i = 0; i < dimension; ++i) {
        const Real of_variable = std::abs(next[i] - whole[i]) / 255 / std::max(scale[i], std::abs(next[i]));
        if (!(of_variable <= error)) error = of_variable; // NaN, too: a step far too long for a stiff problem
      }
      error /= rhs.tight_tolerance();
      if (!std::isfinite(error) && step <= shortest) return std::numeric_limits<double>::infinity();
      const Real factor = std::isfinite(error) ? std::clamp(0.9L * std::pow(error, -1.0L / 9), 0.2L, 4.0L) : 0.2L;
      if (error <= 1 || step <= shortest) {
        done = last ? length : done + step;
        u.swap(next);
        for (std::size_t i = 0; i < dimension; ++i) scale[i] = std::max(scale[i], std::abs(u[i]));
        // A step cut short by the interval's end says nothing against the longer one.
        h = last ? std::max(h, step * factor) : std::max(step * factor, shortest);
      } else {
        h = std::max(step * factor, shortest);
      }
    }
    for (std::size_t i = 0; i < dimension; ++i)
      difference[i] = std::max(difference[i], std::abs(u[i] - static_cast<Real>(states[n * dimension + i])));
  }
  Real largest = 0;
  for (std::size_t i = 0; i < dimension; ++i) largest = std::max(largest, difference[i] / std::max(scale[i], 1.0L));
  return static_cast<double>(largest);
}

void check(const Problem& problem, double t0, double dt) {
  if (problem.dimension() == 0) throw InvalidArgument("problem '" + problem.name + "' has no variables");
  if (!problem.rhs) throw InvalidArgument("problem '" + problem.name + "' has no right-hand side");
  if (!std::isfinite(t0)) throw InvalidArgument("t0 = " + number(t0) + " must be finite");
  if (!(dt > 0.0) || !std::isfinite(dt)) throw InvalidArgument("dt = " + number(dt) + " must be positive and finite");
}

} // namespace

double reference_solution(const Problem& problem, const double* u0, double t0, double dt, std::size_t times,
                          double* states, bool estimate_error) {
  check(problem, t0, dt);
  if (times == 0) return 0.0;
  const std::size_t dimension = problem.dimension();
  for (std::size_t i = 0; i < dimension; ++i)
    if (!std::isfinite(u0[i]))
      throw InvalidData("problem '" + problem.name + "': the initial state is not finite in " +
                        problem.variables[i].name);
  if (problem.solve) return problem.solve(u0, dt, times, states, estimate_error);
  if (problem.exact) {
    // An exact solution is one of an autonomous system from u(0): time counts from t0.
    std::copy(u0, u0 + dimension, states);
    for (std::size_t n = 1; n < times; ++n) problem.exact(u0, static_cast<double>(n) * dt, states + n * dimension);
  } else {
    solve(problem, u0, t0, dt, times, states);
  }
  return estimate_error ? difference_to_second_solution(problem, t0, dt, times, states) : 0.0;
}

std::size_t steps_in(double horizon, double dt) {
  if (!(dt > 0.0) || !std::isfinite(dt)) throw InvalidArgument("dt = " + number(dt) + " must be positive and finite");
  if (!(horizon > 0.0) || !std::isfinite(horizon))
    throw InvalidArgument("horizon = " + number(horizon) + " must be positive and finite");
  const double ratio = horizon / dt;
  constexpr double most = 1e12;
  if (ratio > most)
    throw InvalidArgument("horizon = " + number(horizon) + " is more than 1e12 steps of dt = " + number(dt));
  const double steps = std::round(ratio);
  // The quotient of two decimal fractions is a whole number only up to rounding.
  if (std::abs(ratio - steps) > 1e-9 * std::max(ratio, 1.0)) {
    const double below = std::floor(ratio), above = std::ceil(ratio);
    throw InvalidArgument("horizon = " + number(horizon) + " is no multiple of dt = " + number(dt) + "; " +
                          (below > 0.0 ? number(below * dt) + " and " : "") + number(above * dt) +
                          (below > 0.0 ? " are" : " is"));
  }
  return static_cast<std::size_t>(steps);
}

Trajectories generate_trajectories(const Problem& problem, const GenerateOptions& options) {
  Trajectories set;
  set.dt = options.dt == 0.0 ? problem.dt : options.dt;
  check(problem, set.t0, set.dt);
  if (!problem.sample) throw InvalidArgument("problem '" + problem.name + "' has no sampler of initial states");
  if (options.trajectories == 0) throw InvalidArgument("the number of trajectories must be at least 1");
  set.times = steps_in(options.horizon == 0.0 ? problem.horizon : options.horizon, set.dt) + 1;
  set.dimension = problem.dimension();
  set.states.resize(options.trajectories * set.times * set.dimension);
  std::vector<double> u0(set.dimension);
  for (std::size_t i = 0; i < options.trajectories; ++i) {
    Random random(options.seed, static_cast<std::uint64_t>(options.split), options.first + i);
    problem.sample(random, u0.data());
    try {
      const double estimate = reference_solution(problem, u0.data(), set.t0, set.dt, set.times, set.state(i, 0),
                                                 options.first + i < estimated_trajectories);
      set.error_estimate = std::max(set.error_estimate, estimate);
    } catch (const InvalidData& error) {
      throw InvalidData("trajectory " + std::to_string(options.first + i) + ": " + error.what());
    }
    set.trajectories = i + 1;
    if (options.progress && !options.progress(static_cast<double>(i + 1) / static_cast<double>(options.trajectories),
                                              "trajectories of " + problem.name))
      break;
  }
  set.states.resize(set.trajectories * set.times * set.dimension);
  return set;
}

} // namespace lodestep
