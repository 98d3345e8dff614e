#include "report/plot.hpp"

#include "report/gnuplot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <sstream>

namespace lodestep::report {

namespace {

/// Points of one stepper, in the order of their error: one curve.
struct Curve {
  std::string name;
  Family family;
  std::vector<WorkPrecisionPoint> points;
};

/// Only the settings no other setting of the same stepper beats in both error and time: refinement leaves clusters that
/// would draw as scribbles.
void keep_front(std::vector<WorkPrecisionPoint>& points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.mse < b.mse; });
  std::vector<WorkPrecisionPoint> front;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& point : points) {
    if (point.microseconds_per_trajectory >= least) continue;
    least = point.microseconds_per_trajectory;
    front.push_back(point);
  }
  points = std::move(front);
}

std::vector<Curve> curves(const WorkPrecision& result) {
  std::vector<Curve> curves;
  for (const auto& point : result.points) {
    // A logarithmic axis has no place for an error that is infinite or exactly zero.
    if (!std::isfinite(point.mse) || point.mse <= 0.0) continue;
    auto found = std::find_if(curves.begin(), curves.end(), [&](const Curve& c) { return c.name == point.stepper; });
    if (found == curves.end()) found = curves.insert(curves.end(), {point.stepper, point.family, {}});
    found->points.push_back(point);
  }
  for (auto& curve : curves) keep_front(curve.points);
  return curves;
}

void write_data(const std::vector<Curve>& curves, std::ostream& out) {
  out.precision(9);
  out << "# One block per stepper: microseconds per trajectory, mse, parameter, right-hand side evaluations\n";
  for (const auto& curve : curves) {
    out << "\n\n# " << curve.name << " (" << to_string(curve.family) << ")\n";
    for (const auto& point : curve.points) {
      out << point.microseconds_per_trajectory << ' ' << point.mse << ' ' << point.parameter << ' '
          << point.rhs_evaluations << '\n';
    }
  }
}

std::string label(const Curve& curve) {
  if (curve.family == Family::classical) return curve.name;
  char text[32];
  std::snprintf(text, sizeof text, " (dt %.3g)", curve.points.front().parameter);
  return std::filesystem::path(curve.name).stem().string() + text;
}

void write_script(const WorkPrecision& result, const std::vector<Curve>& curves, const std::string& prefix,
                  std::ostream& out) {
  const std::string data = gnuplot_literal(prefix + ".dat");
  double worst = 0.0;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& curve : curves) {
    for (const auto& point : curve.points) {
      worst = std::max(worst, point.mse);
      best = std::min(best, point.mse);
    }
  }
  const auto decade = [](double mse) { return std::pow(10.0, std::floor(std::log10(mse))); };
  // Errors above 1 are of steppers that lost the solution: off the diagram, not at the cost of its resolution.
  const double top = std::min(10.0 * decade(worst), 10.0);
  std::ostringstream subtitle;
  subtitle << "outputs every " << result.output_dt << " up to " << result.horizon << ", " << result.trajectories
           << " held-out trajectories, one thread; lower left is better";
  out << gnuplot_frame("Work against precision: " + result.problem, subtitle.str())
      << "set logscale xy\n"
         "set format x '%g'\n"
         "set format y '10^{%T}'\n"
         "set xlabel 'microseconds per trajectory'\n"
         "set ylabel 'mean squared error'\n"
      << "set yrange [" << 0.1 * decade(best) << ':' << top << "]\n";
  // The classical range that counts at a model's error begins where this line meets the first curve.
  int arrow = 1;
  for (const auto& curve : curves) {
    if (curve.family != Family::learned) continue;
    out << "set arrow " << arrow++ << " from graph 0, first " << curve.points.front().mse << " to graph 1, first "
        << curve.points.front().mse << " nohead dashtype 3 linewidth 1 linecolor rgb '#d55e00' back\n";
  }
  std::ostringstream command;
  command << "plot \\\n";
  std::size_t classical = 0;
  std::size_t learned = 0;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    const std::string text = label(curve);
    command << "  " << data << " index " << i << " using 1:2 title " << gnuplot_literal(text);
    if (curve.family == Family::learned) {
      static constexpr std::array<int, 4> marks{3, 5, 9, 13};
      command << " with points pointtype " << marks[learned++ % marks.size()]
              << " pointsize 2.2 linewidth 2.5 linecolor rgb '#d40000'";
    } else {
      command << " with linespoints" << gnuplot_curve_style(classical++) << " pointsize 0.55 linewidth 1.6";
    }
    command << (i + 1 < curves.size() ? ", \\\n" : "\n");
  }
  out << gnuplot_pictures(prefix, command.str());
}

} // namespace

std::vector<std::string> plot_files(const std::string& prefix) {
  return {prefix + ".dat", prefix + ".gnuplot", prefix + ".svg", prefix + ".png"};
}

Plot plot(const WorkPrecision& result, const std::string& prefix) {
  const auto drawn = curves(result);
  std::ostringstream data;
  std::ostringstream script;
  write_data(drawn, data);
  if (!drawn.empty()) write_script(result, drawn, prefix, script);
  Plot plot = draw(prefix, data.str(), script.str());
  if (drawn.empty()) plot.note = "no stepper gave a finite error, so there is nothing to draw";
  return plot;
}

} // namespace lodestep::report
