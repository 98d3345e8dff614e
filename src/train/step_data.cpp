#include "train/step_data.hpp"

#include <lodestep/runge_kutta.hpp>

namespace lodestep::detail {

StepData make_step_data(const Problem& problem, const ButcherTableau& base, const Trajectories& trajectories) {
  const auto dimension = static_cast<Eigen::Index>(problem.dimension());
  const std::size_t steps = trajectories.times - 1;
  const auto samples = static_cast<Eigen::Index>(trajectories.trajectories * steps);
  RungeKutta stepper(base, problem.dimension());
  StepData data;
  data.dt = trajectories.dt;
  data.stage_count = base.stages();
  data.state.resize(dimension, samples);
  data.base_next.resize(dimension, samples);
  data.stages.resize(dimension * static_cast<Eigen::Index>(base.stages()), samples);
  data.target.resize(dimension, samples);
  Eigen::Index column = 0;
  for (std::size_t i = 0; i < trajectories.trajectories; ++i) {
    for (std::size_t n = 0; n < steps; ++n, ++column) {
      const double* u = trajectories.state(i, n);
      data.state.col(column) = Eigen::Map<const Eigen::VectorXd>(u, dimension);
      const double t = trajectories.t0 + static_cast<double>(n) * trajectories.dt;
      stepper.step(problem.rhs, t, u, trajectories.dt, data.base_next.col(column).data());
      data.stages.col(column) = Eigen::Map<const Eigen::VectorXd>(stepper.stage_derivatives(), data.stages.rows());
      data.target.col(column) =
          Eigen::Map<const Eigen::VectorXd>(trajectories.state(i, n + 1), dimension) - data.base_next.col(column);
    }
  }
  return data;
}

Eigen::MatrixXd make_features(const StepData& data, CorrectorInput input) {
  const auto dimension = static_cast<std::size_t>(data.state.rows());
  Eigen::MatrixXd features(static_cast<Eigen::Index>(corrector_feature_count(input, dimension, data.stage_count)),
                           data.samples());
  for (Eigen::Index n = 0; n < data.samples(); ++n) {
    corrector_features(input, dimension, data.stage_count, data.dt, data.state.col(n).data(),
                       data.base_next.col(n).data(), data.stages.col(n).data(), features.col(n).data());
  }
  return features;
}

} // namespace lodestep::detail
