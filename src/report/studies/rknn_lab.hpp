#pragma once

#include "report/study.hpp"

#include <lodestep/family.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/train_rknn.hpp>

#include <functional>
#include <string>
#include <vector>

/// What the studies of RK-NN share: integrators for a family by the paper's recipe and by ours, and their errors
/// against the step size.
namespace lodestep::report {

struct NamedTableau {
  std::string name;
  ButcherTableau tableau;
};

/// A tableau trained for a family. `seconds`, if not null, is what it took.
NamedTableau paper_recipe(const std::string& name, const lodestep::Family& family, RknnOptions options,
                          const StudyOptions& study, StudyProgress& progress, double* seconds = nullptr);
NamedTableau least_squares(const std::string& name, const lodestep::Family& family, RknnOptions options,
                           const StudyOptions& study, StudyProgress& progress, double* seconds = nullptr);

/// A tableau from the paper's Table 1, in its order: theta_11, theta_21, theta_22, theta_c1, theta_c2, theta_c3.
/// Printed to four digits, b sums to .9999 or 1.0001: it is divided by its sum.
NamedTableau printed_tableau(const std::string& name, const std::vector<double>& theta);

/// The family with other tasks: its parameters and initial states uniform on the given ranges.
lodestep::Family with_tasks(lodestep::Family family, std::vector<Interval> parameters, std::vector<Interval> initial);

/// What is shown of an evaluation at one step size.
using TableauFigure = double (*)(const TableauErrors&);
double global_error(const TableauErrors& errors);
double global_ratio(const TableauErrors& errors);

/// Errors over `dt` on held-out tasks over T = 1, one column for each tableau, relative to rk3's or themselves, as a
/// table and as a plot of the same figures.
struct BySteps {
  StudyTable table;
  StudyPlot plot;
  std::vector<double> slopes; ///< of log error against log step, for each tableau
  std::vector<double> means;  ///< geometric means over the steps
};
BySteps by_steps(const std::string& name, const std::string& title, const lodestep::Family& family,
                 const std::vector<NamedTableau>& tableaux, Interval dt, TableauFigure figure,
                 const StudyOptions& study);

} // namespace lodestep::report
