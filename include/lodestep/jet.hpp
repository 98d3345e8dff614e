#pragma once

#include <array>
#include <cmath>
#include <cstddef>

/// Scalars that carry derivatives through a generic right-hand side. Both are plain values on which +, -, *, / and the
/// functions below work, also mixed with numbers.
namespace lodestep {

/// A value and its first derivatives in N directions (forward-mode automatic differentiation).
template <class T, std::size_t N> struct Jet {
  T value{};
  std::array<T, N> derivative{};

  Jet() = default;
  Jet(double constant) : value(constant) {} // NOLINT: numbers are constants
  /// The variable of direction `i`.
  static Jet variable(const T& value, std::size_t i) {
    Jet x;
    x.value = value;
    x.derivative[i] = T(1.0);
    return x;
  }

  /// f(x) with f' = `slope` at the value of x.
  Jet apply(const T& f, const T& slope) const {
    Jet r;
    r.value = f;
    for (std::size_t i = 0; i < N; ++i) r.derivative[i] = slope * derivative[i];
    return r;
  }

  Jet& operator+=(const Jet& y) {
    value += y.value;
    for (std::size_t i = 0; i < N; ++i) derivative[i] += y.derivative[i];
    return *this;
  }
  Jet& operator-=(const Jet& y) {
    value -= y.value;
    for (std::size_t i = 0; i < N; ++i) derivative[i] -= y.derivative[i];
    return *this;
  }
  Jet& operator*=(const Jet& y) {
    for (std::size_t i = 0; i < N; ++i) derivative[i] = derivative[i] * y.value + value * y.derivative[i];
    value *= y.value;
    return *this;
  }
  Jet& operator*=(double y) {
    value *= y;
    for (std::size_t i = 0; i < N; ++i) derivative[i] *= y;
    return *this;
  }
  Jet& operator/=(const Jet& y) {
    const T inverse = T(1.0) / y.value;
    value *= inverse;
    for (std::size_t i = 0; i < N; ++i) derivative[i] = (derivative[i] - value * y.derivative[i]) * inverse;
    return *this;
  }

  friend Jet operator+(Jet x, const Jet& y) { return x += y; }
  friend Jet operator-(Jet x, const Jet& y) { return x -= y; }
  friend Jet operator*(Jet x, const Jet& y) { return x *= y; }
  friend Jet operator/(Jet x, const Jet& y) { return x /= y; }
  friend Jet operator+(Jet x, double y) {
    x.value += y;
    return x;
  }
  friend Jet operator+(double y, Jet x) { return x + y; }
  friend Jet operator-(Jet x, double y) { return x + (-y); }
  friend Jet operator-(double y, const Jet& x) { return -x + y; }
  friend Jet operator*(Jet x, double y) { return x *= y; }
  friend Jet operator*(double y, Jet x) { return x *= y; }
  friend Jet operator/(Jet x, double y) { return x *= 1.0 / y; }
  friend Jet operator-(Jet x) { return x *= -1.0; }

  friend Jet sqrt(const Jet& x) {
    using std::sqrt;
    const T r = sqrt(x.value);
    return x.apply(r, T(0.5) / r);
  }
  friend Jet exp(const Jet& x) {
    using std::exp;
    const T r = exp(x.value);
    return x.apply(r, r);
  }
  friend Jet log(const Jet& x) {
    using std::log;
    return x.apply(log(x.value), T(1.0) / x.value);
  }
  friend Jet sin(const Jet& x) {
    using std::cos;
    using std::sin;
    return x.apply(sin(x.value), cos(x.value));
  }
  friend Jet cos(const Jet& x) {
    using std::cos;
    using std::sin;
    return x.apply(cos(x.value), -sin(x.value));
  }
};

/// A power series in the step size h, truncated after h^Order: sum_k coefficient[k] h^k.
template <class T, std::size_t Order> struct Series {
  std::array<T, Order + 1> coefficient{};

  Series() = default;
  Series(double constant) { coefficient[0] = T(constant); } // NOLINT: numbers are constants
  static Series constant(const T& value) {
    Series x;
    x.coefficient[0] = value;
    return x;
  }
  /// h times this series.
  Series shifted() const {
    Series r;
    for (std::size_t k = 0; k < Order; ++k) r.coefficient[k + 1] = coefficient[k];
    return r;
  }

  Series& operator+=(const Series& y) {
    for (std::size_t k = 0; k <= Order; ++k) coefficient[k] += y.coefficient[k];
    return *this;
  }
  Series& operator-=(const Series& y) {
    for (std::size_t k = 0; k <= Order; ++k) coefficient[k] -= y.coefficient[k];
    return *this;
  }
  Series& operator*=(const Series& y) {
    for (std::size_t k = Order + 1; k-- > 0;) {
      T sum = coefficient[0] * y.coefficient[k];
      for (std::size_t j = 1; j <= k; ++j) sum += coefficient[j] * y.coefficient[k - j];
      coefficient[k] = sum;
    }
    return *this;
  }
  Series& operator*=(const T& y) {
    for (auto& c : coefficient) c *= y;
    return *this;
  }
  Series& operator/=(const Series& y) {
    for (std::size_t k = 0; k <= Order; ++k) {
      T rest = coefficient[k];
      for (std::size_t j = 0; j < k; ++j) rest -= coefficient[j] * y.coefficient[k - j];
      coefficient[k] = rest / y.coefficient[0];
    }
    return *this;
  }

  friend Series operator+(Series x, const Series& y) { return x += y; }
  friend Series operator-(Series x, const Series& y) { return x -= y; }
  friend Series operator*(Series x, const Series& y) { return x *= y; }
  friend Series operator/(Series x, const Series& y) { return x /= y; }
  friend Series operator+(Series x, double y) {
    x.coefficient[0] += T(y);
    return x;
  }
  friend Series operator+(double y, Series x) { return x + y; }
  friend Series operator-(Series x, double y) { return x + (-y); }
  friend Series operator-(double y, const Series& x) { return -x + y; }
  friend Series operator*(Series x, double y) { return x *= T(y); }
  friend Series operator*(double y, Series x) { return x *= T(y); }
  friend Series operator/(Series x, double y) { return x *= T(1.0 / y); }
  friend Series operator-(Series x) { return x *= T(-1.0); }

  // Each function y = g(x) solves a linear differential equation in h, which gives its coefficients one after the
  // other (Griewank, Walther, "Evaluating Derivatives", 13.2).
  friend Series sqrt(const Series& x) {
    using std::sqrt;
    Series y;
    y.coefficient[0] = sqrt(x.coefficient[0]);
    for (std::size_t k = 1; k <= Order; ++k) {
      T rest = x.coefficient[k];
      for (std::size_t j = 1; j < k; ++j) rest -= y.coefficient[j] * y.coefficient[k - j];
      y.coefficient[k] = rest / (T(2.0) * y.coefficient[0]);
    }
    return y;
  }
  friend Series exp(const Series& x) {
    using std::exp;
    Series y;
    y.coefficient[0] = exp(x.coefficient[0]);
    for (std::size_t k = 1; k <= Order; ++k) {
      T sum(0.0);
      for (std::size_t j = 1; j <= k; ++j) sum += T(static_cast<double>(j)) * x.coefficient[j] * y.coefficient[k - j];
      y.coefficient[k] = sum / T(static_cast<double>(k));
    }
    return y;
  }
  friend Series log(const Series& x) {
    using std::log;
    Series y;
    y.coefficient[0] = log(x.coefficient[0]);
    for (std::size_t k = 1; k <= Order; ++k) {
      T sum = T(static_cast<double>(k)) * x.coefficient[k];
      for (std::size_t j = 1; j < k; ++j) sum -= T(static_cast<double>(j)) * y.coefficient[j] * x.coefficient[k - j];
      y.coefficient[k] = sum / (T(static_cast<double>(k)) * x.coefficient[0]);
    }
    return y;
  }
  friend Series sin(const Series& x) { return sin_cos(x)[0]; }
  friend Series cos(const Series& x) { return sin_cos(x)[1]; }

private:
  static std::array<Series, 2> sin_cos(const Series& x) {
    using std::cos;
    using std::sin;
    std::array<Series, 2> y;
    y[0].coefficient[0] = sin(x.coefficient[0]);
    y[1].coefficient[0] = cos(x.coefficient[0]);
    for (std::size_t k = 1; k <= Order; ++k) {
      T s(0.0);
      T c(0.0);
      for (std::size_t j = 1; j <= k; ++j) {
        const T weight = T(static_cast<double>(j)) * x.coefficient[j];
        s += weight * y[1].coefficient[k - j];
        c -= weight * y[0].coefficient[k - j];
      }
      y[0].coefficient[k] = s / T(static_cast<double>(k));
      y[1].coefficient[k] = c / T(static_cast<double>(k));
    }
    return y;
  }
};

} // namespace lodestep
