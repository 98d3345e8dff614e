#include "models.hpp"
#include "sundials_host.hpp"

#include <lodestep/error.hpp>
#include <lodestep/runge_kutta.hpp>

#include <boost/test/unit_test.hpp>
#include <nvector/nvector_manyvector.h>
#include <nvector/nvector_openmp.h>
#include <nvector/nvector_pthreads.h>

#include <cmath>
#include <string>

using namespace lodestep;
using namespace lodestep::test;

namespace {

constexpr std::size_t cells = 7;

/// Every oscillator of unit frequency, whichever vector holds it: ManyVectors in both layouts, else cell by cell.
int cell_oscillators(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  if (N_VGetVectorID(y) == SUNDIALS_NVEC_MANYVECTOR) {
    const double* x = N_VGetSubvectorArrayPointer_ManyVector(y, 0);
    const double* v = N_VGetSubvectorArrayPointer_ManyVector(y, 1);
    double* dx = N_VGetSubvectorArrayPointer_ManyVector(ydot, 0);
    double* dv = N_VGetSubvectorArrayPointer_ManyVector(ydot, 1);
    for (std::size_t c = 0; c < cells; ++c) {
      dx[c] = v[c];
      dv[c] = -x[c];
    }
    return 0;
  }
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  for (sunindextype i = 0; i < N_VGetLength(y); i += 2) {
    f[i] = u[i + 1];
    f[i + 1] = -u[i];
  }
  return 0;
}

double x0(std::size_t c) {
  return 1.0 + 0.1 * static_cast<double>(c);
}
double v0(std::size_t c) {
  return 0.3 * static_cast<double>(c);
}

LodestepStats integrate(N_Vector y, SUNContext context, LodestepLayout layout, const Model& model) {
  arkode::Stepper stepper(share(model), cell_oscillators, y, context);
  BOOST_REQUIRE_EQUAL(LodestepStepper_SetLayout(stepper, layout), ARK_SUCCESS);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); });
  sunrealtype t = 0.0;
  for (int i = 0; i < 20; ++i) {
    BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  }
  return stepper.stats();
}

void check_cell(std::size_t c, double x, double v) {
  BOOST_TEST_CONTEXT("cell " << c) {
    BOOST_TEST(std::abs(x - (x0(c) * std::cos(2.0) + v0(c) * std::sin(2.0))) < 1e-12);
    BOOST_TEST(std::abs(v - (v0(c) * std::cos(2.0) - x0(c) * std::sin(2.0))) < 1e-12);
  }
}

void fill_cells(N_Vector y) {
  double* u = N_VGetArrayPointer(y);
  for (std::size_t c = 0; c < cells; ++c) {
    u[2 * c] = x0(c);
    u[2 * c + 1] = v0(c);
  }
}

} // namespace

BOOST_AUTO_TEST_CASE(vectors_with_an_array_are_batches_of_cells) {
  Context context;
  for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    const Model model = exact_corrector(1, "rk4", 0.1, input);
    for (const int kind : {0, 1, 2}) {
      BOOST_TEST_CONTEXT("kind " << kind << ", fed with " << to_string(input)) {
        const auto n = static_cast<sunindextype>(2 * cells);
        Vector y(kind == 0   ? N_VNew_Serial(n, context)
                 : kind == 1 ? N_VNew_OpenMP(n, 2, context)
                             : N_VNew_Pthreads(n, 2, context));
        fill_cells(y);
        const LodestepStats stats = integrate(y, context, LODESTEP_LAYOUT_CELLS, model);
        for (std::size_t c = 0; c < cells; ++c) {
          check_cell(c, N_VGetArrayPointer(y)[2 * c], N_VGetArrayPointer(y)[2 * c + 1]);
        }
        BOOST_TEST(stats.steps == 20);
        BOOST_TEST(stats.learned == static_cast<long int>(20 * cells));
        BOOST_TEST(stats.network_evals == static_cast<long int>(20 * cells));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_manyvector_holds_one_variable_in_each_of_its_vectors) {
  Context context;
  for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    const Model model = exact_corrector(1, "rk4", 0.1, input);
    Vector x(N_VNew_Serial(cells, context));
    Vector v(N_VNew_Serial(cells, context));
    for (std::size_t c = 0; c < cells; ++c) {
      x[c] = x0(c);
      v[c] = v0(c);
    }
    N_Vector parts[2] = {x, v};
    Vector y(N_VNew_ManyVector(2, parts, context));
    const LodestepStats stats = integrate(y, context, LODESTEP_LAYOUT_VARIABLES, model);
    for (std::size_t c = 0; c < cells; ++c) check_cell(c, x[c], v[c]);
    BOOST_TEST(stats.learned == static_cast<long int>(20 * cells));
  }
}

BOOST_AUTO_TEST_CASE(a_cell_outside_the_domain_falls_back_alone) {
  Model model = exact_corrector(1, "rk4", 0.1);
  std::get<CorrectorModel>(model.method).domain.state.assign(2, {-2.5, 2.5});
  std::get<CorrectorModel>(model.method).fallback_substeps = 50;
  Context context;
  Vector y(N_VNew_Serial(2 * cells, context));
  fill_cells(y);
  y[2 * 3] = 50.0; // cell 3 is far outside
  y[2 * 3 + 1] = 0.0;
  arkode::Stepper stepper(share(model), cell_oscillators, y, context);
  Memory memory(LodestepStepCreateFrom(stepper, 0.0, y), [](void** m) { LODESTEP_ARK(MRIStep, Free)(m); });
  sunrealtype t = 0.0;
  BOOST_REQUIRE_EQUAL(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP), ARK_SUCCESS);
  BOOST_TEST(std::abs(y[6] - 50.0 * std::cos(0.1)) < 1e-9);
  BOOST_TEST(std::abs(y[0] - std::cos(0.1)) < 1e-14);
  BOOST_TEST(stepper.stats().learned == static_cast<long int>(cells - 1));
  BOOST_TEST(stepper.stats().fallback_domain == 1);
}

BOOST_AUTO_TEST_CASE(vectors_that_cannot_be_reached_are_refused) {
  Context context;
  const auto corrector = std::make_shared<const Corrector>(share(exact_corrector(1, "rk4", 0.1)));
  const auto refusal = [&](N_Vector y) -> std::string {
    try {
      LodestepStepper s = arkode::make_stepper(corrector, cell_oscillators, y, context);
      LodestepStepper_Free(&s);
      return "";
    } catch (const InvalidArgument& e) {
      return e.what();
    }
  };
  Vector y(context, {1.0, 0.0});
  BOOST_TEST(refusal(y) == "");
  N_Vector v = y;
  const auto get = v->ops->nvgetarraypointer;
  v->ops->nvgetarraypointer = nullptr; // as PETSc's
  BOOST_TEST(refusal(y).find("N_VGetArrayPointer") != std::string::npos);
  v->ops->nvgetarraypointer = get;
  v->ops->nvgetdevicearraypointer = get; // as CUDA's, HIP's, SYCL's
  BOOST_TEST(refusal(y).find("device") != std::string::npos);
  v->ops->nvgetdevicearraypointer = nullptr;
}
