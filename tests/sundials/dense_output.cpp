#include "models.hpp"
#include "sundials_host.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace lodestep;
using namespace lodestep::test;

/// Outputs within a step of ARKODE's: the learned states in it instead of ARKODE's interpolation.
namespace {

int oscillators(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  for (sunindextype i = 0; i + 1 < N_VGetLength(y); i += 2) {
    f[i] = u[i + 1];
    f[i + 1] = -u[i];
  }
  return 0;
}

/// Exact steps of dt, and `points` exact states within each: what they are beyond the chord between the ends is a
/// linear map of the state.
Model exact_with_states_within(std::size_t count, double dt, std::size_t points) {
  Model model = exact_corrector(count, "rk4", dt, CorrectorInput::state);
  auto& corrector = std::get<CorrectorModel>(model.method);
  const std::size_t d = 2 * count;
  DenseOutput dense;
  dense.points = points;
  dense.approximator = ApproximatorSpec::zero(d, points * d);
  for (std::size_t j = 0; j < points; ++j) {
    const double s = static_cast<double>(j + 1) / static_cast<double>(points + 1);
    const double c = std::cos(s * dt) - 1.0 - s * (std::cos(dt) - 1.0);
    const double n = std::sin(s * dt) - s * std::sin(dt);
    for (std::size_t i = 0; i < d; i += 2) {
      double* row = dense.approximator.affine.weight.data() + (j * d + i) * d;
      row[i] = c;
      row[i + 1] = n;
      row[d + i] = -n;
      row[d + i + 1] = c;
    }
  }
  corrector.dense = dense;
  return model;
}

Memory::Free free_main = [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); };

double error_at(double t, const Vector& y) {
  return std::max(std::abs(y[0] - std::cos(t)), std::abs(y[1] + std::sin(t)));
}

int position(sunrealtype, N_Vector v, sunrealtype* g, void*) {
  g[0] = N_VGetArrayPointer(v)[0];
  return 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(several_trained_steps_in_one_of_arkodes) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 1.0), ARK_SUCCESS);
  double on_steps = 0.0, between = 0.0;
  sunrealtype t = 0.0;
  for (int i = 1; i <= 400; ++i) {
    BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, 0.05 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    BOOST_TEST(t == 0.05 * i);
    double& largest = i % 2 == 0 ? on_steps : between;
    largest = std::max(largest, error_at(t, y));
  }
  BOOST_TEST(on_steps < 1e-13);
  // Degree 5 through points 0.1 apart, at the edge of a step: 0.5 0.5 1.5 2.5 3.5 4.5 h^6 / 6! = 2.05e-8.
  BOOST_TEST(between < 2.1e-8);
  BOOST_TEST(between > 1e-13);
  long int steps = 0;
  LODESTEP_ARK(MRIStep, GetNumSteps)(memory, &steps);
  BOOST_TEST(steps == 20);
  BOOST_TEST(stepper.stats().learned == 200);
}

BOOST_AUTO_TEST_CASE(states_that_the_model_gives_within_its_steps) {
  for (const std::size_t cells : {1u, 3u}) {
    Context context;
    std::vector<double> start(2 * cells, 0.0);
    for (std::size_t c = 0; c < cells; ++c) start[2 * c] = 1.0 + static_cast<double>(c);
    Vector y(context, start);
    arkode::Stepper stepper(share(exact_with_states_within(1, 0.4, 3)), oscillators, y, context);
    Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
    double largest = 0.0;
    for (int i = 1; i <= 80; ++i) {
      sunrealtype t = 0.0;
      BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, 0.1 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
      for (std::size_t c = 0; c < cells; ++c) {
        const double x0 = 1.0 + static_cast<double>(c);
        largest = std::max({largest, std::abs(y[2 * c] - x0 * std::cos(t)), std::abs(y[2 * c + 1] + x0 * std::sin(t))});
      }
    }
    BOOST_TEST(largest < 1e-13);
    BOOST_TEST(stepper.stats().learned == static_cast<long int>(20 * cells));
  }
}

BOOST_AUTO_TEST_CASE(a_step_that_fell_back_has_states_within_it_too) {
  Model model = exact_with_states_within(1, 0.4, 3);
  std::get<CorrectorModel>(model.method).domain.state.assign(2, {-2.5, 2.5});
  std::get<CorrectorModel>(model.method).fallback_substeps = 40;
  Context context;
  Vector y(context, {50.0, 0.0, 1.0, 0.0});
  arkode::Stepper stepper(share(model), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  for (int i = 1; i <= 8; ++i) {
    sunrealtype t = 0.0;
    BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, 0.1 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    BOOST_TEST(std::abs(y[0] - 50.0 * std::cos(t)) < 1e-7); // RK4 with steps of 0.01: 50 t h^4 / 120
    BOOST_TEST(std::abs(y[2] - std::cos(t)) < 1e-13);
  }
  BOOST_TEST(stepper.stats().fallback_domain == 2);
  BOOST_TEST(stepper.stats().learned == 2);
}

BOOST_AUTO_TEST_CASE(roots_and_stop_times_come_in_their_order_among_outputs) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 0.5), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, RootInit)(memory, 1, position), ARK_SUCCESS);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetStopTime)(memory, 5.25), ARK_SUCCESS);
  const double pi = std::acos(-1.0);
  sunrealtype t = 0.0;
  double before = 0.0;
  int outputs = 0, roots = 0, flag = ARK_SUCCESS;
  for (int i = 1; flag != ARK_TSTOP_RETURN;) {
    flag = LodestepStepEvolve(stepper, 0.1 * i, y, &t, ARK_NORMAL);
    BOOST_REQUIRE(flag >= 0);
    BOOST_TEST(t >= before);
    before = t;
    if (flag == ARK_ROOT_RETURN) {
      BOOST_TEST(std::abs(t - (0.5 + roots++) * pi) < 1e-4); // ARKODE's interpolation over 0.5
      BOOST_TEST(std::abs(y[0]) < 1e-4);
    } else if (flag == ARK_SUCCESS) {
      BOOST_TEST(t == 0.1 * i);
      BOOST_TEST(error_at(t, y) < 1e-13);
      ++outputs;
      ++i;
    }
  }
  BOOST_TEST(roots == 2);
  BOOST_TEST(outputs == 52);
  BOOST_TEST(t == 5.25);
  BOOST_TEST(error_at(t, y) < 1e-6); // the last 0.05 by the base scheme
}

BOOST_AUTO_TEST_CASE(one_step_mode_and_times_it_cannot_give_are_arkodes) {
  Context context;
  Vector y(context, {1.0, 0.0});
  arkode::Stepper stepper(share(exact_corrector(1, "rk4", 0.1)), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  silence(memory);
  sunrealtype t = 0.0;
  BOOST_TEST(LodestepStepEvolve(stepper, 9.0, y, &t, ARK_ONE_STEP) == ARK_SUCCESS);
  BOOST_TEST(std::abs(t - 0.1) < 1e-15);
  BOOST_TEST(LodestepStepEvolve(stepper, 2.0, y, &t, ARK_NORMAL) == ARK_SUCCESS);
  BOOST_TEST(LodestepStepEvolve(stepper, 1.0, y, &t, ARK_NORMAL) < 0); // long past
  // Within a step of one trained step nothing better than ARKODE's interpolation is known.
  Vector within(context, {0.0, 0.0});
  Vector theirs(context, {0.0, 0.0});
  BOOST_TEST(LodestepStepGetDky(stepper, 1.95, 0, within) == ARK_SUCCESS);
  BOOST_TEST(LODESTEP_ARK(MRIStep, GetDky)(memory, 1.95, 0, theirs) == ARK_SUCCESS);
  BOOST_TEST(within[0] == theirs[0]);
  // After a reset to another state, what lay before is gone.
  y[0] = 0.0;
  y[1] = 1.0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Reset)(memory, 5.0, y), ARK_SUCCESS);
  BOOST_TEST(LodestepStepEvolve(stepper, 6.0, y, &t, ARK_NORMAL) == ARK_SUCCESS);
  BOOST_TEST(std::abs(y[0] - std::sin(1.0)) < 1e-13);
  BOOST_TEST(LodestepStepEvolve(nullptr, 6.0, y, &t, ARK_NORMAL) == ARK_MEM_NULL);
  BOOST_TEST(LodestepStepGetDky(nullptr, 6.0, 0, y) == ARK_MEM_NULL);
}

BOOST_AUTO_TEST_CASE(backwards_by_the_base_scheme) {
  Context context;
  Vector y(context, {1.0, 0.0});
  Model model = exact_corrector(1, "rk4", 0.1);
  std::get<CorrectorModel>(model.method).fallback_substeps = 10;
  arkode::Stepper stepper(share(model), oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), free_main);
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, SetFixedStep)(memory, -0.1), ARK_SUCCESS);
  sunrealtype t = 0.0;
  for (int i = 1; i <= 5; ++i) {
    BOOST_REQUIRE_EQUAL(LodestepStepEvolve(stepper, -0.2 * i, y, &t, ARK_NORMAL), ARK_SUCCESS);
    BOOST_TEST(error_at(t, y) < 1e-8);
  }
  BOOST_TEST(t == -1.0);
  BOOST_TEST(stepper.stats().learned == 0);
  BOOST_TEST(stepper.stats().fallback_step_size >= 10);
}
