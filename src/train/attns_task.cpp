#include "train/attns_task.hpp"

#include <lodestep/error.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lodestep::detail {

std::string short_text(double value) {
  char number[32];
  std::snprintf(number, sizeof number, "%g", value);
  return number;
}

namespace {

void require(bool sound, const std::string& message) {
  if (!sound) throw InvalidArgument(message);
}

void check_options(const AttnsOptions& o) {
  require(o.error >= 0.0 && std::isfinite(o.error),
          "error: expected a positive number in the problem's units, found " + short_text(o.error));
  require(o.time_limit > 0.0, "time limit: expected seconds > 0, found " + short_text(o.time_limit));
  const bool range = o.dt_range.lower != 0.0 || o.dt_range.upper != 0.0;
  require(!(o.search_dt && o.dt != 0.0), "dt: a step was given, and a search for one was asked for");
  require(!(range && (o.search_dt || o.dt != 0.0)), "dt range: a dt-aware model has no one step to give or search");
  require(!range || (o.dt_range.lower > 0.0 && o.dt_range.upper > o.dt_range.lower && std::isfinite(o.dt_range.upper)),
          "dt range: expected 0 < lower < upper, found " + short_text(o.dt_range.lower) + ":" +
              short_text(o.dt_range.upper));
  require(!o.search_dt || o.error > 0.0, "dt: a search for the step needs an error to reach");
  require(!(o.form == CorrectorForm::multiplicative && o.input && *o.input == CorrectorInput::stages),
          "form: the multiplicative form is fed with the increment or the state");
  for (const auto& parameter : o.parameters) {
    require(std::isfinite(parameter.values.lower) && parameter.values.lower < parameter.values.upper &&
                std::isfinite(parameter.values.upper),
            "parameter " + parameter.name + ": expected a range lower < upper, found " +
                short_text(parameter.values.lower) + ":" + short_text(parameter.values.upper));
  }
}

AttnsSteps choose_steps(const Problem& problem, const AttnsOptions& o) {
  AttnsSteps steps;
  if (o.dt_range.upper > 0.0) {
    // Steps between are interpolated by the approximator: there must be more nodes than a polynomial that is fitted
    // has degrees, or it does what it likes between them.
    constexpr std::size_t most_nodes = 12;
    constexpr std::size_t fewest_grid_steps = 18;
    const double ratio = o.dt_range.upper / o.dt_range.lower;
    require(ratio <= 1000.0,
            "dt range: expected an upper end at most 1000 times the lower, found " + short_text(ratio));
    const auto whole = std::max<std::size_t>(2, static_cast<std::size_t>(std::ceil(ratio * (1.0 - 1e-9))));
    const std::size_t least = (fewest_grid_steps + whole - 1) / whole; // grid steps in the shortest step
    const std::size_t count = whole * least;
    steps.grid = o.dt_range.upper / static_cast<double>(count);
    steps.aware = true;
    for (std::size_t i = 0; i < most_nodes; ++i) {
      // Half way between even steps and even ratios.
      const double x = static_cast<double>(i) / (most_nodes - 1);
      const double even = static_cast<double>(least) + x * static_cast<double>(count - least);
      const double geometric = static_cast<double>(least) * std::pow(static_cast<double>(whole), x);
      const auto stride = static_cast<std::size_t>(std::lround(0.5 * (even + geometric)));
      if (steps.strides.empty() || steps.strides.back() != stride) steps.strides.push_back(stride);
    }
    steps_in(o.horizon, o.dt_range.upper);
    return steps;
  }
  if (!o.search_dt) {
    steps.grid = o.dt != 0.0 ? o.dt : problem.dt;
    steps.strides = {1};
    steps_in(o.horizon, steps.grid); // throws if it is no multiple
    return steps;
  }
  steps.grid = 0.5 * problem.dt;
  const std::size_t count = steps_in(o.horizon, steps.grid);
  for (const std::size_t stride : {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40}) {
    const double outputs = o.output_dt / (static_cast<double>(stride) * steps.grid);
    const auto whole = [](double ratio) { return std::abs(ratio - std::round(ratio)) <= 1e-9 * ratio; };
    // Outputs at every so many steps, or so many within a step.
    const bool serves = o.output_dt == 0.0 || (outputs >= 1.0 - 1e-9 ? whole(outputs) : whole(1.0 / outputs));
    if (count % stride == 0 && count / stride >= 10 && serves) {
      steps.strides.push_back(stride);
    }
  }
  require(!steps.strides.empty(), "dt: no multiple of half the problem's step, " + short_text(steps.grid) +
                                      ", divides the horizon and the output interval, " + short_text(o.output_dt));
  return steps;
}

void choose_bases(const AttnsOptions& o, AttnsShape& shape) {
  if (o.base != "auto") {
    shape.bases = {&classical_tableau(o.base)};
  } else if (o.error == 0.0) {
    shape.bases = {&classical_tableau("rk4")}; // the most accurate
  } else {
    for (const char* name : {"euler", "heun", "rk3", "rk4"}) shape.bases.push_back(&classical_tableau(name));
  }
}

void choose_inputs(const Problem& problem, const AttnsOptions& o, AttnsShape& shape) {
  CorrectorModel& model = shape.model;
  model.form = o.form;
  if (o.input) {
    shape.inputs = {*o.input};
  } else if (o.form == CorrectorForm::multiplicative) {
    shape.inputs = {CorrectorInput::increment, CorrectorInput::state};
  } else {
    shape.inputs = {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages};
  }
  const bool depends = depends_on_time(problem, o.seed);
  const double period = o.period != 0.0 ? o.period : problem.period;
  model.time = o.time ? *o.time : !depends ? TimeInput::none : period > 0.0 ? TimeInput::phase : TimeInput::elapsed;
  require(model.time != TimeInput::none || !depends,
          "time: the right-hand side of '" + problem.name +
              "' depends on t, and a corrector trained as if it did not would be wrong at most times: feed it with "
              "the phase of a period, or with the time elapsed");
  if (model.time == TimeInput::phase) {
    require(std::isfinite(period) && period > 0.0, "time: the phase of which period? Problem '" + problem.name +
                                                       "' declares none, found " + short_text(period));
    model.period = period;
  } else if (model.time == TimeInput::elapsed) {
    model.time_range = {0.0, o.horizon};
  }
  for (const auto& range : o.parameters) {
    const auto same = [&](const Parameter& p) { return p.name == range.name; };
    const auto found = std::find_if(problem.parameters.begin(), problem.parameters.end(), same);
    require(found != problem.parameters.end(),
            "parameter " + range.name + ": problem '" + problem.name + "' has no such parameter");
    const double nominal = found->value >= range.values.lower && found->value <= range.values.upper
                               ? found->value
                               : 0.5 * (range.values.lower + range.values.upper);
    model.parameters.push_back({range.name, nominal, range.values});
  }
}

} // namespace

AttnsTask::AttnsTask(const Problem& problem, const AttnsOptions& asked) : options(asked) {
  if (options.horizon == 0.0) options.horizon = problem.horizon;
  check_options(options);
  steps = choose_steps(problem, options);
  shape.dimension = problem.dimension();
  shape.rhs_cost_ns = problem.rhs_cost_ns;
  choose_bases(options, shape);
  choose_inputs(problem, options, shape);
  shape.model.dt = dt_of(steps.strides.back());
  if (options.search_dt && options.output_dt > 0.0) {
    shape.output_stride = static_cast<std::size_t>(std::lround(options.output_dt / steps.grid));
  }
  if (steps.aware) shape.model.shortest_dt = dt_of(steps.strides.front());
}

std::size_t AttnsTask::least_features() const {
  AttnsPlan plan;
  plan.input = shape.inputs.front();
  return shape.features(plan);
}

} // namespace lodestep::detail
