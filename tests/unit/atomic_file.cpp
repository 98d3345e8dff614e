#include "model/atomic_file.hpp"

#include "scratch_folder.hpp"

#include <lodestep/error.hpp>

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace lodestep;
using detail::AtomicFile;
namespace fs = std::filesystem;

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool says(const IoError& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(the_target_appears_on_commit_alone, ScratchFolder) {
  AtomicFile out(file("a"), Overwrite::no);
  write(out.path(), "whole");
  BOOST_TEST(!fs::exists(file("a")));
  out.commit();
  BOOST_TEST(read(file("a")) == "whole");
  BOOST_TEST(entries() == 1u);
}

BOOST_FIXTURE_TEST_CASE(nothing_stays_without_commit, ScratchFolder) {
  {
    AtomicFile out(file("a"), Overwrite::no);
    write(out.path(), "half");
    BOOST_TEST(entries() == 1u);
  }
  BOOST_TEST(entries() == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_existing_file_is_kept_unless_asked, ScratchFolder) {
  write(file("a"), "old");
  BOOST_CHECK_EXCEPTION(AtomicFile(file("a"), Overwrite::no), IoError,
                        [](const IoError& e) { return says(e, "--force"); });
  AtomicFile out(file("a"), Overwrite::yes);
  write(out.path(), "new");
  BOOST_TEST(read(file("a")) == "old");
  out.commit();
  BOOST_TEST(read(file("a")) == "new");
  BOOST_TEST(entries() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_appears_meanwhile_is_kept, ScratchFolder) {
  AtomicFile out(file("a"), Overwrite::no);
  write(out.path(), "late");
  write(file("a"), "first");
  BOOST_CHECK_THROW(out.commit(), IoError);
  BOOST_TEST(read(file("a")) == "first");
}

BOOST_FIXTURE_TEST_CASE(a_link_stays_and_its_file_is_replaced, ScratchFolder) {
  write(file("real"), "old");
  fs::create_symlink("real", file("link"));
  AtomicFile out(file("link"), Overwrite::yes);
  write(out.path(), "new");
  out.commit();
  BOOST_TEST(fs::is_symlink(file("link")));
  BOOST_TEST(read(file("real")) == "new");
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_written_is_said_at_once, ScratchFolder) {
  BOOST_CHECK_EXCEPTION(AtomicFile(file("none/a"), Overwrite::no), IoError,
                        [](const IoError& e) { return says(e, "No such file or directory"); });
  BOOST_CHECK_EXCEPTION(AtomicFile(folder.string(), Overwrite::yes), IoError,
                        [](const IoError& e) { return says(e, "is a directory"); });
  BOOST_CHECK_THROW(AtomicFile("", Overwrite::yes), IoError);
  BOOST_CHECK_EXCEPTION(AtomicFile("/dev/null", Overwrite::yes), IoError,
                        [](const IoError& e) { return says(e, "not a regular file"); });
}

BOOST_FIXTURE_TEST_CASE(the_next_writer_removes_what_a_killed_one_left, ScratchFolder) {
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile out(file("a"), Overwrite::no);
    write(out.path(), "half");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  { AtomicFile other(file("a"), Overwrite::no); }
  BOOST_TEST(entries() == 1u); // the living writer's
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  BOOST_TEST(!fs::exists(file("a")));
  write(file("a.notes.tmp"), "mine"); // not ours to remove
  {
    AtomicFile other(file("a"), Overwrite::no);
    BOOST_TEST(entries() == 2u);
  }
  BOOST_TEST(entries() == 1u);
}
