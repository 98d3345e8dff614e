#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace lodestep::detail {

/// The state of Adam (Kingma and Ba 2015, algorithm 1): running means of the gradient and of its square.
template <class T> class AdamMoments {
public:
  AdamMoments(std::size_t parameters, double beta1, double beta2, double epsilon)
      : first_(parameters), second_(parameters), beta1_(beta1), beta2_(beta2), epsilon_(epsilon) {}

  /// Moves the first parameters against the gradient; what lies behind them is left alone.
  void step(const T* gradient, double rate, T* parameters) {
    power1_ *= beta1_;
    power2_ *= beta2_;
    const T beta1 = static_cast<T>(beta1_);
    const T beta2 = static_cast<T>(beta2_);
    // The means start at zero: what that takes from them is given back in the rate and the root.
    const T rate1 = static_cast<T>(rate / (1.0 - power1_));
    const T root2 = static_cast<T>(1.0 / std::sqrt(1.0 - power2_));
    const T epsilon = static_cast<T>(epsilon_);
    for (std::size_t i = 0; i < first_.size(); ++i) {
      first_[i] = beta1 * first_[i] + (T{1} - beta1) * gradient[i];
      second_[i] = beta2 * second_[i] + (T{1} - beta2) * gradient[i] * gradient[i];
      parameters[i] -= rate1 * first_[i] / (std::sqrt(second_[i]) * root2 + epsilon);
    }
  }

private:
  std::vector<T> first_;
  std::vector<T> second_;
  double beta1_;
  double beta2_;
  double epsilon_;
  double power1_ = 1.0;
  double power2_ = 1.0;
};

} // namespace lodestep::detail
