#include "cli/output_file.hpp"

#include <lodestep/error.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace lodestep::cli {

namespace fs = std::filesystem;

void require_writable(const std::string& path, bool force) {
  const std::string cannot = "cannot write '" + path + "': ";
  if (path.empty()) throw InvalidArgument("the output file's name is empty");
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) throw InvalidArgument(cannot + "it is a directory; name a file in it");
  if (fs::exists(status) && !force) {
    throw InvalidArgument(cannot + "it already exists; pass --force to overwrite it, or choose another name");
  }
  const fs::path parent = fs::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  if (!fs::is_directory(directory, ignored)) {
    throw InvalidArgument(cannot + "there is no directory '" + directory + "'; create it first");
  }
  // Permission bits do not tell (read-only mounts, root): only making a file does.
  std::string probe = directory + "/.lodestep-XXXXXX";
  const int descriptor = ::mkstemp(probe.data());
  if (descriptor < 0) {
    throw InvalidArgument(cannot + "no file can be created in '" + directory + "': " + std::strerror(errno));
  }
  ::close(descriptor);
  ::unlink(probe.c_str());
}

void require_readable(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw InvalidArgument("cannot read '" + path + "': it is a directory");
  errno = 0;
  if (!std::ifstream(path, std::ios::binary)) {
    throw InvalidArgument("cannot read '" + path + "': " + std::strerror(errno ? errno : ENOENT));
  }
}

} // namespace lodestep::cli
