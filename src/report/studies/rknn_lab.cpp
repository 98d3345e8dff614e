#include "report/studies/rknn_lab.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace lodestep::report {

namespace {

NamedTableau trained(const std::string& name, const lodestep::Family& family, RknnOptions options,
                     const StudyOptions& study, StudyProgress& progress, double* seconds) {
  options.seed = study.seed;
  options.progress = progress.callback();
  const RknnResult result = train_rknn(family, options);
  if (seconds) *seconds = result.seconds;
  return {name, std::get<TableauModel>(result.model.method).tableau};
}

} // namespace

NamedTableau paper_recipe(const std::string& name, const lodestep::Family& family, RknnOptions options,
                          const StudyOptions& study, StudyProgress& progress, double* seconds) {
  options.recipe = "paper";
  options.epochs = study.pick<std::size_t>(50, 3000, 0);
  options.samples = study.pick<std::size_t>(50, 500, 0);
  return trained(name, family, std::move(options), study, progress, seconds);
}

NamedTableau least_squares(const std::string& name, const lodestep::Family& family, RknnOptions options,
                           const StudyOptions& study, StudyProgress& progress, double* seconds) {
  options.starts = study.pick<std::size_t>(4, 20, 40);
  return trained(name, family, std::move(options), study, progress, seconds);
}

NamedTableau printed_tableau(const std::string& name, const std::vector<double>& theta) {
  ButcherTableau tableau;
  tableau.name = name;
  const double sum = theta[3] + theta[4] + theta[5];
  tableau.a = {0, 0, 0, theta[0], 0, 0, theta[1], theta[2], 0};
  tableau.b = {theta[3] / sum, theta[4] / sum, 1.0 - theta[3] / sum - theta[4] / sum};
  tableau.c = {0, theta[0], theta[1] + theta[2]};
  tableau.order = 1;
  return {name, tableau};
}

lodestep::Family with_tasks(lodestep::Family family, std::vector<Interval> parameters, std::vector<Interval> initial) {
  family.sample = [parameters = std::move(parameters), initial = std::move(initial)](Random& random, double, double* p,
                                                                                     double* u0) {
    for (const auto& range : parameters) *p++ = random.uniform(range.lower, range.upper);
    for (const auto& range : initial) *u0++ = random.uniform(range.lower, range.upper);
  };
  return family;
}

double global_error(const TableauErrors& errors) {
  return errors.global_error;
}
double global_ratio(const TableauErrors& errors) {
  return errors.global_ratio;
}

BySteps by_steps(const std::string& name, const std::string& title, const lodestep::Family& family,
                 const std::vector<NamedTableau>& tableaux, Interval dt, TableauFigure figure,
                 const StudyOptions& study) {
  TableauEvaluateOptions options;
  options.dt = dt;
  options.step_sizes = study.pick<std::size_t>(3, 8, 16);
  options.tasks = study.pick<std::size_t>(5, 60, 500);
  options.horizon = 1.0;
  options.most_dropped = 1.0; // what blows up outside a range is left out, not an error
  options.seed = study.seed;
  const bool relative = figure == &global_ratio;
  BySteps result{
      {title, {"h"}, {}}, {name, title, "h", relative ? "error / RK3's" : "global error", true, true, {}}, {}, {}};
  std::vector<TableauEvaluation> evaluations;
  for (const auto& named : tableaux) {
    result.table.columns.push_back(named.name);
    evaluations.push_back(evaluate_tableau(named.tableau, "rk3", family, options));
    auto& curve = result.plot.curves.emplace_back(StudyCurve{named.name, {}});
    double sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0;
    for (const auto& errors : evaluations.back().by_dt) {
      curve.points.push_back({errors.dt, figure(errors)});
      const double x = std::log(errors.dt);
      const double y = std::log(std::max(figure(errors), 1e-300));
      sx += x;
      sy += y;
      sxx += x * x;
      sxy += x * y;
      n += 1.0;
    }
    result.slopes.push_back((n * sxy - sx * sy) / (n * sxx - sx * sx));
    result.means.push_back(std::exp(sy / n));
  }
  for (std::size_t row = 0; row < evaluations.front().by_dt.size(); ++row) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", evaluations.front().by_dt[row].dt);
    std::vector<StudyCell> cells{std::string(text)};
    for (const auto& evaluation : evaluations) {
      cells.push_back(row < evaluation.by_dt.size() ? StudyCell(figure(evaluation.by_dt[row])) : StudyCell());
    }
    result.table.rows.push_back(std::move(cells));
  }
  return result;
}

} // namespace lodestep::report
