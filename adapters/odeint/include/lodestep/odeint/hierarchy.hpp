#pragma once

#include <lodestep/error.hpp>
#include <lodestep/hierarchy_window.hpp>
#include <lodestep/model.hpp>
#include <lodestep/odeint/ensemble_corrector.hpp>
#include <lodestep/odeint/state_access.hpp>

#include <boost/numeric/odeint/stepper/stepper_categories.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace lodestep::odeint {

/// The hybrid scheme of HiTS (Liu et al. 2022, Algorithm 2) as a dense-output stepper: `do_step` takes one step of the
/// flow map, `calc_state` gives the fine states within it.
///
///     lodestep::odeint::hierarchy<std::array<double, 2>> stepper("flow.safetensors");
///     integrate_const(stepper, system, x, 0.0, 51.2, 0.01, observer);
///
/// The `State` is a contiguous array of double. A system is an ordinary one of Odeint, or `batched(rhs)`, whose calls
/// for many states at once are what makes it fast; it must be autonomous, since the segments of a window lie at
/// different times and are evaluated together, ahead of the current time.
///
/// `initialize` from another state or time drops what was solved ahead; with the stepper's own current state and time,
/// as Odeint's functions call it before a last, shorter step, its dt is the length of the next step. A first dt is only
/// looked at for its sign: backwards in time the fine scheme steps alone. Steps of the map that may not be learned are
/// taken by the fine scheme: see `counters()`, which count what was solved ahead too.
///
/// Odeint copies steppers; copies share the model and the counters. Pass `std::ref` to keep the window between calls.
/// Exceptions of the system pass through with the current state as it was.
template <class State> class hierarchy {
public:
  using state_type = State;
  using deriv_type = State;
  using value_type = double;
  using time_type = double;
  using order_type = unsigned short;
  using stepper_category = boost::numeric::odeint::dense_output_stepper_tag;

  static_assert(std::is_same_v<typename state_access<State>::value_type, double>,
                "lodestep::odeint::hierarchy: a state must be a contiguous array of double. If it is, specialise "
                "lodestep::odeint::state_access for it");

  /// Loads the model file. Throws IoError, InvalidModel.
  explicit hierarchy(const std::string& model_file) : hierarchy(load_model(model_file)) {}
  /// Throws InvalidModel if it is not a sound hierarchy.
  explicit hierarchy(std::shared_ptr<const Model> model)
      : hierarchy(std::make_shared<const Hierarchy>(std::move(model))) {}
  /// Shares flow maps with other steppers. With an executor, which must outlive the stepper, a batched system is called
  /// from several threads at once.
  explicit hierarchy(std::shared_ptr<const Hierarchy> shared, Executor* executor = nullptr)
      : window_(std::move(shared)), executor_(executor), step_(window_.segment()) {}

  const Model& model() const noexcept { return window_.hierarchy()->model(); }
  StepCounters counters() const noexcept { return window_.counters(); }
  void reset_counters() noexcept { window_.reset_counters(); }

  void initialize(const State& x, time_type t, time_type dt) {
    const std::size_t size = state_access<State>::size(x);
    if (size != window_.dimension()) {
      throw InvalidArgument("odeint hierarchy: the state has " + std::to_string(size) +
                            " numbers, the model was trained for " + std::to_string(window_.dimension()));
    }
    const double* numbers = state_access<State>::data(x);
    const bool own = initialized_ && t == window_.time() && std::equal(numbers, numbers + size, window_.state());
    if (std::addressof(x) != std::addressof(current_)) current_ = x;
    if (!initialized_) previous_ = x;
    window_.start(state_access<State>::data(current_), t);
    initialized_ = true;
    // A first dt says how fine a stepper would start, not how far this one steps.
    step_ = own || dt < 0.0 ? dt : window_.segment();
    if (dt < 0.0 && !own) step_ = -window_.segment();
  }

  /// One step of current_time_step(); returns the interval that calc_state serves.
  template <class System> std::pair<time_type, time_type> do_step(System system) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& unwrapped = system;
    if (!initialized_) throw InvalidArgument("odeint hierarchy: do_step before initialize");
    previous_ = current_;
    advance(unwrapped);
    std::copy_n(window_.state(), window_.dimension(), state_access<State>::data(current_));
    step_ = step_ < 0.0 ? -window_.segment() : window_.segment();
    return {window_.previous_time(), window_.time()};
  }

  void calc_state(time_type t, State& x) const {
    if (state_access<State>::size(x) != window_.dimension()) x = current_;
    window_.interpolate(t, state_access<State>::data(x));
  }
  template <class StateOut> void calc_state(time_type t, const StateOut& x) const {
    window_.interpolate(t, state_access<StateOut>::data(const_cast<StateOut&>(x)));
  }

  const State& current_state() const noexcept { return current_; }
  time_type current_time() const noexcept { return window_.time(); }
  const State& previous_state() const noexcept { return previous_; }
  time_type previous_time() const noexcept { return window_.previous_time(); }
  time_type current_time_step() const noexcept { return step_; }

private:
  template <class Rhs> void advance(batched_system<Rhs>& system) { advance_batched(system.rhs); }
  template <class Rhs> void advance(const batched_system<Rhs>& system) { advance_batched(system.rhs); }

  template <class Rhs> void advance_batched(Rhs& rhs) {
    auto forms = rhs_forms([&](double t, const double* u, double* dudt) { rhs(t, u, dudt, std::size_t{1}); },
                           [&](double t, const double* u, double* dudt, std::size_t n) { rhs(t, u, dudt, n); });
    window_.step(forms, step_, executor_);
  }

  /// An ordinary system, called for one state after the other, on this thread.
  template <class System> void advance(System& system) {
    if (state_access<State>::size(u_) != window_.dimension()) {
      u_ = current_;
      dudt_ = current_;
    }
    const std::size_t d = window_.dimension();
    auto forms = rhs_forms(
        [&, d](double t, const double* u, double* dudt) {
          std::copy_n(u, d, state_access<State>::data(u_));
          system(static_cast<const State&>(u_), dudt_, t);
          std::copy_n(static_cast<const double*>(state_access<State>::data(dudt_)), d, dudt);
        },
        d);
    window_.step(forms, step_, nullptr);
  }

  HierarchyWindow window_;
  Executor* executor_ = nullptr;
  double step_;
  bool initialized_ = false;
  State current_{};
  State previous_{};
  State u_{};
  State dudt_{};
};

} // namespace lodestep::odeint
