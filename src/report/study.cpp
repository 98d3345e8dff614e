#include "report/study.hpp"

#include "report/studies/list.hpp"

#include <lodestep/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace lodestep::report {

const std::vector<Study>& studies() {
  static const std::vector<Study> all{
      {"attns-data", "AttNS, section 5 (3)", "AttNS against NeurVec from 10, 50 and 200 trajectories",
       study_attns_data},
      {"attns-fig3", "AttNS, Fig. 3", "the spring-mass chain on four solvers from less and less data",
       study_attns_fig3},
      {"attns-fig4", "AttNS, Fig. 4 and D.1 (3)", "both pendulums, and their trajectories of largest u''",
       study_attns_fig4},
      {"attns-fig5", "AttNS, Fig. 5", "noise on every state", study_attns_fig5},
      {"attns-table1", "AttNS, Table 1", "depth and width of the network", study_attns_table1},
      {"attns-table2", "AttNS, Table 2", "a skip connection, and S dt as the network's input", study_attns_table2},
      {"attns-table6", "AttNS, Table 6", "how large the second derivatives of the paper's systems are",
       study_attns_table6},
      {"rknn-table1", "RK-NN, Table 1, SM4", "the coefficients the paper prints, and ours", study_rknn_table1},
      {"rknn-fig2", "RK-NN, Fig. 2", "with and without the Taylor regulariser", study_rknn_fig2},
      {"rknn-fig3", "RK-NN, Fig. 3", "trained on one family, tested on another", study_rknn_fig3},
      {"rknn-fig4", "RK-NN, Fig. 4, SM1", "order 3 from 2 stages, order 6 from 4", study_rknn_fig4},
      {"rknn-fig5", "RK-NN, Figs. 5, 6, SM3, SM4", "order and relative error on the two systems", study_rknn_fig5},
      {"rknn-fig7", "RK-NN, Figs. 7, 8, SM2", "parameters and initial states outside the family", study_rknn_fig7},
      {"rknn-fig9", "RK-NN, Fig. 9", "losses by epoch", study_rknn_fig9},
      {"rknn-sm5", "RK-NN, Table 2, SM5", "cost of training by dimension", study_rknn_sm5},
      {"hits-fig2", "HiTS, Fig. 2", "the harmonic oscillator by single steps and by all of them", study_hits_fig2},
      {"hits-noise", "HiTS, Tables 6, 7, 8, Figs. 5, 8", "flow maps from trajectories with 0, 1 and 2% of noise",
       study_hits_noise},
      {"hits-table1", "HiTS, Table 1", "a solution of the Kuramoto-Sivashinsky equation, learned and generated again",
       study_hits_table1},
      {"hits-times", "HiTS, Tables 5, 9, Figs. 6, 9", "cost and accuracy of flow maps, hybrids and RK4",
       study_hits_times},
  };
  return all;
}

const Study& find_study(const std::string& name) {
  const auto& all = studies();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Study& study) { return study.name == name; });
  if (found != all.end()) return *found;
  std::string known;
  for (const auto& study : all) known += std::string(known.empty() ? "" : ", ") + study.name;
  throw InvalidArgument("there is no study '" + name + "'; there are: " + known);
}

StudyResult run_study(const Study& study, const StudyOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  StudyResult result = study.run(options);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

double StudyTable::at(const std::string& row, const std::string& column) const {
  const auto c = std::find(columns.begin(), columns.end(), column) - columns.begin();
  for (const auto& cells : rows) {
    const auto* name = std::get_if<std::string>(&cells.front());
    if (!name || *name != row || static_cast<std::size_t>(c) >= cells.size()) continue;
    if (const auto* number = std::get_if<double>(&cells[static_cast<std::size_t>(c)])) return *number;
  }
  throw InvalidArgument("table '" + title + "' has no number in row '" + row + "', column '" + column + "'");
}

namespace {

nlohmann::ordered_json to_json(const StudyCell& cell) {
  if (const auto* words = std::get_if<std::string>(&cell)) return *words;
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  return nullptr;
}

std::string to_text(const StudyCell& cell) {
  if (const auto* words = std::get_if<std::string>(&cell)) return *words;
  const auto* number = std::get_if<double>(&cell);
  if (!number || std::isnan(*number)) return "-";
  if (std::isinf(*number)) return "diverged";
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", *number);
  return text;
}

/// The display width of UTF-8 text, near enough: its code points.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

void append(std::string& out, const StudyTable& table) {
  std::vector<std::vector<std::string>> lines{table.columns};
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (const auto& cell : row) line.push_back(to_text(cell));
  }
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < std::min(line.size(), widths.size()); ++c) {
      widths[c] = std::max(widths[c], width(line[c]));
    }
  }
  out += "\n" + table.title + "\n";
  for (const auto& line : lines) {
    out += " ";
    for (std::size_t c = 0; c < std::min(line.size(), widths.size()); ++c) {
      const std::string pad(widths[c] - width(line[c]), ' ');
      out += c == 0 ? " " + line[c] + pad : "  " + pad + line[c]; // the names flush left, the figures flush right
    }
    out += "\n";
  }
}

} // namespace

nlohmann::ordered_json to_json(const Study& study, const StudyResult& result) {
  auto tables = nlohmann::ordered_json::array();
  for (const auto& table : result.tables) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& row : table.rows) {
      auto cells = nlohmann::ordered_json::array();
      for (const auto& cell : row) cells.push_back(to_json(cell));
      rows.push_back(cells);
    }
    tables.push_back({{"title", table.title}, {"columns", table.columns}, {"rows", rows}});
  }
  auto findings = nlohmann::ordered_json::array();
  for (const auto& finding : result.findings) {
    findings.push_back({{"contradicts", finding.contradicts}, {"text", finding.text}});
  }
  return {{"study", study.name},  {"reproduces", study.reproduces},    {"tables", tables},
          {"findings", findings}, {"interrupted", result.interrupted}, {"seconds", result.seconds}};
}

std::string to_text(const Study& study, const StudyResult& result) {
  std::string out = std::string(study.name) + ": " + study.reproduces + ", " + study.summary + "\n";
  for (const auto& table : result.tables) append(out, table);
  if (!result.findings.empty()) out += "\n";
  for (const auto& finding : result.findings) {
    out += (finding.contradicts ? "Against the paper: " : "") + finding.text + "\n";
  }
  if (result.interrupted) out += "Interrupted: only what there was time for.\n";
  return out;
}

} // namespace lodestep::report
