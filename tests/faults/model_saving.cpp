#include "model_bytes.hpp"
#include "sample_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <boost/test/unit_test.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <unistd.h>

using namespace lodestep;
using namespace lodestep::test;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("lodestep-saving-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
};

/// The message of the IoError that `action` throws, or "" if it throws nothing.
std::string io_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A model of some hundred kilobytes: more than one write, or one disk block, holds.
Model large_model() {
  Model model = sample_model(CorrectorInput::state, Precision::f64, "mlp", Activation::tanh);
  SampleNumbers random(3);
  MlpTerm mlp;
  mlp.layers = {random.layer(2, 5000, Precision::f64), random.layer(5000, 2, Precision::f64)};
  std::get<CorrectorModel>(model.method).approximator.term = mlp;
  return model;
}

} // namespace

BOOST_AUTO_TEST_CASE(reading_what_cannot_be_read_says_why) {
  const Folder folder;
  const auto reading = [](const std::string& path) { return io_error_of([&] { (void)load_model(path); }); };
  const std::string missing = reading(folder.file("missing.model"));
  BOOST_TEST(contains(missing, folder.file("missing.model")));
  BOOST_TEST(contains(missing, "No such file or directory"));
  BOOST_TEST(contains(reading(folder.path.string()), "Is a directory"));
  BOOST_TEST(contains(reading("/dev/zero"), "not a regular file"));
  const std::string pipe = folder.file("pipe");
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(contains(reading(pipe), "not a regular file")); // and does not wait for a writer
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_named) {
  const Folder folder;
  const std::string path = folder.file("damaged.model");
  std::ofstream(path) << "not a model";
  BOOST_CHECK_EXCEPTION((void)load_model(path), InvalidModel,
                        [&](const InvalidModel& error) { return contains(error.what(), path); });
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_kept_unless_overwriting_is_asked_for) {
  const Folder folder;
  const std::string path = folder.file("kept.model");
  const Model first = sample_models().front().model;
  const Model second = sample_models().back().model;
  save_model(first, path);
  BOOST_TEST(contains(io_error_of([&] { save_model(second, path); }), path));
  BOOST_TEST(same(*load_model(path), first));
  save_model(second, path, Overwrite::yes);
  BOOST_TEST(same(*load_model(path), second));
  BOOST_TEST(folder.entries() == 1u);
}

BOOST_AUTO_TEST_CASE(an_unwritable_place_is_an_error_that_names_it) {
  const Folder folder;
  const Model model = sample_models().front().model;
  const std::string nowhere = folder.file("no/such/folder/x.model");
  const std::string message = io_error_of([&] { save_model(model, nowhere); });
  BOOST_TEST(contains(message, nowhere));
  BOOST_TEST(contains(message, "No such file or directory"));
  // Not even root can make files there.
  BOOST_TEST(io_error_of([&] { save_model(model, "/proc/x.model"); }) != "");
  BOOST_TEST(io_error_of([&] { save_model(model, folder.path.string(), Overwrite::yes); }) != "");
  BOOST_TEST(folder.entries() == 0u);
}

BOOST_AUTO_TEST_CASE(an_unsound_model_leaves_no_file) {
  const Folder folder;
  Model model = sample_models().front().model;
  std::get<CorrectorModel>(model.method).base = "rk5";
  BOOST_CHECK_THROW(save_model(model, folder.file("x.model")), InvalidModel);
  BOOST_TEST(folder.entries() == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_old_file_and_nothing_else) {
  // A limit on file sizes fails a write in its middle, as a full disk does.
  const Folder folder;
  const std::string path = folder.file("full.model");
  const Model old = sample_models().front().model;
  save_model(old, path);
  const Model large = large_model();
  struct rlimit before {};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit { 20000, before.rlim_max };
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const std::string fresh = io_error_of([&] { save_model(large, folder.file("fresh.model")); });
  const std::string over = io_error_of([&] { save_model(large, path, Overwrite::yes); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  BOOST_TEST(contains(fresh, "fresh.model"));
  BOOST_TEST(contains(fresh, "File too large"));
  BOOST_TEST(contains(over, "full.model"));
  BOOST_TEST(same(*load_model(path), old));
  BOOST_TEST(folder.entries() == 1u);
}

BOOST_AUTO_TEST_CASE(a_writer_killed_at_any_moment_leaves_the_old_file_or_the_new) {
  const Folder folder;
  const std::string path = folder.file("killed.model");
  const Model old = large_model();
  Model fresh = old;
  fresh.provenance.seed = 1;
  save_model(old, path);
  unsigned killed = 0;
  for (int round = 0; round < 40; ++round) {
    const ::pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      // Without end: the parent's kill falls into the middle of one of the saves.
      for (;;) {
        save_model(fresh, path, Overwrite::yes);
        save_model(old, path, Overwrite::yes);
      }
    }
    ::usleep(static_cast<::useconds_t>(2000 + 371 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const auto found = load_model(path); // throws if it is neither whole
    BOOST_TEST((same(*found, old) || same(*found, fresh)));
  }
  BOOST_TEST(killed == 40u);
  // What the last one left behind, the next writer clears away.
  save_model(old, path, Overwrite::yes);
  BOOST_TEST(folder.entries() == 1u);
}
