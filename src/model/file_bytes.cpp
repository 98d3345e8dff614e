#include "model/file_bytes.hpp"

#include "model/atomic_file.hpp"

#include <lodestep/error.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <unistd.h>

namespace lodestep::detail {

namespace {

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

[[noreturn]] void fail(const char* what, const std::string& path, const std::string& reason) {
  throw IoError(std::string("cannot ") + what + " '" + path + "': " + reason);
}

} // namespace

std::vector<unsigned char> read_file(const std::string& path) {
  // Non-blocking, so that a named pipe is reported below instead of waited for.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.value < 0) fail("read", path, std::strerror(errno));
  struct stat status;
  if (::fstat(file.value, &status) != 0) fail("read", path, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail("read", path, std::strerror(EISDIR));
  if (!S_ISREG(status.st_mode)) fail("read", path, "not a regular file");
  std::vector<unsigned char> bytes;
  try {
    bytes.resize(static_cast<std::size_t>(status.st_size));
  } catch (const std::exception&) {
    fail("read", path, "it has " + std::to_string(status.st_size) + " bytes, more than the memory holds");
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ::ssize_t count = ::read(file.value, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, std::strerror(errno));
    if (count == 0) {
      bytes.resize(done); // shortened while it was read: the loader says what is missing
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

void write_file(const std::string& path, const std::vector<unsigned char>& bytes, Overwrite overwrite) {
  AtomicFile file(path, overwrite);
  {
    const Descriptor descriptor{::open(file.path().c_str(), O_WRONLY | O_CLOEXEC)};
    if (descriptor.value < 0) fail("write", path, std::strerror(errno));
    for (std::size_t done = 0; done < bytes.size();) {
      const ::ssize_t count = ::write(descriptor.value, bytes.data() + done, bytes.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("write", path, std::strerror(errno));
      done += static_cast<std::size_t>(count);
    }
  }
  file.commit();
}

} // namespace lodestep::detail
