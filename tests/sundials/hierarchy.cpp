#include "fitted_order.hpp"
#include "flow_maps.hpp"
#include "scratch_folder.hpp"
#include "sundials_host.hpp"

#include <lodestep/error.hpp>
#include <lodestep/odeint/hierarchy.hpp>

#include <boost/numeric/odeint/integrate/integrate_const.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>

using namespace lodestep;
using namespace lodestep::test;

/// Flow maps in each facility of ARKODE: one oscillator whose maps are exact, so that what is asked of the fine scheme
/// shows in the counts and in its own error.
namespace {

struct Calls {
  int count = 0;
  int fail_at = 0; ///< the call that returns `code`, from 1; 0: none
  int code = 0;
};

int oscillators(sunrealtype, N_Vector y, N_Vector ydot, void* user_data) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  for (sunindextype i = 0; i + 1 < N_VGetLength(y); i += 2) {
    f[i] = u[i + 1];
    f[i + 1] = -u[i];
  }
  if (!user_data) return 0;
  auto& calls = *static_cast<Calls*>(user_data);
  ++calls.count;
  return calls.fail_at != 0 && calls.count >= calls.fail_at ? calls.code : 0;
}

/// Steps 0.08, 0.16 .. 0.64, fine ones of 0.02.
std::shared_ptr<const Model> flow_maps() {
  return shared(oscillator_hierarchy({0.08, 0.16, 0.32, 0.64}, 0.02));
}

Memory::Free free_main = [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); };

double error_at(double t, const Vector& y) {
  return std::max(std::abs(y[0] - std::cos(t)), std::abs(y[1] + std::sin(t)));
}

} // namespace

BOOST_AUTO_TEST_CASE(main_integrator_places_states_and_fills_in_on_request) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Calls calls;
  arkode::Stepper stepper(flow_maps(), oscillators, y, context);
  sunrealtype trained = 0.0;
  LodestepStepper_GetTrainedStep(stepper, &trained);
  BOOST_TEST(trained == 0.64);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  LODESTEP_ARK(MRIStep, SetUserData)(memory, &calls);
  sunrealtype t = 0.0;
  for (int i = 0; i < 10; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
    BOOST_TEST(error_at(t, y) < 1e-13);
  }
  BOOST_TEST(stepper.stats().learned == 10);
  BOOST_TEST(stepper.stats().network_evals == 10);
  BOOST_TEST(calls.count <= 11); // ARKODE's, for its interpolation

  // Within the last step, of 5.76 .. 6.4: RK4 with steps of 0.02 from its start, whose error is about 0.64 h^4 / 120.
  Vector within(context, {0.0, 0.0});
  double largest = 0.0;
  for (const double at : {5.77, 5.8, 5.81234, 6.0, 6.399, 5.9, 6.4, 5.76}) {
    BOOST_REQUIRE_EQUAL(LodestepStepGetDky(stepper, at, 0, within), ARK_SUCCESS);
    largest = std::max(largest, error_at(at, within));
  }
  BOOST_TEST(largest < 5e-9);
  BOOST_TEST(largest > 0.0);
  BOOST_TEST(LodestepStepGetDky(stepper, 5.0, 0, within) == ARK_BAD_T);
  BOOST_REQUIRE_EQUAL(LodestepStepGetDky(stepper, 6.4, 1, within), ARK_SUCCESS); // ARKODE's
  BOOST_TEST(std::abs(within[0] + std::sin(6.4)) < 1e-6);

  // Each fine state once: 32 fine steps for outputs at all of them.
  calls.count = 0;
  for (int i = 1; i < 32; ++i) {
    BOOST_REQUIRE_EQUAL(LodestepStepGetDky(stepper, 5.76 + 0.02 * i, 0, within), ARK_SUCCESS);
  }
  BOOST_TEST(calls.count == 31 * 4);

  // A right-hand side that fails there is ARKODE's kind of error, and the integration goes on.
  calls = {0, 2, -1};
  BOOST_TEST(LodestepStepGetDky(stepper, 5.87, 0, within) == ARK_RHSFUNC_FAIL);
  calls = {};
  BOOST_REQUIRE_EQUAL(LodestepStepGetDky(stepper, 5.87, 0, within), ARK_SUCCESS);
  BOOST_TEST(error_at(5.87, within) < 5e-9);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  BOOST_TEST(error_at(t, y) < 1e-13);
}

BOOST_AUTO_TEST_CASE(agrees_with_the_odeint_adapter) {
  // Maps that are a little wrong, so that what they do shows.
  const auto model = shared(oscillator_hierarchy({0.16, 0.64}, 0.02, 1e-3));
  std::vector<double> expected;
  odeint::hierarchy<std::array<double, 2>> other(model);
  std::array<double, 2> x{1.0, 0.0};
  boost::numeric::odeint::integrate_const(
      other,
      [](const std::array<double, 2>& u, std::array<double, 2>& f, double) {
        f = {u[1], -u[0]};
      },
      x, 0.0, 6.401, 0.02,
      [&](const std::array<double, 2>& u, double) { expected.insert(expected.end(), u.begin(), u.end()); });

  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(model, oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  double largest = 0.0;
  for (int i = 1; i <= 320; ++i) {
    sunrealtype t = 0.0;
    BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, 0.02 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    BOOST_TEST(t == 0.02 * i);
    const auto at = static_cast<std::size_t>(2 * i);
    largest = std::max({largest, std::abs(y[0] - expected[at]), std::abs(y[1] - expected[at + 1])});
  }
  BOOST_TEST(largest < 1e-13);
}

BOOST_AUTO_TEST_CASE(shorter_steps_are_those_of_smaller_maps_then_of_the_fine_scheme) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(flow_maps(), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  sunrealtype t = 0.0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 0.24), ARK_SUCCESS);
  for (int i = 0; i < 4; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  }
  BOOST_TEST(error_at(t, y) < 1e-13);
  BOOST_TEST(stepper.stats().learned == 8); // 0.16 and 0.08 each time
  BOOST_TEST(stepper.stats().fallback_step_size == 0);

  // 0.96 + 0.07: less than the smallest map.
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, 1.03), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 2.0, y, &t, ARK_NORMAL), ARK_TSTOP_RETURN);
  BOOST_TEST(t == 1.03);
  BOOST_TEST(stepper.stats().fallback_step_size == 1);
  BOOST_TEST(error_at(t, y) < 1e-9);
}

BOOST_AUTO_TEST_CASE(reset_and_roots) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(flow_maps(), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  const auto position = [](sunrealtype, N_Vector v, sunrealtype* g, void*) {
    g[0] = N_VGetArrayPointer(v)[0];
    return 0;
  };
  // Roots are ARKODE's, by its interpolation: with steps short enough they are good.
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 0.16), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, RootInit)(memory, 1, position), ARK_SUCCESS);
  sunrealtype t = 0.0;
  for (int i = 0; i < 4; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 60.0, y, &t, ARK_NORMAL), ARK_ROOT_RETURN);
    BOOST_TEST(std::abs(t - (0.5 + i) * std::acos(-1.0)) < 1e-7);
  }
  y[0] = 2.0;
  y[1] = 0.0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Reset)(memory, 0.0, y), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 1.28, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  BOOST_TEST(std::abs(y[0] - 2.0 * std::cos(t)) < 1e-13);
  BOOST_TEST(LodestepStepper_SetParameter(stepper, "k", 1.0) == ARK_ILL_INPUT);
}

BOOST_AUTO_TEST_CASE(cells_outside_the_box_fall_back_alone) {
  for (const LodestepLayout layout : {LODESTEP_LAYOUT_CELLS, LODESTEP_LAYOUT_VARIABLES}) {
    Context context;
    constexpr std::size_t cells = 5;
    const auto place = [&](std::size_t c, std::size_t i) {
      return layout == LODESTEP_LAYOUT_CELLS ? 2 * c + i : cells * i + c;
    };
    Vector y(context, std::vector<double>(2 * cells, 0.0));
    for (std::size_t c = 0; c < cells; ++c) y[place(c, 0)] = c == 3 ? 50.0 : 1.0 + static_cast<double>(c);
    const auto rhs = [](sunrealtype, N_Vector v, N_Vector f, void* data) {
      const bool adjacent = data != nullptr;
      for (std::size_t c = 0; c < cells; ++c) {
        const std::size_t x = adjacent ? 2 * c : c;
        const std::size_t p = adjacent ? 2 * c + 1 : cells + c;
        N_VGetArrayPointer(f)[x] = N_VGetArrayPointer(v)[p];
        N_VGetArrayPointer(f)[p] = -N_VGetArrayPointer(v)[x];
      }
      return 0;
    };
    arkode::Stepper stepper(flow_maps(), rhs, y, context);
    BOOST_REQUIRE_EQUAL(LodestepStepper_SetLayout(stepper, layout), ARK_SUCCESS);
    Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
    int adjacent = 0;
    if (layout == LODESTEP_LAYOUT_CELLS) LODESTEP_ARK(MRIStep, SetUserData)(memory, &adjacent);
    sunrealtype t = 0.0;
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
    for (std::size_t c = 0; c < cells; ++c) {
      const double x0 = c == 3 ? 50.0 : 1.0 + static_cast<double>(c);
      BOOST_TEST(std::abs(y[place(c, 0)] - x0 * std::cos(0.64)) < (c == 3 ? 1e-6 : 1e-13));
    }
    BOOST_TEST(stepper.stats().learned == 4);
    BOOST_TEST(stepper.stats().fallback_domain == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_base_scheme_under_the_map_is_stepped_and_corrected) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Calls calls;
  arkode::Stepper stepper(shared(oscillator_hierarchy_over_rk4(0.64, 0.02)), oscillators, y, context);
  LodestepStepper_SetErrFile(stepper, nullptr);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  silence(memory);
  LODESTEP_ARK(MRIStep, SetUserData)(memory, &calls);
  sunrealtype t = 0.0;
  for (int i = 0; i < 10; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  }
  BOOST_TEST(error_at(t, y) < 1e-13);
  BOOST_TEST(stepper.stats().learned == 10);
  // Its right-hand side fails, recoverably and for good: the host is told, the state is the last good one.
  calls = {0, 2, 1};
  sunrealtype returned = 0.0;
  BOOST_TEST(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &returned, ARK_ONE_STEP) < 0);
  BOOST_TEST(stepper.stats().failures == 1);
  BOOST_TEST(error_at(t, y) < 1e-13);
}

namespace {

/// x'' = -x fast; slow: a force that depends on time and state.
int slow(sunrealtype t, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  N_VGetArrayPointer(ydot)[0] = 0.1 * std::sin(t) * u[1] * u[1];
  N_VGetArrayPointer(ydot)[1] = 0.2 * std::cos(0.5 * t) - 0.3 * u[0] * u[0] * u[1];
  return 0;
}

double coupling_error(double slow_step, bool forced, LodestepStats& stats) {
  constexpr double horizon = 7.68;
  static const std::vector<double> exact = [] {
    RungeKutta rk4(classical_tableau("rk4"), 2);
    std::vector<double> u = {1.0, 0.3};
    const auto rhs = [](double t, const double* v, double* f) {
      f[0] = v[1] + 0.1 * std::sin(t) * v[1] * v[1];
      f[1] = -v[0] + 0.2 * std::cos(0.5 * t) - 0.3 * v[0] * v[0] * v[1];
    };
    constexpr int n = 8000;
    for (int i = 0; i < n; ++i) rk4.step(rhs, horizon * i / n, u.data(), horizon / n, u.data());
    return u;
  }();
  Context context;
  Vector y(context, {1.0, 0.3});
  arkode::Stepper stepper(flow_maps(), oscillators, y, context);
  MRIStepInnerStepper inner = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner), ARK_SUCCESS);
  double error = 0.0;
  {
    const ARKRhsFn zero = [](sunrealtype, N_Vector, N_Vector f, void*) {
      N_VConst(0.0, f);
      return 0;
    };
    Memory memory(MRIStepCreate(forced ? slow : zero, nullptr, 0.0, y, inner, context), free_main);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, slow_step), ARK_SUCCESS);
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, horizon), ARK_SUCCESS);
    sunrealtype t = 0.0;
    BOOST_REQUIRE(LODESTEP_ARK(MRIStep, Evolve)(memory, horizon, y, &t, ARK_NORMAL) >= 0);
    error = forced ? std::hypot(y[0] - exact[0], y[1] - exact[1])
                   : std::hypot(y[0] - std::cos(t) - 0.3 * std::sin(t), y[1] - 0.3 * std::cos(t) + std::sin(t));
  }
  stats = stepper.stats();
  MRIStepInnerStepper_Free(&inner);
  return error;
}

} // namespace

BOOST_AUTO_TEST_CASE(inner_stepper_keeps_the_slow_order_and_knows_when_there_is_no_forcing) {
  LodestepStats stats{};
  // MRIStep's default, Knoth and Wolke's of order 3: fast intervals of 1/3, 5/12 and 1/4 of the slow step.
  const std::vector<double> steps = {0.96, 0.768, 0.48, 0.384, 0.24};
  std::vector<double> errors;
  for (const double step : steps) {
    errors.push_back(coupling_error(step, true, stats));
    BOOST_TEST(stats.learned == 0); // a map of the bare right-hand side is none of the forced one
    BOOST_TEST(stats.fallback_forcing > 0);
  }
  const double order = fitted_order(steps, errors);
  BOOST_TEST_MESSAGE("order " << order);
  BOOST_TEST(order >= 2.9);

  BOOST_TEST(coupling_error(1.92, false, stats) < 1e-12); // 0.64, 0.8 = 0.64 + 0.16, 0.48 = 0.32 + 0.16
  BOOST_TEST(stats.learned == 4 * 5);
  BOOST_TEST(stats.fallback_forcing == 0);
}

#if LODESTEP_HAVE_SUNSTEPPER
BOOST_AUTO_TEST_CASE(sunstepper_goes_forth_and_back) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(flow_maps(), oscillators, y, context);
  SUNStepper s = nullptr;
  BOOST_REQUIRE_EQUAL(LodestepStepper_CreateSUNStepper(stepper, 0.0, y, &s), ARK_SUCCESS);
  sunrealtype t = 0.0;
  BOOST_TEST(SUNStepper_OneStep(s, 2.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 0.64);
  BOOST_TEST(SUNStepper_Evolve(s, 2.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 2.0);
  BOOST_TEST(error_at(2.0, y) < 1e-13);
  BOOST_TEST(stepper.stats().learned == 4); // 0.64 thrice, and 0.08
  BOOST_TEST(SUNStepper_Reset(s, t, y) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_SetStepDirection(s, -1.0) == SUN_SUCCESS);
  BOOST_TEST(SUNStepper_Evolve(s, 0.0, y, &t) == SUN_SUCCESS);
  BOOST_TEST(t == 0.0);
  BOOST_TEST(error_at(0.0, y) < 1e-7); // backwards by RK4 with steps of 0.02
  BOOST_TEST(stepper.stats().fallback_step_size >= 3);
  BOOST_TEST(stepper.stats().failures == 0);
  SUNStepper_Destroy(&s);
}
#endif

BOOST_AUTO_TEST_CASE(a_tableau_is_not_a_stepper) {
  Model model;
  model.variables = {{"x", ""}};
  TableauModel tableau;
  tableau.tableau = classical_tableau("heun");
  model.method = tableau;
  Context context;
  Vector y(context, {1.0});
  BOOST_CHECK_THROW(arkode::make_stepper(shared(model), oscillators, y, context), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(flow_maps_of_reduced_coordinates_are_refused) {
  // A map of the first of two variables, as if the second never varied: ARKODE's vectors hold both.
  Model model = oscillator_hierarchy({0.64}, 0.02);
  auto& hierarchy = std::get<HierarchyModel>(model.method);
  hierarchy.reduced = ReducedCoordinates{{0.0, 0.0}, {1.0, 0.0}};
  hierarchy.maps[0].approximator = ApproximatorSpec::zero(1, 1);
  hierarchy.maps[0].state.resize(1);
  hierarchy.maps[0].limit.resize(1);
  Context context;
  Vector y(context, {1.0, 0.0});
  const auto says_so = [](const std::string& message) {
    return message.find("a stepper in ARKODE") != std::string::npos &&
           message.find("reduced coordinates") != std::string::npos;
  };
  const auto shared_model = shared(model);
  BOOST_CHECK_EXCEPTION(arkode::make_stepper(shared_model, oscillators, y, context), InvalidArgument,
                        [&](const InvalidArgument& e) { return says_so(e.what()); });
  const auto maps = std::make_shared<const Hierarchy>(shared_model);
  BOOST_CHECK_THROW(arkode::make_stepper(maps, oscillators, y, context), InvalidArgument);

  const ScratchFolder folder;
  const std::string file = folder.file("reduced.safetensors");
  save_model(model, file);
  LodestepStepper none = nullptr;
  BOOST_TEST(!LodestepStepCreate(file.c_str(), oscillators, 0.0, y, context, &none));
  BOOST_TEST(!none);
  BOOST_TEST(says_so(Lodestep_GetLastError()), Lodestep_GetLastError());
}
