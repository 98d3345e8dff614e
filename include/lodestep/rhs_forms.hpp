#pragma once

#include <lodestep/error.hpp>
#include <lodestep/lanes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace lodestep {

/// An autonomous right-hand side in the two forms that schemes with many segments want: `one(t, u, dudt)` for a single
/// state, and `many(t, u, dudt, n)` for n of them, variable after variable (variable i of member k at u[i n + k], as in
/// ensemble.hpp). Segments lie at different times, so `t` must not matter. Where threads are used, both are called from
/// several at once. Exceptions pass through.
template <class One, class Many> struct RhsForms {
  One one;
  Many many;
};

/// `many` made of `one`, member after member.
template <class One> class OneByOne {
public:
  OneByOne(One one, std::size_t dimension) : one_(std::move(one)), dimension_(dimension) {}

  void operator()(double t, const double* u, double* dudt, std::size_t n) const {
    constexpr std::size_t on_stack = 64;
    if (dimension_ <= on_stack) {
      std::array<double, 2 * on_stack> scratch;
      return run(t, u, dudt, n, scratch.data());
    }
    std::vector<double> scratch(2 * dimension_); // a state this large costs more than its allocation
    run(t, u, dudt, n, scratch.data());
  }

private:
  void run(double t, const double* u, double* dudt, std::size_t n, double* scratch) const {
    double* f = scratch + dimension_;
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < dimension_; ++i) scratch[i] = u[i * n + k];
      one_(t, static_cast<const double*>(scratch), f);
      for (std::size_t i = 0; i < dimension_; ++i) dudt[i * n + k] = f[i];
    }
  }

  One one_;
  std::size_t dimension_;
};

template <class One, class Many> RhsForms<One, Many> rhs_forms(One one, Many many) {
  return {std::move(one), std::move(many)};
}
template <class One> RhsForms<One, OneByOne<One>> rhs_forms(One one, std::size_t dimension) {
  return {one, OneByOne<One>(one, dimension)};
}

/// `many` of a system that is generic in its scalar, in the form of Odeint's systems: for numbers that are lanes of
/// registers (lanes.hpp) too, which schemes with many segments use to keep whole steps in registers.
template <class System, std::size_t D> struct InLanes {
  static constexpr std::size_t dimension = D;
  System system;

  template <class Number> void operator()(const std::array<Number, D>& u, std::array<Number, D>& dudt, double t) const {
    system(u, dudt, t);
  }
  void operator()(double t, const double* u, double* dudt) const {
    std::array<double, D> at, slope;
    std::copy_n(u, D, at.data());
    system(static_cast<const std::array<double, D>&>(at), slope, t);
    std::copy_n(slope.data(), D, dudt);
  }
  void operator()(double t, const double* u, double* dudt, std::size_t n) const {
    using Wide = Lanes<2 * detail::native_lanes>;
    std::size_t k = 0;
    for (; k + Wide::size <= n; k += Wide::size) {
      std::array<Wide, D> at, slope;
      for (std::size_t i = 0; i < D; ++i) at[i] = Wide::load(u + i * n + k);
      system(static_cast<const std::array<Wide, D>&>(at), slope, t);
      for (std::size_t i = 0; i < D; ++i) slope[i].store(dudt + i * n + k);
    }
    for (; k < n; ++k) {
      std::array<double, D> at, slope;
      for (std::size_t i = 0; i < D; ++i) at[i] = u[i * n + k];
      system(static_cast<const std::array<double, D>&>(at), slope, t);
      for (std::size_t i = 0; i < D; ++i) dudt[i * n + k] = slope[i];
    }
  }
};

/// All forms of a system generic in its scalar: `system(u, dudt, t)` for std::array<Number, D>, Number being double or
/// Lanes. The fastest form there is: what is a loop over members elsewhere is straight-line code here.
template <std::size_t D, class System> RhsForms<InLanes<System, D>, InLanes<System, D>> lane_forms(System system) {
  return {{system}, {system}};
}

/// Where there is no right-hand side, only data that flow maps were learned from: a step that may not be learned, or
/// any classical one, is then an error.
struct NoRhs {
  void operator()(double /*t*/, const double* /*u*/, double* /*dudt*/) const { refuse(); }
  void operator()(double /*t*/, const double* /*u*/, double* /*dudt*/, std::size_t /*n*/) const { refuse(); }

private:
  [[noreturn]] static void refuse() {
    throw InvalidData("a state left the domain of the learned flow map (or a classical step was asked for), and there "
                      "is no right-hand side to fall back to: only trajectories are known");
  }
};
inline RhsForms<NoRhs, NoRhs> no_rhs() {
  return {};
}

} // namespace lodestep
