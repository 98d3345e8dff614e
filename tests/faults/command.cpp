// What the command does with bad input: the exit code, the words, and that nothing is written.
#include <lodestep/learned_tableau.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <variant>

namespace fs = std::filesystem;

namespace {

struct Result {
  int status;
  std::string out;   ///< standard output
  std::string error; ///< standard error
};

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("lodestep_command_" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::string contents(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Runs `lodestep ARGUMENTS` in `folder`.
Result run(const Folder& folder, const std::string& arguments) {
  const char* command = std::getenv("LODESTEP_COMMAND");
  BOOST_REQUIRE_MESSAGE(command, "LODESTEP_COMMAND is not set: run this test with ctest");
  const std::string line = "cd '" + folder.path.string() + "' && '" + command + "' " + arguments + " >out 2>err";
  const int status = std::system(line.c_str());
  BOOST_REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), contents(folder.path / "out"), contents(folder.path / "err")};
}

void refused(const std::string& arguments, const std::string& words) {
  Folder folder;
  const Result result = run(folder, arguments);
  BOOST_TEST(result.status == 2, arguments << ": exit code " << result.status);
  BOOST_TEST(result.error.find(words) != std::string::npos,
             arguments << ": '" << result.error << "' lacks '" << words << "'");
  BOOST_TEST(result.out.empty());
  BOOST_TEST(!fs::exists(folder.path / "m.st"));
  BOOST_TEST(!fs::exists(folder.path / "d.h5"));
}

} // namespace

BOOST_AUTO_TEST_CASE(bad_requests_are_refused_and_nothing_is_written) {
  refused("train attns elastic_pendulm -o m.st", "elastic_pendulum");
  refused("train attns elastic_pendulum:q=1 -o m.st", "q");
  refused("train attns elastic_pendulum -o m.st --dt 0", "dt");
  refused("train attns elastic_pendulum -o m.st --dt -0.1", "dt");
  refused("train attns elastic_pendulum -o m.st --dt 0.3", "multiple");
  refused("train attns elastic_pendulum -o m.st --base rk5", "rk4");
  refused("train attns elastic_pendulum -o m.st --error -1", "error");
  refused("train attns elastic_pendulum -o no/such/folder/m.st", "no/such/folder");
  refused("generate elastic_pendulum -o d.h5 --horizon 0.25", "multiple");
  refused("generate nothing -o d.h5", "nothing");
  refused("evaluate missing.st", "missing.st");
  refused("inspect missing.st", "missing.st");
  refused("study", "--list");
  refused("train attns two_link_pendulum -o m.st --recipe papier", "auto or paper");
  refused("train attns two_link_pendulum -o m.st --epochs 3", "--recipe paper");
  refused("train attns two_link_pendulum -o m.st --recipe paper --error 1e-3", "--error");
  refused("train rknn linear -o m.st --epochs 3", "recipe");
  refused("train rknn linear -o m.st --stages auto", "error");
  refused("train rknn linear -o m.st --stages three", "number or auto");
  refused("train rknn linear -o m.st --error 1e-3", "--stages auto");
  refused("study attns-table66", "attns-table6");
  refused("study attns-table6 --full --small", "choose one");
  refused("study attns-table6 --output /dev/null/folder", "/dev/null/folder");
  refused("bench elastic_pendulum --model missing.st", "missing.st");
  refused("bench", "problem");
  refused("bench --inference", "--model");
  refused("bench --inference --model missing.st", "missing.st");
  refused("bench elastic_pendulum --inference --model missing.st", "--inference");
  refused("bench elastic_pendulum --backend gpu", "fused");
  refused("evaluate missing.st --backend gpu", "fused");
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_kept_unless_forced) {
  Folder folder;
  std::ofstream(folder.path / "m.st") << "precious";
  const std::string train = "train attns spring_mass:d=2 -o m.st --trajectories 5 --json";
  const Result kept = run(folder, train);
  BOOST_TEST(kept.status == 2);
  BOOST_TEST(kept.error.find("--force") != std::string::npos);
  BOOST_TEST(contents(folder.path / "m.st") == "precious");
  const Result replaced = run(folder, train + " --force");
  BOOST_TEST(replaced.status == 0, replaced.error);
  BOOST_TEST(contents(folder.path / "m.st") != "precious");
}

BOOST_AUTO_TEST_CASE(json_is_alone_on_standard_output_and_has_its_keys) {
  Folder folder;
  const Result trained = run(folder, "train attns spring_mass:d=2 -o m.st --trajectories 5 --json");
  BOOST_REQUIRE_MESSAGE(trained.status == 0, trained.error);
  BOOST_CHECK(nlohmann::json::parse(trained.out).is_object());

  const Result evaluated = run(folder, "evaluate m.st --trajectories 5 --seed 1 --json");
  BOOST_REQUIRE_MESSAGE(evaluated.status == 0, evaluated.error);
  const auto evaluation = nlohmann::json::parse(evaluated.out);
  for (const char* key :
       {"problem", "kind", "dt", "horizon", "trajectories", "mse_mean", "mse_median", "mse_max", "base_mse_mean",
        "rhs_evaluations_per_time", "microseconds_per_trajectory", "fallback_fraction"}) {
    BOOST_TEST(evaluation.contains(key), key);
  }
  BOOST_TEST(evaluation["trajectories"] == 5);
  BOOST_TEST(evaluation["mse_mean"].get<double>() < evaluation["base_mse_mean"].get<double>());

  const Result benched = run(folder, "bench spring_mass:d=2 --model m.st --trajectories 2 --json");
  BOOST_REQUIRE_MESSAGE(benched.status == 0, benched.error);
  const auto bench = nlohmann::json::parse(benched.out);
  BOOST_REQUIRE(bench["points"].size() > 10u);
  for (const char* key : {"stepper", "family", "parameter", "mse", "microseconds_per_trajectory", "rhs_evaluations"}) {
    BOOST_TEST(bench["points"][0].contains(key), key);
  }
  BOOST_TEST(bench["speedup_at_equal_error"].contains("m.st"));

  const Result hosted = run(folder, "bench spring_mass:d=2 --model m.st --host sundials --trajectories 2 --horizon 4 "
                                    "--seconds 0.1 --error 1e-3 --json");
  if (hosted.status == 0) {
    const auto host = nlohmann::json::parse(hosted.out);
    BOOST_TEST(host["points"].size() > 5u);
    BOOST_TEST(host["points"][0]["family"] == "learned");
    BOOST_TEST(host["speedups"][0]["model"] == "m.st");
    for (const auto& point : host["points"]) BOOST_TEST(point["mse"].get<double>() <= host["speedups"][0]["mse"]);
  } else {
    BOOST_TEST(hosted.error.find("built without SUNDIALS") != std::string::npos, hosted.error);
  }

  for (const char* verb : {"problems --json", "inspect m.st --json", "generate spring_mass:d=2 -o d.h5 --json"}) {
    const Result result = run(folder, verb);
    BOOST_TEST(result.status == 0, verb << ": " << result.error);
    BOOST_CHECK(nlohmann::json::accept(result.out));
  }
}

BOOST_AUTO_TEST_CASE(a_model_of_another_dimension_is_refused) {
  Folder folder;
  BOOST_REQUIRE(run(folder, "train attns spring_mass:d=2 -o m.st --trajectories 5").status == 0);
  const Result result = run(folder, "evaluate m.st --problem elastic_pendulum:k=41");
  BOOST_TEST(result.status == 2);
  const Result bench = run(folder, "bench spring_mass:d=3 --model m.st");
  BOOST_TEST(bench.status == 2);
  BOOST_TEST(bench.error.find("6") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_learned_tableau_is_exported_as_json) {
  Folder folder;
  const Result trained = run(folder, "train rknn linear -o constant.st --quiet");
  BOOST_REQUIRE_MESSAGE(trained.status == 0, trained.error);
  const Result exported = run(folder, "export constant.st --json");
  BOOST_REQUIRE_MESSAGE(exported.status == 0, exported.error);
  const auto tableau = lodestep::tableau_from_json(exported.out);
  const auto model = lodestep::load_model((folder.path / "constant.st").string());
  const auto& learned = std::get<lodestep::TableauModel>(model->method).tableau;
  BOOST_TEST(tableau.a == learned.a);
  BOOST_TEST(tableau.b == learned.b);

  const Result of_dt = run(folder, "train rknn linear --h-degree 1 --parameter-degree 1 -o of_dt.st --quiet");
  BOOST_REQUIRE_MESSAGE(of_dt.status == 0, of_dt.error);
  const Result frozen = run(folder, "export of_dt.st --json --dt 0.05 --parameters a=2");
  BOOST_REQUIRE_MESSAGE(frozen.status == 0, frozen.error);
  const lodestep::LearnedTableau family(lodestep::load_model((folder.path / "of_dt.st").string()), {2.0});
  BOOST_TEST(lodestep::tableau_from_json(frozen.out).b == family.at(0.05).b);

  const auto failed = [&](const std::string& arguments, const std::string& words) {
    const Result result = run(folder, arguments);
    BOOST_TEST(result.status == 2, arguments << ": " << result.error);
    BOOST_TEST(result.error.find(words) != std::string::npos, arguments << ": '" << result.error << "'");
  };
  failed("export of_dt.st --json --parameters a=2", "--dt");
  failed("export of_dt.st --json --dt 0.05", "'a'");
  failed("export of_dt.st --json --dt 0.05 --parameters b=2", "'a'");
  failed("export of_dt.st --json --dt -1 --parameters a=2", "--dt");
  failed("export constant.st", "--fortran");
  failed("bench spring_mass:d=2 --model constant.st --host elsewhere", "elsewhere");
  BOOST_REQUIRE(run(folder, "train attns spring_mass:d=2 -o m.st --trajectories 5 --quiet").status == 0);
  failed("export m.st --json", "only a tableau");
}

BOOST_AUTO_TEST_CASE(help_teaches) {
  Folder folder;
  for (const char* verb : {"", "problems", "generate", "train", "train attns", "evaluate", "bench", "inspect", "export",
                           "import", "study"}) {
    const Result result = run(folder, std::string(verb) + " --help");
    BOOST_TEST(result.status == 0);
    BOOST_TEST(result.out.size() > 200u, verb);
  }
}
