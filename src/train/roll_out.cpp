#include "train/roll_out.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lodestep::detail {

RollOut roll_out(const Problem& problem, const ButcherTableau& base, CorrectorInput input,
                 const Approximator& approximator, const Trajectories& truth, bool stop_at_divergence) {
  const std::size_t dimension = problem.dimension();
  RungeKutta stepper(base, dimension);
  Workspace workspace;
  std::vector<double> u(dimension);
  std::vector<double> next(dimension);
  std::vector<double> correction(dimension);
  std::vector<double> features(corrector_feature_count(input, dimension, base.stages()));

  // A state this much larger than any true one has nothing to do with the solution any more; going on would only
  // make numbers overflow.
  double bound = 0.0;
  for (double value : truth.states) bound = std::max(bound, std::abs(value));
  bound *= 1e3;

  RollOut result;
  double sum = 0.0;
  for (std::size_t i = 0; i < truth.trajectories; ++i) {
    std::copy_n(truth.state(i, 0), dimension, u.begin());
    for (std::size_t n = 1; n < truth.times; ++n) {
      const double t = truth.t0 + static_cast<double>(n - 1) * truth.dt;
      stepper.step(problem.rhs, t, u.data(), truth.dt, next.data());
      corrector_features(input, dimension, base.stages(), truth.dt, u.data(), next.data(), stepper.stage_derivatives(),
                         features.data());
      approximator.evaluate(features.data(), correction.data(), 1, workspace);
      bool sane = true;
      const double* exact = truth.state(i, n);
      for (std::size_t v = 0; v < dimension; ++v) {
        u[v] = next[v] + correction[v];
        const double error = u[v] - exact[v];
        sum += error * error;
        sane &= std::abs(u[v]) <= bound; // NaN compares false
      }
      if (!sane) {
        ++result.diverged;
        break;
      }
    }
    if (result.diverged > 0 && stop_at_divergence) return result;
  }
  if (result.diverged == 0) {
    result.rms = std::sqrt(sum / static_cast<double>(truth.trajectories * (truth.times - 1) * dimension));
  }
  return result;
}

} // namespace lodestep::detail
