#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/corrector_features.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/export.hpp>
#include <lodestep/model.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lodestep {

/// A learned correction of a base scheme's step, and the judge of when it may be used. It knows no host: adapters take
/// the base step in their host's own way and ask this class to correct it.
///
/// One step of size dt from u at time t, with u' the base scheme's result:
///
///     Verdict v = corrector.admits(t, dt, u, scratch);                                   // step, box of states
///     if (v == Verdict::learned) v = corrector.correct(t, dt, u, u', stages, scratch);   // u' += Q
///     if (v != Verdict::learned) ... the adapter takes corrector.substeps(dt) steps of corrector.fallback() instead
///
/// Immutable and shared: any number of threads may use one object, each with its own Scratch.
class LODESTEP_EXPORT Corrector {
public:
  /// What one stepper remembers: the values of the model's parameters, and the memory of `admits` and `correct`. Sized
  /// by the constructor; nothing is allocated later.
  struct LODESTEP_EXPORT Scratch {
    explicit Scratch(const Corrector& corrector);
    std::vector<double> features;        ///< [feature count]
    std::vector<double> correction;      ///< [dimension]: of the last step
    std::vector<double> density_inputs;  ///< [its projection's inputs]
    std::vector<double> density_outputs; ///< [its projection's outputs]
    double leverage = 0.0;               ///< |y|^2 / limit of the last state that was judged; 0 without a density
    std::vector<double> parameters;      ///< [parameters]: nominal until `set_parameter`
    bool parameters_trained = true;      ///< whether all of them are values of training
    Workspace workspace;
  };

  /// Throws InvalidModel if `model` is no corrector or not sound.
  explicit Corrector(std::shared_ptr<const Model> model, Backend backend = Backend::automatic);
  ~Corrector();

  const Model& model() const noexcept { return *model_; }
  const CorrectorModel& description() const noexcept { return *description_; }
  std::size_t dimension() const noexcept { return dimension_; }
  /// The trained step; the longest of a dt-aware model.
  double dt() const noexcept { return dt_; }
  const CorrectorFeatures& features() const noexcept { return features_; }
  const Approximator& approximator() const noexcept { return approximator_; }
  /// Stages of the base scheme that `correct` wants to see: 0 unless the input is `stages`.
  std::size_t stages() const noexcept { return features_.stages(); }

  /// Sets the parameter `name` of the right-hand side that the next steps are of. A value outside the trained interval
  /// is accepted, and no step is then learned. Throws InvalidArgument if the model has no such input or the value is
  /// not finite.
  void set_parameter(Scratch& scratch, const std::string& name, double value) const;

  /// Whether a step of `dt` from `u` at `t` may be learned, as far as the step, the parameters and the box of states
  /// tell; the density is asked by `correct`. Inline: it is paid on every step.
  Verdict admits(double t, double dt, const double* u, const Scratch& scratch) const noexcept {
    const Verdict verdict = admits_step(t, dt, scratch);
    if (verdict != Verdict::learned) return verdict;
    // One branch for the whole box: `&` keeps the loop free of jumps. NaN compares false, so it is outside.
    int inside = 1; // clang warns of `&` between bools
    for (std::size_t i = 0; i < dimension_; ++i) inside &= int{u[i] >= box_[2 * i]} & int{u[i] <= box_[2 * i + 1]};
    return inside != 0 ? Verdict::learned : Verdict::domain;
  }

  /// The part of `admits` that does not depend on the state.
  Verdict admits_step(double t, double dt, const Scratch& scratch) const noexcept {
    if (!(dt >= least_dt_ && dt <= most_dt_)) return Verdict::step_size;
    return context_ ? admits_context(t, dt, scratch) : Verdict::learned;
  }

  /// Adds the correction to `u_next`, the base scheme's result from `u`. `stage_derivatives` holds the base scheme's
  /// k_1 .. k_s, [stages(), dimension()], and is not read when stages() is 0.
  /// On any verdict but `learned`, `u_next` is unspecified. It is `correction` where the correction is larger than any
  /// in training, `domain` where `u` is outside the density of training states.
  Verdict correct(double t, double dt, const double* u, double* u_next, const double* stage_derivatives,
                  Scratch& scratch) const {
    if (zero_) return Verdict::learned;
    return apply(t, dt, u, u_next, stage_derivatives, scratch);
  }

  /// The density's squared norms relative to its limit, [n], of n states [n, dimension] at time t: up to 1 is inside.
  /// Without a density, zeros. Allocates only when n grows.
  void leverages(double t, const double* u, std::size_t n, double* leverage, Scratch& scratch) const;

  /// Corrections [n, dimension] of n steps of dt from their features [n, features().count()], without a judgement.
  /// `increments` [n, dimension], the base scheme's, are read by the multiplicative form only.
  void corrections(double dt, const double* features, const double* increments, std::size_t n, double* correction,
                   Workspace& workspace) const;

  /// States that the model gives within a step: 0 if it has no dense output.
  std::size_t dense_points() const noexcept { return description_->dense ? description_->dense->points : 0; }
  /// The states at t + j dt / (dense_points() + 1), [dense_points(), dimension()], of the step that `correct` has just
  /// learned in `scratch`: `u` and `u_next` are its ends, `u_next` as corrected.
  void dense_states(const double* u, const double* u_next, double* states, Scratch& scratch) const;

  /// Largest |correction| of each variable that is believed in a step of `dt()`, [dimension]; in a shorter one of a
  /// dt-aware model, features().factor(dt) times as much.
  const std::vector<double>& correction_limit() const noexcept { return limit_; }
  /// Whether corrections have to be multiplied, limited or fed with more than a state or an increment: false for the
  /// plain model, whose batches need nothing of that.
  bool plain() const noexcept { return plain_; }

  /// Whether there is an error estimate beyond the model's mean one-step error.
  bool estimates_error() const noexcept { return !description_->estimate.scale.empty(); }
  /// The estimated local error of the step last judged in `scratch`, one standard deviation of each variable,
  /// [dimension]: see ErrorEstimate. Where the model has none, its root mean square one-step error on held-out states.
  /// `learned` false: a step taken by the fallback scheme, in sub-steps that make it about as accurate.
  void error_estimate(double dt, const Scratch& scratch, double* error, bool learned = true) const noexcept;

  /// The scheme that takes the steps which may not be learned: the base scheme or "rk4".
  const std::string& fallback() const noexcept { return fallback_; }
  /// Number of equal steps of it over `dt` that keep the model's accuracy.
  std::size_t substeps(double dt) const noexcept;

private:
  Verdict admits_context(double t, double dt, const Scratch& scratch) const noexcept;
  Verdict judge_density(double t, const double* u, Scratch& scratch) const;
  Verdict apply(double t, double dt, const double* u, double* u_next, const double* stage_derivatives,
                Scratch& scratch) const;

  std::shared_ptr<const Model> model_;
  const CorrectorModel* description_; ///< the model's
  CorrectorFeatures features_;
  Approximator approximator_;
  std::unique_ptr<const Approximator> density_;
  std::unique_ptr<const Approximator> dense_;
  std::size_t dimension_;
  bool zero_;    ///< approximator_.is_zero(), without a call
  bool plain_;   ///< features are the state or the increment, corrections what the approximator gives
  bool context_; ///< the verdict depends on the time or on parameters
  bool multiplicative_;
  double dt_;
  double least_dt_;
  double most_dt_;
  bool density_of_state_ = true; ///< the density is fed with the state alone
  std::size_t density_outputs_ = 0;
  double inverse_density_limit_ = 0.0;
  std::string fallback_;
  double fallback_dt_;
  unsigned fallback_order_;
  std::vector<double> box_;   ///< lower and upper bound of each variable in turn
  std::vector<double> limit_; ///< largest |correction| of each variable
};

} // namespace lodestep
