#include "scratch_folder.hpp"
#include "sundials_host.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>

#include <arkode/arkode_arkstep.h>
#include <arkode/arkode_erkstep.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>

using namespace lodestep;
using namespace lodestep::test;

namespace {

/// Dormand & Prince (1980), 5(4), 7 stages.
ButcherTableau dormand_prince() {
  ButcherTableau t;
  t.name = "dopri5";
  t.order = 5;
  t.embedded_order = 4;
  t.fsal = true;
  t.c = {0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0};
  t.a.assign(49, 0.0);
  const auto row = [&](std::size_t i, std::initializer_list<double> values) {
    std::copy(values.begin(), values.end(), t.a.begin() + static_cast<std::ptrdiff_t>(7 * i));
  };
  row(1, {1.0 / 5.0});
  row(2, {3.0 / 40.0, 9.0 / 40.0});
  row(3, {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0});
  row(4, {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0});
  row(5, {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0});
  row(6, {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0});
  t.b = {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0};
  t.b_embedded = {5179.0 / 57600.0, 0.0,       7571.0 / 16695.0, 393.0 / 640.0, -92097.0 / 339200.0,
                  187.0 / 2100.0,   1.0 / 40.0};
  return t;
}

int brusselator(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  f[0] = 1.0 - 4.0 * u[0] + u[0] * u[0] * u[1];
  f[1] = 3.0 * u[0] - u[0] * u[0] * u[1];
  return 0;
}

struct Run {
  std::vector<double> states;
  long int steps = 0;
};

/// Adaptive ERKStep with `table`, the states at 50 outputs.
Run run(ARKodeButcherTable table) {
  Context context;
  Vector y(context, {1.2, 3.1});
  Memory memory(ERKStepCreate(brusselator, 0.0, y, context), [](void** m) { LODESTEP_ARK(ERKStep, Free)(m); });
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ERKStep, SStolerances)(memory, 1e-7, 1e-10), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(ERKStepSetTable(memory, table), ARK_SUCCESS);
  Run result;
  sunrealtype t = 0.0;
  for (int i = 1; i <= 50; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ERKStep, Evolve)(memory, 0.4 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    for (const double u : y.values()) result.states.push_back(u);
  }
  LODESTEP_ARK(ERKStep, GetNumSteps)(memory, &result.steps);
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_classical_tableau_has_the_order_it_states) {
  Context context; // ARKODE's checks want one alive on some versions
  for (const ButcherTableau& tableau : classical_tableaux()) {
    BOOST_TEST_CONTEXT(tableau.name) {
      const Table table(arkode::make_butcher_table(tableau));
      int q = 0;
      int p = 0;
      ARKodeButcherTable_CheckOrder(table.get(), &q, &p, nullptr);
      BOOST_TEST(q == std::min(static_cast<int>(tableau.order), 6));
      BOOST_TEST(table->q == static_cast<int>(tableau.order));
      BOOST_TEST(table->p == static_cast<int>(tableau.embedded_order));
      BOOST_TEST(table->stages == static_cast<int>(tableau.stages()));
      for (std::size_t i = 0; i < tableau.stages(); ++i) {
        BOOST_TEST(table->b[i] == tableau.b[i]);
        BOOST_TEST(table->c[i] == tableau.c[i]);
        for (std::size_t j = 0; j < tableau.stages(); ++j)
          BOOST_TEST(table->A[i][j] == tableau.a[i * tableau.stages() + j]);
      }
    }
  }
  const Table table(arkode::make_butcher_table(dormand_prince()));
  int q = 0;
  int p = 0;
  ARKodeButcherTable_CheckOrder(table.get(), &q, &p, nullptr);
  BOOST_TEST(q == 5);
  BOOST_TEST(p == 4);
}

BOOST_AUTO_TEST_CASE(erkstep_takes_the_same_steps_as_with_its_own_table_to_the_last_bit) {
  const Table ours(arkode::make_butcher_table(dormand_prince()));
  const Table theirs(ARKodeButcherTable_LoadERK(ARKODE_DORMAND_PRINCE_7_4_5));
  const Run a = run(ours.get());
  const Run b = run(theirs.get());
  BOOST_TEST(a.steps > 50); // it did have to control its steps
  BOOST_TEST(a.steps == b.steps);
  BOOST_TEST(a.states == b.states, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_explicit_part_of_an_imex_pair_and_the_slow_part_of_mristep_take_our_tables) {
  Context context;
  Vector y(context, {1.2, 3.1});
  const Table rk4(arkode::make_butcher_table(classical_tableau("rk4")));
  Memory memory(ARKStepCreate(brusselator, nullptr, 0.0, y, context), [](void** m) { LODESTEP_ARK(ARKStep, Free)(m); });
  BOOST_REQUIRE_EQUAL(ARKStepSetTables(memory, 4, 0, nullptr, rk4.get()), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetFixedStep)(memory, 0.01), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(ARKStep, SetStopTime)(memory, 1.0), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_REQUIRE(LODESTEP_ARK(ARKStep, Evolve)(memory, 1.0, y, &t, ARK_NORMAL) >= 0);

  RungeKutta reference(classical_tableau("rk4"), 2);
  double u[2] = {1.2, 3.1};
  const auto rhs = [](double, const double* v, double* f) {
    f[0] = 1.0 - 4.0 * v[0] + v[0] * v[0] * v[1];
    f[1] = 3.0 * v[0] - v[0] * v[0] * v[1];
  };
  for (int i = 0; i < 100; ++i) reference.step(rhs, 0.01 * i, u, 0.01, u);
  BOOST_TEST(std::abs(y[0] - u[0]) < 1e-13);
  BOOST_TEST(std::abs(y[1] - u[1]) < 1e-13);

  MRIStepCoupling coupling = LodestepMRIStepCoupling_FromTable(rk4.get());
  BOOST_REQUIRE(coupling);
  BOOST_TEST(coupling->q == 2);      // whatever its own order is: see the convergence of learned_tableau.cpp
  BOOST_TEST(coupling->stages == 5); // padded: the last stage of RK4 is not the solution
  MRIStepCoupling_Free(coupling);

  const Table fehlberg(ARKodeButcherTable_LoadERK(ARKODE_FEHLBERG_6_4_5)); // 0, 1/4, 3/8, 12/13, 1, 1/2
  BOOST_TEST(!LodestepMRIStepCoupling_FromTable(fehlberg.get()));
  BOOST_TEST(std::string(Lodestep_GetLastError()).find("1.000000 0.500000") != std::string::npos);
  BOOST_TEST(!LodestepMRIStepCoupling_FromTable(nullptr));
}

BOOST_AUTO_TEST_CASE(c_callers_get_a_table_by_name_or_a_message) {
  const Table table(LodestepButcherTable_LoadByName("rk3"));
  BOOST_REQUIRE(table);
  BOOST_TEST(table->q == 3);
  BOOST_TEST(!LodestepButcherTable_LoadByName("rk9"));
  BOOST_TEST(std::string(Lodestep_GetLastError()).find("rk9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_table_of_step_size_and_parameter_is_that_of_the_values_given) {
  Model model;
  model.variables = {{"x", ""}};
  TableauModel method;
  method.tableau = classical_tableau("heun");
  method.tableau.order = 1;
  method.family = "decay";
  method.classical = "heun";
  method.trained_dt = {0.1, 0.3};
  method.dt = {0.1, 0.3};
  method.parameters = {{"rate", {1.0, 3.0}, {0.5, 3.5}}};
  // x0 = (h - 0.2) / 0.1, x1 = rate - 2
  method.terms = {{{1, 0}, {0.0, 0.0, 0.25, 0.0}, {0.125, -0.125}}, {{0, 1}, {0.0, 0.0, 0.5, 0.0}, {0.0, 0.0}}};
  model.method = method;
  const ScratchFolder folder;
  const std::string file = folder.file("decay.safetensors");
  save_model(model, file);

  sunrealtype rate = 3.0, hmin = 0.0, hmax = 0.0;
  const Table table(LodestepButcherTable_LoadFor(file.c_str(), 0.25, 1, &rate, &hmin, &hmax));
  BOOST_REQUIRE(table);
  BOOST_TEST(std::abs(table->A[1][0] - (1.0 + 0.5 * 0.25 + 1.0 * 0.5)) < 1e-15);
  BOOST_TEST(std::abs(table->c[1] - table->A[1][0]) < 1e-15);
  BOOST_TEST(std::abs(table->b[0] - (0.5 + 0.5 * 0.125)) < 1e-15);
  BOOST_TEST(hmin == 0.1);
  BOOST_TEST(hmax == 0.3);

  const auto refused = [&](sunrealtype h, int count, sunrealtype value, const char* words) {
    BOOST_TEST(!LodestepButcherTable_LoadFor(file.c_str(), h, count, count > 0 ? &value : nullptr, nullptr, nullptr));
    BOOST_TEST(std::string(Lodestep_GetLastError()).find(words) != std::string::npos, Lodestep_GetLastError());
  };
  refused(0.25, 0, 0.0, "'rate'");
  refused(0.25, 1, 4.0, "'rate' in 0.5");
  refused(0.05, 1, 2.0, "step size");
  BOOST_TEST(!LodestepButcherTable_LoadFor(file.c_str(), 0.25, 1, nullptr, nullptr, nullptr));
  BOOST_TEST(!LodestepButcherTable_Load(file.c_str(), 0.25, nullptr, nullptr));
}

BOOST_AUTO_TEST_CASE(a_table_that_is_not_sound_is_refused) {
  ButcherTableau wrong = dormand_prince();
  wrong.b[0] += 1e-3;
  BOOST_CHECK_THROW(arkode::make_butcher_table(wrong), InvalidModel);
}
