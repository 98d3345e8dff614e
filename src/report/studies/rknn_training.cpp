#include "report/studies/list.hpp"
#include "report/studies/rknn_lab.hpp"
#include "train/rknn_recipe.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

/// RK-NN's figures of training: Fig. 9, losses by epoch, and SM5, cost and epochs by the dimension.
namespace lodestep::report {

// Fig. 9: the two losses while the Van der Pol oscillator is learned.
StudyResult study_rknn_fig9(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  const lodestep::Family family = make_family("van_der_pol");
  auto recipe = detail::RknnRecipe::published(family.name, 3, 3);
  recipe.stop_ratio = 0.0; // all the way: the paper's curve goes on past the minimum
  recipe.epochs = options.pick<std::size_t>(60, 3000, 20000);
  recipe.samples = options.pick<std::size_t>(50, 500, 3000);
  const auto fit = detail::fit_rknn_recipe(family, classical_tableau("rk3"), 3, 3, recipe, options.seed,
                                           [&](double) { return progress.report("Adam"); });
  StudyTable table{"van_der_pol, 3 stages, the paper's recipe: scaled loss (eq. 14) and Taylor regulariser (eq. 16)",
                   {"epoch", "scaled loss", "Taylor loss"},
                   {}};
  StudyPlot plot{"losses", "Training for the Van der Pol oscillator", "epoch", "loss", true,
                 true,     {{"scaled loss", {}}, {"Taylor loss", {}}}};
  std::size_t shown = 1;
  for (const auto& epoch : fit.curve) {
    const auto x = static_cast<double>(epoch.epoch + 1);
    plot.curves[0].points.push_back({x, epoch.scaled_loss});
    plot.curves[1].points.push_back({x, epoch.taylor_loss});
    if (epoch.epoch + 1 < shown && &epoch != &fit.curve.back()) continue;
    table.rows.push_back({std::to_string(epoch.epoch), epoch.scaled_loss, epoch.taylor_loss});
    shown *= 2;
  }
  double least = fit.curve.front().scaled_loss;
  for (const auto& epoch : fit.curve) least = std::min(least, epoch.scaled_loss);
  const double last = fit.curve.back().scaled_loss;
  char text[240];
  std::snprintf(
      text, sizeof text,
      "The scaled loss falls to %.3g and ends at %.3g (the paper: a minimum of the unscaled loss at epoch 300, "
      "then a rise while the Taylor loss falls on).",
      least, last);
  result.findings.push_back({false, text});
  result.tables.push_back(table);
  result.plots.push_back(plot);
  result.interrupted = progress.stopped;
  return result;
}

// SM5: seconds an epoch and epochs, by dimension. The paper's Table 2 prints epochs, its columns have no heads.
StudyResult study_rknn_sm5(const StudyOptions& options) {
  StudyResult result;
  StudyProgress progress{options};
  for (const char* name : {"linear_system", "square_system"}) {
    StudyTable table{std::string(name) + ": the paper's recipe, and least squares, by dimension",
                     {"d", "milliseconds an epoch", "epochs to ratio 1", "least squares, seconds"},
                     {}};
    std::array<double, 2> first{}, last{};
    for (const std::size_t d : options.pick<std::vector<std::size_t>>({1, 2}, {1, 2, 4, 8}, {1, 2, 4, 8, 16, 32})) {
      const lodestep::Family family = make_family(std::string(name) + ":d=" + std::to_string(d));
      auto recipe = detail::RknnRecipe::published("linear", 3, 3);
      recipe.taylor_weight = 1.0;
      recipe.epochs = options.pick<std::size_t>(10, 500, 5000);
      recipe.samples = options.pick<std::size_t>(20, 100, 3000);
      recipe.taylor_tasks = options.pick<std::size_t>(2, 10, 50);
      const auto start = std::chrono::steady_clock::now();
      const auto fit = detail::fit_rknn_recipe(family, classical_tableau("rk3"), 3, 3, recipe, options.seed,
                                               [&](double) { return progress.report("Adam"); });
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const double each = 1e3 * seconds / static_cast<double>(fit.epochs);
      double squares = 0.0;
      RknnOptions rknn;
      rknn.horizons = {0.0};
      least_squares("least squares", family, rknn, options, progress, &squares);
      table.rows.push_back(
          {std::to_string(d), each,
           fit.reached ? StudyCell(static_cast<double>(fit.epochs)) : StudyCell(std::string("not reached")), squares});
      const std::array<double, 2> point{std::log(static_cast<double>(d)), std::log(each)};
      if (first == std::array<double, 2>{}) first = point;
      last = point;
      if (!progress.advance(0.1, family.name)) break;
    }
    result.tables.push_back(table);
    char text[200];
    std::snprintf(text, sizeof text, "%s: an epoch costs d^%.2f (the paper: between d and d^2).", name,
                  (last[1] - first[1]) / (last[0] - first[0]));
    result.findings.push_back({false, text});
    if (progress.stopped) break;
  }
  result.interrupted = progress.stopped;
  return result;
}

} // namespace lodestep::report
