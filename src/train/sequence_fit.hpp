#pragma once

#include <lodestep/hierarchy_model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lodestep::detail {

struct SequenceFitOptions {
  std::size_t width = 512; ///< hidden units
  std::uint64_t seed = 0;
  std::function<bool(double fraction)> proceed; ///< asked before each trial; false stops. May be empty.
};

struct SequenceMap {
  std::size_t lag = 0; ///< spacings of the data in one step
  FlowMapModel map;
  double base_rms = 0.0;   ///< root mean square of the increments
  double step_max = 0.0;   ///< largest error of one step
  double placed_mse = 0.0; ///< of the states that this map places on the judged trajectories, after those above it
  double seconds = 0.0;
};

/// Flow maps of many variables from few trajectories, or one (HiTS, Liu et al. 2022, section 3.2: sequence generation):
/// networks with one hidden layer of random, fixed units beside an affine term, solved by ridge least squares. From the
/// longest step down, each map's sharpness, ridge and jitter are those that place states best on `judged`, from the
/// states that the maps above have placed: what counts is the sequence that comes out, not one step. Jitter (a second
/// copy of each pair, its start displaced at random) makes a map forgive the errors of the one above.
///
/// `lags` ascend, each a multiple of the one before. A step that no trial could place within the range of the data is
/// left out. Where `judged` is what was learned from, the result repeats a sequence and predicts nothing beyond it.
LODESTEP_TRAIN_EXPORT std::vector<SequenceMap> fit_sequence_maps(const Trajectories& learned,
                                                                 const Trajectories& judged,
                                                                 const std::vector<std::size_t>& lags,
                                                                 const SequenceFitOptions& options);

} // namespace lodestep::detail
