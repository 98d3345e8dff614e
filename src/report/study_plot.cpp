#include "report/gnuplot.hpp"
#include "report/study.hpp"

#include <cmath>
#include <sstream>

namespace lodestep::report {

Plot plot(const StudyPlot& study_plot, const std::string& prefix) {
  std::ostringstream data;
  std::ostringstream command;
  data.precision(9);
  data << "# One block per curve: " << study_plot.x_label << ", " << study_plot.y_label << "\n";
  std::size_t drawn = 0;
  for (const auto& curve : study_plot.curves) {
    std::ostringstream block;
    block.precision(9);
    for (const auto& [x, y] : curve.points) {
      const bool fits = (!study_plot.log_x || x > 0.0) && (!study_plot.log_y || y > 0.0);
      if (std::isfinite(x) && std::isfinite(y) && fits) block << x << ' ' << y << '\n';
    }
    if (block.str().empty()) continue;
    data << "\n\n# " << curve.name << '\n' << block.str();
    command << (drawn == 0 ? "plot \\\n" : ", \\\n") << "  " << gnuplot_literal(prefix + ".dat") << " index " << drawn
            << " using 1:2 title " << gnuplot_literal(curve.name) << " with linespoints" << gnuplot_curve_style(drawn)
            << " pointsize 0.8 linewidth 1.8";
    ++drawn;
  }
  std::ostringstream script;
  if (drawn != 0) {
    command << '\n';
    script << gnuplot_frame(study_plot.title, "") << "set xlabel " << gnuplot_literal(study_plot.x_label)
           << " noenhanced\nset ylabel " << gnuplot_literal(study_plot.y_label) << " noenhanced\n"
           << (study_plot.log_x ? "set logscale x\n" : "")
           << (study_plot.log_y ? "set logscale y\nset format y '10^{%T}'\n" : "")
           << gnuplot_pictures(prefix, command.str());
  }
  Plot plot = draw(prefix, data.str(), script.str());
  if (drawn == 0) plot.note = "no finite figure, so there is nothing to draw";
  return plot;
}

} // namespace lodestep::report
