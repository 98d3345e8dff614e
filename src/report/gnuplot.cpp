#include "report/gnuplot.hpp"

#include <lodestep/error.hpp>

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <unistd.h>

extern char** environ;

namespace lodestep::report {

namespace {

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

std::string gnuplot_literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string gnuplot_frame(const std::string& title, const std::string& subtitle) {
  return "set encoding utf8\n"
         "set title " +
         gnuplot_literal(title) +
         " noenhanced font ',15' offset 0,0.9\n"
         "set label 1 " +
         gnuplot_literal(subtitle) +
         " at graph 0.5,1.03 center noenhanced font ',10' textcolor rgb '#666666'\n"
         "set tmargin 4.5\n"
         "set border 3 linecolor rgb '#444444'\n"
         "set tics nomirror\n"
         "set mxtics 10\n"
         "set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#e4e4e4'\n"
         "set key outside right top vertical noenhanced Left reverse spacing 1.25 samplen 2.2 font ',10'\n"
         "set offsets graph 0.05, graph 0.05, 0, 0\n";
}

std::string gnuplot_curve_style(std::size_t i) {
  static constexpr std::array<const char*, 10> colours{"#0072b2", "#56b4e9", "#009e73", "#e69f00", "#7a5195",
                                                       "#8c6d31", "#6b8e23", "#cc79a7", "#4d4d4d", "#a0a0a0"};
  static constexpr std::array<int, 5> marks{7, 5, 9, 11, 13};
  return " pointtype " + std::to_string(marks[i % marks.size()]) + " linecolor rgb '" + colours[i % colours.size()] +
         "'";
}

std::string gnuplot_pictures(const std::string& prefix, const std::string& plot_command) {
  return "set terminal svg size 960,600 dynamic enhanced font 'Helvetica,12' background rgb 'white'\n"
         "set output " +
         gnuplot_literal(prefix + ".svg") + "\n" + plot_command +
         "set terminal pngcairo size 1440,900 enhanced font 'Helvetica,12' fontscale 1.45 linewidth 1.5 pointscale "
         "1.5\n"
         "set output " +
         gnuplot_literal(prefix + ".png") + "\nreplot\n";
}

Plot draw(const std::string& prefix, const std::string& data, const std::string& script) {
  const auto files = plot_files(prefix);
  write_file(files[0], data);
  Plot plot;
  plot.files = {files[0]};
  if (script.empty()) return plot;
  write_file(files[1], script);
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
