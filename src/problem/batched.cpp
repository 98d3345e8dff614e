#include "problem/batched.hpp"

#include "problem/list.hpp"

#include <lodestep/rhs_forms.hpp>

#include <functional>
#include <tuple>

namespace lodestep::problem {

namespace {

/// The right-hand sides whose dimension is known only when a problem is made.
using DynamicRhs = std::tuple<KLinkPendulum<>, SpringMass<>>;

template <class... Rhs> bool find(const Problem& problem, BatchedFunction& found, std::tuple<Rhs...>*) {
  [[maybe_unused]] const auto is = [&]<class R>(R*) { // a problem may have none
    const auto* function = problem.rhs.target<RhsFunction<R>>();
    if (function) found = BatchedRhs<R>{function->rhs};
    return function != nullptr;
  };
  return (is(static_cast<Rhs*>(nullptr)) || ...);
}

template <class... Definition>
bool find_fixed(const Problem& problem, BatchedFunction& found, std::tuple<Definition...>*) {
  return (find(problem, found, static_cast<typename Definition::FixedRhs*>(nullptr)) || ...);
}

} // namespace

BatchedFunction batched_rhs(const Problem& problem) {
  BatchedFunction found;
  if (find_fixed(problem, found, static_cast<Definitions*>(nullptr))) return found;
  if (find(problem, found, static_cast<DynamicRhs*>(nullptr))) return found;
  return OneByOne(std::cref(problem.rhs), problem.dimension());
}

} // namespace lodestep::problem
