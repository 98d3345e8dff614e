// What a learned stepper costs and gains inside SUNDIALS. Prints, for the model file given (elastic pendulum):
//   - ERKStep with our copy of a table against its own: time ratio
//   - one step of the main integrator against one of the core
//   - T = 50, outputs every 0.1: error and time of the learned main integrator, of ERKStep's tables and of CVODE
//
//   lodestep train attns elastic_pendulum --base rk4 --error 3e-5 -o pendulum.safetensors
//   lodestep_bench_sundials pendulum.safetensors

#include <lodestep/problem.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/sundials/stepper.hpp>

#include <arkode/arkode_erkstep.h>
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <time.h>
#include <vector>

using namespace lodestep;

namespace {

constexpr double horizon = 50.0;
constexpr int outputs = 500;
constexpr int trajectories = 8;

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

/// Processor time of this thread: what others do on the machine meanwhile does not count.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Seconds of the fastest of `repetitions` calls.
double fastest(int repetitions, const std::function<void()>& body) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) {
    const double start = now();
    body();
    best = std::min(best, now() - start);
  }
  return best;
}

struct Reference {
  std::vector<std::vector<double>> start;
  std::vector<std::vector<double>> states; ///< [trajectory][output, variable]
};

struct Result {
  double mse = std::numeric_limits<double>::infinity();
  double seconds = 0.0; ///< a trajectory
};

/// Runs `integrate(y, states)` over all trajectories.
Result measure(SUNContext context, const Reference& reference,
               const std::function<bool(N_Vector, double*)>& integrate) {
  N_Vector y = N_VNew_Serial(4, context);
  std::vector<double> states(4 * outputs);
  double sum = 0.0;
  bool ok = true;
  const auto once = [&](std::size_t i) {
    std::copy(reference.start[i].begin(), reference.start[i].end(), N_VGetArrayPointer(y));
    ok = ok && integrate(y, states.data());
  };
  for (std::size_t i = 0; i < trajectories; ++i) {
    once(i);
    for (std::size_t n = 0; n < states.size(); ++n) {
      const double e = states[n] - reference.states[i][n];
      sum += e * e;
    }
  }
  Result result;
  if (ok) result.mse = sum / static_cast<double>(trajectories * states.size());
  result.seconds = fastest(9,
                           [&] {
                             for (std::size_t i = 0; i < trajectories; ++i) once(i);
                           }) /
                   trajectories;
  N_VDestroy(y);
  return result;
}

template <class Evolve> bool sample(N_Vector y, double* states, Evolve&& evolve) {
  for (int i = 1; i <= outputs; ++i) {
    sunrealtype t = 0.0;
    if (evolve(horizon * i / outputs, y, &t) < 0) return false;
    states = std::copy_n(N_VGetArrayPointer(y), 4, states);
  }
  return true;
}

Result erkstep(SUNContext context, const Reference& reference, ARKODE_ERKTableID id, double tolerance) {
  return measure(context, reference, [&](N_Vector y, double* states) {
    void* memory = ERKStepCreate(host_pendulum, 0.0, y, context);
    ERKStepSetTableNum(memory, id);
    LODESTEP_ARK(ERKStep, SStolerances)(memory, tolerance, tolerance);
    LODESTEP_ARK(ERKStep, SetMaxNumSteps)(memory, 1000000);
    const bool ok = sample(y, states, [&](double tout, N_Vector v, sunrealtype* t) {
      return LODESTEP_ARK(ERKStep, Evolve)(memory, tout, v, t, ARK_NORMAL);
    });
    LODESTEP_ARK(ERKStep, Free)(&memory);
    return ok;
  });
}

Result cvode(SUNContext context, const Reference& reference, int method, double tolerance) {
  return measure(context, reference, [&](N_Vector y, double* states) {
    void* memory = CVodeCreate(method, context);
    CVodeInit(memory, host_pendulum, 0.0, y);
    CVodeSStolerances(memory, tolerance, tolerance);
    CVodeSetMaxNumSteps(memory, 1000000);
    SUNNonlinearSolver solver = SUNNonlinSol_FixedPoint(y, 0, context);
    CVodeSetNonlinearSolver(memory, solver);
    const bool ok = sample(
        y, states, [&](double tout, N_Vector v, sunrealtype* t) { return CVode(memory, tout, v, t, CV_NORMAL); });
    CVodeFree(&memory);
    SUNNonlinSolFree(solver);
    return ok;
  });
}

double learned_step_overhead(SUNContext context, const std::shared_ptr<const Corrector>& corrector) {
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
  return inside / steps;
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

  const Problem problem = make_problem("elastic_pendulum");
  GenerateOptions options;
  options.trajectories = trajectories;
  options.split = Split::test;
  options.seed = 1;
  options.dt = horizon / outputs;
  options.horizon = horizon;
  const Trajectories truth = generate_trajectories(problem, options);
  Reference reference;
  for (std::size_t i = 0; i < trajectories; ++i) {
    reference.start.emplace_back(truth.state(i, 0), truth.state(i, 0) + 4);
    reference.states.emplace_back(truth.state(i, 1), truth.state(i, 1) + 4 * outputs);
  }

  std::printf("\nelastic pendulum, T = 50, outputs every 0.1, %d held-out trajectories\n", trajectories);
  std::printf("%-34s %10s %12s %12s\n", "integrator", "tolerance", "MSE", "us");
  const auto print = [](const char* name, double tolerance, const Result& r) {
    std::printf("%-34s %10.0e %12.2e %12.1f\n", name, tolerance, r.mse, 1e6 * r.seconds);
  };
  const Result learned = measure(context, reference, [&](N_Vector y, double* states) {
    arkode::Stepper stepper(corrector, host_pendulum, y, context);
    void* memory = LodestepStepCreateFrom(stepper, 0.0, y);
    const bool ok = sample(y, states, [&](double tout, N_Vector v, sunrealtype* t) {
      return LODESTEP_ARK(MRIStep, Evolve)(memory, tout, v, t, ARK_ONE_STEP);
    });
    LODESTEP_ARK(MRIStep, Free)(&memory);
    return ok;
  });
  print("learned, main integrator", 0.0, learned);

  struct Method {
    const char* name;
    std::function<Result(double)> run;
  };
  const auto table = [&](ARKODE_ERKTableID id) {
    return [&context, &reference, id](double tolerance) { return erkstep(context, reference, id, tolerance); };
  };
  const Method methods[] = {
      {"ERKStep Bogacki-Shampine 3(2)", table(ARKODE_BOGACKI_SHAMPINE_4_2_3)},
      {"ERKStep Zonneveld 4(3)", table(ARKODE_ZONNEVELD_5_3_4)},
      {"ERKStep Cash-Karp 5(4)", table(ARKODE_CASH_KARP_6_4_5)},
      {"ERKStep Dormand-Prince 5(4)", table(ARKODE_DORMAND_PRINCE_7_4_5)},
      {"ERKStep Verner 6(5)", table(ARKODE_VERNER_8_5_6)},
      {"ERKStep Fehlberg 8(7)", table(ARKODE_FEHLBERG_13_7_8)},
      {"CVODE Adams", [&](double tolerance) { return cvode(context, reference, CV_ADAMS, tolerance); }},
      {"CVODE BDF", [&](double tolerance) { return cvode(context, reference, CV_BDF, tolerance); }},
  };
  // Each method's largest tolerance that reaches 1e-9, in steps of half a decade.
  double best = std::numeric_limits<double>::infinity();
  for (const Method& method : methods) {
    for (double exponent = -4.0; exponent >= -12.0; exponent -= 0.5) {
      const double tolerance = std::pow(10.0, exponent);
      const Result r = method.run(tolerance);
      if (!(r.mse <= 1e-9)) continue;
      print(method.name, tolerance, r);
      best = std::min(best, r.seconds);
      break;
    }
  }
  std::printf("best classical / learned: %.1f (bar: 10, at an MSE of at most 1e-9)\n", best / learned.seconds);
  SUNContext_Free(&context);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
