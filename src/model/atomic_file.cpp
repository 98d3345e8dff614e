#include "model/atomic_file.hpp"

#include <lodestep/error.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace lodestep::detail {

namespace {

constexpr const char* suffix = ".tmp";

[[noreturn]] void fail(const std::string& what, int error) {
  throw IoError(what + ": " + std::strerror(error));
}

[[noreturn]] void fail_existing(const std::string& target) {
  throw IoError("'" + target + "' exists and is not overwritten unless asked (--force, Overwrite::yes)");
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Takes the writer's lock on a temporary, or says (false, errno) why not. The lock belongs to the open file, so that
/// it ends with the writer, however that ends, and it is of another kind than the flock() that libraries such as HDF5
/// take on what they write.
bool lock(int descriptor) {
#ifdef F_OFD_SETLK
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(descriptor, F_OFD_SETLK, &whole) == 0;
#else
  return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
#endif
}

/// Removes the temporaries of `target` whose writers were killed. A file that we can lock has no living writer.
void remove_abandoned(const std::string& target) {
  const std::string prefix = target.substr(target.rfind('/') + 1) + ".";
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(directory_of(target), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + std::strlen(suffix))
      continue;
    // Only what this class writes, "<pid>-<count>", is ours to remove.
    const std::string middle = name.substr(prefix.size(), name.size() - prefix.size() - std::strlen(suffix));
    if (middle.find_first_not_of("0123456789-") != std::string::npos) continue;
    const std::string path = entry->path().string();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    if (lock(descriptor)) ::unlink(path.c_str());
    ::close(descriptor);
  }
}

} // namespace

AtomicFile::AtomicFile(const std::string& target, Overwrite overwrite) : target_(target), overwrite_(overwrite) {
  if (target.empty()) throw IoError("cannot write a file with an empty name");
  struct stat status {};
  if (::lstat(target_.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) throw IoError("cannot write '" + target + "': it is a directory");
    if (overwrite_ == Overwrite::no) fail_existing(target);
    if (S_ISLNK(status.st_mode)) {
      // What the link points to is replaced, as it would be by an ordinary write; the link stays.
      std::error_code error;
      target_ = std::filesystem::weakly_canonical(target_, error).string();
      if (error) throw IoError("cannot follow the link '" + target + "': " + error.message());
      if (::stat(target_.c_str(), &status) != 0) status.st_mode = S_IFREG;
    }
    if (!S_ISREG(status.st_mode)) throw IoError("cannot write '" + target + "': it is not a regular file");
  }

  remove_abandoned(target_);
  static std::atomic<unsigned> count{0};
  for (;;) {
    temporary_ = target_ + "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + suffix;
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      if (errno == EEXIST) continue;
      fail("cannot create a file in '" + directory_of(target_) + "' for '" + target + "'", errno);
    }
    // Another writer's clean-up may have met the file before it was locked: then take another name. File systems
    // without locks keep abandoned temporaries, and nothing else changes.
    const bool locked = lock(descriptor_) || (errno != EWOULDBLOCK && errno != EACCES);
    if (locked && ::fstat(descriptor_, &status) == 0 && status.st_nlink > 0) return;
    ::close(descriptor_);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(descriptor_);
}

void AtomicFile::commit() {
  if (descriptor_ < 0) throw IoError("'" + target_ + "' was committed already");
  // The descriptor is of the same inode as whatever the caller wrote through.
  if (::fsync(descriptor_) != 0) fail("cannot flush '" + temporary_ + "' to disk", errno);

  bool renamed = false;
  if (overwrite_ == Overwrite::no) {
    // link() never replaces, rename() always does. Where there are no hard links a check has to do.
    if (::link(temporary_.c_str(), target_.c_str()) == 0) {
      ::unlink(temporary_.c_str());
      renamed = true;
    } else if (errno == EEXIST) {
      fail_existing(target_);
    } else {
      struct stat status {};
      if (::lstat(target_.c_str(), &status) == 0) fail_existing(target_);
    }
  }
  if (!renamed && ::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail("cannot rename '" + temporary_ + "' to '" + target_ + "'", errno);
  ::close(descriptor_);
  descriptor_ = -1;

  // The new name is durable once the directory is. Some file systems cannot flush one; the file is whole regardless.
  const int directory = ::open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const int flushed = ::fsync(directory);
  const int error = errno;
  ::close(directory);
  if (flushed != 0 && error != EINVAL && error != ENOTSUP)
    fail("cannot flush the directory of '" + target_ + "' to disk", error);
}

} // namespace lodestep::detail
