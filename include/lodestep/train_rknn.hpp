#pragma once

#include <lodestep/evaluate_controlled.hpp>
#include <lodestep/family.hpp>
#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Offline training of Runge-Kutta coefficients for a family of problems (RK-NN, Guo et al. 2021).
///
/// Errors are measured as in the paper: the error of a roll-out is the largest over its steps (eq. 8), the error of an
/// integrator is taken relative to a classical one's on the same task, and ratios are averaged geometrically, over
/// tasks and over step sizes spread evenly in log(dt).
namespace lodestep {

struct RknnOptions {
  std::size_t stages = 3;
  /// Order aimed at. More than a tableau of that many stages can have for any problem (2 stages, order 3) asks for the
  /// family's own order: the Taylor coefficients of step and flow are matched up to it (eq. 16), from many starts.
  unsigned order = 3;
  Interval dt{0.0, 0.0};        ///< step sizes to learn for; zero: the family's
  std::vector<double> horizons; ///< of the roll-outs fitted, 0 for single steps; empty: the family's
  bool softmax = false;         ///< positive weights by softmax, as in the paper; else any weights with sum 1
  /// Degree of the coefficients as polynomials in the step size, and in the family's parameters (RK-NN beyond the
  /// paper). 0: constants. Not given: 0, with an embedded row 2, where control changes the step from one to the next.
  std::optional<unsigned> dt_degree;
  unsigned parameter_degree = 0;
  /// Learns a pair for step-size control: a method and an embedded row, fitted together on the steps that control makes
  /// them take.
  bool embedded = false;
  /// Keeps the method exact to `order` for every problem. It gains less on the family, and its range of validity
  /// usually reaches down to the smallest steps.
  bool exact_order = false;
  std::string classical;   ///< tableau to compare with and to fall back on; empty: chosen by order and stages
  std::size_t starts = 20; ///< random starts of the fit
  /// "auto": nonlinear least squares on roll-outs. "paper": Adam on single steps (algorithm 1), softmax weights, eq. 14
  /// plus the Taylor regulariser of eq. 16, with the numbers of the code published with the paper.
  std::string recipe = "auto";
  std::size_t epochs = 0;      ///< of the paper's recipe; 0: as published for the family
  std::size_t samples = 0;     ///< of the paper's recipe; 0: 3000, as published
  double taylor_weight = -1.0; ///< of the paper's recipe; negative: as published for the family
  std::uint64_t seed = 0;
  Progress progress;
};

struct RknnResult {
  Model model;
  double one_step_ratio = 0.0; ///< on held-out tasks, over the trained step sizes
  double global_ratio = 0.0;
  double horizon = 0.0;
  double dropped_fraction = 0.0; ///< questions without a finite answer, left out
  /// Largest relative mismatch of the Taylor coefficients up to `order`, when those were matched; else NaN.
  double taylor_mismatch = 0.0;
  ControlledEvaluation controlled; ///< with an embedded row
  double seconds = 0.0;
  std::vector<double> start_ratios; ///< what each start came to, best first
};

/// Learns a tableau. The same options and seed give the same model. Throws InvalidArgument (stages, order, step sizes
/// out of range) and InvalidData (a family whose right-hand sides or solutions are not finite for more than a tenth of
/// the tasks).
LODESTEP_TRAIN_EXPORT RknnResult train_rknn(const Family& family, const RknnOptions& options);

struct TableauEvaluateOptions {
  Interval dt{0.0, 0.0}; ///< zero: the model's trained step sizes
  double horizon = 0.0;  ///< of the roll-outs; zero: the family's
  std::size_t step_sizes = 10;
  std::size_t tasks = 100;
  /// Whether steps outside the model's range of validity are taken with the classical tableau, as steppers take them.
  bool fallback = true;
  double widen = 1.0;        ///< of the family's distribution
  double most_dropped = 0.1; ///< fraction of questions without a finite answer above which InvalidData is thrown
  std::uint64_t seed = 0;
};

/// One step size of an evaluation.
struct TableauErrors {
  double dt;
  double one_step_ratio; ///< geometric mean over tasks of error / classical error
  double global_ratio;
  double one_step_rms_ratio; ///< ratio of the root mean squares over tasks
  double global_rms_ratio;
  double global_error; ///< geometric mean over tasks
  double classical_global_error;
  bool learned; ///< false: fallen back
};

struct TableauEvaluation {
  double one_step_ratio = 0.0; ///< geometric means over the step sizes
  double global_ratio = 0.0;
  double horizon = 0.0;
  double dropped_fraction = 0.0;
  double seconds = 0.0;
  std::vector<TableauErrors> by_dt;
};

/// Errors of a learned tableau on held-out (test) tasks of a family.
LODESTEP_TRAIN_EXPORT TableauEvaluation evaluate_tableau(const Model& model, const Family& family,
                                                         const TableauEvaluateOptions& options);
/// The same for any tableau, compared with the classical one of that name.
LODESTEP_TRAIN_EXPORT TableauEvaluation evaluate_tableau(const ButcherTableau& tableau, const std::string& classical,
                                                         const Family& family, const TableauEvaluateOptions& options);

/// The classical tableau RK-NN compares with: of the order asked for, or the best that so many stages can have.
LODESTEP_TRAIN_EXPORT const ButcherTableau& rknn_classical(std::size_t stages, unsigned order);
/// The highest order an explicit method of so many stages can have for every problem (Butcher barriers), 1 to 13
/// stages.
LODESTEP_TRAIN_EXPORT unsigned attainable_order(std::size_t stages);

} // namespace lodestep
