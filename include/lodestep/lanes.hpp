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
  void store(double* to) const noexcept { std::memcpy(to, &v_, sizeof v_); }
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
