// Vectors that lie on several ranks: each steps the cells it holds, and ends where one process would.
//   mpiexec -n 2 test_mpi_vectors
#include "models.hpp"

#include <lodestep/sundials/stepper.hpp>

#include <nvector/nvector_mpimanyvector.h>
#include <nvector/nvector_parallel.h>
#include <nvector/nvector_serial.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mpi.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

using namespace lodestep;

namespace {

int rank = 0;
int failures = 0;

void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "rank %d: failed: %s\n", rank, what);
  ++failures;
}

/// More cells on the second rank than on the first.
std::size_t local_cells() {
  return 3 + static_cast<std::size_t>(rank);
}

double x0(std::size_t c) {
  return 1.0 + 0.1 * static_cast<double>(c) + rank;
}
double v0(std::size_t c) {
  return 0.3 * static_cast<double>(c) - rank;
}

/// Oscillators, cell by cell in a parallel vector; positions and velocities apart in an MPIManyVector.
int oscillators(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  const bool many = N_VGetVectorID(y) == SUNDIALS_NVEC_MPIMANYVECTOR;
  const std::size_t stride = many ? 1 : 2;
  const double* x = many ? N_VGetSubvectorArrayPointer_MPIManyVector(y, 0) : N_VGetArrayPointer(y);
  const double* v = many ? N_VGetSubvectorArrayPointer_MPIManyVector(y, 1) : x + 1;
  double* dx = many ? N_VGetSubvectorArrayPointer_MPIManyVector(ydot, 0) : N_VGetArrayPointer(ydot);
  double* dv = many ? N_VGetSubvectorArrayPointer_MPIManyVector(ydot, 1) : dx + 1;
  for (std::size_t c = 0; c < local_cells(); ++c) {
    dx[c * stride] = v[c * stride];
    dv[c * stride] = -x[c * stride];
  }
  return 0;
}

void check_cells(const double* x, const double* v, std::size_t stride, const char* what) {
  for (std::size_t c = 0; c < local_cells(); ++c) {
    const double x1 = x0(c) * std::cos(2.0) + v0(c) * std::sin(2.0);
    const double v1 = v0(c) * std::cos(2.0) - x0(c) * std::sin(2.0);
    check(std::abs(x[c * stride] - x1) < 1e-12 && std::abs(v[c * stride] - v1) < 1e-12, what);
  }
}

void integrate(N_Vector y, LodestepLayout layout, const std::shared_ptr<const Corrector>& corrector,
               SUNContext context) {
  arkode::Stepper stepper(corrector, oscillators, y, context);
  check(LodestepStepper_SetLayout(stepper, layout) == ARK_SUCCESS, "SetLayout");
  void* memory = LodestepStepCreateFrom(stepper, 0.0, y);
  check(memory, "LodestepStepCreateFrom");
  sunrealtype t = 0.0;
  for (int i = 0; i < 20 && memory; ++i) {
    check(LODESTEP_ARK(MRIStep, Evolve)(memory, 100.0, y, &t, ARK_ONE_STEP) == ARK_SUCCESS, "a step");
  }
  check(std::abs(t - 2.0) < 1e-12, "the time after 20 steps");
  const LodestepStats stats = stepper.stats();
  check(stats.learned == static_cast<long int>(20 * local_cells()), "every cell of this rank is learned, none twice");
  LODESTEP_ARK(MRIStep, Free)(&memory);
}

} // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int ranks = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  SUNContext context = nullptr;
  check(LodestepSUNContext_Create(&context) == 0, "LodestepSUNContext_Create");
  const auto cells = static_cast<sunindextype>(local_cells());
  sunindextype all = cells;
  long long sum = 0;
  const long long mine = cells;
  MPI_Allreduce(&mine, &sum, 1, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
  all = static_cast<sunindextype>(sum);

  for (const CorrectorInput input : {CorrectorInput::increment, CorrectorInput::state, CorrectorInput::stages}) {
    const auto model = std::make_shared<const Model>(test::exact_corrector(1, "rk4", 0.1, input));
    const auto corrector = std::make_shared<const Corrector>(model);

    N_Vector y = N_VNew_Parallel(MPI_COMM_WORLD, 2 * cells, 2 * all, context);
    double* u = N_VGetArrayPointer(y);
    for (std::size_t c = 0; c < local_cells(); ++c) {
      u[2 * c] = x0(c);
      u[2 * c + 1] = v0(c);
    }
    integrate(y, LODESTEP_LAYOUT_CELLS, corrector, context);
    check_cells(u, u + 1, 2, "a parallel vector");
    N_VDestroy(y);

    // Two parallel vectors share a communicator; two serial ones are joined by the one given.
    for (const bool parallel : {true, false}) {
      N_Vector parts[2];
      for (N_Vector& part : parts) {
        part = parallel ? N_VNew_Parallel(MPI_COMM_WORLD, cells, all, context) : N_VNew_Serial(cells, context);
      }
      double* x = N_VGetArrayPointer(parts[0]);
      double* v = N_VGetArrayPointer(parts[1]);
      for (std::size_t c = 0; c < local_cells(); ++c) {
        x[c] = x0(c);
        v[c] = v0(c);
      }
      N_Vector many = N_VMake_MPIManyVector(MPI_COMM_WORLD, 2, parts, context);
      integrate(many, LODESTEP_LAYOUT_VARIABLES, corrector, context);
      check_cells(x, v, 1, parallel ? "an MPIManyVector of parallel vectors" : "an MPIManyVector of serial vectors");
      N_VDestroy(many);
      for (N_Vector part : parts) N_VDestroy(part);
    }
  }
  SUNContext_Free(&context);
  int total = 0;
  MPI_Allreduce(&failures, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
#ifdef __SANITIZE_ADDRESS__
  // Before MPI unloads the components that most of its own leaks come from: after that no suppression can name them.
  __lsan_do_leak_check();
#endif
  MPI_Finalize();
  return total == 0 ? 0 : 1;
}
