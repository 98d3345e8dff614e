#include "hosts/cvode_contender.hpp"

#ifdef LODESTEP_HAVE_SUNDIALS

#include <lodestep/error.hpp>
#include <lodestep/sundials/lodestep_sundials.h>

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>

namespace lodestep::hosts {

namespace {

constexpr long most_steps = 1000000; // between two outputs

#if LODESTEP_SUNDIALS_VERSION < 700
void quiet(int, const char*, const char*, char*, void*) {}
#endif

/// One integrator, started anew for every trajectory.
class CvodeBdf {
public:
  explicit CvodeBdf(const Problem& problem) : problem_(problem) {
    const auto size = static_cast<sunindextype>(problem.dimension());
    if (LodestepSUNContext_Create(&context_) != 0) throw Error("SUNContext_Create failed");
#if LODESTEP_SUNDIALS_VERSION >= 700
    SUNContext_ClearErrHandlers(context_); // an integrator that gives up at a tolerance is a result, not a message
#endif
    y_ = N_VNew_Serial(size, context_);
    matrix_ = SUNDenseMatrix(size, size, context_);
    solver_ = y_ && matrix_ ? SUNLinSol_Dense(y_, matrix_, context_) : nullptr;
    memory_ = solver_ ? CVodeCreate(CV_BDF, context_) : nullptr;
    if (!memory_) {
      free();
      throw std::bad_alloc();
    }
#if LODESTEP_SUNDIALS_VERSION < 700
    CVodeSetErrHandlerFn(memory_, quiet, nullptr);
#endif
    CVodeInit(memory_, rhs, 0.0, y_);
    CVodeSetUserData(memory_, this);
    CVodeSetLinearSolver(memory_, solver_, matrix_);
    CVodeSetMaxNumSteps(memory_, most_steps);
  }
  ~CvodeBdf() {
    free();
  }
  CvodeBdf(const CvodeBdf&) = delete;
  CvodeBdf& operator=(const CvodeBdf&) = delete;

  std::size_t run(double tolerance, const double* u0, std::size_t times, double output_dt, double* states) {
    const std::size_t d = problem_.dimension();
    evaluations_ = 0;
    limit_ = 10000 * times;
    std::copy_n(u0, d, N_VGetArrayPointer(y_));
    std::copy_n(u0, d, states);
    CVodeReInit(memory_, 0.0, y_);
    CVodeSStolerances(memory_, tolerance, tolerance);
    for (std::size_t k = 1; k < times; ++k) {
      sunrealtype t = 0.0;
      if (CVode(memory_, static_cast<double>(k) * output_dt, y_, &t, CV_NORMAL) < 0) {
        std::fill_n(states + k * d, (times - k) * d, std::numeric_limits<double>::quiet_NaN());
        break;
      }
      std::copy_n(N_VGetArrayPointer(y_), d, states + k * d);
    }
    return evaluations_;
  }

private:
  static int rhs(sunrealtype t, N_Vector y, N_Vector ydot, void* user_data) {
    auto& self = *static_cast<CvodeBdf*>(user_data);
    if (++self.evaluations_ > self.limit_) return -1;
    self.problem_.rhs(t, N_VGetArrayPointer(y), N_VGetArrayPointer(ydot));
    return 0;
  }
  void free() {
    if (memory_) CVodeFree(&memory_);
    if (solver_) SUNLinSolFree(solver_);
    if (matrix_) SUNMatDestroy(matrix_);
    if (y_) N_VDestroy(y_);
    SUNContext_Free(&context_);
  }

  const Problem& problem_;
  SUNContext context_ = nullptr;
  N_Vector y_ = nullptr;
  SUNMatrix matrix_ = nullptr;
  SUNLinearSolver solver_ = nullptr;
  void* memory_ = nullptr;
  std::size_t evaluations_ = 0;
  std::size_t limit_ = 0;
};

} // namespace

std::vector<report::Contender> cvode_contenders(const Problem& problem) {
  const auto cvode = std::make_shared<CvodeBdf>(problem);
  return {{"CVODE BDF", report::Family::classical, report::Setting::tolerance,
           [cvode](double tolerance, const double* u0, std::size_t times, double output_dt, double* states) {
             return cvode->run(tolerance, u0, times, output_dt, states);
           }}};
}

} // namespace lodestep::hosts

#else

namespace lodestep::hosts {

std::vector<report::Contender> cvode_contenders(const Problem&) {
  return {};
}

} // namespace lodestep::hosts

#endif
