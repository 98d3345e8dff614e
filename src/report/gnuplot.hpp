#pragma once

#include "report/plot.hpp"

#include <cstddef>
#include <string>

/// What every diagram shares: text for gnuplot, looks, and the way from data and script to pictures.
namespace lodestep::report {

/// Text in gnuplot's single quotes, where only the quote itself is special.
std::string gnuplot_literal(const std::string& text);

/// Borders, tics, grid, the key at the right, a title and a grey line under it.
std::string gnuplot_frame(const std::string& title, const std::string& subtitle);

/// Hue and mark of the i-th curve: " linecolor rgb '#0072b2' pointtype 7". Hues stay apart for colour-blind readers
/// (Okabe and Ito 2008) and leave red to what a diagram wants to point at.
std::string gnuplot_curve_style(std::size_t i);

/// `plot_command` (from "plot" on, ending in a new line) on <prefix>.svg, then the same on <prefix>.png.
std::string gnuplot_pictures(const std::string& prefix, const std::string& plot_command);

/// Writes <prefix>.dat and <prefix>.gnuplot and has gnuplot run the script, without a shell in between. An empty
/// script means that there is nothing to draw. Throws IoError if a file cannot be written.
Plot draw(const std::string& prefix, const std::string& data, const std::string& script);

} // namespace lodestep::report
