#include "train/adam.hpp"
#include "train/adam_moments.hpp"
#include "train/flow_map_data.hpp"
#include "train/hits_choice.hpp"
#include "train/rolled_gradient.hpp"

#include <lodestep/error.hpp>
#include <lodestep/train_hits_paper.hpp>
#include <lodestep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>

namespace lodestep {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t network_stream = 108;
constexpr std::size_t validation_trajectories = 32;
constexpr std::size_t profile_trajectories = 32;
/// Trajectories whose activations stay in the cache; a gradient is the sum of its pieces'.
constexpr std::size_t piece = 200;
constexpr double limit_margin = 1.25;

/// The largest divisor of `count` that is a piece; all of them where there is none of a fair size.
std::size_t piece_of(std::size_t count) {
  for (std::size_t n = std::min(piece, count); n >= std::min(piece / 4, count); --n) {
    if (count % n == 0) return n;
  }
  return count;
}

class PaperTraining {
public:
  PaperTraining(const Problem& problem, const HitsPaperOptions& options) : problem_(problem), options_(options) {
    const auto positive = [](const char* name, bool sound) {
      if (!sound)
        throw InvalidArgument(std::string("train hits, paper's recipe: ") + name + " must be positive, found 0");
    };
    positive("trajectories", options.trajectories > 0);
    positive("the loss's steps", options.steps > 0);
    positive("epochs", options.epochs > 0);
    positive("the learning rate", options.learning_rate > 0.0);
    if (options.ratio < 2) throw InvalidArgument("ratio: expected at least 2, found " + std::to_string(options.ratio));
    if (options.levels.first > options.levels.last) {
      throw InvalidArgument("levels: expected first:last with first <= last");
    }
    hierarchy_.fine_dt = problem.fine_dt != 0.0 ? problem.fine_dt : problem.dt;
    if (options_.base_dt == 0.0) options_.base_dt = hierarchy_.fine_dt;
    if (options_.horizon == 0.0) options_.horizon = problem.horizon;
    if (options_.hidden.empty()) options_.hidden = {128, 128, 128};
    steps_in(options_.base_dt, hierarchy_.fine_dt);
    steps_in(options_.horizon, hierarchy_.fine_dt);
    if (dt_of(options_.levels.last) > options_.horizon * (1.0 + 1e-9)) {
      throw InvalidArgument("levels: level " + std::to_string(options_.levels.last) + " is a step of " +
                            std::to_string(dt_of(options_.levels.last)) + ", beyond the horizon of " +
                            std::to_string(options_.horizon));
    }
  }

  HitsResult run() {
    const auto start = Clock::now();
    const auto truth = trajectories(Split::validation, validation_trajectories);
    box_ = detail::box_around(problem_, truth);
    HitsResult result;
    for (std::size_t level = options_.levels.first; level <= options_.levels.last && !interrupted_; ++level) {
      learn(level, result);
    }
    finish(truth, result);
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
  }

private:
  double dt_of(std::size_t level) const {
    return options_.base_dt * std::pow(static_cast<double>(options_.ratio), static_cast<double>(level));
  }
  Trajectories trajectories(Split split, std::size_t count) const {
    GenerateOptions generate;
    generate.trajectories = count;
    generate.dt = hierarchy_.fine_dt;
    generate.horizon = options_.horizon;
    generate.seed = options_.seed;
    generate.split = split;
    return generate_trajectories(problem_, generate);
  }

  /// [piece, step, trajectory, variable] of trajectories of steps + 1 states every dt from sampled initial states, and
  /// the largest change of each variable over one step.
  std::vector<float> windows(double dt, std::size_t pieces, std::size_t each, std::vector<double>& largest) const {
    const std::size_t d = problem_.dimension(), times = options_.steps + 1;
    std::vector<float> all(pieces * each * times * d);
    std::vector<double> u0(d), states(times * d);
    largest.assign(d, 0.0);
    for (std::size_t n = 0; n < pieces * each; ++n) {
      Random random(options_.seed, static_cast<std::uint64_t>(Split::train), n);
      problem_.sample(random, u0.data());
      reference_solution(problem_, u0.data(), 0.0, dt, times, states.data(), false);
      for (std::size_t t = 0; t < times; ++t) {
        for (std::size_t i = 0; i < d; ++i) {
          all[(((n / each) * times + t) * each + n % each) * d + i] = static_cast<float>(states[t * d + i]);
          if (t > 0) largest[i] = std::max(largest[i], std::abs(states[t * d + i] - states[(t - 1) * d + i]));
        }
      }
    }
    return all;
  }

  void learn(std::size_t level, HitsResult& result) {
    const auto start = Clock::now();
    FlowMapModel map;
    map.dt = dt_of(level);
    const std::size_t d = problem_.dimension();
    const std::size_t each = piece_of(options_.trajectories), pieces = options_.trajectories / each;
    std::vector<double> largest;
    const auto data = windows(map.dt, pieces, each, largest);

    std::vector<std::size_t> widths{d};
    widths.insert(widths.end(), options_.hidden.begin(), options_.hidden.end());
    widths.push_back(d);
    Random random(options_.seed, network_stream, level);
    MlpTerm network = detail::random_network(random, widths, Activation::relu);
    const auto packed = detail::pack_parameters(network);
    std::vector<float> parameters(packed.begin(), packed.end()), gradient(packed.size());
    detail::RolledGradient loss(network, each, options_.steps, detail::TrainingBackend::automatic);
    detail::AdamMoments<float> moments(parameters.size(), 0.9, 0.999, 1e-8);
    const std::size_t numbers = (options_.steps + 1) * each * d;
    const double share = 1.0 / static_cast<double>(pieces);
    double one_step = std::numeric_limits<double>::infinity();
    for (std::size_t epoch = 0; epoch < options_.epochs; ++epoch) {
      std::fill(gradient.begin(), gradient.end(), 0.0F);
      double total = 0.0;
      one_step = 0.0;
      for (std::size_t p = 0; p < pieces; ++p) {
        total += share * loss.evaluate(parameters.data(), data.data() + p * numbers, share, gradient.data());
        one_step += share * loss.one_step();
      }
      if (!std::isfinite(total)) {
        throw InvalidData("train hits, paper's recipe: training of the step " + std::to_string(map.dt) +
                          " diverged in epoch " + std::to_string(epoch + 1) + "; lower the learning rate");
      }
      if (one_step < options_.target) break;
      moments.step(gradient.data(), options_.learning_rate, parameters.data());
      if (options_.progress && epoch % 16 == 0) {
        char text[80];
        std::snprintf(text, sizeof text, "step %g, epoch %zu, loss %.3g", map.dt, epoch, total);
        const double levels = static_cast<double>(options_.levels.last - options_.levels.first + 1);
        const double done = static_cast<double>(level - options_.levels.first) +
                            static_cast<double>(epoch) / static_cast<double>(options_.epochs);
        if (!options_.progress(done / levels, text)) {
          interrupted_ = true;
          break;
        }
      }
    }
    detail::unpack_parameters({parameters.begin(), parameters.end()}, network);
    map.approximator = ApproximatorSpec::zero(d, d);
    map.approximator.precision = Precision::f32;
    map.approximator.term = std::move(network);
    map.state = box_;
    for (const double change : largest) map.limit.push_back(limit_margin * change + std::numeric_limits<double>::min());
    map.step_rms = std::sqrt(one_step);
    result.maps.push_back({map.dt, map.base, map.approximator.description(), map.step_rms, 0.0,
                           std::chrono::duration<double>(Clock::now() - start).count()});
    hierarchy_.maps.push_back(std::move(map));
  }

  void finish(const Trajectories& validation, HitsResult& result) {
    Model& model = result.model;
    model.variables = problem_.variables;
    model.method = hierarchy_;
    auto packed = std::make_shared<const Hierarchy>(std::make_shared<const Model>(model));
    // By the maps alone, as the paper does: with classical steps in the place of bad ones, bad maps would look good.
    auto range = detail::choose_range(packed, nullptr, validation);
    if (!std::isfinite(range.mse)) range = detail::choose_range(packed, &problem_, validation);
    if (!std::isfinite(range.mse)) {
      throw InvalidData("train hits, paper's recipe: every roll-out diverged; train for more epochs");
    }
    hierarchy_.lower = range.lower;
    hierarchy_.upper = range.upper;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < hierarchy_.maps.size(); ++k) {
      result.maps[k].validation_mse = detail::multiscale_mse(packed, k, k, &problem_, validation);
      const double hybrid = detail::hybrid_mse(packed, k, problem_, validation);
      if (hybrid < best) {
        best = hybrid;
        hierarchy_.placing = k;
      }
    }
    model.method = hierarchy_;
    packed = std::make_shared<const Hierarchy>(std::make_shared<const Model>(model));
    const auto test = trajectories(Split::test, profile_trajectories);
    const auto& placing = hierarchy_.maps[hierarchy_.placing];
    model.error.step_rms = placing.step_rms;
    model.error.step_max = placing.step_rms;
    model.error.base_step_rms = 0.0;
    model.error.horizon = options_.horizon;
    model.error.horizon_rms =
        std::sqrt(detail::multiscale_mse(packed, hierarchy_.lower, hierarchy_.upper, &problem_, test));
    model.error.trajectories = test.trajectories;
    if (!std::isfinite(model.error.horizon_rms)) {
      throw InvalidData("train hits, paper's recipe: roll-outs diverged on held-out initial states");
    }
    model.provenance = {problem_.name, problem_.parameters,     options_.seed,   options_.trajectories,
                        "paper",       LODESTEP_VERSION_STRING, problem_.initial};
    model.validate();
    result.interrupted = interrupted_;
  }

  const Problem& problem_;
  HitsPaperOptions options_;
  std::vector<Interval> box_;
  HierarchyModel hierarchy_;
  bool interrupted_ = false;
};

} // namespace

HitsResult train_hits_paper(const Problem& problem, const HitsPaperOptions& options) {
  return PaperTraining(problem, options).run();
}

} // namespace lodestep
