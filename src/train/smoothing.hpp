#pragma once

#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <vector>

namespace lodestep::detail {

struct LODESTEP_TRAIN_EXPORT Smoothing {
  std::vector<std::size_t> half_width; ///< [dimension]: samples on each side; 0: left as it was
  std::vector<double> noise_rms;       ///< [dimension]: of what was taken away as noise; 0 where nothing was
  bool any() const;
};

/// Takes noise that is independent from sample to sample off trajectories: every variable by local cubics over a window
/// of samples (Savitzky and Golay 1964; one-sided at the ends) whose width is the one that predicts left-out samples
/// best. Noise shows in that wider windows predict better than the narrowest; where they do not, the data is clean or
/// sampled too coarsely to tell, and is left alone.
LODESTEP_TRAIN_EXPORT Smoothing smooth(Trajectories& trajectories);

} // namespace lodestep::detail
