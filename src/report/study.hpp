#pragma once

#include "report/plot.hpp"

#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Studies: what a paper prints, computed again, the paper's figures beside ours, and in words where ours contradict
/// them. To add one, write src/report/studies/<name>.cpp with a function that returns a StudyResult, declare it in
/// studies/list.hpp and enter it in the table of study.cpp: the command and the tests take it from there.
namespace lodestep::report {

/// How much of the paper's work is done. `bounded` is what the command does by itself, less than a minute or so;
/// `full` is as close to the paper as makes sense, and takes as long as that takes; `small` is for tests: the same
/// code on so little data that the figures mean little.
enum class StudySize { small, bounded, full };

struct StudyOptions {
  StudySize size = StudySize::bounded;
  std::uint64_t seed = 0;
  Progress progress;

  template <class T> T pick(T small, T bounded, T full) const {
    return size == StudySize::small ? small : size == StudySize::bounded ? bounded : full;
  }
  /// Reports progress; false asks to stop with what there is.
  bool proceed(double fraction, const std::string& what) const { return !progress || progress(fraction, what); }
};

/// How far a study has come, and whether it was asked to stop.
struct StudyProgress {
  const StudyOptions& options;
  double done = 0.0; ///< in [0, 1]
  bool stopped = false;

  bool report(const std::string& what) { return !(stopped |= !options.proceed(done, what)); }
  bool advance(double by, const std::string& what) {
    done += by;
    return report(what);
  }
  /// For work that reports its own fraction.
  Progress callback() {
    return [this](double, const std::string& what) { return report(what); };
  }
};

/// Nothing, words, or a number. An infinite number is that of a solution that diverged.
using StudyCell = std::variant<std::monostate, std::string, double>;

/// One cell for each column; the first one of a row is its name.
struct LODESTEP_TRAIN_EXPORT StudyTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<StudyCell>> rows;

  /// The number in the first row of that name. Throws InvalidArgument if there is none.
  double at(const std::string& row, const std::string& column) const;
};

struct StudyCurve {
  std::string name;
  std::vector<std::pair<double, double>> points; ///< what is not finite, or not positive on a log axis, is left out
};

struct StudyPlot {
  std::string name; ///< of its files, behind the study's
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_x = false;
  bool log_y = true;
  std::vector<StudyCurve> curves;
};

/// A sentence about what came out.
struct StudyFinding {
  bool contradicts = false; ///< whether it contradicts the paper
  std::string text;
};

struct StudyResult {
  std::vector<StudyTable> tables;
  std::vector<StudyPlot> plots;
  std::vector<StudyFinding> findings;
  bool interrupted = false; ///< stopped by `progress`: the rows there were time for
  double seconds = 0.0;     ///< set by run_study
};

struct Study {
  const char* name;       ///< "attns-table6"
  const char* reproduces; ///< "AttNS, Table 6"
  const char* summary;    ///< one line for a person
  StudyResult (*run)(const StudyOptions&);
};

/// All studies, by paper.
LODESTEP_TRAIN_EXPORT const std::vector<Study>& studies();
/// Throws InvalidArgument listing the names.
LODESTEP_TRAIN_EXPORT const Study& find_study(const std::string& name);
LODESTEP_TRAIN_EXPORT StudyResult run_study(const Study& study, const StudyOptions& options);

LODESTEP_TRAIN_EXPORT nlohmann::ordered_json to_json(const Study& study, const StudyResult& result);
/// Tables and findings for a person.
LODESTEP_TRAIN_EXPORT std::string to_text(const Study& study, const StudyResult& result);
/// Draws one plot, see `plot` for what is written and when.
LODESTEP_TRAIN_EXPORT Plot plot(const StudyPlot& study_plot, const std::string& prefix);

} // namespace lodestep::report
