#pragma once

#include "host_rhs.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <vector>

namespace lodestep::c {

/// Steps of many states at once: those the model may step, together; then those it may not, together. Each state gets
/// the bits it would get alone, because the arithmetic of a state never depends on its neighbours.
class Ensemble {
public:
  explicit Ensemble(const Corrector& corrector);

  /// Writes the states after the step to next(), [n, dimension]; returns 0 or the right-hand side's code.
  /// Allocates only for more states than ever before.
  int step(HostRhs& rhs, double t, const double* y, std::size_t n, double dt);
  const double* next() const noexcept { return next_.data(); }
  /// Adds the last step's verdicts to the counters.
  void count() noexcept;

  const StepCounters& counters() const noexcept { return counters_; }
  void set_parameter(const std::string& name, double value) { corrector_.set_parameter(scratch_, name, value); }
  void reset_counters() noexcept { counters_ = {}; }

private:
  void gather(const double* y);
  int step_with(const ButcherTableau& scheme, HostRhs& rhs, double t, double dt, double* out);
  int fall_back(HostRhs& rhs, double t, const double* y, double dt);
  void correct(double t, double dt);

  const Corrector& corrector_;
  const ButcherTableau& base_;
  const ButcherTableau& fallback_;
  Corrector::Scratch scratch_;
  std::vector<double> stages_;       ///< of one state, [stages, dimension]
  std::vector<Verdict> verdicts_;    ///< [n]
  std::vector<std::size_t> members_; ///< states now stepped together
  std::vector<double> u_;            ///< [members, dimension]
  std::vector<double> stage_state_;  ///< [members, dimension]
  std::vector<double> result_;       ///< [members, dimension]
  std::vector<double> k_;            ///< [stages, members, dimension]
  std::vector<double> next_;         ///< [n, dimension]
  StepCounters counters_;
};

} // namespace lodestep::c
