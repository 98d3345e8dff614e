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

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

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

/// What MRIStep does in one step of a main integrator, whoever integrates: an inner stepper that does nothing.
struct Idle {
  Idle(SUNContext context, N_Vector y) {
    MRIStepInnerStepper_Create(context, &inner);
    MRIStepInnerStepper_SetEvolveFn(inner, [](MRIStepInnerStepper, sunrealtype, sunrealtype, N_Vector) { return 0; });
    MRIStepInnerStepper_SetFullRhsFn(inner,
                                     [](MRIStepInnerStepper, sunrealtype, N_Vector, N_Vector, int) { return 0; });
    MRIStepInnerStepper_SetResetFn(inner, [](MRIStepInnerStepper, sunrealtype, N_Vector) { return 0; });
    const auto zero = [](sunrealtype, N_Vector, N_Vector ydot, void*) {
      N_VConst(0.0, ydot);
      return 0;
    };
    memory = MRIStepCreate(zero, nullptr, 0.0, y, inner, context);
    sunrealtype c[2] = {0.0, 1.0};
    sunrealtype w[4] = {0.0, 0.0, 1.0, 0.0};
    MRIStepCoupling coupling = MRIStepCoupling_Create(1, 2, 6, 0, w, nullptr, c);
    MRIStepSetCoupling(memory, coupling);
    MRIStepCoupling_Free(coupling);
    LODESTEP_ARK(MRIStep, SetFixedStep)(memory, 0.1);
    LODESTEP_ARK(MRIStep, WFtolerances)
    (memory, [](N_Vector, N_Vector weight, void*) {
      N_VConst(1e-100, weight); // not denormal: see main_integrator.cpp
      return 0;
    });
  }
  ~Idle() {
    LODESTEP_ARK(MRIStep, Free)(&memory);
    MRIStepInnerStepper_Free(&inner);
  }
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

  MRIStepInnerStepper inner = nullptr;
  void* memory = nullptr;
};

void learned_step_overhead(SUNContext context, const std::shared_ptr<const Corrector>& corrector) {
  constexpr int steps = 20000;
  constexpr int repetitions = 31;
  N_Vector y = N_VNew_Serial(4, context);
  const double start[4] = {0.3, 10.0, 0.0, 0.0};
  std::copy_n(start, 4, N_VGetArrayPointer(y));
  N_Vector other = N_VClone(y);
  N_VScale(1.0, y, other);
  arkode::Stepper stepper(corrector, host_pendulum, y, context);
  void* memory = LodestepStepCreateFrom(stepper, 0.0, y);
  arkode::Stepper another(corrector, host_pendulum, y, context);
  void* ten_in_one = LodestepStepCreateFrom(another, 0.0, y);
  LODESTEP_ARK(MRIStep, SetFixedStep)(ten_in_one, 10.0 * corrector->dt());
  CorrectedRungeKutta direct(corrector);
  std::vector<double> u(start, start + 4);
  const auto rhs = [](double, const double* x, double* dxdt) { pendulum(x, dxdt); };
  std::vector<double> inside, ten, core, floor;
  {
    const Idle idle(context, other);
    const auto evolve = [](void* arkode_mem, N_Vector out, int count) {
      sunrealtype t = 0.0;
      for (int n = 0; n < count; ++n) LODESTEP_ARK(MRIStep, Evolve)(arkode_mem, 1e9, out, &t, ARK_ONE_STEP);
    };
    for (int i = 0; i < repetitions; ++i) { // in turn, so that all see the same machine
      inside.push_back(1e6 / steps * fastest(1, [&] { evolve(memory, y, steps); }));
      ten.push_back(1e6 / steps * fastest(1, [&] { evolve(ten_in_one, y, steps / 10); }));
      core.push_back(1e6 / steps * fastest(1, [&] {
                       for (int n = 0; n < steps; ++n) direct.step(rhs, 0.0, u.data(), corrector->dt());
                     }));
      floor.push_back(1e6 / steps * fastest(1, [&] { evolve(idle.memory, other, steps); }));
    }
  }
  // Of differences taken within a repetition, the median.
  std::vector<double> overhead(repetitions), ours(repetitions), of_ten(repetitions);
  for (std::size_t i = 0; i < repetitions; ++i) {
    overhead[i] = inside[i] - core[i];
    ours[i] = overhead[i] - floor[i];
    of_ten[i] = ten[i] - core[i];
  }
  std::printf("one learned step: core %.3f us, ARKODE main integrator %.3f us, difference %.3f us (bar: 0.5)\n"
              "  of it, MRIStep's own (an inner stepper that does nothing) %.3f us, the adapter's %.3f us\n"
              "  ten trained steps in one of ARKODE's: difference %.3f us a trained step\n",
              median(core), median(inside), median(overhead), median(floor), median(ours), median(of_ten));
  LODESTEP_ARK(MRIStep, Free)(&ten_in_one);
  LODESTEP_ARK(MRIStep, Free)(&memory);
  N_VDestroy(other);
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
  std::vector<double> a, b, ratio;
  for (int i = 0; i < 200; ++i) { // in turn, and each second pair the other way round
    const bool first = i % 2 == 0;
    (first ? a : b).push_back(1e6 * fastest(1, [&] { run(first ? ours : theirs); }));
    (first ? b : a).push_back(1e6 * fastest(1, [&] { run(first ? theirs : ours); }));
    ratio.push_back(a.back() / b.back());
  }
  std::printf("ERKStep, Dormand-Prince: our table %.1f us, SUNDIALS' own %.1f us, ratio %.4f (bar: 1.01)\n", median(a),
              median(b), median(ratio));
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
