#include "problem/batched.hpp"

#include "problem/list.hpp"

#include <tuple>
#include <vector>

namespace lodestep::problem {

namespace {

/// The right-hand sides whose dimension is known only when a problem is made.
using DynamicRhs = std::tuple<KLinkPendulum<>, SpringMass<>>;

template <class... Rhs> bool find(const Problem& problem, BatchedFunction& found, std::tuple<Rhs...>*) {
  const auto is = [&]<class R>(R*) {
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

/// Any right-hand side, for one member after the other.
struct OneByOne {
  const Problem* problem;
  std::vector<double> u;
  std::vector<double> dudt;

  void operator()(double t, const double* from, double* to, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < u.size(); ++i) u[i] = from[i * n + k];
      problem->rhs(t, u.data(), dudt.data());
      for (std::size_t i = 0; i < u.size(); ++i) to[i * n + k] = dudt[i];
    }
  }
};

} // namespace

BatchedFunction batched_rhs(const Problem& problem) {
  BatchedFunction found;
  if (find_fixed(problem, found, static_cast<Definitions*>(nullptr))) return found;
  if (find(problem, found, static_cast<DynamicRhs*>(nullptr))) return found;
  const std::size_t d = problem.dimension();
  return OneByOne{&problem, std::vector<double>(d), std::vector<double>(d)};
}

} // namespace lodestep::problem
