#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// Source code that a test writes, compiles with whatever compilers there are, and calls.
namespace lodestep::test {

/// A directory of this test's own, removed at its end.
struct Directory {
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lodestep-export-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

inline void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  BOOST_REQUIRE(file.good());
}

/// Runs a command; its output is part of the failure.
inline bool run(const std::string& command, const std::filesystem::path& directory) {
  const std::string log = (directory / "log").string();
  const int status = std::system((command + " > '" + log + "' 2>&1").c_str());
  if (status != 0) {
    std::ifstream file(log);
    std::stringstream text;
    text << file.rdbuf();
    BOOST_TEST_MESSAGE(command << "\n" << text.str().substr(0, 4000));
  }
  return status == 0;
}

inline bool available(const std::string& compiler, const std::string& suffix, const std::string& program) {
  Directory directory;
  const auto source = directory.path / ("probe" + suffix);
  write(source, program);
  return run(compiler + " -o '" + (directory.path / "probe").string() + "' '" + source.string() + "' -lm",
             directory.path);
}

inline bool available(const std::string& compiler) {
  return available(compiler, ".c",
                   "#include <math.h>\n#include <stdint.h>\nint main(void) { return (int)floor(0.5); }\n");
}

class Library {
public:
  explicit Library(const std::filesystem::path& path) : handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    BOOST_REQUIRE_MESSAGE(handle_, ::dlerror());
  }
  ~Library() { ::dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  template <class Function> Function get(const char* name) const {
    void* symbol = ::dlsym(handle_, name);
    BOOST_REQUIRE_MESSAGE(symbol, ::dlerror());
    return reinterpret_cast<Function>(symbol);
  }

private:
  void* handle_;
};

} // namespace lodestep::test
