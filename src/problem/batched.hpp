#pragma once

#include <lodestep/problem.hpp>
#include <lodestep/rhs_forms.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <functional>

/// The built-in right-hand sides on many states at once, variable after variable, as ensemble.hpp asks for them: the
/// same structs, instantiated for a scalar that is several numbers side by side, on the best instruction set of this
/// processor.
namespace lodestep::problem {

/// `rhs(t, u, dudt, n)`: variable i of member k at u[i n + k]. See EnsembleCorrected.
using BatchedFunction = std::function<void(double t, const double* u, double* dudt, std::size_t n)>;

/// The batched right-hand side of a problem, equal to Problem::rhs to rounding: vectorised for the built-in ones, which
/// are recognised by their type, and otherwise one member after the other. Must not outlive the problem.
/// May be called from several threads at once if Problem::rhs may. A member's derivative depends on its own state
/// alone, to the bit, wherever among how many it stands.
LODESTEP_TRAIN_EXPORT BatchedFunction batched_rhs(const Problem& problem);

/// Both forms of a problem's right-hand side, for schemes with many segments. Must not outlive the problem.
inline auto forms_of(const Problem& problem) {
  return rhs_forms(std::cref(problem.rhs), batched_rhs(problem));
}

} // namespace lodestep::problem
