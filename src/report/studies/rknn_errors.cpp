#include "report/studies/list.hpp"
#include "report/studies/rknn_lab.hpp"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

/// RK-NN's figures of errors against step sizes. They are drawn, not printed: what the paper says of each stands beside
/// what comes out.
namespace lodestep::report {

namespace {

void add(StudyResult& result, BySteps&& part) {
  result.tables.push_back(std::move(part.table));
  result.plots.push_back(std::move(part.plot));
}

std::string text_of(const char* format, double a, double b, double c = 0.0) {
  char text[300];
  std::snprintf(text, sizeof text, format, a, b, c);
  return text;
}

const NamedTableau& rk3() {
  static const NamedTableau named{"RK3", classical_tableau("rk3")};
  return named;
}

} // namespace

// Fig. 2: with and without the Taylor regulariser, h down to a tenth of the trained range.
StudyResult study_rknn_fig2(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  for (const char* name : {"linear", "square"}) {
    const lodestep::Family family = make_family(name);
    RknnOptions without;
    without.taylor_weight = 0.0;
    const auto plain = paper_recipe("without regulariser", family, without, options, progress);
    const auto regularised = paper_recipe("with regulariser", family, {}, options, progress);
    const auto ours = least_squares("least squares", family, {}, options, progress);
    auto part = by_steps(name, std::string(name) + ": global error over T = 1, trained on h in (0.01, 0.1)", family,
                         {rk3(), plain, regularised, ours}, {0.001, 0.1}, global_error, options);
    result.findings.push_back(
        {!(part.slopes[2] > part.slopes[1]),
         std::string(name) + text_of(": slopes %.2f without the regulariser, %.2f with it, %.2f by least squares (the "
                                     "paper: without it the error depends more on h and deteriorates outside).",
                                     part.slopes[1], part.slopes[2], part.slopes[3])});
    add(result, std::move(part));
    if (!progress.advance(0.5, name)) break;
  }
  result.interrupted = progress.stopped;
  return result;
}

// Fig. 3: trained on one family, tested on the other.
StudyResult study_rknn_fig3(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  const lodestep::Family linear = make_family("linear");
  const lodestep::Family square = make_family("square");
  const auto of_linear = least_squares("trained on linear", linear, {}, options, progress);
  const auto of_square = least_squares("trained on square", square, {}, options, progress);
  for (const auto* family : {&linear, &square}) {
    auto part = by_steps(family->name, "tested on " + family->name + ": error / RK3's over T = 1", *family,
                         {of_linear, of_square}, {0.01, 0.1}, global_ratio, options);
    const bool on_linear = family == &linear;
    const double own = part.means[on_linear ? 0 : 1];
    const double other = part.means[on_linear ? 1 : 0];
    result.findings.push_back(
        {!(other > own), family->name + text_of(": error / RK3's %.3g by its own tableau, %.3g by "
                                                "the other's (the paper: tableaux do not carry "
                                                "over).",
                                                own, other)});
    add(result, std::move(part));
  }
  result.interrupted = progress.stopped;
  return result;
}

// Fig. 4 and SM1: orders on the square family beyond what so many stages can have for any problem.
StudyResult study_rknn_fig4(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  const lodestep::Family square = make_family("square");
  RknnOptions two;
  two.stages = 2;
  two.order = 3;
  const auto order3 = least_squares("2 stages, order 3", square, two, options, progress);
  RknnOptions four;
  four.stages = 4;
  four.order = 6;
  const auto order6 = least_squares("4 stages, order 6", square, four, options, progress);
  NamedTableau heun{"Heun", classical_tableau("heun")};
  NamedTableau rk4{"RK4", classical_tableau("rk4")};
  // Above the step sizes of the paper too: in double precision order 6 meets rounding early.
  auto part = by_steps("square", "square: global error over T = 1", square, {heun, order3, rk3(), rk4, order6},
                       {0.02, 0.5}, global_error, options);
  const auto& t = order3.tableau;
  result.findings.push_back(
      {std::abs(t.a[2] - 2.0) > 1e-3 || std::abs(t.b[0] - 0.75) > 1e-3,
       text_of("2 stages: theta = %.6f, b = %.6f, %.6f (the paper, eq. 24: 2, 0.75, 0.25).", t.a[2], t.b[0], t.b[1])});
  result.findings.push_back({part.slopes[1] < 2.5 || part.slopes[4] < 4.5,
                             text_of("slopes: %.2f with 2 stages, %.2f with 4 (the paper: 3 and 6); the tests fit them "
                                     "in extended precision, up to order 8 with 4 stages.",
                                     part.slopes[1], part.slopes[4])});
  add(result, std::move(part));
  result.interrupted = progress.stopped;
  return result;
}

// Figs. 5 and 6, SM3 and SM4: order and relative error on the two systems, inside the trained steps and below.
StudyResult study_rknn_fig5(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  for (const char* name : {"van_der_pol", "brusselator"}) {
    const lodestep::Family family = make_family(name);
    const auto recipe = paper_recipe("paper's recipe", family, {}, options, progress);
    const auto ours = least_squares("least squares", family, {}, options, progress);
    const std::vector<NamedTableau> all{
        {"RK3 (#1)", classical_tableau("rk3_guo1")}, {"RK3 (#2)", classical_tableau("rk3_guo2")}, rk3(), recipe, ours};
    auto inside = by_steps(std::string(name) + "-order", std::string(name) + ": global error over T = 1", family, all,
                           {0.01, 0.1}, global_error, options);
    auto ratio = by_steps(std::string(name) + "-ratio", std::string(name) + ": error / RK3's over T = 1", family, all,
                          {0.001, 0.1}, global_ratio, options);
    result.findings.push_back(
        {inside.slopes[3] < 2.5, std::string(name) + text_of(": slopes on (0.01, 0.1) %.2f of RK3, %.2f by the paper's "
                                                             "recipe, %.2f by least squares (the paper: 3).",
                                                             inside.slopes[2], inside.slopes[3], inside.slopes[4])});
    const auto& smallest = ratio.plot.curves.back().points.front();
    result.findings.push_back(
        {false, std::string(name) + text_of(": at h = %.2g, below the trained steps, least squares "
                                            "has %.3g times RK3's error (the paper, SM3: worse): "
                                            "steppers take RK3 there.",
                                            smallest.first, smallest.second)});
    add(result, std::move(inside));
    add(result, std::move(ratio));
    if (!progress.advance(0.5, name)) break;
  }
  result.interrupted = progress.stopped;
  return result;
}

// Figs. 7 and 8, and SM2: parameters and initial states outside the family.
StudyResult study_rknn_fig7(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  struct Case {
    const char* family;
    const char* name;
    std::vector<Interval> parameters, initial;
    const char* paper;
  };
  const std::vector<Case> cases{
      {"van_der_pol", "inside", {{1, 2}}, {{-4, -3}, {0, 2}}, "better than RK3"},
      {"van_der_pol", "a in (0, 1)", {{0, 1}}, {{-4, -3}, {0, 2}}, "worse"},
      {"van_der_pol", "a in (2, 3)", {{2, 3}}, {{-4, -3}, {0, 2}}, "better"},
      {"van_der_pol", "u in (-3, -2)", {{1, 2}}, {{-3, -2}, {0, 2}}, "worse, or no longer better"},
      {"brusselator", "inside", {{0.5, 2}}, {{1.5, 3}, {2, 3}}, "better than RK3"},
      {"brusselator", "b in (3.5, 4)", {{3.5, 4}}, {{1.5, 3}, {2, 3}}, "worse"},
      {"brusselator", "u in (0.5, 1), v in (1, 2)", {{0.5, 2}}, {{0.5, 1}, {1, 2}}, "worse"}};
  StudyTable table{"error / RK3's over T = 1, h in (0.01, 0.1), geometric means",
                   {"tasks", "least squares", "paper's recipe", "the paper"},
                   {}};
  std::string trained_for;
  NamedTableau ours, recipe;
  for (const auto& c : cases) {
    const lodestep::Family family = make_family(c.family);
    if (trained_for != c.family) {
      trained_for = c.family;
      ours = least_squares("least squares", family, {}, options, progress);
      recipe = paper_recipe("paper's recipe", family, {}, options, progress);
    }
    auto part = by_steps(c.name, c.name, with_tasks(family, c.parameters, c.initial), {ours, recipe}, {0.01, 0.1},
                         global_ratio, options);
    table.rows.push_back({std::string(c.family) + ", " + c.name, part.means[0], part.means[1], std::string(c.paper)});
    const bool inside = std::string(c.name) == "inside";
    const bool better = std::string(c.paper).rfind("better", 0) == 0;
    if (!inside && better != (part.means[0] < 1.0)) {
      result.findings.push_back({true, std::string(c.family) + ", " + c.name +
                                           text_of(": %.3g of RK3's error by least squares, %.3g by the paper's recipe",
                                                   part.means[0], part.means[1]) +
                                           "; the paper: " + c.paper + "."});
    }
    if (!progress.advance(1.0 / 7.0, c.family)) break;
  }
  result.findings.push_back({false,
                             "A model knows its family's parameters and falls back to RK3 outside where they are "
                             "given; initial states are not checked, since trajectories leave them at once."});
  result.tables.push_back(table);
  result.interrupted = progress.stopped;
  return result;
}

} // namespace lodestep::report
