#include "train/attns_states.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace lodestep::detail {

namespace {

// How far states go, at most, on the way to another state of the problem.
constexpr double most_blended = 0.1;

} // namespace

Problem blended(const Problem& original, const Trajectories& met) {
  Problem problem = original;
  problem.initial += ", blended"; // no distribution to be looked up when a parameter changes
  problem.sample = [&original, &met](Random& random, double* u0) {
    original.sample(random, u0);
    if (random.uniform(0.0, 1.0) < 0.5) return;
    const auto one_of = [&](std::size_t count) {
      return std::min(static_cast<std::size_t>(random.uniform(0.0, static_cast<double>(count))), count - 1);
    };
    const std::size_t trajectory = one_of(met.trajectories);
    const double* other = met.state(trajectory, one_of(met.times));
    const double share = random.uniform(0.0, most_blended);
    for (std::size_t v = 0; v < met.dimension; ++v) u0[v] += share * (other[v] - u0[v]);
  };
  return problem;
}

void require_enough_states(const Trajectories& t, std::size_t stride, std::size_t features) {
  const std::size_t each = t.times - stride;
  const std::size_t least = 2 * (1 + features);
  std::set<std::vector<double>> distinct; // no more than are needed
  for (std::size_t i = 0; i < t.trajectories; ++i) {
    for (std::size_t n = 0; n < each && distinct.size() < least; ++n) {
      distinct.insert({t.state(i, n), t.state(i, n) + t.dimension});
    }
  }
  if (distinct.size() >= least) return;
  const std::size_t found = distinct.size();
  const std::size_t missing = least - found;
  std::string advice = std::to_string(missing) + " more are needed: ";
  if (found * 2 < std::min(t.trajectories * each, least)) {
    advice += "many are the same, so that initial states must differ more";
  } else {
    advice += std::to_string((missing + each - 1) / each) + " more trajectories, or a longer horizon";
  }
  throw InvalidData("too little to learn from: " + std::to_string(t.trajectories) + " trajectories give " +
                    std::to_string(found) + " distinct steps, an affine corrector of this problem needs at least " +
                    std::to_string(least) + "; " + advice);
}

} // namespace lodestep::detail
