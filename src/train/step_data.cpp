#include "train/step_data.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>

namespace lodestep::detail {

namespace {

/// The columns that are kept, in place.
void keep(Eigen::MatrixXd& m, Eigen::Index columns) {
  m.conservativeResize(Eigen::NoChange, columns);
}

} // namespace

StepData make_step_data(const Cases& cases, const ButcherTableau& base, const std::vector<std::size_t>& strides,
                        std::size_t most) {
  const Trajectories& trajectories = cases.trajectories;
  const auto dimension = static_cast<Eigen::Index>(trajectories.dimension);
  std::size_t all = 0;
  for (const std::size_t stride : strides) all += trajectories.trajectories * (trajectories.times - stride);
  const std::size_t samples = std::min(all, most);
  RungeKutta stepper(base, trajectories.dimension);
  StepData data;
  data.stage_count = base.stages();
  const auto columns = static_cast<Eigen::Index>(samples);
  data.state.resize(dimension, columns);
  data.base_next.resize(dimension, columns);
  data.stages.resize(dimension * static_cast<Eigen::Index>(base.stages()), columns);
  data.target.resize(dimension, columns);
  data.parameters.resize(static_cast<Eigen::Index>(cases.varied), columns);
  data.time.resize(columns);
  data.dt.resize(columns);
  Eigen::Index column = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    // Strides share the samples alike: one after the other.
    const std::size_t stride = strides[sample % strides.size()];
    const std::size_t starts = trajectories.times - stride;
    const std::size_t count = trajectories.trajectories * starts;
    const std::size_t of_this = (samples + strides.size() - 1) / strides.size();
    const std::size_t pair = std::min(sample / strides.size() * count / of_this, count - 1);
    const std::size_t trajectory = pair / starts;
    const std::size_t n = pair % starts;
    const double* u = trajectories.state(trajectory, n);
    const double dt = static_cast<double>(stride) * trajectories.dt;
    const double t = trajectories.t0 + static_cast<double>(n) * trajectories.dt;
    data.state.col(column) = Eigen::Map<const Eigen::VectorXd>(u, dimension);
    stepper.step(cases.problem(trajectory).rhs, t, u, dt, data.base_next.col(column).data());
    if (!data.base_next.col(column).allFinite()) continue;
    data.stages.col(column) = Eigen::Map<const Eigen::VectorXd>(stepper.stage_derivatives(), data.stages.rows());
    data.target.col(column) = Eigen::Map<const Eigen::VectorXd>(trajectories.state(trajectory, n + stride), dimension) -
                              data.base_next.col(column);
    for (std::size_t p = 0; p < cases.varied; ++p) {
      data.parameters(static_cast<Eigen::Index>(p), column) = cases.values(trajectory)[p];
    }
    data.trajectory.push_back(trajectory);
    data.start.push_back(n);
    data.time[column] = t;
    data.dt[column] = dt;
    ++column;
  }
  for (auto* m : {&data.state, &data.base_next, &data.stages, &data.target, &data.parameters}) keep(*m, column);
  data.time.conservativeResize(column);
  data.dt.conservativeResize(column);
  return data;
}

Eigen::MatrixXd make_features(const StepData& data, const CorrectorModel& shape) {
  const CorrectorFeatures features(shape, static_cast<std::size_t>(data.state.rows()), data.stage_count);
  Eigen::MatrixXd result(static_cast<Eigen::Index>(features.count()), data.samples());
  for (Eigen::Index n = 0; n < data.samples(); ++n) {
    features.make(data.time[n], data.dt[n], data.state.col(n).data(), data.base_next.col(n).data(),
                  data.stages.col(n).data(), data.parameters.col(n).data(), result.col(n).data());
  }
  return result;
}

Eigen::MatrixXd make_density_features(const StepData& data, const CorrectorModel& shape) {
  const CorrectorFeatures features(shape, static_cast<std::size_t>(data.state.rows()), data.stage_count);
  Eigen::MatrixXd result(static_cast<Eigen::Index>(features.density_count()), data.samples());
  for (Eigen::Index n = 0; n < data.samples(); ++n) {
    features.make_density(data.time[n], data.state.col(n).data(), data.parameters.col(n).data(), result.col(n).data());
  }
  return result;
}

Eigen::MatrixXd make_dense_targets(const StepData& data, const Cases& cases, std::size_t stride, std::size_t points) {
  const Eigen::Index dimension = data.state.rows();
  Eigen::MatrixXd result(static_cast<Eigen::Index>(points) * dimension, data.samples());
  const auto state = [&](Eigen::Index n, std::size_t after) {
    const auto sample = static_cast<std::size_t>(n);
    return Eigen::Map<const Eigen::VectorXd>(
        cases.trajectories.state(data.trajectory[sample], data.start[sample] + after), dimension);
  };
  for (Eigen::Index n = 0; n < data.samples(); ++n) {
    for (std::size_t j = 1; j <= points; ++j) {
      const double s = static_cast<double>(j) / static_cast<double>(points + 1);
      result.col(n).segment(static_cast<Eigen::Index>(j - 1) * dimension, dimension) =
          state(n, j * stride / (points + 1)) - (1.0 - s) * data.state.col(n) - s * state(n, stride);
    }
  }
  return result;
}

Targets make_targets(const StepData& data, const CorrectorModel& shape) {
  const CorrectorFeatures features(shape, static_cast<std::size_t>(data.state.rows()), data.stage_count);
  Targets targets{data.target, {}};
  for (Eigen::Index n = 0; n < data.samples(); ++n) targets.values.col(n) /= features.factor(data.dt[n]);
  if (shape.form == CorrectorForm::multiplicative) targets.weights = data.base_next - data.state;
  return targets;
}

} // namespace lodestep::detail
