#pragma once

#include <lodestep/export.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace lodestep {

/// What became of a step, and why.
enum class Verdict : std::uint8_t {
  learned,    ///< taken by the model
  step_size,  ///< dt is not the trained one (or is negative): taken by the fallback scheme
  domain,     ///< the state is outside the domain of training (or not finite): taken by the fallback scheme
  correction, ///< the correction was larger than any in training, or not finite: taken by the fallback scheme
};
constexpr std::size_t verdict_count = 4;

LODESTEP_EXPORT const char* to_string(Verdict) noexcept;

/// How many steps were learned, how many the fallback scheme took instead, by reason.
struct StepCounters {
  std::array<std::uint64_t, verdict_count> steps{};

  std::uint64_t operator[](Verdict v) const noexcept { return steps[static_cast<std::size_t>(v)]; }
  std::uint64_t learned() const noexcept { return steps[0]; }
  std::uint64_t fallen_back() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < verdict_count; ++i) sum += steps[i];
    return sum;
  }
  std::uint64_t total() const noexcept { return learned() + fallen_back(); }
  StepCounters& operator+=(const StepCounters& other) noexcept {
    for (std::size_t i = 0; i < verdict_count; ++i) steps[i] += other.steps[i];
    return *this;
  }
};

/// Counters shared by a stepper and all its copies. Hosts copy steppers by value and drop the copies (Odeint's
/// integrate functions do), so each copy counts for itself without synchronisation and hands its counts to the shared
/// total when it is destroyed or read.
class SharedCounters {
public:
  SharedCounters() : total_(std::make_shared<Total>()) {}
  SharedCounters(const SharedCounters& other) noexcept : total_(other.total_) {}
  SharedCounters& operator=(const SharedCounters& other) noexcept {
    flush();
    total_ = other.total_;
    return *this;
  }
  ~SharedCounters() { flush(); }

  void count(Verdict v) noexcept { ++local_.steps[static_cast<std::size_t>(v)]; }

  /// Totals over this copy and every copy already destroyed or read.
  StepCounters read() const noexcept {
    flush();
    StepCounters sum;
    for (std::size_t i = 0; i < verdict_count; ++i) sum.steps[i] = total_->steps[i].load(std::memory_order_relaxed);
    return sum;
  }
  void reset() noexcept {
    local_ = {};
    for (auto& s : total_->steps) s.store(0, std::memory_order_relaxed);
  }

private:
  struct Total {
    std::array<std::atomic<std::uint64_t>, verdict_count> steps{};
  };
  void flush() const noexcept {
    for (std::size_t i = 0; i < verdict_count; ++i) {
      if (local_.steps[i] != 0) total_->steps[i].fetch_add(local_.steps[i], std::memory_order_relaxed);
    }
    local_ = {};
  }

  mutable StepCounters local_;
  std::shared_ptr<Total> total_;
};

} // namespace lodestep
