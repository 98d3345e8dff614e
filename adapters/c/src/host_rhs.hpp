#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lodestep.h>
#include <vector>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

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
    if (result != 0) result_.store(result, std::memory_order_relaxed);
    return result;
  }

  /// n states at once, variable after variable as ensembles keep them (variable i of state k at u[i n + k]), from any
  /// number of threads. The host sees one state after the other, by one call if it can.
  int many(double t, const double* u, double* dudt, std::size_t n) {
    constexpr std::size_t on_stack = 1024;
    const std::size_t size = n * dimension_;
    if (2 * size <= on_stack) {
      std::array<double, on_stack> scratch;
      return many(t, u, dudt, n, scratch.data(), scratch.data() + size);
    }
    std::vector<double> scratch(2 * size); // states this large cost more than their allocation
    return many(t, u, dudt, n, scratch.data(), scratch.data() + size);
  }

  std::uint64_t evaluations() const noexcept { return evaluations_ + of_many_.load(std::memory_order_relaxed); }
  void reset_evaluations() noexcept {
    evaluations_ = 0;
    of_many_.store(0, std::memory_order_relaxed);
  }
  int last_result() const noexcept { return result_.load(std::memory_order_relaxed); }
  /// True while the host runs; after an exception, true if it was the host's. Resets it.
  bool take_running() noexcept {
    const bool was = running_ || threw_.load(std::memory_order_relaxed);
    running_ = false;
    threw_.store(false, std::memory_order_relaxed);
    return was;
  }

private:
  int many(double t, const double* u, double* dudt, std::size_t n, double* states, double* derivatives) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < dimension_; ++i) states[k * dimension_ + i] = u[i * n + k];
    }
    of_many_.fetch_add(n, std::memory_order_relaxed);
    if (const int result = call_many(t, n, states, derivatives)) {
      result_.store(result, std::memory_order_relaxed);
      return result;
    }
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = 0; i < dimension_; ++i) dudt[i * n + k] = derivatives[k * dimension_ + i];
    }
    return 0;
  }

  int call_many(double t, std::size_t n, const double* states, double* derivatives) {
    try {
      if (batch_) return batch_(t, n, states, derivatives, user_);
      for (std::size_t k = 0; k < n; ++k) {
        if (const int result = rhs_(t, states + k * dimension_, derivatives + k * dimension_, user_)) return result;
      }
      return 0;
    }
#if defined(__GLIBCXX__)
    catch (abi::__forced_unwind&) {
      throw;
    }
#endif
    catch (...) {
      threw_.store(true, std::memory_order_relaxed);
      throw;
    }
  }

  std::size_t dimension_;
  lodestep_rhs rhs_;
  lodestep_rhs_batch batch_ = nullptr;
  void* user_;
  std::uint64_t evaluations_ = 0;
  bool running_ = false;
  // Several threads may evaluate many states at a time, each its own.
  std::atomic<std::uint64_t> of_many_{0};
  std::atomic<int> result_{0};
  std::atomic<bool> threw_{false};
};

} // namespace lodestep::c
