// Every study runs on a little data: tables are whole, and what must hold whatever the size of the data holds. The
// bounded form is for people: lodestep study NAME.
#include "report/study.hpp"

#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace lodestep;
using namespace lodestep::report;

namespace {

StudyResult small(const std::string& name) {
  StudyOptions options;
  options.size = StudySize::small;
  return run_study(find_study(name), options);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_study_gives_whole_tables_and_says_what_came_out) {
  std::set<std::string> names;
  for (const auto& study : studies()) {
    BOOST_TEST_CONTEXT(study.name) {
      BOOST_TEST(names.insert(study.name).second);
      const auto result = small(study.name);
      BOOST_TEST_MESSAGE(to_text(study, result) << result.seconds << " s");
      BOOST_TEST(!result.interrupted);
      BOOST_TEST(result.seconds < 60.0);
      BOOST_TEST(!result.tables.empty());
      BOOST_TEST(!result.findings.empty());
      for (const auto& table : result.tables) {
        BOOST_TEST(!table.rows.empty());
        for (const auto& row : table.rows) BOOST_TEST(row.size() == table.columns.size());
      }
      for (const auto& plot : result.plots) BOOST_TEST(!plot.curves.empty());
      BOOST_TEST(to_json(study, result)["tables"].size() == result.tables.size());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_study_gives_what_it_has) {
  StudyOptions options;
  options.progress = [](double, const std::string&) { return false; };
  for (const auto& study : studies()) {
    BOOST_TEST_CONTEXT(study.name) {
      const auto result = run_study(study, options);
      BOOST_TEST(result.interrupted);
      BOOST_TEST(result.seconds < 20.0);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_study_is_answered_with_the_known) {
  BOOST_CHECK_EXCEPTION(find_study("attns-table66"), InvalidArgument, [](const InvalidArgument& error) {
    return std::string(error.what()).find("attns-table6") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(second_derivatives_of_the_chain_are_bounded) {
  // |u''| <= 4 k / m times the largest |q| or |p|, and energy bounds those.
  const auto result = small("attns-table6");
  BOOST_TEST(result.tables[0].at("90", "ours") == 100.0);
  BOOST_TEST(result.tables[1].at("5", "ours") <= result.tables[1].at("45", "ours"));
  BOOST_CHECK_THROW(result.tables[1].at("5", "theirs"), InvalidArgument);
  BOOST_CHECK_THROW(result.tables[1].at("7", "ours"), InvalidArgument);
}

// The chain is linear, so an affine corrector is exact from whatever share of the data; the multiplicative form is not.
BOOST_AUTO_TEST_CASE(the_affine_corrector_of_the_chain_is_exact) {
  const auto table = small("attns-fig3").tables[0];
  BOOST_TEST(table.at("rk4, 100%", "affine, solved") < 1e-24);
  BOOST_TEST(table.at("euler, 50%", "affine, solved") < 1e-24);
  BOOST_TEST(table.at("euler, 100%", "solver alone") > 1.0);
}

// In the bounded form, on so much data that the figures mean something: every way of fitting but the published recipe
// beats the base scheme by far, and the solved AttNS the paper.
BOOST_AUTO_TEST_CASE(attns_and_neurvec_on_the_two_link_pendulum) {
  const auto table = run_study(find_study("attns-fig4"), {}).tables[1];
  BOOST_TEST(table.at("RK4", "all") > 1e-5);
  BOOST_TEST(table.at("AttNS", "all") < 1e-8);
  BOOST_TEST(table.at("NeurVec", "all") < 1e-8);
  BOOST_TEST(table.at("AttNS, solved", "all") < 4.26e-9);
  BOOST_TEST(table.at("AttNS-m", "all") > table.at("AttNS", "all"));
}

// The printed coefficients beat RK3 on the systems, and least squares beats them, on enough data to tell.
BOOST_AUTO_TEST_CASE(printed_tableaux_and_ours) {
  const auto result = run_study(find_study("rknn-table1"), {});
  for (std::size_t k : {2, 3}) {
    const auto& table = result.tables[k];
    BOOST_TEST(table.at("printed (#1)", "global") < 0.8);
    BOOST_TEST(table.at("paper's recipe", "global") < 0.8);
    BOOST_TEST(table.at("least squares, free b", "global") < table.at("printed (#1)", "global"));
  }
}
