#pragma once

#include <string>

namespace lodestep::cli {

/// Throws InvalidArgument unless a file can be written at `path`: its directory exists and is writable, it is no
/// directory itself, and it does not exist unless `force` is set. Called before time is spent on what goes into it.
void require_writable(const std::string& path, bool force);

/// Throws InvalidArgument unless `path` is a file that can be read.
void require_readable(const std::string& path);

} // namespace lodestep::cli
