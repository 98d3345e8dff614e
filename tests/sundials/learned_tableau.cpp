#include "fitted_order.hpp"
#include "models.hpp"
#include "scratch_folder.hpp"
#include "sundials_host.hpp"

#include <lodestep/family.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/train_rknn.hpp>

#include <arkode/arkode_arkstep.h>
#include <arkode/arkode_erkstep.h>
#include <boost/test/unit_test.hpp>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include <cmath>

using namespace lodestep;
using namespace lodestep::test;

/// A tableau that was learned, for the Brusselator and exact to order 3 for every problem, where SUNDIALS takes tables:
/// in ERKStep, in the explicit part of an IMEX pair, and as MRIStep's slow coupling.
namespace {

Table learned() {
  static const Model model = [] {
    RknnOptions options;
    options.exact_order = true;
    options.starts = 1;
    return train_rknn(make_family("brusselator"), options).model;
  }();
  const ScratchFolder folder;
  const std::string file = folder.file("brusselator.safetensors");
  save_model(model, file);
  Table table(LodestepButcherTable_Load(file.c_str(), 0.0, nullptr, nullptr));
  BOOST_REQUIRE(table);
  return table;
}

/// The Brusselator at A = 1, B = 1.2, in two parts: u v^2 and the source explicitly, what is linear implicitly.
int reaction(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  f[0] = 1.0 + u[0] * u[0] * u[1];
  f[1] = -u[0] * u[0] * u[1];
  return 0;
}
int decay(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] = -2.2 * u[0];
  N_VGetArrayPointer(ydot)[1] = 1.2 * u[0];
  return 0;
}
int brusselator(sunrealtype t, N_Vector y, N_Vector ydot, void* data) {
  decay(t, y, ydot, data);
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] += 1.0 + u[0] * u[0] * u[1];
  N_VGetArrayPointer(ydot)[1] -= u[0] * u[0] * u[1];
  return 0;
}

/// x'' = -x fast; slow: a force that depends on time and state.
int rotation(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  N_VGetArrayPointer(ydot)[0] = N_VGetArrayPointer(y)[1];
  N_VGetArrayPointer(ydot)[1] = -N_VGetArrayPointer(y)[0];
  return 0;
}
int force(sunrealtype t, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] = 0.1 * std::sin(t) * u[1] * u[1];
  N_VGetArrayPointer(ydot)[1] = 0.2 * std::cos(0.5 * t) - 0.3 * u[0] * u[0] * u[1];
  return 0;
}

const std::vector<double> start = {1.8, 2.4};
constexpr double horizon = 1.2;

/// RK4 in 4000 steps: converged to rounding.
template <class Rhs> std::vector<double> reference(std::vector<double> u, double until, const Rhs& rhs) {
  RungeKutta rk4(classical_tableau("rk4"), 2);
  for (int i = 0; i < 4000; ++i) rk4.step(rhs, until * i / 4000, u.data(), until / 4000, u.data());
  return u;
}

double distance(const Vector& y, const std::vector<double>& exact) {
  return std::hypot(y[0] - exact[0], y[1] - exact[1]);
}

const std::vector<double>& brusselator_exactly() {
  static const std::vector<double> exact = reference(start, horizon, [](double, const double* u, double* f) {
    f[0] = 1.0 - 2.2 * u[0] + u[0] * u[0] * u[1];
    f[1] = 1.2 * u[0] - u[0] * u[0] * u[1];
  });
  return exact;
}

double erkstep_error(ARKodeButcherTable table, double h) {
  Context context;
  Vector y(context, start);
  Memory memory(ERKStepCreate(brusselator, 0.0, y, context), [](void** m) { LODESTEP_ARK(ERKStep, Free)(m); });
  BOOST_REQUIRE_EQUAL(ERKStepSetTable(memory, table), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ERKStep, SetFixedStep)(memory, h), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ERKStep, SetStopTime)(memory, horizon), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_REQUIRE(LODESTEP_ARK(ERKStep, Evolve)(memory, horizon, y, &t, ARK_NORMAL) >= 0);
  return distance(y, brusselator_exactly());
}

/// The implicit partner of a three-stage table of order 3: the same b and c, and what its last row must be for
/// b A c = 1/6. With b and c in common, the pair's own conditions up to order 3 are those of each part.
Table implicit_partner(const ARKodeButcherTable table) {
  const double g2 = 0.3, g3 = 0.25;
  double* b = table->b;
  double* c = table->c;
  const double a32 = ((1.0 / 6.0 - b[1] * g2 * c[1]) / b[2] - g3 * c[2]) / c[1];
  double a[9] = {0.0, 0.0, 0.0, c[1] - g2, g2, 0.0, c[2] - g3 - a32, a32, g3};
  return Table(ARKodeButcherTable_Create(3, 3, 0, c, a, b, nullptr));
}

double imex_error(ARKodeButcherTable table, double h) {
  const Table partner = implicit_partner(table);
  Context context;
  Vector y(context, start);
  const std::unique_ptr<_generic_SUNNonlinearSolver, int (*)(SUNNonlinearSolver)> solver(
      SUNNonlinSol_FixedPoint(y, 0, context), SUNNonlinSolFree);
  Memory memory(ARKStepCreate(reaction, decay, 0.0, y, context), [](void** m) { LODESTEP_ARK(ARKStep, Free)(m); });
  BOOST_REQUIRE_EQUAL(ARKStepSetTables(memory, 3, 0, partner.get(), table), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SStolerances)(memory, 1e-12, 1e-12), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetNonlinearSolver)(memory, solver.get()), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetMaxNonlinIters)(memory, 50), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetFixedStep)(memory, h), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetStopTime)(memory, horizon), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_REQUIRE(LODESTEP_ARK(ARKStep, Evolve)(memory, horizon, y, &t, ARK_NORMAL) >= 0);
  return distance(y, brusselator_exactly());
}

/// Slow by the learned tableau, fast by a learned corrector.
double mis_error(ARKodeButcherTable table, double h) {
  static const std::vector<double> exact = reference({1.0, 0.3}, 7.2, [](double t, const double* u, double* f) {
    f[0] = u[1] + 0.1 * std::sin(t) * u[1] * u[1];
    f[1] = -u[0] + 0.2 * std::cos(0.5 * t) - 0.3 * u[0] * u[0] * u[1];
  });
  Context context;
  Vector y(context, {1.0, 0.3});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.01)), rotation, y, context);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  {
    Memory memory(MRIStepCreate(force, nullptr, 0.0, y, inner, context), [](void** m) {
      LODESTEP_ARK(MRIStep, Free)(m);
    });
    MRIStepCoupling coupling = LodestepMRIStepCoupling_FromTable(table);
    BOOST_REQUIRE(coupling);
    BOOST_REQUIRE_EQUAL(MRIStepSetCoupling(memory, coupling), ARK_SUCCESS);
    MRIStepCoupling_Free(coupling);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, h), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, 7.2), ARK_SUCCESS);
    sunrealtype t = 0.0;
    BOOST_REQUIRE(LODESTEP_ARK(MRIStep, Evolve)(memory, 7.2, y, &t, ARK_NORMAL) >= 0);
  }
  MRIStepInnerStepper_Free(&inner);
  return distance(y, exact);
}

} // namespace

BOOST_AUTO_TEST_CASE(its_order_is_the_one_stated_by_the_conditions_and_by_convergence) {
  const Context context; // ARKODE's checks want one alive on some versions
  const Table table = learned();
  int q = 0, p = 0;
  ARKodeButcherTable_CheckOrder(table.get(), &q, &p, nullptr);
  BOOST_TEST(q == 3);
  BOOST_TEST(table->q == 3);
  const Table partner = implicit_partner(table.get());
  ARKodeButcherTable_CheckARKOrder(partner.get(), table.get(), &q, &p, nullptr);
  BOOST_TEST(q == 3);

  // MRIStep's methods have a condition of their own at order 3, which Knoth and Wolke's table was made for.
  const auto slow_order = [](ARKodeButcherTable t) {
    MRIStepCoupling coupling = LodestepMRIStepCoupling_FromTable(t);
    BOOST_REQUIRE(coupling);
    const int order = coupling->q;
    MRIStepCoupling_Free(coupling);
    return order;
  };
  const Table knoth_wolke(ARKodeButcherTable_LoadERK(ARKODE_KNOTH_WOLKE_3_3));
  BOOST_TEST(slow_order(table.get()) == 2);
  BOOST_TEST(slow_order(knoth_wolke.get()) == 3);

  struct Use {
    const char* name;
    double (*error)(ARKodeButcherTable, double);
    ARKodeButcherTable table;
    double order;
    std::vector<double> steps;
  };
  const Use uses[] = {
      {"ERKStep", erkstep_error, table.get(), 3.0, {0.06, 0.048, 0.03, 0.024, 0.015}},
      {"an IMEX pair in ARKStep", imex_error, table.get(), 3.0, {0.06, 0.048, 0.03, 0.024, 0.015}},
      {"MRIStep's slow coupling", mis_error, table.get(), 2.0, {0.6, 0.48, 0.36, 0.24, 0.18}},
      {"MRIStep's, Knoth and Wolke's", mis_error, knoth_wolke.get(), 3.0, {0.6, 0.48, 0.36, 0.24, 0.18}},
  };
  for (const Use& use : uses) {
    std::vector<double> errors;
    for (const double h : use.steps) errors.push_back(use.error(use.table, h));
    const double order = fitted_order(use.steps, errors);
    BOOST_TEST_MESSAGE(use.name << ": order " << order << ", errors " << errors.front() << " to " << errors.back());
    BOOST_TEST(order >= use.order - 0.1, use.name << ": order " << order);
  }
}
