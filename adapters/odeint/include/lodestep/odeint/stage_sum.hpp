#pragma once

#include <array>
#include <cstddef>
#include <utility>

/// Linear combinations of stages in Odeint's own terms: any algebra, any operations, a number of terms known at run
/// time. Each combination is one pass, `for_each{N}` with `scale_sum{N}`, so that every stage is read once.
namespace lodestep::odeint::detail {

/// Most stages of a tableau, as many as Odeint's algebras have loops for (Fehlberg 7(8) has 13).
constexpr std::size_t max_stages = 13;

/// Weights of one combination of stages. The first stage always takes part, as it may be of a type of its own (the
/// caller's derivative); of the others only those of non-zero weight.
template <class Value> struct stage_weights {
  Value first{};
  std::array<Value, max_stages> weight{};
  std::array<unsigned char, max_stages> stage{}; ///< indices, from 1
  std::size_t count = 0;                         ///< of the others

  void append(std::size_t index, Value value) {
    if (index == 0) {
      first = value;
    } else if (value != Value(0)) {
      stage[count] = static_cast<unsigned char>(index);
      weight[count++] = value;
    }
  }
};

// One specialisation for each number of terms: Odeint's loops and operations carry it in their names.
template <std::size_t N> struct stage_loop;

#define LODESTEP_STAGE_LOOP(N, PLUS1, PLUS2)                                                                           \
  template <> struct stage_loop<N> {                                                                                   \
    template <class Operations, class Value, class... Factor>                                                          \
    using sum_with_base = typename Operations::template scale_sum##PLUS1<Value, Factor...>;                            \
    template <class Operations, class... Factor> using sum = typename Operations::template scale_sum##N<Factor...>;    \
    template <class Algebra, class Out, class In, class Op, class... Stage>                                            \
    static void with_base(Algebra& algebra, Out& out, const In& in, Op op, const Stage&... k) {                        \
      algebra.for_each##PLUS2(out, in, k..., op);                                                                      \
    }                                                                                                                  \
    template <class Algebra, class Out, class Op, class... Stage>                                                      \
    static void without_base(Algebra& algebra, Out& out, Op op, const Stage&... k) {                                   \
      algebra.for_each##PLUS1(out, k..., op);                                                                          \
    }                                                                                                                  \
  };
LODESTEP_STAGE_LOOP(1, 2, 3)
LODESTEP_STAGE_LOOP(2, 3, 4)
LODESTEP_STAGE_LOOP(3, 4, 5)
LODESTEP_STAGE_LOOP(4, 5, 6)
LODESTEP_STAGE_LOOP(5, 6, 7)
LODESTEP_STAGE_LOOP(6, 7, 8)
LODESTEP_STAGE_LOOP(7, 8, 9)
LODESTEP_STAGE_LOOP(8, 9, 10)
LODESTEP_STAGE_LOOP(9, 10, 11)
LODESTEP_STAGE_LOOP(10, 11, 12)
LODESTEP_STAGE_LOOP(11, 12, 13)
LODESTEP_STAGE_LOOP(12, 13, 14)
LODESTEP_STAGE_LOOP(13, 14, 15)
template <> struct stage_loop<14> { // only ever without a base
  template <class Operations, class... Factor> using sum = typename Operations::template scale_sum14<Factor...>;
  template <class Algebra, class Out, class Op, class... Stage>
  static void without_base(Algebra& algebra, Out& out, Op op, const Stage&... k) {
    algebra.for_each15(out, k..., op);
  }
};
#undef LODESTEP_STAGE_LOOP

template <class Time, std::size_t> using repeat = Time;

/// k[0], k[1], ... are the stages 2, 3, ..., each with its state in `m_v`.
template <class Value, class Time, class Algebra, class Operations> class stage_sum {
public:
  /// out = in + dt (first k1 + sum_j weight_j k_j). `out` may be `in`.
  template <class Out, class In, class First, class Stage>
  static void add(Algebra& algebra, Out& out, const In& in, const stage_weights<Value>& w, Time dt, const First& k1,
                  const Stage* k) {
    dispatch(w.count, [&](auto indices) { add_n(algebra, out, in, w, dt, k1, k, indices); });
  }

  /// out = dt (first k1 + sum_j weight_j k_j + last k_last).
  template <class Out, class First, class Stage, class Last>
  static void set(Algebra& algebra, Out& out, const stage_weights<Value>& w, Time dt, const First& k1, const Stage* k,
                  Value last, const Last& k_last) {
    dispatch(w.count, [&](auto indices) { set_n(algebra, out, w, dt, k1, k, last, k_last, indices); });
  }

private:
  template <class Call> static void dispatch(std::size_t count, Call&& call) {
    switch (count) {
    case 0:
      return call(std::make_index_sequence<0>());
    case 1:
      return call(std::make_index_sequence<1>());
    case 2:
      return call(std::make_index_sequence<2>());
    case 3:
      return call(std::make_index_sequence<3>());
    case 4:
      return call(std::make_index_sequence<4>());
    case 5:
      return call(std::make_index_sequence<5>());
    case 6:
      return call(std::make_index_sequence<6>());
    case 7:
      return call(std::make_index_sequence<7>());
    case 8:
      return call(std::make_index_sequence<8>());
    case 9:
      return call(std::make_index_sequence<9>());
    case 10:
      return call(std::make_index_sequence<10>());
    case 11:
      return call(std::make_index_sequence<11>());
    default:
      return call(std::make_index_sequence<max_stages - 1>());
    }
  }

  template <class Out, class In, class First, class Stage, std::size_t... J>
  static void add_n(Algebra& algebra, Out& out, const In& in, const stage_weights<Value>& w, Time dt, const First& k1,
                    [[maybe_unused]] const Stage* k, std::index_sequence<J...>) {
    using loop = stage_loop<1 + sizeof...(J)>;
    using sum = typename loop::template sum_with_base<Operations, Value, Time, repeat<Time, J>...>;
    loop::with_base(algebra, out, in, sum(Value(1), dt * w.first, (dt * w.weight[J])...), k1, k[w.stage[J] - 1].m_v...);
  }

  template <class Out, class First, class Stage, class Last, std::size_t... J>
  static void set_n(Algebra& algebra, Out& out, const stage_weights<Value>& w, Time dt, const First& k1,
                    [[maybe_unused]] const Stage* k, Value last, const Last& k_last, std::index_sequence<J...>) {
    using loop = stage_loop<2 + sizeof...(J)>;
    using sum = typename loop::template sum<Operations, Time, repeat<Time, J>..., Time>;
    loop::without_base(algebra, out, sum(dt * w.first, (dt * w.weight[J])..., dt * last), k1, k[w.stage[J] - 1].m_v...,
                       k_last);
  }
};

} // namespace lodestep::odeint::detail
