#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/export.hpp>
#include <lodestep/model.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep {

/// A learned correction of a base scheme's step, and the judge of when it may be used. It knows no host: adapters take
/// the base step in their host's own way and ask this class to correct it.
///
/// One step of size dt from u, with u' the base scheme's result:
///
///     Verdict v = corrector.admits(dt, u);
///     if (v == Verdict::learned) v = corrector.correct(u, u', stages, scratch);   // u' += Q
///     if (v != Verdict::learned) ... the adapter takes corrector.substeps(dt) base steps from u instead
///
/// Immutable and shared: any number of threads may use one object, each with its own Scratch.
class LODESTEP_EXPORT Corrector {
public:
  /// Per-stepper memory of `correct`. Sized by the constructor; nothing is allocated later.
  struct LODESTEP_EXPORT Scratch {
    explicit Scratch(const Corrector& corrector);
    std::vector<double> features;   ///< [feature_count]
    std::vector<double> correction; ///< [dimension]
    Workspace workspace;
  };

  /// Throws InvalidModel if `model` is no corrector or not sound.
  explicit Corrector(std::shared_ptr<const Model> model, Backend backend = Backend::automatic);
  ~Corrector();

  const Model& model() const noexcept { return *model_; }
  std::size_t dimension() const noexcept { return dimension_; }
  double dt() const noexcept { return dt_; }
  CorrectorInput input() const noexcept { return input_; }
  const Approximator& approximator() const noexcept { return approximator_; }
  /// Stages of the base scheme that `correct` wants to see: 0 unless the input is `stages`.
  std::size_t stages() const noexcept { return stages_; }

  /// Whether a step of `dt` from `u` may be learned. Inline: it is paid on every step.
  Verdict admits(double dt, const double* u) const noexcept {
    // A grid such as t0 + n dt is only as regular as rounding allows.
    if (!(std::abs(dt - dt_) <= dt_tolerance_)) return Verdict::step_size;
    // One branch for the whole box: `&` keeps the loop free of jumps. NaN compares false, so it is outside.
    int inside = 1; // clang warns of `&` between bools
    for (std::size_t i = 0; i < dimension_; ++i) inside &= int{u[i] >= box_[2 * i]} & int{u[i] <= box_[2 * i + 1]};
    return inside != 0 ? Verdict::learned : Verdict::domain;
  }

  /// Adds the correction to `u_next`, the base scheme's result from `u`. `stage_derivatives` holds the base scheme's
  /// k_1 .. k_s, [stages(), dimension()], and is not read when stages() is 0.
  /// On any verdict but `learned`, `u_next` is unchanged.
  Verdict correct(const double* u, double* u_next, const double* stage_derivatives, Scratch& scratch) const {
    if (zero_) return Verdict::learned;
    return apply(u, u_next, stage_derivatives, scratch);
  }

  /// Largest |correction| of each variable that is believed, [dimension].
  const std::vector<double>& correction_limit() const noexcept { return limit_; }

  /// Number of equal base steps over `dt` that keep the model's accuracy.
  std::size_t substeps(double dt) const noexcept;

private:
  Verdict apply(const double* u, double* u_next, const double* stage_derivatives, Scratch& scratch) const;

  std::shared_ptr<const Model> model_;
  Approximator approximator_;
  CorrectorInput input_;
  std::size_t dimension_;
  std::size_t stages_;
  bool zero_; ///< approximator_.is_zero(), without a call
  double dt_;
  double dt_tolerance_;
  double fallback_dt_;
  std::vector<double> box_;   ///< lower and upper bound of each variable in turn
  std::vector<double> limit_; ///< largest |correction| of each variable
};

/// Features of the approximator for one step, [feature count]: what `input` says, from the state `u`, the base scheme's
/// result `u_next` and its stage derivatives. Training and stepping build them with this one function.
LODESTEP_EXPORT void corrector_features(CorrectorInput input, std::size_t dimension, std::size_t stages, double dt,
                                        const double* u, const double* u_next, const double* stage_derivatives,
                                        double* features) noexcept;
/// Number of features: dimension, or dimension x stages for `stages`.
LODESTEP_EXPORT std::size_t corrector_feature_count(CorrectorInput input, std::size_t dimension,
                                                    std::size_t stages) noexcept;

} // namespace lodestep
