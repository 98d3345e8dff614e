#pragma once

#include <chrono>
#include <ctime>

namespace lodestep::report {

/// Time that the calling thread has spent on a processor: what a clock on the wall shows on a quiet machine, without
/// the time that other programs take on a busy one. Everything measured with it runs on one thread.
struct ProcessorClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ProcessorClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    std::timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};

} // namespace lodestep::report
