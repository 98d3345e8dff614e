#include "train/corrector_profile.hpp"

#include "train/guard.hpp"
#include "train/roll_out.hpp"
#include "train/step_data.hpp"

#include <lodestep/corrector_features.hpp>
#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

constexpr std::size_t most_samples = 60000;

class Profile {
public:
  Profile(Model& model, const CorrectorCases& sets)
      : model_(model), corrector_(std::get<CorrectorModel>(model.method)), sets_(sets),
        base_(classical_tableau(corrector_.base)), approximator_(corrector_.approximator) {}

  void fill() {
    box();
    errors();
    if (base_.order < 4) corrector_.fallback = "rk4";
    corrector_.fallback_substeps =
        fallback_substeps(classical_tableau(corrector_.fallback_scheme()), model_.error.step_rms);
    density();
    estimate();
  }

private:
  StepData data(const Cases& cases, bool longest_alone = false) const {
    return make_step_data(cases, base_, longest_alone ? std::vector<std::size_t>{sets_.strides.back()} : sets_.strides,
                          most_samples);
  }

  /// What is left of the corrections after the learned one, divided by the factor of the step, [dimension, samples].
  Eigen::MatrixXd residuals(const StepData& data) {
    const Eigen::MatrixXd features = make_features(data, corrector_);
    const Targets targets = make_targets(data, corrector_);
    Eigen::MatrixXd correction(data.target.rows(), data.samples());
    approximator_.evaluate(features.data(), correction.data(), static_cast<std::size_t>(data.samples()), workspace_);
    if (targets.weights.size() != 0) correction.array() *= targets.weights.array();
    return targets.values - correction;
  }

  void box() {
    const StepData train = data(*sets_.train);
    const StepData validation = data(*sets_.validation);
    const Eigen::VectorXd low = train.state.rowwise().minCoeff();
    const Eigen::VectorXd high = train.state.rowwise().maxCoeff();
    const Eigen::VectorXd width = (high - low).cwiseMax(std::numeric_limits<double>::min());
    const Eigen::VectorXd below = low - validation.state.rowwise().minCoeff();
    const Eigen::VectorXd above = validation.state.rowwise().maxCoeff() - high;
    // Trajectories not yet seen reach further than those seen, the more so the more variables there are: the validation
    // states tell by how much, in widths, and others will go as far again.
    const double reach = below.cwiseMax(above).cwiseQuotient(width).maxCoeff();
    const double margin = std::max(0.1, 2.0 * reach);
    const Targets targets = make_targets(train, corrector_);
    const Eigen::VectorXd largest = targets.values.cwiseAbs().rowwise().maxCoeff();
    Domain& domain = corrector_.domain;
    for (Eigen::Index i = 0; i < low.size(); ++i) {
      domain.state.push_back({low[i] - margin * (high[i] - low[i]), high[i] + margin * (high[i] - low[i])});
      domain.correction_limit.push_back(2.0 * largest[i]);
    }
  }

  void density() {
    const Cases& validation = *sets_.validation;
    const CorrectorFeatures features(corrector_, model_.dimension(), base_.stages());
    const std::size_t inputs = features.density_count();
    std::vector<double> met;
    const auto meet = [&](const Cases& cases, std::size_t trajectory, double t, const double* u) {
      met.resize(met.size() + inputs);
      features.make_density(t, u, cases.values(trajectory), met.data() + met.size() - inputs);
    };
    RollOutOptions options;
    options.stride = sets_.strides.back();
    options.visit = [&](std::size_t trajectory, double t, const double* u) { meet(validation, trajectory, t, u); };
    const RollOut outcome = roll_out(corrector_, approximator_, validation, options);
    if (!std::isfinite(outcome.rms)) return; // the box alone
    // Exact states too: the last of a trajectory are where the shortest steps alone begin.
    for (const Cases* cases : {sets_.validation, sets_.held_out}) {
      const Trajectories& exact = cases->trajectories;
      for (std::size_t i = 0; i < exact.trajectories; ++i) {
        for (std::size_t n = 0; n + sets_.strides.front() < exact.times; ++n) {
          meet(*cases, i, exact.t0 + static_cast<double>(n) * exact.dt, exact.state(i, n));
        }
      }
    }

    GuardProbeOptions probing;
    probing.strides = sets_.strides;
    probing.seed = model_.provenance.seed;
    probing.rhs_cost_ns = validation.problem(0).rhs_cost_ns;
    const GuardProbes probes = make_guard_probes(corrector_, approximator_, *sets_.train, probing);
    const StepData train = data(*sets_.train);
    const StepData held = data(*sets_.held_out);
    GuardCase c;
    c.train = make_density_features(train, corrector_);
    c.error = -residuals(train);
    c.held = make_density_features(held, corrector_);
    c.met = Eigen::Map<const Eigen::MatrixXd>(met.data(), static_cast<Eigen::Index>(inputs),
                                              static_cast<Eigen::Index>(met.size() / inputs));
    c.probes = &probes;
    c.held_error = -residuals(held);
    c.step_ns = static_cast<double>(base_.stages()) * probing.rhs_cost_ns + corrector_.approximator.cost_ns();
    c.controls = corrector_.dt_aware();
    corrector_.domain.density = choose_guard(c);
  }

  void errors() {
    ErrorProfile& error = model_.error;
    const Cases& held_out = *sets_.held_out;
    const StepData steps = data(held_out, true);
    const Eigen::MatrixXd residual = residuals(steps);
    const auto count = static_cast<double>(residual.size());
    error.step_rms = std::sqrt(residual.squaredNorm() / count);
    error.step_max = residual.cwiseAbs().maxCoeff();
    error.base_step_rms = std::sqrt(steps.target.squaredNorm() / count);
    error.trajectories = held_out.trajectories.trajectories;
    RollOutOptions options;
    options.stride = sets_.strides.back();
    const RollOut outcome = roll_out(corrector_, approximator_, held_out, options);
    if (std::isfinite(outcome.rms)) error.horizon_rms = outcome.rms;
  }

  /// The growth of errors with the leverage that makes held-out residuals most likely, as normal numbers.
  void estimate() {
    const StepData steps = data(*sets_.held_out);
    const Eigen::MatrixXd residual = residuals(steps);
    const Eigen::ArrayXd leverage = leverages(steps);
    ErrorEstimate& estimate = corrector_.estimate;
    double best = -std::numeric_limits<double>::infinity();
    Eigen::ArrayXd spread;
    for (const double growth : {0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6}) {
      const Eigen::ArrayXd variance = 1.0 + growth * leverage;
      const Eigen::VectorXd scale =
          (residual.array().square().rowwise() / variance.transpose()).rowwise().mean().sqrt();
      const double likelihood = -static_cast<double>(steps.samples()) *
                                    scale.cwiseMax(std::numeric_limits<double>::min()).array().log().sum() -
                                0.5 * static_cast<double>(scale.size()) * variance.log().sum();
      if (!(likelihood > best)) continue;
      best = likelihood;
      estimate.growth = growth;
      estimate.scale.assign(scale.data(), scale.data() + scale.size());
      spread = variance.sqrt();
    }
    judge(steps, residual, spread);
  }

  void judge(const StepData& steps, const Eigen::MatrixXd& residual, const Eigen::ArrayXd& spread) {
    ErrorEstimate& estimate = corrector_.estimate;
    const CorrectorFeatures features(corrector_, model_.dimension(), base_.stages());
    const Eigen::Map<const Eigen::ArrayXd> scale(estimate.scale.data(), residual.rows());
    std::size_t covered = 0;
    Eigen::ArrayXd actual(steps.samples());
    Eigen::ArrayXd estimated(steps.samples());
    for (Eigen::Index n = 0; n < steps.samples(); ++n) {
      const Eigen::ArrayXd error = residual.col(n).array().abs();
      covered += static_cast<std::size_t>((error <= 2.0 * spread[n] * scale).count());
      const double factor = features.factor(steps.dt[n]);
      actual[n] = std::log(std::max(factor * error.matrix().norm(), 1e-300));
      estimated[n] = std::log(std::max(factor * spread[n] * scale.matrix().norm(), 1e-300));
    }
    estimate.coverage = static_cast<double>(covered) / static_cast<double>(residual.size());
    actual -= actual.mean();
    estimated -= estimated.mean();
    const double norms = std::sqrt(actual.square().sum() * estimated.square().sum());
    estimate.correlation = norms > 0.0 ? (actual * estimated).sum() / norms : 0.0;
  }

  Eigen::ArrayXd leverages(const StepData& steps) {
    if (!corrector_.domain.density) return Eigen::ArrayXd::Zero(steps.samples());
    return leverages_of(*corrector_.domain.density, steps);
  }

  Eigen::ArrayXd leverages_of(const Density& density, const StepData& steps) {
    const Eigen::MatrixXd x = make_density_features(steps, corrector_);
    Eigen::MatrixXd y(static_cast<Eigen::Index>(density.projection.outputs), x.cols());
    Approximator(density.projection).evaluate(x.data(), y.data(), static_cast<std::size_t>(x.cols()), workspace_);
    return y.colwise().squaredNorm().transpose().array() / density.limit;
  }

  /// The fewest steps of `scheme` per dt whose one-step error is no larger than the model's, or the most useful number
  /// of them where rounding or patience ends first.
  unsigned fallback_substeps(const ButcherTableau& scheme, double step_rms) const {
    constexpr unsigned most = 1u << 14;
    const Cases& cases = *sets_.held_out;
    const Trajectories& truth = cases.trajectories;
    const std::size_t stride = sets_.strides.back();
    RungeKutta stepper(scheme, truth.dimension);
    const std::size_t starts = truth.times - stride;
    const std::size_t steps = truth.trajectories * starts;
    const std::size_t samples = std::min<std::size_t>(steps, 64);
    std::vector<double> u(truth.dimension);
    // Below it, what more steps add is rounding. Far above, as where a scheme is not yet stable at a long step, errors
    // may grow for a while before they fall.
    double size = 0.0;
    for (double value : truth.states) size = std::max(size, std::abs(value));
    const double rounding = 1e-9 * size;
    double previous = std::numeric_limits<double>::infinity();
    for (unsigned m = 1; m <= most; m *= 2) {
      double sum = 0.0;
      for (std::size_t i = 0; i < samples; ++i) {
        const std::size_t at = i * steps / samples;
        const std::size_t trajectory = at / starts;
        const std::size_t n = at % starts;
        std::copy_n(truth.state(trajectory, n), u.size(), u.begin());
        const double h = static_cast<double>(stride) * truth.dt / m;
        for (unsigned k = 0; k < m; ++k) {
          const double t = truth.t0 + static_cast<double>(n) * truth.dt + k * h;
          stepper.step(cases.problem(trajectory).rhs, t, u.data(), h, u.data());
        }
        for (std::size_t v = 0; v < u.size(); ++v) {
          const double e = u[v] - truth.state(trajectory, n + stride)[v];
          sum += e * e;
        }
      }
      const double rms = std::sqrt(sum / static_cast<double>(samples * u.size()));
      if (rms <= step_rms) return m;
      if (rms >= previous && previous <= rounding) return m / 2; // rounding has taken over
      if (std::isfinite(rms)) previous = rms;
    }
    return most;
  }

  Model& model_;
  CorrectorModel& corrector_;
  const CorrectorCases& sets_;
  const ButcherTableau& base_;
  Approximator approximator_;
  Workspace workspace_;
};

} // namespace

void profile_corrector(Model& model, const CorrectorCases& sets) {
  Profile(model, sets).fill();
}

} // namespace lodestep::detail
