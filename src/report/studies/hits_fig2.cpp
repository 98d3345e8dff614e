#include "problem/trajectory_file.hpp"
#include "report/studies/hits_lab.hpp"
#include "report/studies/list.hpp"
#include "train/hits_choice.hpp"

#include <lodestep/train_hits_paper.hpp>

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

/// HiTS, Fig. 2: the harmonic oscillator by flow maps of 0.008, 0.016, .. 1.024, each alone, and all of them as the
/// multiscale scheme; learned by the paper's recipe (ReLU, Adam, trained one step forward) and solved from
/// trajectories. The figure is drawn, not printed: its claims stand beside in words.
namespace lodestep::report {

StudyResult study_hits_fig2(const StudyOptions& options) {
  const auto levels = options.pick<std::size_t>(4, 8, 8);
  const double base = 0.008;
  StudyResult result;
  StudyProgress progress{options};
  Problem problem = make_problem("harmonic_oscillator");
  problem.fine_dt = base;
  problem.horizon = options.pick<double>(5.12, 20.48, 20.48);
  StudyTable table{"harmonic oscillator, T = " + std::to_string(problem.horizon) + ": mean squared error",
                   {"step", "the paper's recipe", "seconds", "solved, linear interpolation", "solved, cubic"},
                   {}};
  HitsPaperOptions paper;
  paper.levels = {0, levels - 1};
  paper.base_dt = base;
  paper.trajectories = options.pick<std::size_t>(50, 500, 500);
  paper.steps = 1;
  paper.hidden = options.size == StudySize::small ? std::vector<std::size_t>{16} : std::vector<std::size_t>{128, 128};
  paper.epochs = options.pick<std::size_t>(20, 400, 20000);
  paper.seed = options.seed;
  paper.progress = progress.callback();
  HitsOptions solved;
  solved.levels = Levels{0, levels - 1};
  solved.iterate = false;
  solved.seed = options.seed;
  GenerateOptions generate;
  generate.dt = base;
  generate.trajectories = options.pick<std::size_t>(10, 40, 500);
  generate.seed = options.seed;
  progress.report("trajectories");
  const auto data = generate_trajectories(problem, generate);
  const auto ours = train_hits(trajectory_set(problem, generate, data), solved, "trajectories");
  const auto theirs = train_hits_paper(problem, paper);
  generate.split = Split::test;
  generate.trajectories = options.pick<std::size_t>(5, 100, 100);
  const auto test = generate_trajectories(problem, generate);
  const auto packed = [](const HitsResult& trained) {
    return std::make_shared<const Hierarchy>(std::make_shared<const Model>(trained.model));
  };
  const auto by_recipe = packed(theirs), by_solving = packed(ours);
  const auto error = [&](const auto& hierarchy, std::size_t lower, std::size_t upper, Interpolation interpolation) {
    return detail::multiscale_mse(hierarchy, lower, upper, nullptr, test, interpolation);
  };
  const auto add = [&](const std::string& name, StudyCell seconds, std::size_t lower, std::size_t upper,
                       std::size_t our_lower, std::size_t our_upper) {
    const double recipe = error(by_recipe, lower, upper, Interpolation::linear);
    table.rows.push_back({name, recipe, std::move(seconds),
                          error(by_solving, our_lower, our_upper, Interpolation::linear),
                          error(by_solving, our_lower, our_upper, Interpolation::cubic)});
    return recipe;
  };
  StudyPlot plot{
      "by-time", "Harmonic oscillator, the paper's recipe (Fig. 2)", "time", "mean squared error", true, true, {}};
  const auto curve = [&](const std::string& name, std::size_t lower, std::size_t upper) {
    Multiscale scheme(by_recipe, lower, upper);
    plot.curves.push_back(curve_by_time(
        name,
        mean_square_by_time(
            test, [&](double* states) { scheme.solve(no_rhs(), 0.0, test.times - 1, states, Interpolation::linear); }),
        base));
  };
  double best = INFINITY;
  for (std::size_t k = 0; k < theirs.maps.size() && k < ours.maps.size(); ++k) {
    char name[32];
    std::snprintf(name, sizeof name, "%g", theirs.maps[k].dt);
    best = std::min(best, add(name, theirs.maps[k].seconds, k, k, k, k));
    curve(name, k, k);
  }
  const auto& chosen = std::get<HierarchyModel>(theirs.model.method);
  const auto& ours_chosen = std::get<HierarchyModel>(ours.model.method);
  const double multiscale = add("multiscale", {}, chosen.lower, chosen.upper, ours_chosen.lower, ours_chosen.upper);
  curve("multiscale", chosen.lower, chosen.upper);
  result.tables.push_back(std::move(table));
  result.plots.push_back(std::move(plot));
  result.interrupted = progress.stopped || theirs.interrupted;
  char text[300];
  if (std::isfinite(best)) {
    std::snprintf(
        text, sizeof text,
        "By the paper's recipe the multiscale scheme's error is %.2g of the best single step's (the paper: it "
        "outperforms all).",
        multiscale / best);
    result.findings.push_back({!(multiscale < best), text});
  } else {
    result.findings.push_back(
        {false, "By the paper's recipe no map stayed within the range of its data: too few epochs."});
  }
  std::snprintf(text, sizeof text,
                "The flow maps of a linear system are linear: solved, they are exact, and what a single step leaves is "
                "its interpolation. There is nothing for a hierarchy to gain: one map of the finest step does %.2g.",
                result.tables[0].at(std::get<std::string>(result.tables[0].rows[0][0]), "solved, cubic"));
  result.findings.push_back({true, text});
  return result;
}

} // namespace lodestep::report
