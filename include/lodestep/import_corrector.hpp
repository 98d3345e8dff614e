#pragma once

#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace lodestep {

/// What a network trained elsewhere does not say of itself.
struct ImportOptions {
  std::string base = "rk4"; ///< the scheme whose step it corrects
  double dt = 0.0;          ///< the step it was trained for; 0: the problem's
  CorrectorInput input = CorrectorInput::increment;
  double horizon = 0.0;           ///< of the roll-outs it is measured by; 0: the problem's
  std::size_t trajectories = 100; ///< that its domain is measured on
  std::uint64_t seed = 0;
  std::string recipe; ///< where it comes from, for the model's provenance
  Progress progress;
};

/// A corrector of `network`, a map from what `input` says, in the problem's units, to the correction of one step:
/// u' = base(u) + network. Its domain, its largest corrections, its error and the fallback are measured on trajectories
/// of `problem` as those of a trained model are, so that it is as safe as one.
///
/// Throws InvalidModel if the network's shape does not fit problem and input; InvalidData if its steps are no better
/// than the base scheme's, or its roll-outs diverge: it was then trained for something else.
LODESTEP_TRAIN_EXPORT Model import_corrector(const ApproximatorSpec& network, const Problem& problem,
                                             const ImportOptions& options = {});

} // namespace lodestep
