#pragma once

#include <lodestep/export.hpp>
#include <lodestep/model.hpp>

#include <string>

namespace lodestep::detail {

/// A file written whole or not at all: it is written under a temporary name beside the target and takes the target's
/// name only in commit(), after everything has reached the disk. Whatever stops the writer earlier (an exception, a
/// full disk, kill -9, a power cut), the target is what it was before.
///
///     AtomicFile file(path, Overwrite::no);
///     ... write to file.path() ...
///     file.commit();
///
/// The temporary is held locked while its writer lives, so the next writer of the same target recognises and removes
/// those that killed writers left behind.
class LODESTEP_EXPORT AtomicFile {
public:
  /// Makes the temporary. Throws IoError if `target` exists and `overwrite` is `no`, if it is something other than a
  /// file, or if its directory cannot be written: before any expensive work, rather than after it.
  AtomicFile(const std::string& target, Overwrite overwrite);
  /// Removes the temporary unless it was committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// The temporary: an existing empty file, to be opened, written and closed by the caller.
  const std::string& path() const noexcept { return temporary_; }
  /// Flushes the temporary to disk and gives it the target's name. With Overwrite::no a file that appeared there in the
  /// meantime is kept and IoError thrown.
  void commit();

private:
  std::string target_;
  std::string temporary_;
  Overwrite overwrite_;
  int descriptor_ = -1;
};

} // namespace lodestep::detail
