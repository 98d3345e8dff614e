#pragma once

#include <cstddef>
#include <cstdint>
#include <lodestep.h>

namespace lodestep::c {

/// The host's right-hand side, as the core calls it. It remembers what the host returned, and whether control is with
/// the host, so that an exception can be told from one of our own.
class HostRhs {
public:
  HostRhs(std::size_t dimension, lodestep_rhs rhs, void* user) noexcept
      : dimension_(dimension), rhs_(rhs), user_(user) {}

  void set_batch(lodestep_rhs_batch batch) noexcept { batch_ = batch; }

  int operator()(double t, const double* u, double* dudt) {
    ++evaluations_;
    running_ = true;
    const int result = rhs_(t, u, dudt, user_);
    running_ = false;
    if (result != 0) result_ = result;
    return result;
  }

  /// n states at once, by one call if the host can.
  int operator()(double t, std::size_t n, const double* u, double* dudt) {
    if (!batch_) {
      for (std::size_t i = 0; i < n; ++i) {
        if (const int result = (*this)(t, u + i * dimension_, dudt + i * dimension_)) return result;
      }
      return 0;
    }
    evaluations_ += n;
    running_ = true;
    const int result = batch_(t, n, u, dudt, user_);
    running_ = false;
    if (result != 0) result_ = result;
    return result;
  }

  std::uint64_t evaluations() const noexcept { return evaluations_; }
  void reset_evaluations() noexcept { evaluations_ = 0; }
  int last_result() const noexcept { return result_; }
  /// True while the host runs; after an exception, true if it was the host's. Resets it.
  bool take_running() noexcept {
    const bool was = running_;
    running_ = false;
    return was;
  }

private:
  std::size_t dimension_;
  lodestep_rhs rhs_;
  lodestep_rhs_batch batch_ = nullptr;
  void* user_;
  std::uint64_t evaluations_ = 0;
  int result_ = 0;
  bool running_ = false;
};

} // namespace lodestep::c
