#pragma once

#include <lodestep/aligned.hpp>
#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/export.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::detail {

/// The learned part of an ensemble's step, without its right-hand side: the verdict of every member by itself, and the
/// corrections. It judges and corrects as Corrector does, a block of up to `ensemble_block` members at a time.
class LODESTEP_EXPORT EnsembleGuard {
public:
  /// Where the base scheme's k_{s + 1}, variable i, of the k-th member of a block stands:
  /// data[s * stage + i * variable + k * member].
  struct Stages {
    const double* data;
    std::size_t stage;
    std::size_t variable;
    std::size_t member;
  };

  explicit EnsembleGuard(std::shared_ptr<const Corrector> corrector);

  const Corrector& corrector() const noexcept { return *corrector_; }
  void set_parameter(const std::string& name, double value) { corrector_->set_parameter(scratch_, name, value); }

  /// A new step, of so many members.
  void begin(std::size_t members) { verdicts_.resize(members); }
  Verdict verdict(std::size_t member) const noexcept { return verdicts_[member]; }
  std::size_t members() const noexcept { return verdicts_.size(); }

  /// The verdicts on the n members from `first`, whose states are x [n, dimension], and again u [dimension, n]; whether
  /// any may be learned.
  bool judge(double t, double dt, const double* x, const double* u, std::size_t first, std::size_t n);
  /// The first of n members from `first` that may be learned, counted from there; if there is none, the last.
  std::size_t a_learned_member(std::size_t first, std::size_t n) const noexcept;
  /// next += correction, both [n, dimension], of base steps from x; and the verdict of each member on the size of its.
  /// `stages` is not read unless the model's input is stages.
  void correct(double t, double dt, const double* x, const Stages& stages, std::size_t first, std::size_t n,
               double* next);

private:
  const double* make_features(double t, double dt, const double* x, const double* next, const Stages& stages,
                              std::size_t n);

  std::shared_ptr<const Corrector> corrector_;
  std::vector<Verdict> verdicts_;  ///< of every member in this step
  AlignedVector<double> features_; ///< of a block, [member][feature], as are the next
  AlignedVector<double> correction_;
  AlignedVector<double> increments_;      ///< for the multiplicative form
  AlignedVector<double> limit_;           ///< of corrections, the same for every member: judged in one pass
  AlignedVector<double> leverage_;        ///< of each member
  std::vector<double> stage_derivatives_; ///< of one member, [stage][variable]
  Corrector::Scratch scratch_;
};

} // namespace lodestep::detail
