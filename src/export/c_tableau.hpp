#pragma once

#include <lodestep/source_export.hpp>

namespace lodestep::source {

/// A learned tableau as C: its coefficients (of the step size and parameters, where they depend on them), the range it
/// may be used in, and the classical tableau outside it. `model` is sound and a tableau.
CSource c_tableau(const Model& model, const std::string& name);

} // namespace lodestep::source
