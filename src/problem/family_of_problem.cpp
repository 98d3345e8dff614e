#include <lodestep/error.hpp>
#include <lodestep/family.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace lodestep {

namespace {

/// The problem at values of the parameters that vary, made once for each.
class ProblemAt {
public:
  ProblemAt(Problem problem, std::vector<ParameterRange> ranges)
      : problem_(std::move(problem)), ranges_(std::move(ranges)) {}

  const Problem& operator()(const double* parameters) {
    if (ranges_.empty()) return problem_;
    const std::lock_guard lock(mutex_);
    // A roll-out asks for the same values all along.
    if (last_ && std::equal(last_->first.begin(), last_->first.end(), parameters)) return last_->second;
    const std::vector<double> values(parameters, parameters + ranges_.size());
    auto known = made_.find(values);
    if (known == made_.end()) {
      std::vector<Parameter> named;
      for (std::size_t i = 0; i < values.size(); ++i) named.push_back({ranges_[i].name, values[i]});
      known = made_.emplace(values, with_parameters(problem_, named)).first;
    }
    last_ = &*known;
    return known->second;
  }

private:
  Problem problem_;
  std::vector<ParameterRange> ranges_;
  std::map<std::vector<double>, Problem> made_; // its nodes stay where they are
  const std::pair<const std::vector<double>, Problem>* last_ = nullptr;
  std::mutex mutex_;
};

} // namespace

Family family_of(const Problem& problem, const std::vector<ParameterRange>& ranges) {
  if (depends_on_time(problem)) {
    throw InvalidArgument("problem '" + problem.name +
                          "' depends on time: a tableau is learned for autonomous right-hand sides, take time among "
                          "the variables");
  }
  Family family;
  family.name = problem.name;
  family.description = problem.description;
  family.variables = problem.variables;
  for (const auto& range : ranges) {
    if (!(std::isfinite(range.values.lower) && std::isfinite(range.values.upper) &&
          range.values.lower <= range.values.upper)) {
      throw InvalidArgument("parameter '" + range.name + "': expected a range of finite numbers in order, found " +
                            std::to_string(range.values.lower) + " to " + std::to_string(range.values.upper));
    }
    family.parameters.push_back({range.name, range.values});
  }
  family.dt = {0.1 * problem.dt, problem.dt};
  family.horizon = std::min(problem.horizon, 10.0 * problem.dt);
  const auto at = std::make_shared<ProblemAt>(problem, ranges);
  // Said now, not at the first step: a parameter it does not have.
  std::vector<double> middle;
  for (const auto& range : ranges) middle.push_back(0.5 * (range.values.lower + range.values.upper));
  (*at)(middle.data());
  family.rhs = [at](const double* p, const double* u, double* dudt) { (*at)(p).rhs(0.0, u, dudt); };
  if (problem.rhs_extended) {
    family.rhs_extended = [at](const double* p, const long double* u, long double* dudt) {
      (*at)(p).rhs_extended(0.0L, u, dudt);
    };
  }
  family.sample = [sample = problem.sample, ranges](Random& random, double widen, double* p, double* u0) {
    for (const auto& range : ranges) {
      const double centre = 0.5 * (range.values.lower + range.values.upper);
      const double half = 0.5 * (range.values.upper - range.values.lower) * widen;
      *p++ = random.uniform(centre - half, centre + half);
    }
    sample(random, u0);
  };
  return family;
}

} // namespace lodestep
