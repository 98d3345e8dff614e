#pragma once

#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/odeint/stage_sum.hpp>
#include <lodestep/tableau.hpp>

#include <boost/numeric/odeint/algebra/algebra_dispatcher.hpp>
#include <boost/numeric/odeint/algebra/operations_dispatcher.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_error_stepper_base.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_error_stepper_fsal_base.hpp>
#include <boost/numeric/odeint/stepper/base/explicit_stepper_base.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/dense_output_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/generation_controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation/make_controlled.hpp>
#include <boost/numeric/odeint/stepper/generation/make_dense_output.hpp>
#include <boost/numeric/odeint/util/copy.hpp>
#include <boost/numeric/odeint/util/is_resizeable.hpp>
#include <boost/numeric/odeint/util/resizer.hpp>
#include <boost/numeric/odeint/util/same_instance.hpp>
#include <boost/numeric/odeint/util/state_wrapper.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Odeint steppers of a tableau that is known at run time: one of lodestep's classical tableaux, one read from a file,
/// or one learned for a family of problems (with its range of validity, and the classical tableau outside it).
///
/// | stepper                   | Odeint concept                                            | tableau                 |
/// |---------------------------|-----------------------------------------------------------|-------------------------|
/// | tableau_stepper           | Stepper                                                   | any, 1 to 13 stages     |
/// | tableau_error_stepper     | Error Stepper, make_controlled                            | with an embedded row    |
/// | tableau_fsal_stepper      | FSAL Error Stepper, make_controlled, make_dense_output    | with an embedded row    |
///
/// tableau_fsal_stepper takes tableaux that are not FSAL too: f(t + dt, u') becomes their last stage, which costs
/// nothing when the next step reuses it. Dense output is cubic Hermite interpolation, of order 3.
///
/// Stage sums are fused: each is one pass that reads every stage of non-zero weight once, through Odeint's own algebras
/// and operations, so that every state type Odeint knows works. As always in Odeint, systems that hold data should be
/// passed by std::ref.
namespace lodestep::odeint {

namespace detail {

namespace bno = boost::numeric::odeint;

/// What a stepper does with the last stage of a step.
enum class last_stage {
  unused, ///< no error estimate: a stage of weight zero, such as an FSAL one, is not evaluated
  own,    ///< every stage is evaluated within the step
  next    ///< FSAL: f(t + dt, u') is handed to the next step
};

/// Up to this many stages a step is unrolled for states of fixed size.
constexpr std::size_t unrolled_stages = 7;

/// A tableau in the order a step reads it.
template <class Value> struct packed_tableau {
  std::size_t stages = 0;                             ///< evaluated before the sum of the step
  std::array<Value, max_stages> c{};                  ///< [stages]
  std::array<stage_weights<Value>, max_stages> row{}; ///< [stages]: what stage i is evaluated at
  stage_weights<Value> b;                             ///< the step
  stage_weights<Value> error;                         ///< b - b_embedded
  Value last_error{};                                 ///< b - b_embedded of the FSAL stage
  /// The rows and b once more, zeros included, for states so small that choosing among loops costs more than a product
  /// with zero: row i holds i numbers, b follows the last row. Empty beyond `unrolled_stages`.
  std::array<Value, unrolled_stages*(unrolled_stages + 1) / 2> dense{};
  std::array<Value, unrolled_stages> dense_error{};

  void pack(const ButcherTableau& tableau, const double* a, const double* weights, last_stage last) {
    *this = packed_tableau();
    const std::size_t s = tableau.stages();
    stages = tableau.fsal && last != last_stage::own ? s - 1 : s;
    const bool unrolled = stages <= unrolled_stages;
    std::size_t next = 0;
    for (std::size_t i = 0; i < stages; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < i; ++j) {
        if (unrolled) dense[next++] = static_cast<Value>(a[i * s + j]);
        row[i].append(j, static_cast<Value>(a[i * s + j]));
        sum += a[i * s + j];
      }
      // Row sums of classical coefficients are rounded, their c is not.
      c[i] = static_cast<Value>(a == tableau.a.data() ? tableau.c[i] : sum);
      b.append(i, static_cast<Value>(weights[i]));
    }
    for (std::size_t i = 0; i < stages && unrolled; ++i) dense[next++] = static_cast<Value>(weights[i]);
    for (std::size_t i = 0; i < s && last != last_stage::unused; ++i) {
      const Value difference = static_cast<Value>(weights[i] - tableau.b_embedded[i]);
      if (i < stages) {
        if (unrolled) dense_error[i] = difference;
        error.append(i, difference);
      } else {
        last_error = difference;
      }
    }
  }
};

template <class State, class = void> struct is_range_of_numbers : std::false_type {};
template <class State>
struct is_range_of_numbers<State, std::void_t<decltype(std::begin(std::declval<const State&>())),
                                              decltype(std::end(std::declval<const State&>()))>>
    : std::is_convertible<decltype(*std::begin(std::declval<const State&>())), double> {};

/// Which coefficients a step is taken with. Packed anew only when the choice changes.
template <class Value> class tableau_source {
public:
  tableau_source(const ButcherTableau& tableau, last_stage last)
      : last_(last), order_(tableau.order), error_order_(tableau.embedded_order) {
    tableau.validate();
    check(tableau);
    packed_.pack(tableau, tableau.a.data(), tableau.b.data(), last_);
    stages_ = packed_.stages;
  }
  tableau_source(std::shared_ptr<const LearnedTableau> learned, last_stage last)
      : learned_(std::move(learned)), last_(last) {
    if (!learned_) throw InvalidModel("model", "no learned tableau given (null pointer)");
    const ButcherTableau& tableau = learned_->method().tableau;
    check(tableau);
    check(learned_->classical());
    stages_ = std::max(tableau.stages(), learned_->classical().stages());
    // What step-size control has to know is how the error scales on the family, not on any problem.
    order_ = learned_->method().family_order;
    error_order_ = order_ > 1 ? order_ - 1 : 1;
    a_.resize(tableau.a.size());
    b_.resize(tableau.b.size());
  }

  /// Most stages a step may have.
  std::size_t stages() const noexcept { return stages_; }
  unsigned order() const noexcept { return order_; }
  /// Odeint shrinks a rejected step by error^(-1 / (error_order - 1)): below 2 it would grow.
  unsigned error_order() const noexcept { return error_order_ < 2 ? 2 : error_order_; }
  const std::shared_ptr<const LearnedTableau>& learned() const noexcept { return learned_; }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  template <class State, class Time> const packed_tableau<Value>& select(const State& x, Time dt) {
    if (learned_) choose(x, static_cast<double>(dt));
    return packed_;
  }

private:
  enum class packed_from { nothing, learned, classical };

  void check(const ButcherTableau& tableau) const {
    if (last_ != last_stage::unused && tableau.b_embedded.empty()) {
      throw InvalidModel("tableau.b_embedded", "tableau '" + tableau.name +
                                                   "' has no embedded row, so it gives no error estimate: use "
                                                   "tableau_stepper, or a tableau with one");
    }
    if (tableau.stages() - (tableau.fsal && last_ != last_stage::own ? 1 : 0) > max_stages) {
      throw InvalidModel("tableau.b", "at most " + std::to_string(max_stages) + " stages can be stepped, tableau '" +
                                          tableau.name + "' has " + std::to_string(tableau.stages()));
    }
  }

  template <class State> void choose(const State& x, double dt) {
    Verdict verdict = learned_->admits(dt);
    if (verdict == Verdict::learned && !inside(x)) verdict = Verdict::domain;
    counters_.count(verdict);
    if (verdict != Verdict::learned) {
      if (from_ == packed_from::classical) return;
      const ButcherTableau& t = learned_->classical();
      packed_.pack(t, t.a.data(), t.b.data(), last_);
      from_ = packed_from::classical;
    } else {
      if (from_ == packed_from::learned && (!learned_->depends_on_dt() || dt == packed_dt_)) return;
      const ButcherTableau& t = learned_->method().tableau;
      learned_->coefficients(dt, a_.data(), b_.data());
      packed_.pack(t, a_.data(), b_.data(), last_);
      from_ = packed_from::learned;
      packed_dt_ = dt;
    }
  }

  /// A state of d numbers is checked against the box of states; one of another size or kind (an ensemble, a vector of
  /// a linear algebra library) is the caller's to judge, as only the caller knows how it is laid out.
  template <class State> bool inside(const State& x) const {
    if constexpr (is_range_of_numbers<State>::value) {
      const std::size_t dimension = learned_->method().state.size();
      if (static_cast<std::size_t>(std::distance(std::begin(x), std::end(x))) != dimension) return true;
      std::array<double, 8> u;
      auto next = std::begin(x);
      if (dimension <= u.size()) {
        for (std::size_t i = 0; i < dimension; ++i, ++next) u[i] = static_cast<double>(*next);
        return learned_->admits_state(u.data()) == Verdict::learned;
      }
      for (const Interval& interval : learned_->method().state) {
        const double value = static_cast<double>(*next++);
        if (!(value >= interval.lower && value <= interval.upper)) return false;
      }
    }
    return true;
  }

  std::shared_ptr<const LearnedTableau> learned_;
  last_stage last_;
  packed_tableau<Value> packed_;
  packed_from from_ = packed_from::nothing;
  double packed_dt_ = 0.0;
  std::size_t stages_ = 0;
  unsigned order_ = 1;
  unsigned error_order_ = 0;
  std::vector<double> a_, b_;
  SharedCounters counters_;
};

/// The step itself, shared by the three steppers below.
template <class State, class Value, class Deriv, class Time, class Algebra, class Operations, class Resizer>
class tableau_steps {
  using sum = stage_sum<Value, Time, Algebra, Operations>;

public:
  explicit tableau_steps(tableau_source<Value> source) : source_(std::move(source)), k_(source_.stages()) {}

  tableau_source<Value>& source() noexcept { return source_; }
  const tableau_source<Value>& source() const noexcept { return source_; }

  /// out = in + dt sum b_i k_i. `out` may be `in`. Then calls finish(error), where error(dxdt, dxdt_out, xerr) gives
  /// xerr = dt sum (b_i - b*_i) k_i with the FSAL stage dxdt_out; where the tableau has none, that has weight zero.
  template <class System, class StateIn, class DerivIn, class StateOut, class Finish>
  void step(Algebra& algebra, System& system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt,
            const Finish& finish) {
    const packed_tableau<Value>& tableau = source_.select(in, dt);
    if constexpr (!bno::is_resizeable<State>::value) {
      if (tableau.stages <= unrolled_stages) {
        return choose(
            [&](auto stages) {
              step_unrolled<decltype(stages)::value>(algebra, system, in, dxdt, t, out, dt, tableau, finish);
            },
            tableau.stages);
      }
    }
    resizer_.adjust_size(in, [this](const auto& x) { return resize(x); });
    auto* k = k_.data();
    for (std::size_t i = 1; i < tableau.stages; ++i) {
      sum::add(algebra, x_tmp_.m_v, in, tableau.row[i], dt, dxdt, k);
      system(x_tmp_.m_v, k[i - 1].m_v, t + dt * tableau.c[i]);
    }
    sum::add(algebra, out, in, tableau.b, dt, dxdt, k);
    finish([&](const auto& k_first, const auto& k_last, auto& xerr) {
      sum::set(algebra, xerr, tableau.error, dt, k_first, k, tableau.last_error, k_last);
    });
  }

  template <class StateIn> bool resize(const StateIn& x) {
    bool resized = bno::adjust_size_by_resizeability(x_tmp_, x, typename bno::is_resizeable<State>::type());
    for (auto& k : k_) {
      resized |= bno::adjust_size_by_resizeability(k, x, typename bno::is_resizeable<Deriv>::type());
    }
    return resized;
  }

private:
  template <std::size_t N> using constant = std::integral_constant<std::size_t, N>;

  template <class Call> static void choose(const Call& call, std::size_t stages) {
    switch (stages) {
    case 1:
      return call(constant<1>());
    case 2:
      return call(constant<2>());
    case 3:
      return call(constant<3>());
    case 4:
      return call(constant<4>());
    case 5:
      return call(constant<5>());
    case 6:
      return call(constant<6>());
    default:
      return call(constant<unrolled_stages>());
    }
  }

  /// The number of stages is a constant here, so that loops over them are unrolled. Small states still take longer than
  /// with Odeint's own steppers, whose coefficients are constants too.
  template <std::size_t Stages, class System, class StateIn, class DerivIn, class StateOut, class Finish>
  void step_unrolled(Algebra& algebra, System& system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out,
                     Time dt, const packed_tableau<Value>& tableau, const Finish& finish) {
    auto* k = fixed_k_.data();
    stage<Stages, 1>(algebra, system, in, dxdt, t, dt, tableau, k);
    const Value* b = tableau.dense.data() + Stages * (Stages - 1) / 2;
    sum::template add_dense<Stages>(algebra, out, in, b, dt, dxdt, k);
    finish([&](const auto& k_first, const auto& k_last, auto& xerr) {
      sum::template set_dense<Stages>(algebra, xerr, tableau.dense_error.data(), dt, k_first, k, tableau.last_error,
                                      k_last);
    });
  }

  template <std::size_t Stages, std::size_t I, class System, class StateIn, class DerivIn>
  void stage(Algebra& algebra, System& system, const StateIn& in, const DerivIn& dxdt, Time t, Time dt,
             const packed_tableau<Value>& tableau, bno::state_wrapper<Deriv>* k) {
    if constexpr (I < Stages) {
      auto& x_tmp = x_tmp_;
      sum::template add_dense<I>(algebra, x_tmp.m_v, in, tableau.dense.data() + I * (I - 1) / 2, dt, dxdt, k);
      system(x_tmp.m_v, k[I - 1].m_v, t + dt * tableau.c[I]);
      stage<Stages, I + 1>(algebra, system, in, dxdt, t, dt, tableau, k);
    }
  }

  tableau_source<Value> source_;
  Resizer resizer_;
  bno::state_wrapper<State> x_tmp_;
  std::array<bno::state_wrapper<Deriv>, bno::is_resizeable<State>::value ? 0 : unrolled_stages> fixed_k_;
  std::vector<bno::state_wrapper<Deriv>> k_; ///< k_2, k_3, ...
};

} // namespace detail

/// An explicit Runge-Kutta step with the coefficients of any tableau of 1 to 13 stages. Models Odeint's Stepper
/// concept. Copies share the learned model and the counters.
///
///     tableau_stepper<state_type> stepper(lodestep::classical_tableau("rk4"));
///     tableau_stepper<state_type>
///     stepper(std::make_shared<lodestep::LearnedTableau>(lodestep::load_model("my.tableau")));
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_stepper
    // Odeint's bases know the order as a constant, here it is the tableau's: order() below hides theirs.
    : public boost::numeric::odeint::explicit_stepper_base<
          tableau_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, State, Value, Deriv, Time,
          Algebra, Operations, Resizer> {
public:
  using stepper_base_type = typename tableau_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound or has more than 13 stages.
  explicit tableau_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({tableau, detail::last_stage::unused}) {}
  /// Steps outside the model's range of validity are taken with its classical tableau, and counted.
  explicit tableau_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({std::move(learned), detail::last_stage::unused}) {}

  order_type order() const { return static_cast<order_type>(steps_.source().order()); }
  /// Steps learned and fallen back, over this stepper and its copies; zero for a fixed tableau.
  StepCounters counters() const noexcept { return steps_.source().counters(); }
  void reset_counters() noexcept { steps_.source().reset_counters(); }

  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    steps_.step(this->m_algebra, sys, in, dxdt, t, out, dt, [](const auto&) {});
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps_.resize(x);
    stepper_base_type::adjust_size(x);
  }

private:
  detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> steps_;
};

/// The same with the error estimate of the embedded row, dt sum (b_i - b*_i) k_i. Models Odeint's Error Stepper
/// concept; make_controlled gives it step-size control. Every stage is evaluated within the step.
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_error_stepper : public boost::numeric::odeint::explicit_error_stepper_base<
                                  tableau_error_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, 1,
                                  2, State, Value, Deriv, Time, Algebra, Operations, Resizer> {
public:
  using stepper_base_type = typename tableau_error_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound, has more than 13 stages or no embedded row.
  explicit tableau_error_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({tableau, detail::last_stage::own}) {}
  explicit tableau_error_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({std::move(learned), detail::last_stage::own}) {}

  order_type order() const { return static_cast<order_type>(steps_.source().order()); }
  order_type stepper_order() const { return order(); }
  order_type error_order() const { return static_cast<order_type>(steps_.source().error_order()); }
  StepCounters counters() const noexcept { return steps_.source().counters(); }
  void reset_counters() noexcept { steps_.source().reset_counters(); }

  template <class System, class StateIn, class DerivIn, class StateOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    steps_.step(this->m_algebra, sys, in, dxdt, t, out, dt, [](const auto&) {});
  }

  template <class System, class StateIn, class DerivIn, class StateOut, class Err>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt, Time t, StateOut& out, Time dt, Err& xerr) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    steps_.step(this->m_algebra, sys, in, dxdt, t, out, dt, [&](const auto& error) { error(dxdt, dxdt, xerr); });
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps_.resize(x);
    stepper_base_type::adjust_size(x);
  }

private:
  detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> steps_;
};

/// The same for a host that hands the derivative at the end of one step to the next. Models Odeint's FSAL Error Stepper
/// concept; make_controlled and make_dense_output work. A tableau that is not FSAL gains f(t + dt, u') as a last stage.
template <class State, class Value = double, class Deriv = State, class Time = Value,
          class Algebra = typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type,
          class Operations = typename boost::numeric::odeint::operations_dispatcher<State>::operations_type,
          class Resizer = boost::numeric::odeint::initially_resizer>
class tableau_fsal_stepper : public boost::numeric::odeint::explicit_error_stepper_fsal_base<
                                 tableau_fsal_stepper<State, Value, Deriv, Time, Algebra, Operations, Resizer>, 1, 1, 2,
                                 State, Value, Deriv, Time, Algebra, Operations, Resizer> {
public:
  using stepper_base_type = typename tableau_fsal_stepper::internal_stepper_base_type;
  using order_type = typename stepper_base_type::order_type;

  /// Throws InvalidModel if the tableau is not sound, has more than 13 stages beside an FSAL one, or no embedded row.
  explicit tableau_fsal_stepper(const ButcherTableau& tableau, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({tableau, detail::last_stage::next}) {}
  explicit tableau_fsal_stepper(std::shared_ptr<const LearnedTableau> learned, const Algebra& algebra = Algebra())
      : stepper_base_type(algebra), steps_({std::move(learned), detail::last_stage::next}) {}

  order_type order() const { return static_cast<order_type>(steps_.source().order()); }
  order_type stepper_order() const { return order(); }
  order_type error_order() const { return static_cast<order_type>(steps_.source().error_order()); }
  StepCounters counters() const noexcept { return steps_.source().counters(); }
  void reset_counters() noexcept { steps_.source().reset_counters(); }

  template <class System, class StateIn, class DerivIn, class StateOut, class DerivOut>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt_in, Time t, StateOut& out, DerivOut& dxdt_out,
                    Time dt) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    steps_.step(this->m_algebra, sys, in, dxdt_in, t, out, dt, [](const auto&) {});
    sys(out, dxdt_out, t + dt);
  }

  template <class System, class StateIn, class DerivIn, class StateOut, class DerivOut, class Err>
  void do_step_impl(System system, const StateIn& in, const DerivIn& dxdt_in, Time t, StateOut& out, DerivOut& dxdt_out,
                    Time dt, Err& xerr) {
    typename boost::numeric::odeint::unwrap_reference<System>::type& sys = system;
    if (boost::numeric::odeint::same_instance(dxdt_in, dxdt_out)) {
      // The new derivative overwrites the first stage, which the estimate still needs.
      dxdt_resizer_.adjust_size(in, [this](const auto& x) { return resize_dxdt(x); });
      boost::numeric::odeint::copy(dxdt_in, dxdt_.m_v);
      steps_.step(this->m_algebra, sys, in, dxdt_in, t, out, dt, [&](const auto& error) {
        sys(out, dxdt_out, t + dt);
        error(dxdt_.m_v, dxdt_out, xerr);
      });
    } else {
      steps_.step(this->m_algebra, sys, in, dxdt_in, t, out, dt, [&](const auto& error) {
        sys(out, dxdt_out, t + dt);
        error(dxdt_in, dxdt_out, xerr);
      });
    }
  }

  /// Cubic Hermite interpolation over the last step, for dense output.
  template <class StateOut, class StateIn1, class DerivIn1, class StateIn2, class DerivIn2>
  void calc_state(Time t, StateOut& x, const StateIn1& x_old, const DerivIn1& deriv_old, Time t_old,
                  const StateIn2& x_new, const DerivIn2& deriv_new, Time t_new) const {
    const Time dt = t_new - t_old;
    const Value s = static_cast<Value>((t - t_old) / dt);
    const Value r = Value(1) - s;
    const Value end = s * s * (Value(3) - Value(2) * s);
    this->m_algebra.for_each5(x, x_old, x_new, deriv_old, deriv_new,
                              typename Operations::template scale_sum4<Value, Value, Time, Time>(
                                  Value(1) - end, end, dt * (s * r * r), -dt * (s * s * r)));
  }

  template <class StateIn> void adjust_size(const StateIn& x) {
    steps_.resize(x);
    resize_dxdt(x);
    stepper_base_type::adjust_size(x);
  }
  /// The name Odeint's dense-output stepper calls it by.
  template <class StateIn> void resize(const StateIn& x) { adjust_size(x); }

private:
  template <class StateIn> bool resize_dxdt(const StateIn& x) {
    return boost::numeric::odeint::adjust_size_by_resizeability(
        dxdt_, x, typename boost::numeric::odeint::is_resizeable<Deriv>::type());
  }

  detail::tableau_steps<State, Value, Deriv, Time, Algebra, Operations, Resizer> steps_;
  Resizer dxdt_resizer_;
  boost::numeric::odeint::state_wrapper<Deriv> dxdt_;
};

} // namespace lodestep::odeint

namespace boost::numeric::odeint {

template <class... T> struct get_controller<lodestep::odeint::tableau_error_stepper<T...>> {
  using type = controlled_runge_kutta<lodestep::odeint::tableau_error_stepper<T...>>;
};
template <class... T> struct get_controller<lodestep::odeint::tableau_fsal_stepper<T...>> {
  using type = controlled_runge_kutta<lodestep::odeint::tableau_fsal_stepper<T...>>;
};
template <class... T> struct get_dense_output<lodestep::odeint::tableau_fsal_stepper<T...>> {
  using type = dense_output_runge_kutta<controlled_runge_kutta<lodestep::odeint::tableau_fsal_stepper<T...>>>;
};

} // namespace boost::numeric::odeint
