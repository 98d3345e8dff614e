#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/corrector_model.hpp>
#include <lodestep/export.hpp>
#include <lodestep/hierarchy_model.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/variables.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// A model is the learned part of a stepper together with all that is needed to use it rightly. It is a value: made by
/// training, kept in one safetensors file, shared immutably by steppers.
namespace lodestep {

/// What was measured on held-out initial states after training.
struct LODESTEP_EXPORT ErrorProfile {
  double step_rms = 0.0;        ///< root mean square error of one step, over variables
  double step_max = 0.0;        ///< largest error of one step
  double horizon = 0.0;         ///< length of the roll-outs
  double horizon_rms = 0.0;     ///< root mean square over time, variables and trajectories
  double base_step_rms = 0.0;   ///< the base scheme's own one-step error, for comparison
  std::size_t trajectories = 0; ///< held-out trajectories measured
};

/// Where a model comes from: enough to make it again.
struct LODESTEP_EXPORT Provenance {
  std::string problem;
  std::vector<Parameter> parameters;
  std::uint64_t seed = 0;
  std::size_t training_trajectories = 0;
  std::string recipe;
  std::string library_version;
  std::string initial{}; ///< the distribution of initial states: "paper", "wide", ... or the file they came from
};

/// One term of coefficients that depend on the step size and the family's parameters: a monomial in
///
///     x_0 = (dt - centre) / half width of `trained_dt`,    x_i = the same of parameter i and its trained interval
///
/// and what it adds to the tableau. The a_ij it adds are strictly lower triangular, the b_i sum to 0. An embedded row
/// moves with b: the weights of the error estimate, b - b_embedded, are the same for every step size and parameter.
struct LODESTEP_EXPORT TableauTerm {
  std::vector<unsigned> powers; ///< [1 + parameters]: of x_0, x_1, ...; not all 0
  std::vector<double> a;        ///< [stages, stages], row-major
  std::vector<double> b;        ///< [stages]
};

/// A parameter of the family a tableau was learned for, and the values it may be used at.
struct LODESTEP_EXPORT TableauParameter {
  std::string name;
  Interval trained;
  Interval valid; ///< contains `trained`
};

/// Runge-Kutta coefficients learned for a family of problems (RK-NN, Guo et al. 2021).
struct LODESTEP_EXPORT TableauModel {
  /// The learned method (its constant part, if there are terms). Its stated order is the one it has for any problem,
  /// often 1; on its family, for steps in `dt`, it behaves as one of order `family_order`.
  ButcherTableau tableau;
  std::vector<TableauTerm> terms; ///< empty: the same coefficients for every step size and parameter
  unsigned family_order = 1;
  std::string family;    ///< "van_der_pol" ...
  std::string classical; ///< the classical tableau that takes the steps outside the range of validity
  Interval trained_dt{0.0, 0.0};
  /// Step sizes at which the learned tableau was measured to be no worse than the classical one; within them it is
  /// used.
  Interval dt{0.0, 0.0};
  /// With an embedded row: step sizes at which, where step-size control takes them, its local error was measured to be
  /// no larger than the classical tableau's. Steppers with an error estimate use it within them. Larger steps than
  /// fixed ones may have are taken where the solution is slow.
  Interval controlled_dt{0.0, 0.0};
  std::vector<TableauParameter> parameters;
  std::vector<Interval> state; ///< box of states it may be used from, [dimension], or empty: any state
};

/// A learned stepper, described completely.
struct LODESTEP_EXPORT Model {
  /// The newest file format this library writes, and the newest it reads.
  static constexpr unsigned format_version = 1;

  std::vector<Variable> variables;
  ErrorProfile error;
  Provenance provenance;
  std::variant<CorrectorModel, TableauModel, HierarchyModel> method;

  std::size_t dimension() const noexcept { return variables.size(); }
  /// "corrector", "tableau" or "hierarchy"
  const char* kind() const noexcept;
  /// Checks every field against every other. Throws InvalidModel naming the field.
  void validate() const;
};

/// Reads a model file (safetensors, description in its metadata), checking every byte and every field.
/// Throws IoError if it cannot be read, InvalidModel (naming the field) if it is not a sound model.
LODESTEP_EXPORT std::shared_ptr<const Model> load_model(const std::string& path);
/// The same from memory; `name` stands for the path in messages.
LODESTEP_EXPORT std::shared_ptr<const Model> load_model(const void* data, std::size_t size, const std::string& name);

enum class Overwrite { no, yes };

/// Writes a model file, whole or not at all: to a temporary beside it, flushed to disk, then renamed.
/// Throws InvalidModel, or IoError (also if the file exists and `overwrite` is `no`).
LODESTEP_EXPORT void save_model(const Model& model, const std::string& path, Overwrite overwrite = Overwrite::no);
/// The bytes save_model would write. The same model gives the same bytes.
LODESTEP_EXPORT std::vector<unsigned char> serialize_model(const Model& model);

} // namespace lodestep
