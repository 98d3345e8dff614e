#include "report/studies/attns_lab.hpp"

#include "train/least_squares.hpp"

#include <lodestep/runge_kutta.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace lodestep::report {

const char* to_string(AttnsMethod method) {
  return method == AttnsMethod::attns ? "AttNS" : method == AttnsMethod::attns_m ? "AttNS-m" : "NeurVec";
}

double mean_of(const std::vector<double>& errors) {
  return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
}

AttnsLab::AttnsLab(const Setup& setup, StudyProgress& progress)
    : progress_(progress), problem_(make_problem(setup.problem)), base_(classical_tableau(setup.base)),
      dt_(setup.dt != 0.0 ? setup.dt : problem_.dt), noise_(setup.noise), seed_(setup.seed) {
  GenerateOptions generate;
  generate.dt = dt_;
  generate.horizon = setup.horizon;
  generate.seed = setup.seed;
  generate.progress = progress.callback();
  const auto make = [&](Split split, std::size_t count) {
    generate.split = split;
    generate.trajectories = count;
    return generate_trajectories(problem_, generate);
  };
  training_ = make(Split::train, setup.training);
  held_out_ = make(Split::test, setup.held_out);
  validation_ = make(Split::validation, std::min<std::size_t>(16, setup.held_out));
}

detail::AttnsRecipe AttnsLab::recipe(std::size_t width, std::size_t batch, std::size_t steps,
                                     std::size_t trajectories) const {
  const std::size_t count = trajectories == 0 ? training_.trajectories : std::min(trajectories, training_.trajectories);
  const std::size_t per_epoch = std::max<std::size_t>(1, count * (training_.times - 1) / batch);
  detail::AttnsRecipe recipe;
  recipe.standardised = true;
  recipe.hidden = {width};
  recipe.adam.batch = batch;
  recipe.adam.epochs = std::max<std::size_t>(1, steps / per_epoch);
  recipe.adam.proceed = [this](std::size_t, double) { return progress_.report("training on " + problem_.name); };
  return recipe;
}

AttnsLab::Pairs AttnsLab::pairs(std::size_t trajectories) const {
  const std::size_t count = trajectories == 0 ? training_.trajectories : std::min(trajectories, training_.trajectories);
  const std::size_t steps = training_.times - 1;
  const auto d = static_cast<Eigen::Index>(problem_.dimension());
  const auto samples = static_cast<Eigen::Index>(count * steps);
  Pairs pairs{{d, samples}, {d, samples}, {d, samples}};
  RungeKutta stepper(base_, problem_.dimension());
  Eigen::VectorXd next(d);
  for (Eigen::Index k = 0; k < samples; ++k) {
    const std::size_t i = static_cast<std::size_t>(k) / steps;
    const std::size_t n = static_cast<std::size_t>(k) % steps;
    const Eigen::VectorXd u = Eigen::Map<const Eigen::VectorXd>(training_.state(i, n), d).array() + noise_;
    stepper.step(problem_.rhs, training_.t0 + static_cast<double>(n) * dt_, u.data(), dt_, next.data());
    pairs.state.col(k) = u;
    pairs.increment.col(k) = next - u;
    pairs.target.col(k) = Eigen::Map<const Eigen::VectorXd>(training_.state(i, n + 1), d) - next;
  }
  return pairs;
}

AttnsFit AttnsLab::adam(AttnsMethod method, detail::AttnsRecipe recipe, std::size_t trajectories,
                        bool increment_as_is) const {
  const Pairs data = pairs(trajectories);
  const bool state = method == AttnsMethod::neurvec;
  if (!state && !increment_as_is) recipe.input_unit = dt_;
  recipe.adam.seed = seed_;
  const Eigen::MatrixXd& inputs = state ? data.state : data.increment;
  auto fit = method == AttnsMethod::attns_m
                 ? detail::fit_attns_recipe(inputs, data.increment + data.target, recipe, data.increment)
                 : detail::fit_attns_recipe(inputs, data.target, recipe);
  // Mean squared error in the units that were learned in.
  const double loss = fit.loss.empty() ? std::numeric_limits<double>::infinity() : fit.loss.back();
  return {method, std::move(fit.approximator), fit.diverged, std::sqrt(loss)};
}

AttnsFit AttnsLab::solved(AttnsMethod method, std::size_t width, std::size_t trajectories) const {
  constexpr std::uint64_t hidden_stream = 34; // beside those of the recipe
  const Pairs data = pairs(trajectories);
  const Eigen::MatrixXd& raw = method == AttnsMethod::neurvec ? data.state : data.increment;
  const detail::Standardisation scales(raw, data.target);
  const Eigen::MatrixXd z = scales.inputs(raw);
  const Eigen::MatrixXd y = scales.outputs(data.target);
  AttnsFit best{method, {}, true, std::numeric_limits<double>::infinity()};
  double least = std::numeric_limits<double>::infinity();
  const auto offer = [&](ApproximatorSpec spec, double rms) {
    AttnsFit fit{method, std::move(spec), false, rms};
    const double mse = mean_of(roll_out(&fit, validation_));
    if (best.diverged || mse < least) {
      least = mse;
      best = std::move(fit);
    }
  };
  const auto rms_of = [&](const Eigen::MatrixXd& basis, const Eigen::MatrixXd& weights) {
    return std::sqrt((weights * basis - y).squaredNorm() / static_cast<double>(y.size()));
  };
  if (width == 0) {
    const Eigen::MatrixXd basis = detail::polynomial_basis(z, 1);
    const Eigen::MatrixXd weights = detail::RidgeSolver(basis, y).solve(1e-13);
    offer(detail::polynomial_spec(scales, weights, 1), rms_of(basis, weights));
    return best;
  }
  for (const double spread : {0.6, 0.25}) {
    Random random(seed_, hidden_stream, width);
    const AffineLayer hidden = detail::random_layer(random, static_cast<std::size_t>(raw.rows()), width, spread);
    const Eigen::MatrixXd basis = detail::hidden_basis(z, hidden, Activation::tanh);
    const detail::RidgeSolver solver(basis, y);
    for (const double ridge : {1e-13, 1e-10, 1e-7}) {
      const Eigen::MatrixXd weights = solver.solve(ridge);
      offer(detail::mlp_spec(scales, weights, hidden, Activation::tanh), rms_of(basis, weights));
    }
  }
  return best;
}

std::vector<double> AttnsLab::roll_out(const AttnsFit* fit, const Trajectories& truth) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::size_t n = truth.trajectories;
  const std::size_t d = truth.dimension;
  if (fit && fit->diverged) return std::vector<double>(n, infinity);
  // All trajectories take a step together, so that networks run on batches.
  std::vector<double> u(n * d), next(n * d), features(n * d), correction(n * d, 0.0), sum(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) std::copy_n(truth.state(i, 0), d, u.data() + i * d);
  double bound = 0.0;
  for (double value : truth.states) bound = std::max(bound, std::abs(value));
  bound *= 1e3; // beyond, a state has nothing to do with the solution any more
  RungeKutta stepper(base_, d);
  const Approximator approximator(fit ? fit->approximator : ApproximatorSpec::zero(d, d));
  Workspace workspace;
  for (std::size_t k = 1; k < truth.times; ++k) {
    const double t = truth.t0 + static_cast<double>(k - 1) * truth.dt;
    for (std::size_t i = 0; i < n; ++i) {
      double* at = u.data() + i * d;
      for (std::size_t v = 0; v < d; ++v) at[v] += noise_;
      if (std::isfinite(sum[i])) stepper.step(problem_.rhs, t, at, truth.dt, next.data() + i * d);
      for (std::size_t v = i * d; v < (i + 1) * d; ++v) {
        features[v] = fit && fit->method == AttnsMethod::neurvec ? u[v] : next[v] - u[v];
      }
    }
    if (fit) approximator.evaluate(features.data(), correction.data(), n, workspace);
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isfinite(sum[i])) continue;
      const double* exact = truth.state(i, k);
      bool sane = true;
      for (std::size_t v = 0; v < d; ++v) {
        const std::size_t at = i * d + v;
        if (fit && fit->method == AttnsMethod::attns_m) {
          u[at] += (next[at] - u[at]) * correction[at];
        } else {
          u[at] = next[at] + correction[at];
        }
        const double error = u[at] - exact[v];
        sum[i] += error * error;
        sane &= std::abs(u[at]) <= bound; // NaN compares false
      }
      if (sane) continue;
      sum[i] = infinity;
      std::copy_n(truth.state(i, 0), d, u.data() + i * d); // a state that does no harm
      std::copy_n(truth.state(i, 0), d, next.data() + i * d);
    }
  }
  for (double& s : sum) s /= static_cast<double>((truth.times - 1) * d);
  return sum;
}

std::vector<double> AttnsLab::errors(const AttnsFit& fit) const {
  return roll_out(&fit, held_out_);
}

std::vector<double> AttnsLab::base_errors() const {
  return roll_out(nullptr, held_out_);
}

} // namespace lodestep::report
