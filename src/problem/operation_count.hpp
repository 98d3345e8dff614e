#pragma once

#include <cmath>

namespace lodestep::problem {

/// A scalar that adds up the modelled time of the operations done on it, in nanoseconds. A right-hand side written for
/// any scalar thus tells its own cost, the same on every machine. The figures are those of one core of a current x86
/// processor near 3 GHz in scalar code, where independent additions overlap and library functions hardly do.
class OperationCount {
public:
  /// Nanoseconds since the last reset on this thread.
  static double& elapsed_ns() noexcept {
    thread_local double ns = 0.0;
    return ns;
  }

  OperationCount() = default;
  explicit OperationCount(double value) noexcept : value_(value) {}

  friend OperationCount operator+(OperationCount a, OperationCount b) noexcept {
    return spend(a.value_ + b.value_, arithmetic);
  }
  friend OperationCount operator-(OperationCount a, OperationCount b) noexcept {
    return spend(a.value_ - b.value_, arithmetic);
  }
  friend OperationCount operator*(OperationCount a, OperationCount b) noexcept {
    return spend(a.value_ * b.value_, arithmetic);
  }
  friend OperationCount operator/(OperationCount a, OperationCount b) noexcept {
    return spend(a.value_ / b.value_, division);
  }
  friend OperationCount operator-(OperationCount a) noexcept { return spend(-a.value_, arithmetic); }
  OperationCount& operator+=(OperationCount b) noexcept { return *this = *this + b; }
  OperationCount& operator-=(OperationCount b) noexcept { return *this = *this - b; }
  OperationCount& operator*=(OperationCount b) noexcept { return *this = *this * b; }
  OperationCount& operator/=(OperationCount b) noexcept { return *this = *this / b; }
  friend bool operator<(OperationCount a, OperationCount b) noexcept { return a.value_ < b.value_; }
  friend bool operator>(OperationCount a, OperationCount b) noexcept { return a.value_ > b.value_; }

  friend OperationCount sin(OperationCount a) noexcept { return spend(std::sin(a.value_), trigonometric); }
  friend OperationCount cos(OperationCount a) noexcept { return spend(std::cos(a.value_), trigonometric); }
  friend OperationCount exp(OperationCount a) noexcept { return spend(std::exp(a.value_), exponential); }
  friend OperationCount log(OperationCount a) noexcept { return spend(std::log(a.value_), exponential); }
  friend OperationCount sqrt(OperationCount a) noexcept { return spend(std::sqrt(a.value_), root); }

private:
  static constexpr double arithmetic = 0.2;
  static constexpr double division = 1.5;
  static constexpr double root = 2.0;
  static constexpr double exponential = 4.0;
  static constexpr double trigonometric = 4.0;

  static OperationCount spend(double value, double ns) noexcept {
    elapsed_ns() += ns;
    return OperationCount(value);
  }

  double value_;
};

} // namespace lodestep::problem
