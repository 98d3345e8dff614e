#pragma once

#include <lodestep/problem.hpp>

#include <cstddef>

/// The states that a corrector is trained on.
namespace lodestep::detail {

/// The problem whose sampled initial states are, half of them, moved a little towards some other state that a
/// validation trajectory passes through.
///
/// Initial states that vary in one number lead to trajectories that fill a sheet. Of what lies beside it they tell
/// nothing, and there a long step's correction may do anything: it amplifies what its own error leaves beside the
/// sheet until the roll-out diverges. States between two that are met are states of the same problem, whatever holds
/// for its states (a radius is positive, a concentration is too).
/// Both arguments must outlive it.
Problem blended(const Problem& original, const Trajectories& met);

/// Fewer distinct pairs than unknowns of an affine map with `features` features cannot tell any corrector from another:
/// throws InvalidData saying how many more are needed. Pairs are `stride` points of time apart.
void require_enough_states(const Trajectories& t, std::size_t stride, std::size_t features);

} // namespace lodestep::detail
