#pragma once

#include <boost/config.hpp>
#include <boost/numeric/odeint/algebra/algebra_dispatcher.hpp>
#include <boost/numeric/odeint/algebra/operations_dispatcher.hpp>

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

/// Steps of states of a few numbers, known to the compiler: std::array, boost::array, Eigen's vectors of fixed size.
/// There a step takes some tens of nanoseconds, and what is between the evaluations decides: stages are kept in local
/// numbers, and nothing is looped over.
namespace lodestep::odeint::detail {

/// The largest states and most stages (one of FSAL not counted) that are stepped so.
constexpr std::size_t fixed_size = 8;
constexpr std::size_t fixed_stages = 7;
/// Weights of them: of the stages, the step, and the error with FSAL's stage.
constexpr std::size_t fixed_weights = fixed_stages * (fixed_stages - 1) / 2 + 2 * fixed_stages + 1;

/// The number of numbers of a state, or 0 if the compiler does not know it.
template <class State, class = void> struct size_of_fixed : std::integral_constant<std::size_t, 0> {};
template <template <class, std::size_t> class Array, class T, std::size_t N>
struct size_of_fixed<Array<T, N>, std::enable_if_t<std::is_floating_point_v<T>>>
    : std::integral_constant<std::size_t, N> {};
template <class State>
struct size_of_fixed<State, std::enable_if_t<(State::SizeAtCompileTime > 0) && State::IsVectorAtCompileTime>>
    : std::integral_constant<std::size_t, static_cast<std::size_t>(State::SizeAtCompileTime)> {};

/// Whether states are small and combined in the usual way: an algebra or operations of the user's own must be asked.
template <class State, class Value, class Deriv, class Time, class Algebra, class Operations>
constexpr bool is_fixed =
    std::is_same_v<Time, Value>&& size_of_fixed<State>::value != 0 &&
    size_of_fixed<State>::value <= fixed_size&& size_of_fixed<State>::value ==
        size_of_fixed<Deriv>::value&& std::is_same_v<
            Algebra, typename boost::numeric::odeint::algebra_dispatcher<State>::algebra_type>&&
            std::is_same_v<Operations, typename boost::numeric::odeint::operations_dispatcher<State>::operations_type>;

/// The stages of one step: N numbers each. I, J and M are indices that the compiler writes out.
template <class Value, std::size_t N, std::size_t Stages> class fixed_stages_of {
public:
  using numbers = std::make_index_sequence<N>;

  template <std::size_t I, class Deriv> void keep(const Deriv& dxdt) { keep<I>(dxdt, numbers()); }

  /// x = in + sum_{j<I} weight_j k_j
  template <std::size_t I, class In, class Out>
  BOOST_FORCEINLINE void add(const In& in, const Value* weight, Out& x) const {
    add(in, weight, x, std::make_index_sequence<I>(), numbers());
  }
  /// x = sum weight_j k_j + the last weight k_last
  template <class Last, class Out> BOOST_FORCEINLINE void set(const Value* weight, const Last& k_last, Out& x) const {
    set(weight, k_last, x, std::make_index_sequence<Stages>(), numbers());
  }

private:
  template <std::size_t I, class Deriv, std::size_t... M>
  BOOST_FORCEINLINE void keep(const Deriv& dxdt, std::index_sequence<M...>) {
    ((k_[I][M] = dxdt[M]), ...);
  }

  template <std::size_t M, std::size_t... J>
  BOOST_FORCEINLINE Value sum(Value first, const Value* weight, std::index_sequence<J...>) const {
    return (first + ... + (weight[J] * k_[J][M]));
  }

  template <class In, class Out, class Stage, std::size_t... M>
  BOOST_FORCEINLINE void add(const In& in, const Value* weight, Out& x, Stage stages, std::index_sequence<M...>) const {
    // `x` may be `in`.
    const std::array<Value, N> sums{sum<M>(Value(in[M]), weight, stages)...};
    ((x[M] = sums[M]), ...);
  }

  template <class Last, class Out, class Stage, std::size_t... M>
  BOOST_FORCEINLINE void set(const Value* weight, const Last& k_last, Out& x, Stage stages,
                             std::index_sequence<M...>) const {
    ((x[M] = sum<M>(weight[Stages] * k_last[M], weight, stages)), ...);
  }

  std::array<std::array<Value, N>, Stages> k_;
};

template <class Call, std::size_t... I>
BOOST_FORCEINLINE void for_indices(const Call& call, std::index_sequence<I...>) {
  (call(std::integral_constant<std::size_t, I>()), ...);
}

/// One step of `Stages` stages. `tableau` is a packed_tableau, `finish` as in tableau_steps::step. Not inlined: in the
/// middle of a caller's loop, with its registers, compilers do worse than at a call.
template <std::size_t Stages, class Value, class State, class Time, class System, class Deriv, class Tableau,
          class Finish>
BOOST_NOINLINE void fixed_step(System& system, const State& in, const Deriv& dxdt, Time t, State& out, Time dt,
                               const Tableau& tableau, const Finish& finish) {
  fixed_stages_of<Value, size_of_fixed<State>::value, Stages> k;
  const Value* const weights = tableau.scaled.data();
  const Value* const b = weights + Stages * (Stages - 1) / 2;
  k.template keep<0>(dxdt);
  const auto stage = [&](auto index) {
    constexpr std::size_t I = decltype(index)::value + 1;
    State x;
    Deriv at;
    k.template add<I>(in, weights + I * (I - 1) / 2, x);
    system(x, at, t + dt * tableau.c[I]);
    k.template keep<I>(at);
  };
  for_indices(stage, std::make_index_sequence<Stages - 1>());
  k.template add<Stages>(in, b, out);
  finish([&](const auto& /*k_first: kept*/, const auto& k_last, auto& xerr) { k.set(b + Stages, k_last, xerr); });
}

} // namespace lodestep::odeint::detail
