#pragma once

#include <lodestep/export.hpp>
#include <lodestep/model.hpp>

#include <string>
#include <vector>

namespace lodestep::detail {

/// All bytes of a regular file. Throws IoError with the path and the system's reason.
LODESTEP_EXPORT std::vector<unsigned char> read_file(const std::string& path);

/// Writes a file, whole or not at all (AtomicFile). Throws IoError with the path and the system's reason.
LODESTEP_EXPORT void write_file(const std::string& path, const std::vector<unsigned char>& bytes, Overwrite overwrite);

} // namespace lodestep::detail
