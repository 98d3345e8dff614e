#pragma once

#include "train/cases.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/corrector_model.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lodestep::detail {

/// States beside those of training, inside the box of the domain, with the errors that steps from them make. A guard is
/// judged by which of them it lets in. Columns are probes; errors are divided by the correction's factor of their step.
struct GuardProbes {
  Eigen::MatrixXd inputs;   ///< a density's inputs: state, time inputs and parameters
  Eigen::MatrixXd error;    ///< of the learned step, [dimension, probes]
  Eigen::VectorXd fallback; ///< root mean square error of the fallback over the same step; 0 where it is not known

  Eigen::Index count() const { return inputs.cols(); }
};

struct GuardProbeOptions {
  std::vector<std::size_t> strides; ///< steps, in steps of the cases' grid, ascending
  std::size_t most = 4000;          ///< probes
  std::uint64_t seed = 0;
  double rhs_cost_ns = 0.0; ///< modelled: dear right-hand sides get fewer probes
};

/// Probes of four kinds, alike in number: drawn from the whole box; every variable from another state of training;
/// states of training moved by 1e-4 to 1 of the box; and states that solutions pass through which begin at any of these
/// or as far as a third outside the box, as the solutions of wilder initial states do. Truth is the fallback with
/// twice its sub-steps, extrapolated, or the reference solution where that costs less. `corrector` is complete but for
/// its density and estimate. States whose correction the guard refuses for its size, or where the right-hand side is
/// not defined, are left out.
LODESTEP_TRAIN_EXPORT GuardProbes make_guard_probes(const CorrectorModel& corrector, const Approximator& approximator,
                                                    const Cases& train, const GuardProbeOptions& options);

} // namespace lodestep::detail
