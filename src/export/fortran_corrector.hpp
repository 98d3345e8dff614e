#pragma once

#include <lodestep/model.hpp>

#include <string>

namespace lodestep::source {

/// A corrector as a Fortran module: base scheme, approximator, guard and fallback. `model` is sound and a corrector.
std::string fortran_corrector(const Model& model, const std::string& name);

} // namespace lodestep::source
