#pragma once

#include <boost/range/begin.hpp>
#include <boost/range/end.hpp>
#include <boost/range/has_range_iterator.hpp>
#include <boost/range/iterator.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

/// How a state's numbers are reached. A model sees a state as one contiguous array.
namespace lodestep::odeint {

namespace detail {

template <class... Ts> struct contiguous_iterators {
  template <class Iterator> static constexpr bool contains = (std::is_same_v<Iterator, Ts> || ...);
};

// C++17 cannot ask an iterator whether it is contiguous: pointers are, and so are those of std::vector.
template <class Iterator, class = void> struct is_contiguous_iterator : std::is_pointer<Iterator> {};
template <class Iterator>
struct is_contiguous_iterator<
    Iterator, std::enable_if_t<!std::is_pointer_v<Iterator> && std::is_arithmetic_v<typename Iterator::value_type>>>
    : std::bool_constant<contiguous_iterators<
          typename std::vector<typename Iterator::value_type>::iterator,
          typename std::vector<typename Iterator::value_type>::const_iterator>::template contains<Iterator>> {};

template <class State> using data_of = decltype(std::declval<State&>().data());
template <class State> using size_of = decltype(std::declval<const State&>().size());

template <class State, class = void> struct has_data : std::false_type {};
template <class State>
struct has_data<State, std::void_t<data_of<State>, size_of<State>>> : std::is_pointer<data_of<State>> {};

// uBLAS keeps its numbers in an array object, which data() returns.
template <class State> using storage_begin_of = decltype(std::declval<State&>().data().begin());
template <class State, class = void> struct has_storage : std::false_type {};
template <class State>
struct has_storage<State, std::void_t<storage_begin_of<State>, size_of<State>>>
    : is_contiguous_iterator<storage_begin_of<State>> {};

// Eigen's blocks and maps have data() too, and yet gaps, unless they are vectors of inner stride 1.
template <class State, class = void> struct has_gaps : std::false_type {};
template <class State>
struct has_gaps<State, std::void_t<typename State::PlainObject>>
    : std::bool_constant<!std::is_same_v<typename State::PlainObject, State> &&
                         !(State::IsVectorAtCompileTime && State::InnerStrideAtCompileTime == 1)> {};

template <class State, class = void> struct is_contiguous_range : std::false_type {};
template <class State>
struct is_contiguous_range<State, std::enable_if_t<boost::has_range_const_iterator<State>::value>>
    : is_contiguous_iterator<typename boost::range_iterator<const State>::type> {};

enum class layout { none, number, data, storage, range };

template <class State> constexpr layout layout_of() {
  if constexpr (std::is_arithmetic_v<State>) {
    return layout::number;
  } else if constexpr (has_data<State>::value) {
    return has_gaps<State>::value ? layout::none : layout::data;
  } else if constexpr (has_storage<State>::value) {
    return layout::storage;
  } else if constexpr (is_contiguous_range<State>::value) {
    return layout::range;
  } else {
    return layout::none;
  }
}

template <layout Layout, class State> constexpr auto first_number(State& x) noexcept {
  if constexpr (Layout == layout::number) {
    return std::addressof(x);
  } else if constexpr (Layout == layout::data) {
    return x.data();
  } else if constexpr (Layout == layout::storage) {
    return x.size() == 0 ? nullptr : std::addressof(*x.data().begin());
  } else if constexpr (Layout == layout::range) {
    return boost::begin(x) == boost::end(x) ? nullptr : std::addressof(*boost::begin(x));
  }
}

} // namespace detail

/// Customisation point: the contiguous numbers of a `State`. Served as they are: everything with `data()` and `size()`
/// (std::vector, std::array, boost::array, Eigen's vectors of fixed and dynamic size), uBLAS vectors, contiguous
/// Boost.Range ranges (std::pair and boost::iterator_range of pointers or std::vector iterators), and a plain number as
/// a state of one variable. For a type of your own, specialise it with
///
///     template <> struct lodestep::odeint::state_access<my_state> {
///       using value_type = double;                              // or float
///       static double* data(my_state&) noexcept;
///       static const double* data(const my_state&) noexcept;
///       static std::size_t size(const my_state&) noexcept;
///     };
template <class State, class Enable = void> struct state_access {
  /// Void if the numbers of the state are not contiguous.
  using value_type = std::remove_cv_t<
      std::remove_pointer_t<decltype(detail::first_number<detail::layout_of<State>()>(std::declval<State&>()))>>;

  static constexpr auto data(State& x) noexcept { return detail::first_number<detail::layout_of<State>()>(x); }
  static constexpr auto data(const State& x) noexcept { return detail::first_number<detail::layout_of<State>()>(x); }

  static constexpr std::size_t size([[maybe_unused]] const State& x) noexcept {
    if constexpr (detail::layout_of<State>() == detail::layout::number) {
      return 1;
    } else if constexpr (detail::layout_of<State>() == detail::layout::range) {
      return static_cast<std::size_t>(boost::end(x) - boost::begin(x));
    } else {
      return static_cast<std::size_t>(x.size());
    }
  }
};

} // namespace lodestep::odeint
