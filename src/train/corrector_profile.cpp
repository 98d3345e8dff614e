#include "train/corrector_profile.hpp"

#include "train/roll_out.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace lodestep::detail {

namespace {

/// The fewest steps of `scheme` per dt whose one-step error is no larger than the model's, or the most useful number
/// of them where rounding or patience ends first.
unsigned fallback_substeps(const Problem& problem, const ButcherTableau& scheme, const Trajectories& truth,
                           double step_rms) {
  constexpr unsigned most = 1u << 14;
  RungeKutta stepper(scheme, problem.dimension());
  const std::size_t steps = truth.trajectories * (truth.times - 1);
  const std::size_t samples = std::min<std::size_t>(steps, 64);
  std::vector<double> u(problem.dimension());
  double previous = std::numeric_limits<double>::infinity();
  for (unsigned m = 1; m <= most; m *= 2) {
    double sum = 0.0;
    for (std::size_t i = 0; i < samples; ++i) {
      const std::size_t at = i * steps / samples;
      const std::size_t trajectory = at / (truth.times - 1);
      const std::size_t n = at % (truth.times - 1);
      std::copy_n(truth.state(trajectory, n), u.size(), u.begin());
      const double h = truth.dt / m;
      for (unsigned k = 0; k < m; ++k) {
        stepper.step(problem.rhs, truth.t0 + static_cast<double>(n) * truth.dt + k * h, u.data(), h, u.data());
      }
      for (std::size_t v = 0; v < u.size(); ++v) {
        const double e = u[v] - truth.state(trajectory, n + 1)[v];
        sum += e * e;
      }
    }
    const double rms = std::sqrt(sum / static_cast<double>(samples * u.size()));
    if (rms <= step_rms) return m;
    if (rms >= previous) return m / 2; // rounding has taken over
    previous = rms;
  }
  return most;
}

} // namespace

Domain measured_domain(const StepData& train, const StepData& validation) {
  const Eigen::VectorXd low = train.state.rowwise().minCoeff();
  const Eigen::VectorXd high = train.state.rowwise().maxCoeff();
  const Eigen::VectorXd width = (high - low).cwiseMax(std::numeric_limits<double>::min());
  const Eigen::VectorXd below = low - validation.state.rowwise().minCoeff();
  const Eigen::VectorXd above = validation.state.rowwise().maxCoeff() - high;
  // Trajectories not yet seen reach further than those seen, the more so the more variables there are: the validation
  // states tell by how much, in widths, and others will go as far again.
  const double reach = below.cwiseMax(above).cwiseQuotient(width).maxCoeff();
  const double margin = std::max(0.05, 2.0 * reach);
  const Eigen::VectorXd largest = train.target.cwiseAbs().rowwise().maxCoeff();
  Domain domain;
  for (Eigen::Index i = 0; i < low.size(); ++i) {
    domain.state.push_back({low[i] - margin * (high[i] - low[i]), high[i] + margin * (high[i] - low[i])});
    domain.correction_limit.push_back(2.0 * largest[i]);
  }
  return domain;
}

ErrorProfile measure_error(const Problem& problem, const Trajectories& held_out, CorrectorModel& corrector) {
  const ButcherTableau& base = classical_tableau(corrector.base);
  const StepData data = make_step_data(problem, base, held_out);
  const Eigen::MatrixXd features = make_features(data, corrector.input);
  const Approximator approximator(corrector.approximator);
  Workspace workspace;
  Eigen::MatrixXd correction(data.target.rows(), data.samples());
  approximator.evaluate(features.data(), correction.data(), static_cast<std::size_t>(data.samples()), workspace);
  const Eigen::MatrixXd residual = data.target - correction;
  const auto count = static_cast<double>(residual.size());
  ErrorProfile error;
  error.step_rms = std::sqrt(residual.squaredNorm() / count);
  error.step_max = residual.cwiseAbs().maxCoeff();
  error.base_step_rms = std::sqrt(data.target.squaredNorm() / count);
  error.horizon = static_cast<double>(held_out.times - 1) * held_out.dt;
  error.trajectories = held_out.trajectories;
  error.horizon_rms = roll_out(problem, base, corrector.input, approximator, held_out).rms;
  if (base.order < 4) corrector.fallback = "rk4";
  corrector.fallback_substeps =
      fallback_substeps(problem, classical_tableau(corrector.fallback_scheme()), held_out, error.step_rms);
  return error;
}

} // namespace lodestep::detail
