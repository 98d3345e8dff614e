#include "report/contender.hpp"

#include "problem/list.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

// Compiled in files of their own: each instantiates every stepper. A problem that is not named here is instantiated in
// this one, which only takes longer to compile.
extern template std::optional<Contenders> static_contenders<problem::DuffingDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::ElasticPendulumDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::KLinkPendulumDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::SpringMassDefinition>(const Problem&);

namespace {

struct AnyRhs {
  const Problem* problem;
  void operator()(const std::vector<double>& x, std::vector<double>& dxdt, double t) const {
    problem->rhs(t, x.data(), dxdt.data());
  }
};

template <class... Definition>
std::optional<Contenders> any_static(const Problem& problem, std::tuple<Definition...>*) {
  std::optional<Contenders> result;
  ((result || (result = static_contenders<Definition>(problem))), ...);
  return result;
}

} // namespace

Contenders make_contenders(const Problem& problem) {
  if (auto found = any_static(problem, static_cast<problem::Definitions*>(nullptr))) return *std::move(found);
  return contenders_on<std::vector<double>>(AnyRhs{&problem}, problem.dimension(), "std::vector<double>");
}

} // namespace lodestep::report
