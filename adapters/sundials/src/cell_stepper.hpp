#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Learned steps of many independent cells at once. Knows nothing of SUNDIALS: states are arrays.
namespace lodestep::arkode {

/// What became of one cell in one step. The first four are the core's verdicts.
enum class Outcome : std::uint8_t { learned, step_size, domain, correction, forcing, rhs };
constexpr std::size_t outcome_count = 6;

/// A polynomial in time added to the right-hand side: g(t) = sum_k term[k] ((t - shift) / scale)^k.
struct Forcing {
  double shift = 0.0;
  double scale = 1.0;
  std::size_t count = 0;     ///< number of terms; 0: none
  std::vector<double> terms; ///< [count, size]

  /// dudt += g(t).
  void add(double t, double* dudt, std::size_t size) const noexcept;
  /// increment = integral of g from t to t + dt.
  void integrate(double t, double dt, double* increment, std::size_t size) const noexcept;
};

/// How [cells, dimension] numbers lie in an array.
struct CellLayout {
  std::size_t cells = 0;
  std::size_t dimension = 0;
  bool variables_first = false; ///< entry cells * variable + cell instead of dimension * cell + variable

  std::size_t size() const noexcept { return cells * dimension; }
  std::size_t cell_stride() const noexcept { return variables_first ? 1 : dimension; }
  std::size_t variable_stride() const noexcept { return variables_first ? cells : 1; }
  /// True if the variables of a cell are neighbours in memory.
  bool adjacent() const noexcept { return !variables_first || cells == 1; }
};

/// The learned step on an array of cells: the base scheme on all of it, the correction of all cells as one batch, and
/// the fallback scheme sub-stepped for the cells the model may not be used for. Nothing is allocated after
/// construction, but for the approximator's workspace in the first step.
class CellStepper {
public:
  /// Throws InvalidArgument if the layout's dimension is not the corrector's.
  CellStepper(std::shared_ptr<const Corrector> corrector, CellLayout layout);

  const Corrector& corrector() const noexcept { return *corrector_; }
  const CellLayout& layout() const noexcept { return layout_; }

  /// Sets a parameter that is an input of the model, for all cells: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { corrector_->set_parameter(scratch_, name, value); }
  /// The values that another stepper of the same corrector has.
  void copy_parameters(const CellStepper& other) {
    scratch_.parameters = other.scratch_.parameters;
    scratch_.parameters_trained = other.scratch_.parameters_trained;
  }

  double forcing_tolerance = 0.0;
  unsigned max_recoveries = 4;

  std::uint64_t steps = 0;
  std::uint64_t outcomes[outcome_count] = {};
  std::uint64_t network_evaluations = 0;

  /// Advances all cells by dt in place. `rhs(t, u, dudt)` returns 0, > 0 (recoverable) or < 0 (fatal) and excludes the
  /// forcing; `dudt`, if not null, is its value at (t, u). Returns 0, or the code of the right-hand side (> 0 also for
  /// a result that stays not finite) with u unchanged.
  template <class Rhs> int step(Rhs&& rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing) {
    if (forcing.count == 0) return take(rhs, t, u, dt, dudt, forcing);
    auto forced = [&](double at, const double* v, double* out) -> int {
      if (const int status = rhs(at, v, out)) return status;
      forcing.add(at, out, layout_.size());
      return 0;
    };
    if (dudt) {
      std::copy_n(dudt, layout_.size(), first_slope_.data());
      forcing.add(t, first_slope_.data(), layout_.size());
      dudt = first_slope_.data();
    }
    return take(forced, t, u, dt, dudt, forcing);
  }

private:
  template <class Rhs> int take(Rhs& rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing) {
    const std::size_t size = layout_.size();
    std::size_t learned = admit(t, dt, u);
    if (learned > 0) {
      const int status = base_.step(rhs, t, u, dt, next_.data(), dudt);
      if (status < 0) return status;
      learned = status == 0 ? correct(t, u, dt, forcing) : give_up();
    }
    if (learned < layout_.cells) {
      const std::size_t substeps = corrector_->substeps(dt);
      for (unsigned attempt = 0;; ++attempt) {
        const int status = sub_step(rhs, t, u, dt, substeps << attempt, dudt);
        if (status < 0) return status;
        if (status == 0 && replace(attempt > 0)) break;
        if (attempt >= max_recoveries) return status > 0 ? status : 1;
      }
    }
    std::copy_n(next_.data(), size, u);
    ++steps;
    if (learned == layout_.cells) {
      outcomes[0] += learned;
    } else {
      for (const Outcome o : outcome_) ++outcomes[static_cast<std::size_t>(o)];
    }
    return 0;
  }

  template <class Rhs>
  int sub_step(Rhs& rhs, double t, const double* u, double dt, std::size_t substeps, const double* dudt) {
    std::copy_n(u, layout_.size(), fallback_.data());
    const double h = dt / static_cast<double>(substeps);
    for (std::size_t i = 0; i < substeps; ++i) {
      const double at = t + static_cast<double>(i) * h;
      if (const int status =
              sub_stepper_.step(rhs, at, fallback_.data(), h, fallback_.data(), i == 0 ? dudt : nullptr)) {
        return status;
      }
    }
    return 0;
  }

  /// Judges every cell before the step; returns how many may be learned.
  std::size_t admit(double t, double dt, const double* u);
  /// Corrects next_ where it may be, judges the result; returns how many cells stay learned.
  std::size_t correct(double t, const double* u, double dt, const Forcing& forcing);
  std::size_t correct_batch(double t, const double* u, double dt, const double* forcing_increment);
  /// The right-hand side failed in the learned step: no cell is learned.
  std::size_t give_up() noexcept;
  /// Takes the cells that are not learned from fallback_ into next_. False if one of them is not finite.
  bool replace(bool recovered) noexcept;
  /// Whether the forcing moves the correction `q` of a cell by more than the tolerance.
  bool forcing_too_large(const double* q, const double* u, const double* u_next,
                         const double* increment) const noexcept;
  /// The variables of one cell as neighbours: in place, or copied to `buffer`.
  const double* cell(const double* array, std::size_t index, double* buffer) const noexcept;
  bool finite(const double* array, std::size_t index) const noexcept;

  std::shared_ptr<const Corrector> corrector_;
  CellLayout layout_;
  RungeKutta base_;
  RungeKutta sub_stepper_; ///< of the model's fallback scheme
  Corrector::Scratch scratch_;
  std::vector<double> limit_;                                             ///< [dimension], largest |correction|
  std::vector<double> inverse_width_;                                     ///< [dimension], of the domain
  std::vector<Outcome> outcome_;                                          ///< [cells]
  std::vector<double> next_, fallback_, first_slope_, forcing_increment_; ///< [cells, dimension], the host's layout
  std::vector<double> features_, corrections_, increments_;             ///< [cells, features], [cells, dimension] twice
  std::vector<double> cell_u_, cell_next_, cell_forcing_, cell_stages_; ///< one cell
  std::vector<std::size_t> rows_;                                       ///< cells in the batch
};

} // namespace lodestep::arkode
