#include "report/contender.hpp"

#include "problem/batched.hpp"
#include "problem/elastic_pendulum.hpp"
#include "problem/k_link_pendulum.hpp"
#include "problem/spring_mass.hpp"
#include "problem/van_der_pol.hpp"
#include "report/static_contenders.hpp"

namespace lodestep::report {

// Compiled in files of their own: each instantiates every stepper. A problem that is not named here is stepped on
// std::vector, through the general interface: slower, classical and learned steppers alike.
using StaticDefinitions = std::tuple<problem::ElasticPendulumDefinition, problem::KLinkPendulumDefinition,
                                     problem::SpringMassDefinition, problem::VanDerPolDefinition>;
extern template std::optional<Contenders> static_contenders<problem::ElasticPendulumDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::KLinkPendulumDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::SpringMassDefinition>(const Problem&);
extern template std::optional<Contenders> static_contenders<problem::VanDerPolDefinition>(const Problem&);

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
  auto found = any_static(problem, static_cast<StaticDefinitions*>(nullptr));
  Contenders all =
      found ? *std::move(found)
            : contenders_on<std::vector<double>>(AnyRhs{&problem}, problem.dimension(), "std::vector<double>");
  all.flow_maps = [&problem](const std::shared_ptr<const Hierarchy>& hierarchy, double output_dt) {
    return flow_map_contenders(problem::forms_of(problem), hierarchy, output_dt);
  };
  return all;
}

} // namespace lodestep::report
