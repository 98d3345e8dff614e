#pragma once

#include <lodestep/source_export.hpp>

namespace lodestep::source {

/// A corrector as C: base scheme, approximator, guard and fallback. `model` is sound and a corrector.
CSource c_corrector(const Model& model, const std::string& name);

} // namespace lodestep::source
