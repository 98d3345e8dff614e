#pragma once

#include "report/work_precision.hpp"

#include <string>
#include <vector>

namespace lodestep::report {

/// What `plot` wrote.
struct Plot {
  std::vector<std::string> files; ///< that exist now
  std::string note;               ///< empty, or why the diagram itself is missing
};

/// The files that `plot` writes for a prefix: <prefix>.dat, .gnuplot, .svg, .png.
LODESTEP_TRAIN_EXPORT std::vector<std::string> plot_files(const std::string& prefix);

/// Draws error against time, both logarithmic, as SVG and PNG, with gnuplot. Data and script are left beside them, so
/// that the diagram can be changed and drawn again. Without gnuplot, or where it fails, those two are all there is, and
/// the note says so: a measurement is never lost for want of a picture. Throws IoError if the data cannot be written.
LODESTEP_TRAIN_EXPORT Plot plot(const WorkPrecision& result, const std::string& prefix);

} // namespace lodestep::report
