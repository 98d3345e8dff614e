#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/ensemble.hpp>
#include <lodestep/error.hpp>
#include <lodestep/model.hpp>
#include <lodestep/odeint/state_access.hpp>

#include <boost/config.hpp>
#include <boost/numeric/odeint/stepper/stepper_categories.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lodestep::odeint {

/// A system that evaluates many members at once, variable after variable: see `batched`.
template <class Rhs> struct batched_system { Rhs rhs; };

/// Marks a right-hand side as batched: `rhs(double t, const double* u, double* dudt, std::size_t n)` evaluates n
/// members, variable i of member k at u[i n + k], so that a plain loop over k is one the compiler vectorises. It is
/// called for at most `ensemble_block` members, any of the ensemble: it must treat all alike.
template <class Rhs> batched_system<std::decay_t<Rhs>> batched(Rhs&& rhs) {
  return {std::forward<Rhs>(rhs)};
}

/// A system of one member: see `each_member`.
template <class Member, class System> struct member_system { System system; };

/// Lets an ordinary Odeint system of one member, whose state is a `Member` of fixed size such as
/// std::array<double, 4>, serve all members: `each_member<std::array<double, 4>>(system)`.
template <class Member, class System> member_system<Member, std::decay_t<System>> each_member(System&& system) {
  static_assert(std::is_same_v<typename state_access<Member>::value_type, double>,
                "lodestep::odeint::each_member: the state of a member must be a contiguous array of double");
  return {std::forward<System>(system)};
}

namespace detail {

[[noreturn]] BOOST_NOINLINE inline void throw_wrong_ensemble(std::size_t dimension, std::size_t actual, bool is_rows) {
  throw InvalidArgument(
      "odeint ensemble_corrector: the state has " + std::to_string(actual) + (is_rows ? " rows" : " numbers") +
      ", the model was trained for " + std::to_string(dimension) + " variables: expected " +
      (is_rows ? std::to_string(dimension) + " rows, one column for each member"
               : "a multiple of " + std::to_string(dimension) + " numbers, one member after the other"));
}

/// Eigen's matrices, vectors excepted, which are flat.
template <class State, class = void> struct is_matrix : std::false_type {};
template <class State>
struct is_matrix<State, std::void_t<typename State::PlainObject, decltype(std::declval<const State&>().rows())>>
    : std::bool_constant<!State::IsVectorAtCompileTime> {};

template <class State> constexpr bool is_row_major() {
  if constexpr (is_matrix<State>::value) {
    return State::IsRowMajor;
  } else {
    return false;
  }
}

/// An ordinary system of one member as a batched right-hand side.
template <class Member, class System> struct batched_members {
  System& system;
  std::size_t dimension;
  Member x{};
  Member dxdt{};

  void operator()(double t, const double* u, double* dudt, std::size_t n) {
    double* to = state_access<Member>::data(x);
    const double* from = state_access<Member>::data(dxdt);
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < dimension; ++i) to[i] = u[i * n + k];
      system(static_cast<const Member&>(x), dxdt, t);
      for (std::size_t i = 0; i < dimension; ++i) dudt[i * n + k] = from[i];
    }
  }
};

} // namespace detail

/// A learned stepper of an ensemble: n systems of the d variables the model was trained for, stepped together. The
/// `State` is a column-major Eigen matrix of d rows (fixed or dynamic) and n columns, or a flat vector of d n doubles,
/// one member after the other (std::vector, std::array, Eigen's vectors). It models Odeint's Stepper concept:
///
///     lodestep::odeint::ensemble_corrector<Eigen::MatrixXd> stepper("pendulum.safetensors");
///     integrate_const(stepper, system, x, 0.0, 10.0, 0.1);
///
/// A system is one of
///
/// - `batched(rhs)`: many members in one call, vectorised: the fastest by far;
/// - `each_member<Member>(system)`: an ordinary system of one member, called for each;
/// - an ordinary system of the whole ensemble, `system(const State& x, State& dxdt, double t)`.
///
/// Every member takes the step a `corrector` would take with it alone, to rounding (1e-13 relative to the correction in
/// f64, 1e-5 in f32: the approximator is evaluated for many states at once), and is guarded by itself: see
/// `counters()`, which count each member and step. Members that may not be learned fall back together and nobody waits
/// for more than that; with a system of the whole ensemble, their sub-steps evaluate all of it.
///
/// A state that is not d numbers a member is an InvalidArgument. Exceptions of the system pass through with the state
/// (or `out`) unchanged. A stepper is cheap to copy: copies share model and counters. Each thread uses a copy of its
/// own. Nothing is allocated after the first step of a size.
template <class State> class ensemble_corrector {
public:
  using state_type = State;
  using deriv_type = State;
  using value_type = double;
  using time_type = double;
  using order_type = unsigned short;
  using stepper_category = boost::numeric::odeint::stepper_tag;

  static_assert(std::is_same_v<typename state_access<State>::value_type, double>,
                "lodestep::odeint::ensemble_corrector: a state must be a contiguous array of double. If it is, "
                "specialise lodestep::odeint::state_access for it");
  static_assert(!detail::is_row_major<State>(),
                "lodestep::odeint::ensemble_corrector: a matrix must be column-major, one column for each member");

  /// Loads the model file. Throws IoError, InvalidModel.
  explicit ensemble_corrector(const std::string& model_file, Backend backend = Backend::automatic)
      : ensemble_corrector(load_model(model_file), backend) {}
  /// Throws InvalidModel if it is not a sound corrector.
  explicit ensemble_corrector(std::shared_ptr<const Model> model, Backend backend = Backend::automatic)
      : ensemble_corrector(std::make_shared<const Corrector>(std::move(model), backend)) {}
  /// Shares a corrector with other steppers.
  explicit ensemble_corrector(std::shared_ptr<const Corrector> shared)
      : corrector_(required(std::move(shared))),
        order_(static_cast<order_type>(classical_tableau(corrector_->description().base).order)),
        ensemble_(corrector_) {}

  /// Of the base scheme.
  order_type order() const noexcept { return order_; }
  const Model& model() const noexcept { return corrector_->model(); }
  const std::shared_ptr<const Corrector>& shared_corrector() const noexcept { return corrector_; }

  /// Steps of single members taken by this stepper and its copies: learned, fallen back, and why. A copy still alive
  /// has its steps counted once it is read or destroyed.
  StepCounters counters() const noexcept { return ensemble_.counters(); }
  void reset_counters() noexcept { ensemble_.reset_counters(); }

  /// Sets a parameter of the system that is an input of the model, for all members: see Corrector::set_parameter.
  void set_parameter(const std::string& name, double value) { ensemble_.set_parameter(name, value); }

  /// In place.
  template <class System> void do_step(System system, State& x, time_type t, time_type dt) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& unwrapped = system;
    step(unwrapped, x, t, dt);
  }
  /// Out of place; `in` and `out` may be the same object. Where Odeint can resize the state, `out` need not be sized.
  template <class System> void do_step(System system, const State& in, time_type t, State& out, time_type dt) {
    if (std::addressof(in) == std::addressof(out)) return do_step(std::move(system), out, t, dt);
    out_ = in;
    do_step(std::move(system), out_, t, dt);
    out = out_;
  }
  /// The derivative at (x, t) being known, as Odeint's steppers offer: it is not used, since a block makes its own.
  template <class System> void do_step(System system, State& x, const State& /*dxdt*/, time_type t, time_type dt) {
    do_step(std::move(system), x, t, dt);
  }
  template <class System>
  void do_step(System system, const State& in, const State& /*dxdt*/, time_type t, State& out, time_type dt) {
    do_step(std::move(system), in, t, out, dt);
  }

  /// Sizes the temporaries of a system of the whole ensemble for states such as `x`.
  void adjust_size(const State& x) {
    members(x);
    u_ = x;
    dudt_ = x;
    out_ = x;
  }

private:
  static std::shared_ptr<const Corrector> required(std::shared_ptr<const Corrector> shared) {
    if (!shared) throw InvalidModel("model", "no model given (null pointer)");
    return shared;
  }

  /// The number of members of a state, which is checked.
  std::size_t members(const State& x) const {
    const std::size_t d = corrector_->dimension();
    if constexpr (detail::is_matrix<State>::value) {
      const auto rows = static_cast<std::size_t>(x.rows());
      if (BOOST_UNLIKELY(rows != d)) detail::throw_wrong_ensemble(d, rows, true);
    }
    const std::size_t size = state_access<State>::size(x);
    if (BOOST_UNLIKELY(size % d != 0)) detail::throw_wrong_ensemble(d, size, false);
    return size / d;
  }

  template <class Rhs> void step(const batched_system<Rhs>& system, State& x, time_type t, time_type dt) {
    step_batched(system.rhs, x, t, dt);
  }
  template <class Rhs> void step(batched_system<Rhs>& system, State& x, time_type t, time_type dt) {
    step_batched(system.rhs, x, t, dt);
  }
  template <class Member, class System>
  void step(const member_system<Member, System>& system, State& x, time_type t, time_type dt) {
    step_each(detail::batched_members<Member, const System>{system.system, corrector_->dimension()}, x, t, dt);
  }
  template <class Member, class System>
  void step(member_system<Member, System>& system, State& x, time_type t, time_type dt) {
    step_each(detail::batched_members<Member, System>{system.system, corrector_->dimension()}, x, t, dt);
  }

  template <class Member, class System>
  void step_each(detail::batched_members<Member, System> rhs, State& x, time_type t, time_type dt) {
    const std::size_t d = state_access<Member>::size(rhs.x);
    if (BOOST_UNLIKELY(d != corrector_->dimension())) {
      throw InvalidArgument("odeint ensemble_corrector: each_member's state has " + std::to_string(d) +
                            " variables, the model was trained for " + std::to_string(corrector_->dimension()));
    }
    step_batched(rhs, x, t, dt);
  }

  template <class Rhs> void step_batched(Rhs& rhs, State& x, time_type t, time_type dt) {
    static_assert(std::is_void_v<decltype(rhs(t, static_cast<const double*>(nullptr), static_cast<double*>(nullptr),
                                              std::size_t{}))>,
                  "lodestep::odeint::batched: the right-hand side must return nothing; in Odeint it fails by throwing");
    ensemble_.step(rhs, t, state_access<State>::data(x), dt, members(x));
  }

  /// A system of the whole ensemble.
  template <class System> void step(System& system, State& x, time_type t, time_type dt) {
    const std::size_t n = members(x);
    const std::size_t size = state_access<State>::size(x);
    // Assigned, not resized: that needs nothing of the state but that it can be copied.
    if (state_access<State>::size(u_) != size) u_ = x;
    if (state_access<State>::size(dudt_) != size) dudt_ = x;
    const auto rhs = [&](double time, const double* u, double* dudt) {
      std::copy_n(u, size, state_access<State>::data(u_));
      system(static_cast<const State&>(u_), dudt_, time);
      std::copy_n(static_cast<const double*>(state_access<State>::data(dudt_)), size, dudt);
    };
    ensemble_.step_whole(rhs, t, state_access<State>::data(x), dt, n);
  }

  std::shared_ptr<const Corrector> corrector_;
  order_type order_;
  EnsembleCorrected ensemble_;
  State u_{};    ///< what a system of the whole ensemble is given
  State dudt_{}; ///< and what it gives back
  State out_{};
};

} // namespace lodestep::odeint
