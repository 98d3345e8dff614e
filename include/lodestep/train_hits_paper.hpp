#pragma once

#include <lodestep/train_hits.hpp>

/// The training that the HiTS paper describes (Liu et al. 2022, section 2 and appendix A.1), for comparison: train_hits
/// is better and faster.
namespace lodestep {

struct HitsPaperOptions {
  Levels levels{0, 10};
  double base_dt = 0.0; ///< 0: the problem's fine_dt, or the spacing of the trajectories
  std::size_t ratio = 2;
  std::size_t trajectories = 1600; ///< with a problem: Table 2 has 1600, 3200 and 6400
  std::size_t steps = 5;           ///< p of the loss, eq. 9
  std::vector<std::size_t> hidden; ///< empty: three of 128; Table 2 has 128, 256, 512 and 1024
  /// The paper's is 100000, for each map; all trajectories are one batch.
  std::size_t epochs = 1000;
  double learning_rate = 1e-3;
  double target = 1e-8; ///< mean squared error of one step at which training stops
  double horizon = 0.0; ///< of the validation roll-outs; 0: the problem's or the trajectories'
  std::uint64_t seed = 0;
  Progress progress;
};

/// ReLU networks by Adam on the multi-step loss, one for each level, in f32, in raw units; then the levels are
/// cross-validated (section 2.3). Trajectories start in the problem's region and are as long as the loss needs.
/// Throws InvalidArgument; InvalidData if training or every roll-out diverged.
LODESTEP_TRAIN_EXPORT HitsResult train_hits_paper(const Problem& problem, const HitsPaperOptions& options);

} // namespace lodestep
