#pragma once

#include <lodestep/sundials/compat.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <stdexcept>

/// A right-hand side that fails: how, where and from when on.
namespace lodestep::test {

enum class Fault { positive_once, positive_forever, negative, nan_once, nan_forever, throws };

constexpr Fault all_faults[] = {Fault::positive_once, Fault::positive_forever, Fault::negative,
                                Fault::nan_once,      Fault::nan_forever,      Fault::throws};

constexpr bool once(Fault f) {
  return f == Fault::positive_once || f == Fault::nan_once;
}

enum class Where {
  anywhere,
  stage, ///< within a step
  ends,  ///< at the solution, where steps begin and end: there ARKODE asks for the full right-hand side
};

struct Faulty {
  Fault fault;
  Where where = Where::anywhere;
  double from = 0.0; ///< the time
  int failed = 0;    ///< calls, so far

  /// What the right-hand side returns; spoils `f` instead where the fault says so.
  int operator()(bool at_solution, double t, double* f) {
    if (t < from || (where == Where::stage && at_solution) || (where == Where::ends && !at_solution)) return 0;
    if (once(fault) && failed > 0) return 0;
    ++failed;
    switch (fault) {
    case Fault::positive_once:
    case Fault::positive_forever:
      return 1;
    case Fault::negative:
      return -1;
    case Fault::nan_once:
    case Fault::nan_forever:
      f[0] = std::numeric_limits<double>::quiet_NaN();
      return 0;
    case Fault::throws:
      throw std::runtime_error("thrown by the right-hand side");
    }
    return 0;
  }
};

/// x' = v, v' = -x from (1, 0), with a Faulty for user data.
inline int faulty_oscillator(sunrealtype t, N_Vector y, N_Vector ydot, void* user_data) {
  const double* u = N_VGetArrayPointer(y);
  double* f = N_VGetArrayPointer(ydot);
  f[0] = u[1];
  f[1] = -u[0];
  const bool at_solution = std::hypot(u[0] - std::cos(t), u[1] + std::sin(t)) < 1e-10;
  return (*static_cast<Faulty*>(user_data))(at_solution, t, f);
}

/// y' = 0, with a Faulty for user data.
inline int faulty_zero(sunrealtype t, N_Vector, N_Vector ydot, void* user_data) {
  N_VConst(0.0, ydot);
  return (*static_cast<Faulty*>(user_data))(false, t, N_VGetArrayPointer(ydot));
}

inline std::ostream& operator<<(std::ostream& out, Fault f) {
  constexpr const char* names[] = {"> 0 once", "> 0 forever", "< 0", "NaN once", "NaN forever", "exception"};
  return out << names[static_cast<int>(f)];
}

inline std::ostream& operator<<(std::ostream& out, Where w) {
  constexpr const char* names[] = {"anywhere", "in a stage", "in a full right-hand side"};
  return out << names[static_cast<int>(w)];
}

} // namespace lodestep::test
