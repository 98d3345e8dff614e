#include "report/studies/hits_lab.hpp"

#include "problem/trajectory_file.hpp"
#include "train/hits_choice.hpp"

#include <lodestep/error.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lodestep::report {

namespace {

constexpr std::uint64_t noise_stream = 107, test_noise_stream = 111;
/// Trajectories on which the interpolation is chosen.
constexpr std::size_t chosen_on = 16;

Trajectories generate(const Problem& problem, std::size_t count, Split split, std::uint64_t seed) {
  GenerateOptions options;
  options.trajectories = count;
  options.dt = problem.fine_dt;
  options.seed = seed;
  options.split = split;
  return generate_trajectories(problem, options);
}

/// Standard deviation of the noise of each variable: from the variance within trajectories, averaged, or from the
/// average of its root.
std::vector<double> deviations(const Trajectories& set, double noise, Noise meaning) {
  const bool variances = meaning == Noise::of_variance;
  std::vector<double> result;
  for (std::size_t i = 0; i < set.dimension; ++i) {
    double mean = 0.0;
    for (std::size_t k = 0; k < set.trajectories; ++k) {
      double sum = 0.0, squares = 0.0;
      for (std::size_t t = 0; t < set.times; ++t) {
        const double u = set.state(k, t)[i];
        sum += u;
        squares += u * u;
      }
      const auto n = static_cast<double>(set.times);
      const double variance = std::max(0.0, squares / n - sum / n * (sum / n));
      mean += (variances ? variance : std::sqrt(variance)) / static_cast<double>(set.trajectories);
    }
    result.push_back(variances ? std::sqrt(noise * mean) : noise * mean);
  }
  return result;
}

void add_noise(Trajectories& set, const std::vector<double>& deviation, std::uint64_t seed, std::uint64_t stream) {
  for (std::size_t k = 0; k < set.trajectories; ++k) {
    Random random(seed, stream, k);
    for (std::size_t t = 0; t < set.times; ++t) {
      for (std::size_t i = 0; i < set.dimension; ++i) set.state(k, t)[i] += deviation[i] * random.normal();
    }
  }
}

/// Mean squared error where a part `cubic` of the way is gone from linear to cubic interpolation: a parabola.
struct MixedError {
  double linear = 0.0; ///< cubic = 0
  double slope = 0.0;
  double curvature = 0.0;
  double at(double cubic) const { return linear + cubic * (slope + cubic * curvature); }
  double best() const { return curvature > 0.0 ? -0.5 * slope / curvature : 0.0; }
};

MixedError mixed_error(Multiscale& scheme, const Trajectories& truth) {
  const std::size_t count = truth.trajectories;
  const std::size_t d = truth.dimension, steps = truth.times - 1;
  std::vector<double> linear(truth.times * d), cubic(linear.size());
  MixedError error;
  for (std::size_t k = 0; k < count; ++k) {
    const double* states = truth.state(k, 0);
    std::copy_n(states, d, linear.data());
    std::copy_n(states, d, cubic.data());
    try {
      scheme.solve(no_rhs(), truth.t0, steps, linear.data(), Interpolation::linear);
      scheme.solve(no_rhs(), truth.t0, steps, cubic.data(), Interpolation::cubic);
    } catch (const InvalidData&) { // left the domain, with nothing to fall back to
      error.linear += detail::square_of_range(truth) * static_cast<double>(steps * d);
      continue;
    }
    for (std::size_t n = d; n < linear.size(); ++n) {
      const double at_line = linear[n] - states[n], apart = cubic[n] - linear[n];
      error.linear += at_line * at_line;
      error.slope += 2.0 * at_line * apart;
      error.curvature += apart * apart;
    }
  }
  for (double* sum : {&error.linear, &error.slope, &error.curvature}) *sum /= static_cast<double>(count * steps * d);
  return error;
}

} // namespace

const std::vector<HitsSystem>& hits_systems() {
  static const std::vector<HitsSystem> systems{
      {"hyperbolic",
       1600,
       3,
       10,
       {{{1.5e-3, 2.0e-4, 1.7e-5, 1.6e-5, 1.5e-6, 1.8e-6, 4.8e-6, 5.4e-5, 5.0e-4, 3.2e-3, 1.0e-2, 5.1e-8},
         {7.2e-3, 4.9e-3, 5.0e-4, 7.8e-5, 7.3e-5, 5.8e-5, 9.5e-6, 5.7e-5, 5.0e-4, 3.2e-3, 1.0e-2, 1.7e-6},
         {1.3e-2, 3.1e-3, 2.5e-3, 2.0e-4, 4.5e-5, 2.7e-5, 1.3e-5, 6.1e-5, 5.0e-4, 3.2e-3, 1.1e-2, 6.1e-6}}},
       {10.06, 3.75, 1.89, 1.01, 0.56, 0.34, 0.24, 0.18, 0.15, 0.13, 0.12, 0.89},
       {2.55, 1.28, 0.74, 0.46, 0.30},
       {1.36, 0.72, 0.37, 0.24, 0.19}},
      {"cubic_oscillator",
       3200,
       1,
       4,
       {{{3.1e-3, 7.0e-4, 4.0e-4, 2.0e-4, 3.0e-4, 3.0e-4, 3.0e-4, 1.2e-3, 9.8e-3, 5.0e-2, 1.0e-1, 2.0e-4},
         {3.4e-2, 2.7e-2, 6.4e-3, 3.9e-3, 1.3e-3, 1.1e-3, 8.0e-4, 1.7e-3, 1.0e-2, 5.0e-2, 1.0e-1, 6.0e-4},
         {7.8e-2, 3.1e-2, 1.3e-2, 5.3e-3, 2.6e-3, 2.1e-3, 2.0e-3, 3.0e-3, 1.1e-2, 5.2e-2, 1.0e-1, 1.6e-3}}},
       {24.74, 7.68, 3.62, 1.84, 1.00, 0.77, 0.65, 0.39, 0.27, 0.17, 0.14, 6.73},
       {3.18, 1.60, 1.01, 0.64, 0.43},
       {2.25, 0.96, 0.55, 0.30, 0.23}},
      {"van_der_pol",
       3200,
       2,
       5,
       {{{1.3e-1, 6.9e-3, 3.3e-3, 4.1e-3, 3.9e-3, 2.2e-2, 9.3e-2, 4.2e-1, 1.0e+0, 2.9e+0, 3.2e+0, 3.2e-3},
         {1.6e+0, 3.1e+0, 2.4e+0, 1.6e-1, 7.8e-2, 9.0e-2, 1.2e-1, 4.2e-1, 1.0e+0, 2.9e+0, 3.2e+0, 1.7e-2},
         {1.6e+0, 3.1e+0, 2.4e+0, 1.6e-1, 7.8e-2, 9.0e-2, 1.2e-1, 4.2e-1, 1.0e+0, 2.9e+0, 3.2e+0, 1.7e-2}}},
       {48.95, 21.48, 8.74, 4.00, 2.06, 1.09, 0.60, 0.36, 0.24, 0.19, 0.15, 7.96},
       {2.82, 1.30, 0.78, 0.42, 0.30},
       {1.37, 0.69, 0.42, 0.29, 0.22}},
      {"hopf",
       3200,
       2,
       11,
       {{{4.9e-3, 1.2e-3, 1.2e-3, 1.1e-3, 9.0e-4, 9.0e-4, 9.0e-4, 2.5e-3, 2.4e-2, 1.5e-1, 1.3e-1, 4.1e-5},
         {1.9e-2, 5.9e-3, 1.2e-2, 7.0e-3, 1.2e-3, 1.0e-3, 7.0e-4, 2.4e-3, 2.4e-2, 1.5e-1, 1.3e-1, 5.4e-5},
         {4.2e-2, 1.1e-2, 8.5e-2, 2.1e-3, 1.0e-3, 1.0e-3, 8.0e-4, 2.4e-3, 2.4e-2, 1.5e-1, 1.3e-1, 9.0e-5}}},
       {9.98, 3.69, 1.87, 1.03, 0.59, 0.37, 0.27, 0.22, 0.21, 0.17, 0.17, 1.84},
       {3.93, 2.21, 1.07, 0.60, 0.35},
       {1.89, 1.01, 0.59, 0.37, 0.26}},
      {"lorenz",
       6400,
       6,
       8,
       {{{1.6e+1, 2.2e+1, 1.5e+1, 8.0e+0, 2.5e+1, 4.4e+0, 4.1e+0, 4.7e+0, 5.6e+0, 1.8e+1, 5.1e+1, 4.1e+0},
         {9.0e+1, 4.1e+1, 3.4e+1, 2.8e+1, 1.9e+1, 1.3e+1, 9.7e+0, 1.1e+1, 1.2e+1, 2.3e+1, 5.2e+1, 9.8e+0},
         {1.1e+2, 6.8e+1, 4.5e+1, 4.9e+1, 2.2e+1, 1.9e+1, 1.9e+1, 1.6e+1, 1.9e+1, 2.8e+1, 5.2e+1, 1.6e+1}}},
       {42.98, 19.01, 8.51, 4.10, 2.03, 1.09, 0.56, 0.30, 0.18, 0.12, 0.09, 0.73},
       {3.87, 1.97, 1.17, 0.98, 0.60},
       {3.17, 1.78, 0.99, 0.74, 0.62}},
  };
  return systems;
}

std::string stepper_name(std::size_t k) {
  return k == 11 ? "multiscale" : "NNTS " + std::to_string(k);
}

HitsLab::HitsLab(const Setup& setup) : problem_(make_problem(setup.problem)) {
  data_ = generate(problem_, setup.training, Split::train, setup.seed);
  test_ = generate(problem_, setup.test, Split::test, setup.seed);
  if (setup.noise > 0.0) {
    const auto deviation = deviations(data_, setup.noise, setup.meaning);
    add_noise(data_, deviation, setup.seed, noise_stream);
    if (setup.meaning == Noise::of_deviation) add_noise(test_, deviation, setup.seed, test_noise_stream);
  }
  GenerateOptions origin;
  origin.trajectories = setup.training;
  origin.dt = problem_.fine_dt;
  HitsOptions options;
  options.levels = Levels{0, setup.levels - 1};
  options.iterate = false;
  options.seed = setup.seed;
  learned_ = train_hits(trajectory_set(problem_, origin, data_), options, setup.problem);
  packed_ = std::make_shared<const Hierarchy>(std::make_shared<const Model>(learned_.model));
  own_ = data_;
  own_.trajectories = 0;
  Multiscale scheme(packed_);
  for (std::size_t k = 0; k < data_.trajectories && own_.trajectories < chosen_on; ++k) {
    double* states = own_.state(own_.trajectories, 0);
    std::copy_n(data_.state(k, 0), data_.dimension, states);
    try {
      scheme.solve(no_rhs(), data_.t0, data_.times - 1, states, Interpolation::cubic);
      ++own_.trajectories;
    } catch (const InvalidData&) { // left the domain, with nothing to fall back to
    }
  }
}

double HitsLab::error(std::size_t lower, std::size_t upper) const {
  Multiscale scheme(packed_, lower, upper);
  const double cubic = mixed_error(scheme, own_).best();
  return mixed_error(scheme, test_).at(cubic);
}

double HitsLab::multiscale_error() const {
  return error(hierarchy().lower, hierarchy().upper);
}

double HitsLab::exact_error() const {
  RungeKutta scheme(classical_tableau("rk4"), test_.dimension);
  const auto by_time = mean_square_by_time(test_, [&](double* states) {
    for (std::size_t t = 1; t < test_.times; ++t) {
      const double* from = states + (t - 1) * test_.dimension;
      scheme.step(problem_.rhs, test_.t0, from, test_.dt, states + t * test_.dimension);
    }
  });
  double sum = 0.0;
  for (const double error : by_time) sum += error;
  return sum / static_cast<double>(test_.times - 1);
}

std::vector<double> HitsLab::error_by_time(std::size_t lower, std::size_t upper) const {
  Multiscale scheme(packed_, lower, upper);
  return mean_square_by_time(
      test_, [&](double* states) { scheme.solve(no_rhs(), test_.t0, test_.times - 1, states, Interpolation::cubic); });
}

std::vector<double> mean_square_by_time(const Trajectories& truth, const std::function<void(double*)>& solve) {
  const std::size_t d = truth.dimension;
  std::vector<double> sum(truth.times, 0.0), states(truth.times * d);
  for (std::size_t k = 0; k < truth.trajectories; ++k) {
    std::copy_n(truth.state(k, 0), d, states.data());
    try {
      solve(states.data());
    } catch (const InvalidData&) { // left the domain, with nothing to fall back to
      std::fill(states.begin() + static_cast<std::ptrdiff_t>(d), states.end(), std::numeric_limits<double>::infinity());
    }
    for (std::size_t n = 0; n < states.size(); ++n) sum[n / d] += std::pow(states[n] - truth.state(k, 0)[n], 2);
  }
  for (double& value : sum) value /= static_cast<double>(truth.trajectories * d);
  return sum;
}

StudyCurve curve_by_time(const std::string& name, const std::vector<double>& by_time, double dt) {
  StudyCurve curve{name, {}};
  constexpr double growth = 1.08;
  for (double at = 1.0; at < static_cast<double>(by_time.size()); at = std::max(at + 1.0, at * growth)) {
    const auto n = static_cast<std::size_t>(at);
    curve.points.emplace_back(static_cast<double>(n) * dt, by_time[n]);
  }
  return curve;
}

} // namespace lodestep::report
