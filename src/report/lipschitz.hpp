#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

namespace lodestep::report {

/// A Lipschitz constant of an approximator over the inputs of its training, from standardised inputs (|z_i| <= 1) to
/// standardised outputs, in the maximum norm: AttNS, theorem 5.2, made a number. A bound, never exact: layers' norms
/// are multiplied, and every monomial of a polynomial is taken at its steepest.
LODESTEP_TRAIN_EXPORT double lipschitz_bound(const ApproximatorSpec& spec);

} // namespace lodestep::report
