#include "train/roll_out.hpp"

#include <lodestep/corrector_features.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lodestep::detail {

namespace {

/// The step that a model takes where nothing forbids it.
class BareStep {
public:
  BareStep(const CorrectorModel& shape, const Approximator& approximator, std::size_t dimension, bool base_alone)
      : multiplicative_(shape.form == CorrectorForm::multiplicative), base_alone_(base_alone),
        approximator_(approximator), stepper_(classical_tableau(shape.base), dimension),
        features_(shape, dimension, stepper_.tableau().stages()), dimension_(dimension), x_(features_.count()),
        next_(dimension), correction_(dimension) {}

  void operator()(const Problem& problem, double t, double dt, const double* parameters, double* u) {
    stepper_.step(problem.rhs, t, u, dt, next_.data());
    if (base_alone_) {
      std::copy(next_.begin(), next_.end(), u);
      return;
    }
    features_.make(t, dt, u, next_.data(), stepper_.stage_derivatives(), parameters, x_.data());
    approximator_.evaluate(x_.data(), correction_.data(), 1, workspace_);
    const double factor = features_.factor(dt);
    for (std::size_t v = 0; v < dimension_; ++v) {
      u[v] = next_[v] + correction_[v] * (multiplicative_ ? factor * (next_[v] - u[v]) : factor);
    }
  }

private:
  bool multiplicative_;
  bool base_alone_;
  const Approximator& approximator_;
  RungeKutta stepper_;
  CorrectorFeatures features_;
  std::size_t dimension_;
  std::vector<double> x_;
  std::vector<double> next_;
  std::vector<double> correction_;
  Workspace workspace_;
};

} // namespace

RollOut roll_out(const CorrectorModel& shape, const Approximator& approximator, const Cases& truth,
                 const RollOutOptions& options) {
  const Trajectories& exact = truth.trajectories;
  const std::size_t dimension = exact.dimension;
  BareStep step(shape, approximator, dimension, options.base_alone);
  std::vector<double> u(dimension);

  // A state this much larger than any true one has nothing to do with the solution any more; going on would only
  // make numbers overflow.
  double bound = 0.0;
  for (double value : exact.states) bound = std::max(bound, std::abs(value));
  bound *= 1e3;

  const double dt = static_cast<double>(options.stride) * exact.dt;
  const auto count = static_cast<double>(exact.trajectories * ((exact.times - 1) / options.stride) * dimension);
  const double most = options.give_up * options.give_up * count;
  RollOut result;
  double sum = 0.0;
  for (std::size_t i = 0; i < exact.trajectories; ++i) {
    std::copy_n(exact.state(i, 0), dimension, u.begin());
    for (std::size_t n = options.stride; n < exact.times; n += options.stride) {
      const double t = exact.t0 + static_cast<double>(n - options.stride) * exact.dt;
      if (options.visit) options.visit(i, t, u.data());
      step(truth.problem(i), t, dt, truth.values(i), u.data());
      bool sane = true;
      const double* at = exact.state(i, n);
      for (std::size_t v = 0; v < dimension; ++v) {
        const double error = u[v] - at[v];
        sum += error * error;
        sane &= std::abs(u[v]) <= bound; // NaN compares false
      }
      if (!sane) {
        ++result.diverged;
        break;
      }
    }
    if (result.diverged > 0 && options.stop_at_divergence) return result;
    if (sum > most) break; // a lower bound of the error, which is all that is asked for
  }
  if (result.diverged == 0) result.rms = std::sqrt(sum / count);
  return result;
}

bool stays_bounded(const CorrectorModel& shape, const Approximator& approximator, const Cases& truth,
                   std::size_t stride, std::size_t trajectories, std::size_t times) {
  const Trajectories& exact = truth.trajectories;
  const std::size_t dimension = exact.dimension;
  std::vector<double> low(dimension, std::numeric_limits<double>::infinity()), high(dimension), u(dimension);
  for (double& value : high) value = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < exact.states.size(); ++i) {
    const std::size_t v = i % dimension;
    low[v] = std::min(low[v], exact.states[i]);
    high[v] = std::max(high[v], exact.states[i]);
  }
  BareStep step(shape, approximator, dimension, false);
  const double dt = static_cast<double>(stride) * exact.dt;
  const std::size_t steps = times * ((exact.times - 1) / stride);
  for (std::size_t i = 0; i < std::min(trajectories, exact.trajectories); ++i) {
    std::copy_n(exact.state(i, 0), dimension, u.begin());
    for (std::size_t n = 0; n < steps; ++n) {
      step(truth.problem(i), exact.t0 + static_cast<double>(n) * dt, dt, truth.values(i), u.data());
      for (std::size_t v = 0; v < dimension; ++v) {
        const double room = 0.5 * (high[v] - low[v]);
        if (!(u[v] >= low[v] - room && u[v] <= high[v] + room)) return false;
      }
    }
  }
  return true;
}

} // namespace lodestep::detail
