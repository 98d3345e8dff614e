#pragma once

#include "problem/list.hpp"

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace lodestep {

namespace detail {

template <class Visitor, class... Rhs>
bool visit_static_rhs(const Problem& problem, Visitor& visitor, std::tuple<Rhs...>*) {
  [[maybe_unused]] const auto visit = [&]<class R>(R*) { // a problem may have none
    const auto* function = problem.rhs.target<problem::RhsFunction<R>>();
    if (!function) return false;
    visitor(function->rhs, std::integral_constant<std::size_t, R::dimension>{});
    return true;
  };
  return (visit(static_cast<Rhs*>(nullptr)) || ...);
}

template <class Visitor, class... Definition>
bool visit_static_problem(const Problem& problem, Visitor& visitor, std::tuple<Definition...>*) {
  return (visit_static_rhs(problem, visitor, static_cast<typename Definition::FixedRhs*>(nullptr)) || ...);
}

} // namespace detail

/// Calls `visitor(rhs, std::integral_constant<std::size_t, N>)` with the concrete right-hand side of a built-in problem
/// (an Odeint system, all of it open to the inliner) and its dimension N, so that steppers can run on std::array as
/// fast as a user's own code would. Returns false, calling nothing, if `problem` has no right-hand side whose dimension
/// is known at compile time; then use Problem::rhs.
///
/// The right-hand side is found by its type, not by the problem's name: a plugin of the same name is not mistaken for
/// the built-in one.
template <class Visitor> bool visit_static(const Problem& problem, Visitor&& visitor) {
  return detail::visit_static_problem(problem, visitor, static_cast<problem::Definitions*>(nullptr));
}

} // namespace lodestep
