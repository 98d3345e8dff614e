#include "train/cases.hpp"

#include <algorithm>
#include <utility>

namespace lodestep::detail {

Cases generate_cases(const Problem& problem, const std::vector<ParameterRange>& ranges,
                     const GenerateOptions& options) {
  Cases cases;
  cases.varied = ranges.size();
  if (ranges.empty()) {
    cases.problems = {problem};
    cases.trajectories = generate_trajectories(problem, options);
    return cases;
  }
  constexpr std::uint64_t stream = 64; // beside those of Split
  for (std::size_t i = 0; i < options.trajectories; ++i) {
    Random random(options.seed, stream + static_cast<std::uint64_t>(options.split), options.first + i);
    std::vector<Parameter> values;
    for (const auto& range : ranges) {
      values.push_back({range.name, random.uniform(range.values.lower, range.values.upper)});
    }
    Problem varied = with_parameters(problem, values);
    GenerateOptions one = options;
    one.first = options.first + i;
    one.trajectories = 1;
    one.progress = nullptr;
    Trajectories made = generate_trajectories(varied, one);
    Trajectories& all = cases.trajectories;
    if (i == 0) {
      all = std::move(made);
      all.states.reserve(all.states.size() * options.trajectories);
    } else {
      all.states.insert(all.states.end(), made.states.begin(), made.states.end());
      all.error_estimate = std::max(all.error_estimate, made.error_estimate);
    }
    all.trajectories = i + 1;
    for (const auto& value : values) cases.parameters.push_back(value.value);
    cases.problems.push_back(std::move(varied));
    if (options.progress && !options.progress(static_cast<double>(i + 1) / static_cast<double>(options.trajectories),
                                              "trajectories of " + problem.name)) {
      break;
    }
  }
  return cases;
}

} // namespace lodestep::detail
