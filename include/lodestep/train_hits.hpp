#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Offline training of flow maps (HiTS, Liu et al. 2022): from a problem, or from trajectories alone.
namespace lodestep {

struct TrajectorySet;

/// Levels first .. last: flow maps for the steps base_dt 2^level.
struct Levels {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// What flow maps of a problem are learned as.
enum class FlowMapKind {
  automatic, ///< piecewise polynomials of up to three variables unless options of networks are given, else networks
  piecewise, ///< polynomials on an adaptive grid: accurate and quick to learn, for up to three variables
  mlp        ///< networks
};
LODESTEP_TRAIN_EXPORT const char* to_string(FlowMapKind) noexcept;
/// The inverse; InvalidArgument names the allowed words.
LODESTEP_TRAIN_EXPORT FlowMapKind flow_map_kind_from(const std::string& name);

struct HitsOptions {
  /// Levels to learn. Not given: with a problem, those around its dt; with trajectories, all that they are long enough
  /// for, up to 10.
  std::optional<Levels> levels;
  double base_dt = 0.0; ///< 0: the problem's fine_dt, or the spacing of the trajectories
  double fine_dt = 0.0; ///< of the fine scheme; 0: the problem's, or the spacing of the trajectories
  /// Steps of the levels: base_dt ratio^level. The paper uses 2, and 4, 5 and 6 for its sequences. 0: 2, or 6 where
  /// coordinates are reduced.
  std::size_t ratio = 0;
  /// Trajectories: principal components that maps step in the place of the variables. 0: none for few variables, for
  /// more than 16 the fewest that leave 1e-8 of the variance, at most 128.
  std::size_t modes = 0;
  /// With a problem.
  FlowMapKind kind = FlowMapKind::automatic;
  /// Piecewise polynomials: error of one step, in widths of the box of states; 0: 1e-8. It is loosened, tenfold at a
  /// time and up to 1e-4, where a map takes more cells than is reasonable.
  double tolerance = 0.0;
  /// Piecewise polynomials: learn one map, of the last level's step, which gives the states at the first level's
  /// spacing on the way.
  bool dense = false;
  /// Networks: also learn a map that corrects coarse classical steps.
  bool corrected = true;
  /// Networks: fit the derivatives of flow maps as well as their values, by difference quotients between
  /// neighbouring states. A pair then costs what 1 + dimension others do; unless `pairs` is given there are as many
  /// fewer.
  bool jacobian = false;
  /// The classical tableau that fills in between states that maps place, and takes the steps they may not.
  std::string fine = "rk4";
  std::size_t pairs = 0;           ///< of states to learn each map from; 0: as many as are usually enough
  std::vector<std::size_t> hidden; ///< widths of the hidden layers; empty: 24 and 24
  int iterations = 0;              ///< of Levenberg-Marquardt, for each map; 0: 220
  /// Trajectories: where neither polynomials nor solved networks do well, iterate for one, which takes minutes, not
  /// seconds.
  bool iterate = true;
  /// Trajectories: look for noise, independent from sample to sample, and take it off before anything is learned.
  bool smooth = true;
  double horizon = 0.0; ///< of the validation roll-outs; 0: the problem's or the trajectories'
  std::uint64_t seed = 0;
  Progress progress;
};

struct HitsMapReport {
  double dt = 0.0;
  std::string base; ///< "" or the classical scheme that is corrected
  std::string description;
  double step_rms = 0.0;       ///< one step, on held-out pairs
  double validation_mse = 0.0; ///< over the horizon, placed by this map alone and interpolated or filled in
  double seconds = 0.0;
};

struct HitsResult {
  Model model;
  std::vector<HitsMapReport> maps; ///< as in the model
  /// From trajectories: root mean square of what was taken off each variable as noise; 0 where none was found.
  std::vector<double> noise_rms;
  bool interrupted = false;
  double seconds = 0.0;
};

/// Learns flow maps of a problem. Polynomials come first (a flow map that is one, as that of a linear system, is found
/// exactly). Of up to three variables maps are then learned as polynomials on a grid, refined until each step is as
/// exact as asked for; otherwise as tanh networks by Levenberg-Marquardt, from pairs of states half from a box around
/// all trajectories and half from trajectories. The levels that do best together on validation trajectories are chosen
/// as in section 2.3, and so is the map that places states for the hybrid scheme. Throws InvalidArgument, InvalidData.
LODESTEP_TRAIN_EXPORT HitsResult train_hits(const Problem& problem, const HitsOptions& options);

/// The same from trajectories on one uniform grid, the last fifth of which (one at least) is held out for the choices.
/// `name` stands for the file in messages. Throws InvalidData where the trajectories are too short for a level, too
/// few, or not finite, and InvalidArgument.
///
/// Where wide windows of samples predict left-out ones better than narrow ones, the data is noisy. Of up to 5 variables
/// a polynomial right-hand side is looked for whose solutions fit segments of trajectories, up to whole ones, to within
/// the noise; if there is one, its solutions take the place of the samples. Otherwise these are smoothed.
///
/// For each step, polynomials and networks of random units are solved by least squares, from pairs that the right-hand
/// side makes if it has been found and from pairs of the data, and unless the data is noisy a network is iterated for,
/// until one places held-out states so well that interpolation between them is worse; the best is kept.
///
/// States of more than 16 variables are reduced to principal components, and maps are networks of one hidden layer of
/// random units (`hidden`: its width; empty: 512), solved by least squares, each chosen by the states it places after
/// the larger ones. From a single trajectory this is the paper's sequence generation: learned and judged by the same
/// sequence, a compressed recording that predicts nothing beyond it.
LODESTEP_TRAIN_EXPORT HitsResult train_hits(const TrajectorySet& data, const HitsOptions& options,
                                            const std::string& name);

enum class HierarchyMode { multiscale, hybrid, parareal };
LODESTEP_TRAIN_EXPORT const char* to_string(HierarchyMode) noexcept;
/// The inverse; InvalidArgument names the allowed words.
LODESTEP_TRAIN_EXPORT HierarchyMode hierarchy_mode_from(const std::string& name);

struct HierarchyEvaluateOptions : EvaluateOptions {
  HierarchyMode mode = HierarchyMode::hybrid;
  std::size_t sweeps = 3;         ///< of parareal, at most
  double tolerance = 0.0;         ///< of parareal: stop when no jump is larger
  std::size_t threads = 1;        ///< with more than one, times are of the wall clock
  std::optional<std::size_t> map; ///< of hybrid and parareal: the map that places; not given: the model's choice
};

/// How a hierarchy does on held-out initial states. `dt` is the spacing of the states that maps place and mse_* are of
/// those; base_mse_mean is of the fine scheme alone, from state to state.
struct HierarchyEvaluation : Evaluation {
  HierarchyMode mode = HierarchyMode::hybrid;
  double fine_dt = 0.0;
  double fine_mse_mean = 0.0; ///< of all fine states
  double fine_mse_median = 0.0;
  double base_microseconds_per_trajectory = 0.0; ///< of the fine scheme alone, on one thread
  std::size_t threads = 1;
  /// Against data alone: trajectories that left the domain of the maps, whose error counts as infinite.
  std::size_t left_domain = 0;
  // Of parareal:
  double sweeps_mean = 0.0;
  double jump_max = 0.0;                ///< the error estimate: the largest last jump
  double classical_fine_mse_mean = 0.0; ///< with coarse RK4 steps, nothing learned, as the coarse propagator
  double classical_sweeps_mean = 0.0;
};

/// Solves from held-out (test) initial states by one of the schemes and compares every state with the reference
/// solution. Throws InvalidArgument if the model does not fit the problem.
LODESTEP_TRAIN_EXPORT HierarchyEvaluation evaluate_hierarchy(const Model& model, const Problem& problem,
                                                             const HierarchyEvaluateOptions& options);

/// Solves from the first state of each of the last options.trajectories trajectories (0: of all) of `data` by the
/// multiscale scheme, which needs no right-hand side, and compares every state with the data's. What only a right-hand
/// side could tell is NaN. `name` stands for the file in messages. Throws InvalidArgument where another mode is asked
/// for, InvalidData where dimension or spacing are not the model's.
LODESTEP_TRAIN_EXPORT HierarchyEvaluation evaluate_hierarchy(const Model& model, const TrajectorySet& data,
                                                             const HierarchyEvaluateOptions& options,
                                                             const std::string& name);

} // namespace lodestep
