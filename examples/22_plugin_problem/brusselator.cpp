// A problem of one's own in ten lines: an oscillating chemical reaction.
#include <lodestep/plugin.hpp>

struct Brusselator {
  double a = 1.0, b = 2.5;
  template <class State, class Deriv> void operator()(const State& u, Deriv& dudt, double) const {
    dudt[0] = a + u[0] * (u[0] * u[1] - b - 1.0);
    dudt[1] = u[0] * (b - u[0] * u[1]);
  }
};
LODESTEP_CXX_PLUGIN(lodestep::Plugin<Brusselator>("brusselator")
                        .variable("x", 0.8, 1.2)
                        .variable("y", 2.0, 3.0)
                        .parameter("a", &Brusselator::a)
                        .parameter("b", &Brusselator::b)
                        .horizon(20.0)
                        .dt(0.05));
