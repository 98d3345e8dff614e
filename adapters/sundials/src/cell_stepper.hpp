#pragma once

#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

/// Learned steps of many independent cells at once. Knows nothing of SUNDIALS: states are arrays.
namespace lodestep::arkode {

/// What became of one cell in one step. The first four are the core's verdicts.
enum class Outcome : std::uint8_t { learned, step_size, domain, correction, forcing, rhs };
constexpr std::size_t outcome_count = 6;

/// Refers to a right-hand side `f(t, u, dudt)`, which returns 0, > 0 (recoverable) or < 0 (fatal) and outlives this.
class RhsRef {
public:
  template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_const_t<F>, RhsRef>>>
  RhsRef(F& f) noexcept
      : object_(&f),
        call_([](void* o, double t, const double* u, double* dudt) { return (*static_cast<F*>(o))(t, u, dudt); }) {}
  int operator()(double t, const double* u, double* dudt) const { return call_(object_, t, u, dudt); }

private:
  void* object_;
  int (*call_)(void*, double, const double*, double*);
};

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

/// The learned step on an array of cells: what the model builds on for all of it, what it adds for all cells as one
/// batch, and a classical scheme sub-stepped for the cells it may not be used for. What is learned is told by a class
/// for each kind of model. Nothing is allocated after construction, but for the approximator's workspace in the first
/// step.
class CellStepper {
public:
  virtual ~CellStepper();
  CellStepper(const CellStepper&) = delete;
  CellStepper& operator=(const CellStepper&) = delete;

  const CellLayout& layout() const noexcept { return layout_; }
  /// Lengths of the steps that are learned, the longest first. Never empty.
  const std::vector<double>& trained_steps() const noexcept { return trained_steps_; }
  /// The same model for other cells, with the options, parameters and counts of this one.
  std::unique_ptr<CellStepper> with_layout(CellLayout layout) const;
  /// Sets a parameter that is an input of the model, for all cells. Throws InvalidArgument if there is no such input.
  virtual void set_parameter(const std::string& name, double value);

  double forcing_tolerance = 0.0;
  unsigned max_recoveries = 4;

  std::uint64_t steps = 0;
  std::uint64_t outcomes[outcome_count] = {};
  std::uint64_t network_evaluations = 0;

  /// Advances all cells by dt in place. `rhs` excludes the forcing; `dudt`, if not null, is its value at (t, u).
  /// Returns 0, or the code of the right-hand side (> 0 also for a result that stays not finite) with u unchanged.
  int step(RhsRef rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing);

  /// States that the model gives within a learned step of dt, at equal distances: 0 if it gives none.
  virtual std::size_t dense_points(double dt) const noexcept;
  /// These states of the step from `u` to `u_next` that was just taken, [dense_points(dt), size]. Cells that were not
  /// learned get them from the fallback scheme, whose return is handed on.
  virtual int dense_states(RhsRef rhs, double t, const double* u, double dt, const double* u_next, double* states);
  /// The step of a classical scheme that fills in between learned steps, where the model says so; 0 if not.
  virtual double fine_dt() const noexcept { return 0.0; }
  /// Advances u by that scheme, in such steps and a last, shorter one. Counts nothing. Returns the code of the
  /// right-hand side, > 0 also for a result that is not finite; u is then of no use.
  int fill(RhsRef rhs, double t, double* u, double tout);

protected:
  /// `fallback` takes the steps that may not be learned.
  CellStepper(CellLayout layout, const ButcherTableau& fallback, std::vector<double> trained_steps);

  /// Judges every cell before the step into outcome_; returns how many may be learned.
  virtual std::size_t admit(double t, double dt, const double* u, const Forcing& forcing) = 0;
  /// next_ = what the model builds on, from u. Returns the code of the right-hand side.
  virtual int base_step(RhsRef rhs, double t, const double* u, double dt, const double* dudt) = 0;
  /// Adds what was learned to next_ where it may be, judges the result; returns how many cells stay learned.
  virtual std::size_t correct(double t, const double* u, double dt, const Forcing& forcing) = 0;
  /// Steps of the fallback scheme over dt.
  virtual std::size_t substeps(double dt) const noexcept = 0;
  /// A new stepper of the same model, with the parameters of this one.
  virtual std::unique_ptr<CellStepper> make(CellLayout layout) const = 0;

  /// fallback_ = `substeps` equal steps of the fallback scheme from u over dt.
  int sub_step(RhsRef rhs, double t, const double* u, double dt, std::size_t substeps, const double* dudt);
  /// All cells have the same outcome. Returns 0, how many are learned then.
  std::size_t none(Outcome why) noexcept;
  /// The variables of one cell as neighbours: in place, or copied to `buffer`.
  const double* cell(const double* array, std::size_t index, double* buffer) const noexcept;
  bool finite(const double* array, std::size_t index) const noexcept;

  CellLayout layout_;
  std::vector<Outcome> outcome_;        ///< [cells]
  std::vector<double> next_, fallback_; ///< [cells, dimension], the host's layout
  std::vector<std::size_t> rows_;       ///< cells in the batch

private:
  int take(RhsRef rhs, double t, double* u, double dt, const double* dudt, const Forcing& forcing);
  /// Takes the cells that are not learned from fallback_ into next_. False if one of them is not finite.
  bool replace(bool recovered) noexcept;

  std::vector<double> trained_steps_;
  RungeKutta sub_stepper_;
  std::vector<double> first_slope_; ///< [cells, dimension], the host's layout
};

/// Of a corrector or a hierarchy. Throws InvalidArgument for other kinds of model, InvalidModel if it is not sound.
std::unique_ptr<CellStepper> make_cell_stepper(std::shared_ptr<const Model> model);

} // namespace lodestep::arkode
