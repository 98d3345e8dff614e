#include "report/plot.hpp"

#include <lodestep/error.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <spawn.h>
#include <sstream>
#include <unistd.h>

extern char** environ;

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

/// Text in gnuplot's single quotes, where only the quote itself is special.
std::string literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
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

/// Classical hues that stay apart for colour-blind readers (Okabe and Ito 2008) and leave red to the learned.
constexpr std::array<const char*, 10> colours{"#0072b2", "#56b4e9", "#009e73", "#e69f00", "#7a5195",
                                              "#8c6d31", "#6b8e23", "#cc79a7", "#4d4d4d", "#a0a0a0"};

std::string label(const Curve& curve) {
  if (curve.family == Family::classical) return curve.name;
  char text[32];
  std::snprintf(text, sizeof text, " (dt %.3g)", curve.points.front().parameter);
  return std::filesystem::path(curve.name).stem().string() + text;
}

void write_script(const WorkPrecision& result, const std::vector<Curve>& curves, const std::string& prefix,
                  std::ostream& out) {
  const std::string data = literal(prefix + ".dat");
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
  out << "set encoding utf8\n"
         "set logscale xy\n"
         "set format x '%g'\n"
         "set format y '10^{%T}'\n"
         "set xlabel 'microseconds per trajectory'\n"
         "set ylabel 'mean squared error'\n"
      << "set title " << literal("Work against precision: " + result.problem) << " noenhanced font ',15' offset 0,0.9\n"
      << "set label 1 ";
  std::ostringstream subtitle;
  subtitle << "outputs every " << result.output_dt << " up to " << result.horizon << ", " << result.trajectories
           << " held-out trajectories, one thread; lower left is better";
  out << literal(subtitle.str())
      << " at graph 0.5,1.03 center font ',10' textcolor rgb '#666666'\n"
         "set tmargin 4.5\n"
         "set border 3 linecolor rgb '#444444'\n"
         "set tics nomirror\n"
         "set mxtics 10\n"
         "set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#e4e4e4'\n"
         "set key outside right top vertical noenhanced Left reverse spacing 1.25 samplen 2.2 font ',10'\n"
         "set offsets graph 0.05, graph 0.05, 0, 0\n"
      << "set yrange [" << 0.1 * decade(best) << ':' << top << "]\n";
  // The classical range that counts at a model's error begins where this line meets the first curve.
  int arrow = 1;
  for (const auto& curve : curves) {
    if (curve.family != Family::learned) continue;
    out << "set arrow " << arrow++ << " from graph 0, first " << curve.points.front().mse << " to graph 1, first "
        << curve.points.front().mse << " nohead dashtype 3 linewidth 1 linecolor rgb '#d55e00' back\n";
  }
  out << "set terminal svg size 960,600 dynamic enhanced font 'Helvetica,12' background rgb 'white'\n"
      << "set output " << literal(prefix + ".svg") << "\nplot \\\n";
  std::size_t classical = 0;
  std::size_t learned = 0;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto& curve = curves[i];
    const std::size_t hue = classical % colours.size();
    const std::string text = label(curve);
    out << "  " << data << " index " << i << " using 1:2 title " << literal(text);
    if (curve.family == Family::learned) {
      static constexpr std::array<int, 4> marks{3, 5, 9, 13};
      out << " with points pointtype " << marks[learned++ % marks.size()]
          << " pointsize 2.2 linewidth 2.5 linecolor rgb '#d40000'";
    } else {
      static constexpr std::array<int, 5> marks{7, 5, 9, 11, 13};
      out << " with linespoints pointtype " << marks[classical % marks.size()]
          << " pointsize 0.55 linewidth 1.6 linecolor rgb '" << colours[hue] << "'";
      ++classical;
    }
    out << (i + 1 < curves.size() ? ", \\\n" : "\n");
  }
  out << "set terminal pngcairo size 1440,900 enhanced font 'Helvetica,12' fontscale 1.45 linewidth 1.5 pointscale "
         "1.5\n"
      << "set output " << literal(prefix + ".png") << "\nreplot\n";
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw IoError("cannot write '" + path + "': " + std::strerror(errno));
}

/// Runs gnuplot on the script without a shell in between. Returns "" or what went wrong.
std::string run_gnuplot(const std::string& script) {
  std::string program = "gnuplot";
  std::string argument = script;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // It must not write into the command's own standard output, which belongs to JSON.
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return spawned == ENOENT ? "gnuplot is not installed" : std::strerror(spawned);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return std::strerror(errno);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  // 127 is how some systems' posix_spawnp says "not found".
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return "gnuplot is not installed";
  return "gnuplot failed";
}

} // namespace

std::vector<std::string> plot_files(const std::string& prefix) {
  return {prefix + ".dat", prefix + ".gnuplot", prefix + ".svg", prefix + ".png"};
}

Plot plot(const WorkPrecision& result, const std::string& prefix) {
  const auto drawn = curves(result);
  const auto files = plot_files(prefix);
  std::ostringstream data;
  std::ostringstream script;
  write_data(drawn, data);
  write_file(files[0], data.str());
  Plot plot;
  plot.files = {files[0]};
  if (drawn.empty()) {
    plot.note = "no stepper gave a finite error, so there is nothing to draw";
    return plot;
  }
  write_script(result, drawn, prefix, script);
  write_file(files[1], script.str());
  plot.files.push_back(files[1]);
  const std::string problem = run_gnuplot(files[1]);
  if (!problem.empty()) {
    plot.note = problem + ", so the diagram was not drawn; to draw it later: gnuplot " + files[1];
    return plot;
  }
  plot.files = files;
  return plot;
}

} // namespace lodestep::report
