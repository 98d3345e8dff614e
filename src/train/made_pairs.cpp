#include "train/made_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep::detail {

namespace {

using Eigen::Index;

/// Of ten starts: so many are states of the trajectories at any time, so many early ones, and so many between two first
/// ones. The last is from anywhere in the box and counts little.
constexpr std::size_t kinds = 10, any_time = 4, early = 2, between = 3;
constexpr double anywhere_weight = 0.1;
/// Of the box: how far the first two are moved about.
constexpr double moved = 0.01, early_moved = 0.03;
/// Of a number in [0, 1]: times of the early ones.
constexpr double early_power = 4.0;
/// So far beyond two first states may one between them be; and so many times as far from all first ones as these
/// usually are from each other: on an attractor what lies between two states is mostly nowhere.
constexpr double beyond = 0.05, apart = 1.5;

std::size_t any_of(Random& random, std::size_t all) {
  return std::min(static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(all))), all - 1);
}

void move(Random& random, const std::vector<Interval>& box, double part, double* u) {
  for (std::size_t i = 0; i < box.size(); ++i) u[i] += part * (box[i].upper - box[i].lower) * random.normal();
}

/// Square of the distance, in units of the box, from u to the nearest first state of a trajectory other than `but`.
double to_first(const Trajectories& set, const std::vector<Interval>& box, const double* u, std::size_t but) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < set.trajectories; ++k) {
    if (k == but) continue;
    double square = 0.0;
    for (std::size_t i = 0; i < box.size(); ++i) {
      square += std::pow((set.state(k, 0)[i] - u[i]) / (box[i].upper - box[i].lower), 2);
    }
    least = std::min(least, square);
  }
  return least;
}

/// The median of that over some first states.
double usual_distance(const Trajectories& set, const std::vector<Interval>& box) {
  std::vector<double> distances;
  for (std::size_t k = 0; k < std::min<std::size_t>(set.trajectories, 200); ++k) {
    distances.push_back(to_first(set, box, set.state(k, 0), k));
  }
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

} // namespace

MadePairs::MadePairs(const PolynomialField& field, const Trajectories& set, const std::vector<Interval>& box,
                     std::size_t count, std::uint64_t seed, std::uint64_t stream)
    : field_(field), dt_(set.dt) {
  const std::size_t d = set.dimension;
  data_.box = box;
  data_.trajectories = set.trajectories;
  data_.from.resize(static_cast<Index>(d), static_cast<Index>(count));
  data_.weight = Eigen::VectorXd::Ones(data_.from.cols());
  const double usual = usual_distance(set, box);
  for (std::size_t n = 0; n < count; ++n) {
    Random random(seed, stream, n);
    double* u = data_.from.col(static_cast<Index>(n)).data();
    std::size_t kind = n % kinds;
    if (kind >= any_time + early && kind < any_time + early + between) {
      const double* a = set.state(any_of(random, set.trajectories), 0);
      const double* b = set.state(any_of(random, set.trajectories), 0);
      for (std::size_t i = 0; i < d; ++i) u[i] = a[i] + random.uniform(-beyond, 1.0 + beyond) * (b[i] - a[i]);
      if (!(to_first(set, box, u, set.trajectories) <= apart * apart * usual)) kind = 0;
    }
    if (kind < any_time) {
      std::copy_n(set.state(any_of(random, set.trajectories), any_of(random, set.times)), d, u);
      move(random, box, moved, u);
    } else if (kind < any_time + early) {
      const double time = std::pow(random.uniform(0.0, 1.0), early_power) * static_cast<double>(set.times - 1);
      std::copy_n(set.state(any_of(random, set.trajectories), static_cast<std::size_t>(time)), d, u);
      move(random, box, early_moved, u);
    } else if (kind >= any_time + early + between) {
      for (std::size_t i = 0; i < d; ++i) u[i] = random.uniform(box[i].lower, box[i].upper);
      data_.weight[static_cast<Index>(n)] = anywhere_weight;
    }
    for (std::size_t i = 0; i < d; ++i) u[i] = std::clamp(u[i], box[i].lower, box[i].upper);
  }
  data_.to = data_.from;
}

const FlowMapData& MadePairs::after(std::size_t steps) {
  Index n = 0;
  for (Index k = 0; k < data_.from.cols(); ++k) {
    if (!field_.flow(data_.to.col(k).data(), dt_, steps - steps_)) continue;
    data_.from.col(n) = data_.from.col(k);
    data_.to.col(n) = data_.to.col(k);
    data_.weight[n++] = data_.weight[k];
  }
  data_.from.conservativeResize(Eigen::NoChange, n);
  data_.to.conservativeResize(Eigen::NoChange, n);
  data_.weight.conservativeResize(n);
  steps_ = steps;
  return data_;
}

} // namespace lodestep::detail
