#include "hosts/sundials.hpp"

#include "report/processor_clock.hpp"
#include "report/roll_out.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/sundials/stepper.hpp>

#include <arkode/arkode_erkstep.h>
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace lodestep::hosts {

namespace {

constexpr long most_steps = 1000000; // between two outputs

struct Context {
  Context() {
    if (LodestepSUNContext_Create(&context) != 0) throw Error("SUNContext_Create failed");
#if LODESTEP_SUNDIALS_VERSION >= 700
    SUNContext_ClearErrHandlers(context); // an integrator that gives up at a tolerance is a result, not a message
#endif
  }
  ~Context() {
    SUNContext_Free(&context);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  SUNContext context = nullptr;
};

struct Vector {
  Vector(std::size_t size, SUNContext context) : v(N_VNew_Serial(static_cast<sunindextype>(size), context)) {
    if (!v) throw std::bad_alloc();
  }
  ~Vector() { N_VDestroy(v); }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;
  N_Vector v;
};

int problem_rhs(sunrealtype t, N_Vector y, N_Vector ydot, void* user_data) {
  static_cast<const Problem*>(user_data)->rhs(t, N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
  return 0;
}

#if LODESTEP_SUNDIALS_VERSION < 700
void quiet(int, const char*, const char*, char*, void*) {}
#endif

/// From the state in y at time 0, [outputs, dimension] into `states`; false if the integrator gave up.
using Integrate = std::function<bool(N_Vector y, double* states)>;

class Bench {
public:
  Bench(const Problem& problem, const SundialsOptions& options, double output_dt)
      : problem_(problem), output_dt_(output_dt), y_(problem.dimension(), context_.context) {
    GenerateOptions generate;
    generate.trajectories = options.trajectories;
    generate.dt = output_dt;
    generate.horizon = options.horizon;
    generate.seed = options.seed;
    generate.split = Split::test;
    generate.progress = [&](double fraction, const std::string& what) {
      return !options.progress || options.progress(0.2 * fraction, what);
    };
    truth_ = generate_trajectories(problem, generate);
    states_.assign(truth_.times * truth_.dimension, 0.0);
  }

  const Trajectories& truth() const { return truth_; }

  /// Over all trajectories.
  double mse(const Integrate& integrate) {
    double sum = 0.0;
    for (std::size_t i = 0; i < truth_.trajectories; ++i) {
      if (!run(integrate, i)) return std::numeric_limits<double>::infinity();
      sum += report::mean_squared_error(truth_, i, states_.data());
    }
    return sum / static_cast<double>(truth_.trajectories);
  }
  double microseconds(const Integrate& integrate) {
    const auto start = report::ProcessorClock::now();
    for (std::size_t i = 0; i < truth_.trajectories; ++i) run(integrate, i);
    const std::chrono::duration<double, std::micro> elapsed = report::ProcessorClock::now() - start;
    return elapsed.count() / static_cast<double>(truth_.trajectories);
  }

  /// ARKODE's steps are of `steps` trained ones each; outputs within them are the stepper's own states.
  template <class Learned> Integrate learned(std::shared_ptr<const Learned> model, std::size_t steps) const {
    auto stepper = std::make_shared<arkode::Stepper>(std::move(model), problem_rhs, y_.v, context_.context);
    void* memory = LodestepStepCreateFrom(*stepper, 0.0, y_.v);
    if (!memory) throw Error(Lodestep_GetLastError());
    std::shared_ptr<void> owner(memory, [stepper](void* m) { LodestepStepFree(&m, nullptr); });
    sunrealtype trained = 0.0;
    LodestepStepper_GetTrainedStep(*stepper, &trained);
    LODESTEP_ARK(MRIStep, SetUserData)(memory, user_data());
    LODESTEP_ARK(MRIStep, SetFixedStep)(memory, static_cast<double>(steps) * trained);
    return [this, stepper, owner](N_Vector y, double* states) {
      if (LodestepStepReInit(*stepper, 0.0, y) < 0) return false;
      return each_output(
          y, states, [&](double tout, sunrealtype* t) { return LodestepStepEvolve(*stepper, tout, y, t, ARK_NORMAL); });
    };
  }

  Integrate erkstep(ARKODE_ERKTableID table, double tolerance) const {
    std::shared_ptr<void> memory(ERKStepCreate(problem_rhs, 0.0, y_.v, context_.context), [](void* m) {
      LODESTEP_ARK(ERKStep, Free)(&m);
    });
    if (!memory) throw std::bad_alloc();
#if LODESTEP_SUNDIALS_VERSION < 700
    ERKStepSetErrHandlerFn(memory.get(), quiet, nullptr);
#endif
    LODESTEP_ARK(ERKStep, SetUserData)(memory.get(), user_data());
    ERKStepSetTableNum(memory.get(), table);
    LODESTEP_ARK(ERKStep, SStolerances)(memory.get(), tolerance, tolerance);
    LODESTEP_ARK(ERKStep, SetMaxNumSteps)(memory.get(), most_steps);
    return [this, memory](N_Vector y, double* states) {
      if (ERKStepReInit(memory.get(), problem_rhs, 0.0, y) < 0) return false;
      return each_output(y, states, [&](double tout, sunrealtype* t) {
        return LODESTEP_ARK(ERKStep, Evolve)(memory.get(), tout, y, t, ARK_NORMAL);
      });
    };
  }

  Integrate cvode(int method, double tolerance) const {
    std::shared_ptr<void> memory(CVodeCreate(method, context_.context), [](void* m) { CVodeFree(&m); });
    std::shared_ptr<_generic_SUNNonlinearSolver> solver(SUNNonlinSol_FixedPoint(y_.v, 0, context_.context),
                                                        SUNNonlinSolFree);
    if (!memory || !solver) throw std::bad_alloc();
#if LODESTEP_SUNDIALS_VERSION < 700
    CVodeSetErrHandlerFn(memory.get(), quiet, nullptr);
#endif
    CVodeInit(memory.get(), problem_rhs, 0.0, y_.v);
    CVodeSetUserData(memory.get(), user_data());
    CVodeSStolerances(memory.get(), tolerance, tolerance);
    CVodeSetMaxNumSteps(memory.get(), most_steps);
    CVodeSetNonlinearSolver(memory.get(), solver.get());
    return [this, solver, memory](N_Vector y, double* states) {
      if (CVodeReInit(memory.get(), 0.0, y) < 0) return false;
      return each_output(y, states,
                         [&](double tout, sunrealtype* t) { return CVode(memory.get(), tout, y, t, CV_NORMAL); });
    };
  }

private:
  void* user_data() const noexcept {
    return const_cast<Problem*>(&problem_);
  } // it is only read

  bool run(const Integrate& integrate, std::size_t trajectory) {
    const double* u0 = truth_.state(trajectory, 0);
    std::copy_n(u0, truth_.dimension, N_VGetArrayPointer(y_.v));
    std::copy_n(u0, truth_.dimension, states_.data());
    return integrate(y_.v, states_.data() + truth_.dimension);
  }

  template <class Evolve> bool each_output(N_Vector y, double* states, const Evolve& evolve) const {
    for (std::size_t i = 1; i < truth_.times; ++i) {
      sunrealtype t = 0.0;
      if (evolve(static_cast<double>(i) * output_dt_, &t) < 0) return false;
      states = std::copy_n(N_VGetArrayPointer(y), truth_.dimension, states);
    }
    return true;
  }

  const Problem& problem_;
  double output_dt_;
  Context context_;
  Vector y_;
  Trajectories truth_;
  std::vector<double> states_;
};

struct Method {
  std::string name;
  std::function<Integrate(double tolerance)> at;
};

std::vector<Method> methods(const Bench& bench) {
  std::vector<Method> list;
  const auto erkstep = [&](const char* name, ARKODE_ERKTableID table) {
    list.push_back({std::string("ERKStep ") + name, [&bench, table](double tol) { return bench.erkstep(table, tol); }});
  };
  erkstep("Heun-Euler 2(1)", ARKODE_HEUN_EULER_2_1_2);
  erkstep("Bogacki-Shampine 3(2)", ARKODE_BOGACKI_SHAMPINE_4_2_3);
  erkstep("Zonneveld 4(3)", ARKODE_ZONNEVELD_5_3_4);
  erkstep("Cash-Karp 5(4)", ARKODE_CASH_KARP_6_4_5);
  erkstep("Dormand-Prince 5(4)", ARKODE_DORMAND_PRINCE_7_4_5);
  erkstep("Verner 6(5)", ARKODE_VERNER_8_5_6);
#if LODESTEP_SUNDIALS_VERSION >= 701
  erkstep("Sofroniou-Spaletta 4(3)", ARKODE_SOFRONIOU_SPALETTA_5_3_4);
  erkstep("Verner 6(5), 9 stages", ARKODE_VERNER_9_5_6);
  erkstep("Verner 7(6)", ARKODE_VERNER_10_6_7);
  erkstep("Verner 8(7)", ARKODE_VERNER_13_7_8);
#endif
  erkstep("Fehlberg 8(7)", ARKODE_FEHLBERG_13_7_8);
  list.push_back({"CVODE Adams", [&bench](double tol) { return bench.cvode(CV_ADAMS, tol); }});
  list.push_back({"CVODE BDF", [&bench](double tol) { return bench.cvode(CV_BDF, tol); }});
  return list;
}

/// Trained steps in one of ARKODE's, whose own part in the work is then small.
constexpr std::size_t several_steps = 10;

double longest_step(const Model& model) {
  if (const auto* hierarchy = std::get_if<HierarchyModel>(&model.method)) return hierarchy->maps[hierarchy->placing].dt;
  return std::get<CorrectorModel>(model.method).dt;
}

/// Repeats all in turn, so that each sees the same machine; medians.
void time_all(Bench& bench, const std::vector<Integrate>& integrators, std::vector<SundialsPoint>& points,
              double seconds) {
  std::vector<std::vector<double>> times(points.size());
  const auto start = report::ProcessorClock::now();
  for (int round = 0;
       round < 5 || std::chrono::duration<double>(report::ProcessorClock::now() - start).count() < seconds; ++round) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (std::isfinite(points[i].mse)) times[i].push_back(bench.microseconds(integrators[i]));
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!times[i].empty()) points[i].microseconds = report::median(times[i]);
  }
}

} // namespace

SundialsResult bench_sundials(const Problem& problem, const std::vector<SundialsModel>& models,
                              const SundialsOptions& options) {
  if (models.empty()) throw InvalidArgument("bench --host sundials: give a model to compare (--model FILE)");
  double output_dt = options.output_dt;
  for (const auto& [name, model] : models) {
    if (model->dimension() != problem.dimension()) {
      throw InvalidArgument("model '" + name + "' has " + std::to_string(model->dimension()) + " variables, problem '" +
                            problem.name + "' " + std::to_string(problem.dimension()));
    }
    if (std::holds_alternative<TableauModel>(model->method)) {
      throw InvalidArgument("model '" + name +
                            "' is a tableau: only correctors and hierarchies are compared here; "
                            "'evaluate --family' measures a tableau");
    }
    if (options.output_dt == 0.0) output_dt = std::max(output_dt, longest_step(*model));
  }

  Bench bench(problem, options, output_dt);
  SundialsResult result;
  result.version = SUNDIALS_VERSION;
  result.problem = problem.name;
  result.output_dt = output_dt;
  result.horizon = static_cast<double>(bench.truth().times - 1) * output_dt;
  result.trajectories = bench.truth().trajectories;
  std::vector<Integrate> integrators;
  const auto add = [&](SundialsPoint point, Integrate integrate) {
    result.points.push_back(std::move(point));
    integrators.push_back(std::move(integrate));
  };
  std::vector<double> targets; // of each learned point, which come first
  for (const auto& [name, model] : models) {
    for (const std::size_t steps : {std::size_t{1}, several_steps}) {
      Integrate integrate = std::holds_alternative<HierarchyModel>(model->method)
                                ? bench.learned(std::make_shared<const Hierarchy>(model, options.backend), steps)
                                : bench.learned(std::make_shared<const Corrector>(model, options.backend), steps);
      const double mse = bench.mse(integrate);
      targets.push_back(options.error > 0.0 ? options.error * options.error : mse);
      add({name, true, steps, 0.0, mse, 0.0}, std::move(integrate));
    }
  }
  const std::size_t learned = targets.size();
  // Every classical integrator at the largest tolerance that reaches each target.
  const auto list = methods(bench);
  std::vector<std::vector<std::size_t>> reaching(learned);
  for (std::size_t m = 0; m < list.size(); ++m) {
    if (options.progress &&
        !options.progress(0.2 + 0.6 * static_cast<double>(m) / static_cast<double>(list.size()), list[m].name)) {
      break;
    }
    std::vector<bool> reached(learned, false);
    for (double exponent = -3.0; exponent >= -13.0; exponent -= 0.5) {
      const double tolerance = std::pow(10.0, exponent);
      Integrate integrate = list[m].at(tolerance);
      const double mse = bench.mse(integrate);
      bool wanted = false, all = true;
      for (std::size_t i = 0; i < learned; ++i) {
        if (!reached[i] && mse <= targets[i]) {
          reached[i] = wanted = true;
          reaching[i].push_back(result.points.size());
        }
        all = all && (reached[i] || !std::isfinite(targets[i]));
      }
      if (wanted) add({list[m].name, false, 0, tolerance, mse, 0.0}, std::move(integrate));
      if (all) break;
    }
  }
  time_all(bench, integrators, result.points, options.seconds);
  for (std::size_t i = 0; i < learned; ++i) {
    SundialsSpeedup speedup{result.points[i].integrator, result.points[i].steps, targets[i], "", std::nullopt};
    double best = std::numeric_limits<double>::infinity();
    for (const std::size_t p : reaching[i]) {
      if (result.points[p].microseconds >= best) continue;
      best = result.points[p].microseconds;
      speedup.best = result.points[p].integrator;
    }
    if (!speedup.best.empty() && result.points[i].mse <= targets[i]) {
      speedup.ratio = best / result.points[i].microseconds;
    }
    result.speedups.push_back(speedup);
  }
  return result;
}

} // namespace lodestep::hosts
