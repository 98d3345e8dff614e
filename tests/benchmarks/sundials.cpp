// What a learned stepper costs inside SUNDIALS. Prints, for the model file given (elastic pendulum):
//   - ERKStep with our copy of a table against its own: time ratio
//   - one step of the main integrator against one of the core
//
//   lodestep train attns elastic_pendulum --base rk4 --error 3e-5 -o pendulum.safetensors
//   lodestep_bench_sundials pendulum.safetensors
//
// What it gains there is measured by `lodestep bench elastic_pendulum --model pendulum.safetensors --host sundials`.

#include "report/processor_clock.hpp"

#include <lodestep/runge_kutta.hpp>
#include <lodestep/sundials/stepper.hpp>

#include <arkode/arkode_erkstep.h>
#include <nvector/nvector_serial.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

using namespace lodestep;

namespace {

constexpr double horizon = 50.0;

void pendulum(const double* x, double* dxdt) {
  const double g = 9.81, k = 40.0, m = 1.0, l0 = 10.0;
  dxdt[0] = x[2];
  dxdt[1] = x[3];
  dxdt[2] = -(g * std::sin(x[0]) + 2.0 * x[2] * x[3]) / x[1];
  dxdt[3] = x[1] * x[2] * x[2] - k / m * (x[1] - l0) + g * std::cos(x[0]);
}

int host_pendulum(sunrealtype, N_Vector y, N_Vector ydot, void*) {
  pendulum(N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
  return 0;
}

/// Seconds of the fastest of `repetitions` calls.
double fastest(int repetitions, const std::function<void()>& body) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) {
    const auto start = report::ProcessorClock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(report::ProcessorClock::now() - start).count());
  }
  return best;
}

void learned_step_overhead(SUNContext context, const std::shared_ptr<const Corrector>& corrector) {
  constexpr int steps = 20000;
  N_Vector y = N_VNew_Serial(4, context);
  const double start[4] = {0.3, 10.0, 0.0, 0.0};
  std::copy_n(start, 4, N_VGetArrayPointer(y));
  arkode::Stepper stepper(corrector, host_pendulum, y, context);
  void* memory = LodestepStepCreateFrom(stepper, 0.0, y);
  double inside = std::numeric_limits<double>::infinity();
  double core = inside;
  CorrectedRungeKutta direct(corrector);
  std::vector<double> u(start, start + 4);
  const auto rhs = [](double, const double* x, double* dxdt) { pendulum(x, dxdt); };
  for (int i = 0; i < 15; ++i) { // in turn, so that both see the same machine
    inside = std::min(inside, fastest(1, [&] {
                        sunrealtype t = 0.0;
                        for (int n = 0; n < steps; ++n) LODESTEP_ARK(MRIStep, Evolve)(memory, 1e9, y, &t, ARK_ONE_STEP);
                      }));
    core = std::min(core, fastest(1, [&] {
                      for (int n = 0; n < steps; ++n) direct.step(rhs, 0.0, u.data(), corrector->dt());
                    }));
  }
  std::printf("one learned step: core %.3f us, ARKODE main integrator %.3f us, difference %.3f us (bar: 0.5)\n",
              1e6 * core / steps, 1e6 * inside / steps, 1e6 * (inside - core) / steps);
  LODESTEP_ARK(MRIStep, Free)(&memory);
  N_VDestroy(y);
}

void table_ratio(SUNContext context) {
  // The same coefficients through our adapter and from SUNDIALS: the same code runs, and takes the same time.
  ARKodeButcherTable theirs = ARKodeButcherTable_LoadERK(ARKODE_DORMAND_PRINCE_7_4_5);
  ButcherTableau copy;
  copy.order = 5;
  copy.embedded_order = 4;
  const auto s = static_cast<std::size_t>(theirs->stages);
  for (std::size_t i = 0; i < s; ++i) copy.a.insert(copy.a.end(), theirs->A[i], theirs->A[i] + s);
  copy.b.assign(theirs->b, theirs->b + s);
  copy.c.assign(theirs->c, theirs->c + s);
  copy.b_embedded.assign(theirs->d, theirs->d + s);
  copy.fsal = true;
  ARKodeButcherTable ours = arkode::make_butcher_table(copy);
  const auto run = [&](ARKodeButcherTable table) {
    N_Vector y = N_VNew_Serial(4, context);
    const double start[4] = {0.3, 10.0, 0.0, 0.0};
    std::copy_n(start, 4, N_VGetArrayPointer(y));
    void* memory = ERKStepCreate(host_pendulum, 0.0, y, context);
    ERKStepSetTable(memory, table);
    LODESTEP_ARK(ERKStep, SStolerances)(memory, 1e-7, 1e-7);
    LODESTEP_ARK(ERKStep, SetMaxNumSteps)(memory, 1000000);
    sunrealtype t = 0.0;
    LODESTEP_ARK(ERKStep, Evolve)(memory, horizon, y, &t, ARK_NORMAL);
    LODESTEP_ARK(ERKStep, Free)(&memory);
    N_VDestroy(y);
  };
  double a = std::numeric_limits<double>::infinity(), b = a;
  for (int i = 0; i < 100; ++i) {
    a = std::min(a, fastest(1, [&] { run(ours); }));
    b = std::min(b, fastest(1, [&] { run(theirs); }));
  }
  std::printf("ERKStep, Dormand-Prince: our table %.1f us, SUNDIALS' own %.1f us, ratio %.4f (bar: 1.01)\n", 1e6 * a,
              1e6 * b, a / b);
  ARKodeButcherTable_Free(ours);
  ARKodeButcherTable_Free(theirs);
}

} // namespace

int main(int argc, char** argv) try {
  const auto corrector = std::make_shared<const Corrector>(load_model(argc > 1 ? argv[1] : "pendulum.safetensors"));
  SUNContext context = nullptr;
  if (LodestepSUNContext_Create(&context)) return 1;
  std::printf("SUNDIALS %s\n", SUNDIALS_VERSION);
  table_ratio(context);
  learned_step_overhead(context, corrector);

  SUNContext_Free(&context);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
