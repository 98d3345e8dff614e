#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

namespace lodestep {

namespace detail {

/// As many doubles as the compiler may put into one register.
#if defined(__AVX512F__)
constexpr std::size_t native_lanes = 8;
#elif defined(__AVX__)
constexpr std::size_t native_lanes = 4;
#else
constexpr std::size_t native_lanes = 2;
#endif

template <std::size_t Width> struct NativeVector;
template <> struct NativeVector<2> { typedef double type __attribute__((vector_size(16))); };
template <> struct NativeVector<4> { typedef double type __attribute__((vector_size(32))); };
template <> struct NativeVector<8> { typedef double type __attribute__((vector_size(64))); };

/// Writes {a[k], b[k]} to `to` + k * stride: the numbers of two registers as pairs, each in one store. Said in the
/// shuffles that processors have; compilers find none of them by themselves.
inline void store_pairs(const NativeVector<2>::type& a, const NativeVector<2>::type& b, double* to,
                        std::size_t stride) noexcept {
  const auto first = __builtin_shufflevector(a, b, 0, 2);
  const auto second = __builtin_shufflevector(a, b, 1, 3);
  std::memcpy(to, &first, sizeof first);
  std::memcpy(to + stride, &second, sizeof second);
}
inline void store_pairs(const NativeVector<4>::type& a, const NativeVector<4>::type& b, double* to,
                        std::size_t stride) noexcept {
  const auto even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
  const auto odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  const NativeVector<2>::type pairs[] = {
      __builtin_shufflevector(even, even, 0, 1), __builtin_shufflevector(odd, odd, 0, 1),
      __builtin_shufflevector(even, even, 2, 3), __builtin_shufflevector(odd, odd, 2, 3)};
  for (std::size_t k = 0; k < 4; ++k) std::memcpy(to + k * stride, &pairs[k], sizeof pairs[k]);
}
inline void store_pairs(const NativeVector<8>::type& a, const NativeVector<8>::type& b, double* to,
                        std::size_t stride) noexcept {
  const auto even = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
  const auto odd = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
  const NativeVector<2>::type pairs[] = {
      __builtin_shufflevector(even, even, 0, 1), __builtin_shufflevector(odd, odd, 0, 1),
      __builtin_shufflevector(even, even, 2, 3), __builtin_shufflevector(odd, odd, 2, 3),
      __builtin_shufflevector(even, even, 4, 5), __builtin_shufflevector(odd, odd, 4, 5),
      __builtin_shufflevector(even, even, 6, 7), __builtin_shufflevector(odd, odd, 6, 7)};
  for (std::size_t k = 0; k < 8; ++k) std::memcpy(to + k * stride, &pairs[k], sizeof pairs[k]);
}

} // namespace detail

/// N numbers side by side, one of each of N members: the scalar of a right-hand side that is to be evaluated for N
/// states at once. It stays in registers, which plain arrays and loops over them do not. N is a multiple of `Width`,
/// which is part of the type, so that code compiled for different processors shares no symbol.
template <std::size_t N, std::size_t Width = detail::native_lanes> class Lanes {
  using Vector = typename detail::NativeVector<Width>::type;
  static_assert(N % Width == 0, "lodestep::Lanes: a whole number of registers");

public:
  static constexpr std::size_t size = N;

  Lanes() = default;
  /// The same in every lane.
  Lanes(double number) noexcept { // NOLINT: a right-hand side multiplies by plain numbers
    for (auto& v : v_) v = number - Vector{};
  }
  static Lanes load(const double* from) noexcept {
    Lanes lanes;
    std::memcpy(&lanes.v_, from, sizeof lanes.v_);
    return lanes;
  }
  /// As `=`, a register at a time whatever the compiler likes to copy structures by.
  void assign(const Lanes& from) noexcept {
    for (std::size_t m = 0; m < registers; ++m) v_[m] = from.v_[m];
  }
  void store(double* to) const noexcept { std::memcpy(to, &v_, sizeof v_); }
  /// Writes {a[k], b[k]} to `to` + k * stride for every lane k.
  static void store_pairs(const Lanes& a, const Lanes& b, double* to, std::size_t stride) noexcept {
    for (std::size_t m = 0; m < registers; ++m) {
      detail::store_pairs(a.v_[m], b.v_[m], to + m * Width * stride, stride);
    }
  }
  double operator[](std::size_t k) const noexcept { return v_[k / Width][k % Width]; }

  friend Lanes operator+(const Lanes& a, const Lanes& b) noexcept {
    Lanes c;
    for (std::size_t m = 0; m < registers; ++m) c.v_[m] = a.v_[m] + b.v_[m];
    return c;
  }
  friend Lanes operator-(const Lanes& a, const Lanes& b) noexcept {
    Lanes c;
    for (std::size_t m = 0; m < registers; ++m) c.v_[m] = a.v_[m] - b.v_[m];
    return c;
  }
  friend Lanes operator*(const Lanes& a, const Lanes& b) noexcept {
    Lanes c;
    for (std::size_t m = 0; m < registers; ++m) c.v_[m] = a.v_[m] * b.v_[m];
    return c;
  }
  friend Lanes operator/(const Lanes& a, const Lanes& b) noexcept {
    Lanes c;
    for (std::size_t m = 0; m < registers; ++m) c.v_[m] = a.v_[m] / b.v_[m];
    return c;
  }
  friend Lanes operator-(const Lanes& a) noexcept {
    Lanes c;
    for (std::size_t m = 0; m < registers; ++m) c.v_[m] = -a.v_[m];
    return c;
  }
  Lanes& operator+=(const Lanes& other) noexcept { return *this = *this + other; }
  Lanes& operator-=(const Lanes& other) noexcept { return *this = *this - other; }
  Lanes& operator*=(const Lanes& other) noexcept { return *this = *this * other; }
  Lanes& operator/=(const Lanes& other) noexcept { return *this = *this / other; }

  friend Lanes sqrt(const Lanes& a) {
    return a.each([](double x) { return std::sqrt(x); });
  }
  friend Lanes abs(const Lanes& a) {
    return a.each([](double x) { return std::abs(x); });
  }
  friend Lanes exp(const Lanes& a) {
    return a.each([](double x) { return std::exp(x); });
  }
  friend Lanes log(const Lanes& a) {
    return a.each([](double x) { return std::log(x); });
  }
  friend Lanes sin(const Lanes& a) {
    return a.each([](double x) { return std::sin(x); });
  }
  friend Lanes cos(const Lanes& a) {
    return a.each([](double x) { return std::cos(x); });
  }
  friend Lanes tanh(const Lanes& a) {
    return a.each([](double x) { return std::tanh(x); });
  }

private:
  static constexpr std::size_t registers = N / Width;

  template <class Function> Lanes each(Function function) const {
    double numbers[N];
    store(numbers);
    for (double& number : numbers) number = function(number);
    return load(numbers);
  }

  Vector v_[registers];
};

} // namespace lodestep
