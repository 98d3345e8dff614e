#pragma once

#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/odeint/fixed_step.hpp>
#include <lodestep/odeint/stage_sum.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// The coefficients a tableau stepper takes its next step with.
namespace lodestep::odeint::detail {

/// What a stepper does with the last stage of a step.
enum class last_stage {
  unused, ///< no error estimate: a stage of weight zero, such as an FSAL one, is not evaluated
  own,    ///< every stage is evaluated within the step
  next    ///< FSAL: f(t + dt, u') is handed to the next step
};

/// A tableau in the order a step reads it.
template <class Value> struct packed_tableau {
  std::size_t stages = 0;                             ///< evaluated before the sum of the step
  std::array<Value, max_stages> c{};                  ///< [stages]
  std::array<stage_weights<Value>, max_stages> row{}; ///< [stages]: what stage i is evaluated at
  stage_weights<Value> b;                             ///< the step
  stage_weights<Value> error;                         ///< b - b_embedded
  Value last_error{};                                 ///< b - b_embedded of the FSAL stage
  /// For small states: the rows (row i holds i numbers), behind them b, behind that the error and `last_error`, zeros
  /// included. Empty beyond `fixed_stages`. The same times dt, for the dt they were last asked for.
  std::array<Value, fixed_weights> dense{};
  std::array<Value, fixed_weights> scaled{};
  Value scaled_dt = std::numeric_limits<Value>::quiet_NaN(); ///< of nothing

  void scale(Value dt) {
    if (dt == scaled_dt) return;
    for (std::size_t i = 0; i < fixed_weights; ++i) scaled[i] = dt * dense[i];
    scaled_dt = dt;
  }

  void pack(const ButcherTableau& tableau, const double* a, const double* weights, last_stage last) {
    // Learned coefficients may be packed for every step: only what a step reads is written.
    scaled_dt = std::numeric_limits<Value>::quiet_NaN();
    last_error = Value();
    b = error = stage_weights<Value>();
    const std::size_t s = tableau.stages();
    stages = tableau.fsal && last != last_stage::own ? s - 1 : s;
    const bool small = stages <= fixed_stages;
    std::size_t next = 0;
    for (std::size_t i = 0; i < stages; ++i) {
      row[i].count = 0;
      double sum = 0.0;
      for (std::size_t j = 0; j < i; ++j) {
        if (small) dense[next++] = static_cast<Value>(a[i * s + j]);
        row[i].append(j, static_cast<Value>(a[i * s + j]));
        sum += a[i * s + j];
      }
      // Row sums of classical coefficients are rounded, their c is not.
      c[i] = static_cast<Value>(a == tableau.a.data() ? tableau.c[i] : sum);
      b.append(i, static_cast<Value>(weights[i]));
    }
    for (std::size_t i = 0; i < stages && small; ++i) dense[next++] = static_cast<Value>(weights[i]);
    for (std::size_t i = 0; i < s && last != last_stage::unused; ++i) {
      // The embedded row moves with b.
      const Value difference = static_cast<Value>(tableau.b[i] - tableau.b_embedded[i]);
      if (i < stages) {
        if (small) dense[next++] = difference;
        error.append(i, difference);
      } else {
        last_error = difference;
      }
    }
    if (small) dense[next] = last_error;
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
  /// Odeint shrinks a rejected step by error^(-1 / (error_order - 1)), where the estimate goes as dt^(error_order + 1):
  /// the lower the order, the more it overdoes, and below 2 the step would grow. From 3 on it is told the embedded
  /// order, as by its own steppers; below, what gives the right root.
  unsigned error_order() const noexcept { return error_order_ < 3 ? error_order_ + 2 : error_order_; }
  const std::shared_ptr<const LearnedTableau>& learned() const noexcept { return learned_; }
  StepCounters counters() const noexcept { return counters_.read(); }
  void reset_counters() noexcept { counters_.reset(); }

  template <class State, class Time> packed_tableau<Value>& select(const State& x, Time dt) {
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
    Verdict verdict = last_ == last_stage::unused ? learned_->admits(dt) : learned_->admits_controlled(dt);
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

} // namespace lodestep::odeint::detail
