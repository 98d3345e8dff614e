#include "train/flow_map_data.hpp"

#include <algorithm>
#include <cmath>

namespace lodestep::detail {

namespace {

/// Streams of random numbers beyond those of the splits.
constexpr std::uint64_t pairs_stream = 101;
/// Of ten pairs four start on trajectories, five in the region of initial states, and one anywhere in the box. Where
/// there is no region, of these five some are initial states and some near early states of trajectories.
constexpr std::size_t shares = 10;
constexpr double outskirts_weight = 0.03;
constexpr double early_power = 3.0;
/// Of the box.
constexpr double moved = 0.005;
/// Of the range of states. Where trajectories end on a slow manifold at the edge of what they ever are, as reactants
/// that are used up do, the least error of a step leads beyond.
constexpr double margin_of_box = 0.02, wide_margin = 0.06;
/// Of neighbours, relative to the box: near enough for a difference quotient to be local, and far enough for the
/// reference's own error not to show in it.
constexpr double neighbour_distance = 1e-3;

/// Column n of `from` and the state one step later.
void put(const Problem& problem, const std::vector<double>& u, double dt, Eigen::Index n, Eigen::MatrixXd& from,
         Eigen::MatrixXd& to) {
  std::vector<double> solution(2 * u.size());
  reference_solution(problem, u.data(), 0.0, dt, 2, solution.data(), false);
  for (std::size_t i = 0; i < u.size(); ++i) {
    from(static_cast<Eigen::Index>(i), n) = u[i];
    to(static_cast<Eigen::Index>(i), n) = solution[u.size() + i];
  }
}

std::size_t one_of(Random& random, std::size_t all) {
  return std::min(static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(all))), all - 1);
}

} // namespace

std::vector<Interval> box_around(const Problem& problem, const Trajectories& trajectories) {
  std::vector<Interval> box(trajectories.dimension);
  for (std::size_t i = 0; i < box.size(); ++i) {
    box[i] = {trajectories.states[i], trajectories.states[i]};
    for (std::size_t n = i; n < trajectories.states.size(); n += box.size()) {
      box[i].lower = std::min(box[i].lower, trajectories.states[n]);
      box[i].upper = std::max(box[i].upper, trajectories.states[n]);
    }
    if (i < problem.region.size()) {
      box[i].lower = std::min(box[i].lower, problem.region[i].lower);
      box[i].upper = std::max(box[i].upper, problem.region[i].upper);
    }
    const double margin = (problem.region.empty() ? wide_margin : margin_of_box) * (box[i].upper - box[i].lower);
    box[i].lower -= margin;
    box[i].upper += margin;
  }
  return box;
}

FlowMapData flow_map_data(const Problem& problem, const Trajectories& trajectories, const std::vector<Interval>& box,
                          double dt, std::size_t pairs, std::uint64_t seed, bool neighbours) {
  const std::size_t d = problem.dimension();
  FlowMapData data;
  data.from.resize(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(pairs));
  data.to.resizeLike(data.from);
  data.weight.setOnes(static_cast<Eigen::Index>(pairs));
  data.box = box;
  data.trajectories = trajectories.trajectories;
  if (neighbours) {
    data.near_from.resize(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(pairs * d));
    data.near_to.resizeLike(data.near_from);
    data.distance.resize(static_cast<Eigen::Index>(d));
    for (std::size_t i = 0; i < d; ++i) {
      data.distance[static_cast<Eigen::Index>(i)] = neighbour_distance * (box[i].upper - box[i].lower);
    }
  }
  std::vector<double> u(d);
  for (std::size_t n = 0; n < pairs; ++n) {
    Random random(seed, pairs_stream, n);
    const std::size_t kind = n % shares;
    // Trajectories that leave the region leave it somewhere: most of the box around them is never seen, and a map that
    // must be right there too is right nowhere. A few pairs keep it sane.
    const bool anywhere = kind == shares - 2;
    const bool in_region = problem.region.size() == d;
    if (anywhere) data.weight[static_cast<Eigen::Index>(n)] = outskirts_weight;
    if (anywhere || (kind % 2 == 1 && in_region)) {
      const auto& from = anywhere ? box : problem.region;
      for (std::size_t i = 0; i < d; ++i) u[i] = random.uniform(from[i].lower, from[i].upper);
    } else if (kind % 2 == 0) {
      const std::size_t drawn = one_of(random, trajectories.trajectories * trajectories.times);
      std::copy_n(trajectories.states.data() + drawn * d, d, u.data());
    } else if (kind % 4 == 1) { // no region: initial states are what the sampler gives
      problem.sample(random, u.data());
    } else { // what happens soon after the start happens once in a long trajectory
      const double time = std::pow(random.uniform(0.0, 1.0), early_power) * static_cast<double>(trajectories.times - 1);
      const double* state =
          trajectories.state(one_of(random, trajectories.trajectories), static_cast<std::size_t>(time));
      for (std::size_t i = 0; i < d; ++i) {
        const double to = state[i] + moved * (box[i].upper - box[i].lower) * random.normal();
        u[i] = std::clamp(to, box[i].lower, box[i].upper);
      }
    }
    put(problem, u, dt, static_cast<Eigen::Index>(n), data.from, data.to);
    for (std::size_t i = 0; neighbours && i < d; ++i) {
      std::vector<double> beside = u;
      beside[i] += data.distance[static_cast<Eigen::Index>(i)];
      put(problem, beside, dt, static_cast<Eigen::Index>(n * d + i), data.near_from, data.near_to);
    }
  }
  return data;
}

} // namespace lodestep::detail
