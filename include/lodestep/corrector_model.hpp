#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/export.hpp>
#include <lodestep/variables.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// What a corrector is: the learned part of a step of a classical scheme, and where it may be used.
namespace lodestep {

/// What a corrector's approximator is fed first of all. A step size, a time and parameters may follow.
enum class CorrectorInput {
  increment, ///< S dt = base(u) - u: AttNS (eq. 10)
  state,     ///< u: NeurVec
  stages     ///< [S dt, (k2 - k1) dt, (k3 - k2) dt, ...] of an explicit Runge-Kutta base
};

LODESTEP_EXPORT const char* to_string(CorrectorInput) noexcept;
LODESTEP_EXPORT CorrectorInput corrector_input_from(const std::string& name);

/// How the approximator's output Q enters the step.
enum class CorrectorForm {
  additive,      ///< u' = u + S dt + Q: AttNS (eq. 10), NeurVec
  multiplicative ///< u' = u + S dt + S dt * Q, element by element: AttNS-m (eq. 6), its factor written as 1 + Q
};

LODESTEP_EXPORT const char* to_string(CorrectorForm) noexcept;
LODESTEP_EXPORT CorrectorForm corrector_form_from(const std::string& name);

/// How time enters the approximator of a right-hand side that depends on it.
enum class TimeInput {
  none,   ///< not at all: the right-hand side is autonomous
  phase,  ///< as cos and sin of 2 pi t / period
  elapsed ///< as t itself, in `time_range`
};

LODESTEP_EXPORT const char* to_string(TimeInput) noexcept;
LODESTEP_EXPORT TimeInput time_input_from(const std::string& name);

/// A parameter of the right-hand side that is an input of the model: set on the stepper, for each run.
struct CorrectorParameter {
  std::string name;
  double nominal;   ///< the value until another is set
  Interval trained; ///< values it was trained on; a step with any other is not learned
};

/// How far a state is from where learned steps are good: y = projection(state, time inputs, parameters). |y|^2
/// estimates the learned step's error, or is the leverage of the state among those of training (its Christoffel
/// function, inverted), whichever training found to guard. States with |y|^2 <= `limit` are inside.
struct LODESTEP_EXPORT Density {
  ApproximatorSpec projection; ///< inputs: dimension + time inputs + parameters
  double limit = 0.0;          ///< positive
};

/// Where a model may be used: the box of states it was trained on, a density of them, and the largest correction it may
/// apply. Outside, a step is taken by the fallback scheme.
struct LODESTEP_EXPORT Domain {
  std::vector<Interval> state;          ///< [dimension]
  std::vector<double> correction_limit; ///< [dimension]: largest |correction| at `dt`, with a margin
  std::optional<Density> density;       ///< none: the box alone
};

/// The local error of a learned step of variable i, as one standard deviation:
///
///     scale_i (h / dt)^n sqrt(1 + growth |y|^2 / limit),
///
/// h the step, n the power of the correction (see CorrectorModel), y and limit those of the density (0 without one).
/// Calibrated on held-out steps.
struct ErrorEstimate {
  std::vector<double> scale; ///< [dimension], or empty: no estimate
  double growth = 0.0;
  double correlation = 0.0; ///< of the logarithms of estimate and true error on held-out steps
  double coverage = 0.0;    ///< fraction of held-out errors within two standard deviations
};

/// States within a step, learned like the step itself: with x the approximator's features, u and u' the ends of a step
/// and s_j = j / (points + 1),
///
///     u(t + s_j dt) = u + s_j (u' - u) + D_j(x),   j = 1 .. points.
///
/// They cost one more evaluation, and no right-hand side.
struct LODESTEP_EXPORT DenseOutput {
  std::size_t points = 0;        ///< at least 1
  ApproximatorSpec approximator; ///< D, outputs [points, dimension]
  double rms = 0.0;              ///< root mean square error of the states from exact ends, on held-out steps
};

/// A learned correction of a base scheme's step (AttNS, Huang et al. 2024). From a state u, with S dt the base scheme's
/// increment over a step h and p its order,
///
///     u' = u + S dt + c Q(x)             (additive)
///     u' = u + S dt + S dt * c Q(x)      (multiplicative)
///
/// For a model of one step size, h must be `dt` and c = 1. A dt-aware model (`shortest_dt` < `dt`) takes any step
/// 0 < h <= dt with c = (h / dt)^n, n = p + 1 (additive) or p (multiplicative), so that it keeps the order of its base
/// as h -> 0; the features x are then made for that: increments are those of a step of `dt` (multiplied by dt / h),
/// and max(h, shortest_dt) is a feature.
///
/// x is [input; h if dt-aware; time inputs; parameters].
struct LODESTEP_EXPORT CorrectorModel {
  std::string base;         ///< "euler" | "heun" | "rk3" | "rk4": the classical tableau of that name
  double dt = 0.0;          ///< the step it was trained for; the longest of a dt-aware model
  double shortest_dt = 0.0; ///< the shortest step trained for; 0 stands for `dt`: one step size
  CorrectorForm form = CorrectorForm::additive;
  CorrectorInput input = CorrectorInput::increment;
  TimeInput time = TimeInput::none;
  double period = 0.0;           ///< of `phase`
  Interval time_range{0.0, 0.0}; ///< of `elapsed`: steps within it may be learned
  std::vector<CorrectorParameter> parameters;
  ApproximatorSpec approximator;
  Domain domain;
  ErrorEstimate estimate;
  std::optional<DenseOutput> dense; ///< none: states within a step are interpolated between its ends
  /// The scheme that takes over, in sub-steps, where the model may not be used: "" for the base scheme itself, or
  /// "rk4", because a base of low order would need thousands of sub-steps to be as accurate as its correction.
  std::string fallback;
  /// Sub-steps per step of `dt` with which it keeps the model's accuracy.
  unsigned fallback_substeps = 1;

  const std::string& fallback_scheme() const noexcept { return fallback.empty() ? base : fallback; }
  bool dt_aware() const noexcept { return shortest_dt > 0.0 && shortest_dt < dt; }
};

} // namespace lodestep
