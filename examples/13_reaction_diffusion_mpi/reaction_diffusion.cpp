// Cells on a ring, each with a reaction of two variables (here an oscillation, q' = p, p' = -2 q) and the diffusion of
// q between them: q_t = p + D q_xx. MRIStep takes the diffusion as its slow part, with messages between the ranks, and
// the reaction as the fast one: a learned stepper that takes all cells of a rank as one batch. As in SUNDIALS' own
// ark_diffusion_reaction_p, the vector is a parallel one; the lines that differ are marked.

#include <lodestep/sundials/lodestep_sundials.h> // new

#include <arkode/arkode_mristep.h>
#include <nvector/nvector_parallel.h>

#include <cmath>
#include <cstdio>
#include <mpi.h>

#if SUNDIALS_VERSION_MAJOR < 7 // there, each stepper has names of its own
#define ARKodeEvolve MRIStepEvolve
#define ARKodeSetFixedStep MRIStepSetFixedStep
#define ARKodeFree MRIStepFree
#endif

struct Ring {
  MPI_Comm comm;
  int rank, ranks;
  int cells;     // on each rank
  sunrealtype d; // diffusion between neighbours, D / dx^2
};

// Acts on each cell for itself: no messages here, for ranks may call it differently often.
static int reaction(sunrealtype, N_Vector y, N_Vector ydot, void* data) {
  const Ring& ring = *static_cast<Ring*>(data);
  const sunrealtype* u = N_VGetArrayPointer(y);
  sunrealtype* f = N_VGetArrayPointer(ydot);
  for (int c = 0; c < ring.cells; ++c) {
    f[2 * c] = u[2 * c + 1];
    f[2 * c + 1] = -2.0 * u[2 * c];
  }
  return 0;
}

static int diffusion(sunrealtype, N_Vector y, N_Vector ydot, void* data) {
  const Ring& ring = *static_cast<Ring*>(data);
  const sunrealtype* u = N_VGetArrayPointer(y);
  sunrealtype* f = N_VGetArrayPointer(ydot);
  const int left = (ring.rank + ring.ranks - 1) % ring.ranks;
  const int right = (ring.rank + 1) % ring.ranks;
  const int last = ring.cells - 1;
  sunrealtype before = 0.0, after = 0.0;
  MPI_Sendrecv(&u[2 * last], 1, MPI_DOUBLE, right, 0, &before, 1, MPI_DOUBLE, left, 0, ring.comm, MPI_STATUS_IGNORE);
  MPI_Sendrecv(&u[0], 1, MPI_DOUBLE, left, 1, &after, 1, MPI_DOUBLE, right, 1, ring.comm, MPI_STATUS_IGNORE);
  for (int c = 0; c < ring.cells; ++c) {
    const sunrealtype west = c > 0 ? u[2 * (c - 1)] : before;
    const sunrealtype east = c < last ? u[2 * (c + 1)] : after;
    f[2 * c] = ring.d * (west - 2.0 * u[2 * c] + east);
    f[2 * c + 1] = 0.0;
  }
  return 0;
}

static int run(const char* model, MPI_Comm comm) {
  Ring ring{comm, 0, 1, 64, 0.01};
  MPI_Comm_rank(comm, &ring.rank);
  MPI_Comm_size(comm, &ring.ranks);
  SUNContext sunctx = nullptr;
#if SUNDIALS_VERSION_MAJOR < 7
  if (SUNContext_Create(&comm, &sunctx)) return 1;
#else
  if (SUNContext_Create(comm, &sunctx)) return 1;
#endif
  const sunindextype local = 2 * ring.cells;
  N_Vector y = N_VNew_Parallel(comm, local, local * ring.ranks, sunctx);
  sunrealtype* u = N_VGetArrayPointer(y);
  // One wave around the ring: it stays one, and its amplitudes obey a' = b - kappa a, b' = -2 a.
  const int total = ring.cells * ring.ranks;
  const double pi = std::acos(-1.0);
  for (int c = 0; c < ring.cells; ++c) {
    u[2 * c] = std::cos(2.0 * pi * (ring.rank * ring.cells + c) / total);
    u[2 * c + 1] = 0.0;
  }

  // instead of: inner_mem = ARKStepCreate(reaction, nullptr, 0.0, y, sunctx); ARKStepCreateMRIStepInnerStepper(...);
  LodestepStepper stepper = nullptr;
  MRIStepInnerStepper inner = nullptr;
  int flag = LodestepStepper_Create(model, reaction, y, sunctx, &stepper);
  if (flag == ARK_SUCCESS) flag = LodestepStepper_SetUserData(stepper, &ring);
  if (flag == ARK_SUCCESS) flag = LodestepStepper_CreateMRIStepInnerStepper(stepper, 0.0, y, &inner);
  // Diffusion changes the correction of a step by less than this, which is much less than the slow method's error.
  if (flag == ARK_SUCCESS) flag = LodestepStepper_SetForcingTolerance(stepper, 1e-5);

  if (flag == ARK_SUCCESS) {
    void* arkode_mem = MRIStepCreate(diffusion, nullptr, 0.0, y, inner, sunctx);
#if SUNDIALS_VERSION_MAJOR < 7
    MRIStepSetUserData(arkode_mem, &ring);
#else
    ARKodeSetUserData(arkode_mem, &ring);
#endif
    sunrealtype step = 0.0;
    LodestepStepper_GetTrainedStep(stepper, &step);
    MRIStepCoupling coupling = MRIStepCoupling_LoadTable(ARKODE_MIS_KW3);
    MRIStepSetCoupling(arkode_mem, coupling);
    MRIStepCoupling_Free(coupling);
    ARKodeSetFixedStep(arkode_mem, 12.0 * step); // fast intervals of 4, 5 and 3 trained steps
    sunrealtype t = 0.0;
    for (int i = 0; i < 20 && flag >= 0; ++i) flag = ARKodeEvolve(arkode_mem, 1e3, y, &t, ARK_ONE_STEP);

    // a'' + kappa a' + 2 a = 0, a(0) = 1, a'(0) = -kappa.
    const double kappa = ring.d * (2.0 - 2.0 * std::cos(2.0 * pi / total));
    const double w = std::sqrt(2.0 - 0.25 * kappa * kappa);
    const double a = std::exp(-0.5 * kappa * t) * (std::cos(w * t) - 0.5 * kappa / w * std::sin(w * t));
    double error = 0.0, largest = 0.0;
    for (int c = 0; c < ring.cells; ++c) {
      const double exact = a * std::cos(2.0 * pi * (ring.rank * ring.cells + c) / total);
      error = std::fmax(error, std::fabs(u[2 * c] - exact));
    }
    MPI_Reduce(&error, &largest, 1, MPI_DOUBLE, MPI_MAX, 0, comm);
    if (ring.rank == 0) {
      std::printf("%d ranks, %d cells, t = %g: largest error %.3e\n", ring.ranks, total, t, largest);
      LodestepStepper_PrintAllStats(stepper, stdout, SUN_OUTPUTFORMAT_TABLE);
      if (!(largest < 1e-3)) flag = -1;
    }
    ARKodeFree(&arkode_mem);
    MRIStepInnerStepper_Free(&inner);
  }
  LodestepStepper_Free(&stepper); // instead of: ARKodeFree(&inner_mem);
  N_VDestroy(y);
  SUNContext_Free(&sunctx);
  return flag < 0 ? 1 : 0;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int status = run(argc > 1 ? argv[1] : "cell.safetensors", MPI_COMM_WORLD);
  MPI_Finalize();
  return status;
}
