#include <lodestep/error.hpp>
#include <lodestep/executor.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace lodestep {

namespace {

/// Some tens of microseconds: a sleeping thread takes about as long to wake.
constexpr int spins = 20000;

} // namespace

Executor::~Executor() = default;

struct ThreadTeam::State {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::atomic<std::uint64_t> round{0};
  std::atomic<std::size_t> running{0};
  std::atomic<bool> stop{false};
  Task task = nullptr;
  void* context = nullptr;

  void work(std::size_t worker) {
    std::uint64_t seen = 0;
    for (;;) {
      for (int i = 0; i < spins && round.load(std::memory_order_acquire) == seen; ++i) {
      }
      if (round.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return round.load(std::memory_order_acquire) != seen; });
      }
      ++seen;
      if (stop.load(std::memory_order_acquire)) return;
      task(context, worker);
      if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(mutex);
        done.notify_one();
      }
    }
  }

  void start_round() {
    {
      const std::lock_guard lock(mutex);
      round.fetch_add(1, std::memory_order_acq_rel);
    }
    wake.notify_all();
  }

  void join() {
    stop.store(true, std::memory_order_release);
    start_round();
    for (auto& thread : threads) thread.join();
  }
};

ThreadTeam::ThreadTeam(std::size_t workers) : state_(std::make_unique<State>()) {
  if (workers == 0) throw InvalidArgument("threads: expected at least 1, found 0");
  try {
    for (std::size_t w = 1; w < workers; ++w)
      state_->threads.emplace_back([state = state_.get(), w] { state->work(w); });
  } catch (...) {
    state_->join();
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  state_->join();
}

std::size_t ThreadTeam::workers() const noexcept {
  return state_->threads.size() + 1;
}

void ThreadTeam::run(Task task, void* context) {
  State& state = *state_;
  if (state.threads.empty()) return task(context, 0);
  state.task = task;
  state.context = context;
  state.running.store(state.threads.size(), std::memory_order_release);
  state.start_round();
  task(context, 0);
  for (int i = 0; i < spins && state.running.load(std::memory_order_acquire) != 0; ++i) {
  }
  if (state.running.load(std::memory_order_acquire) != 0) {
    std::unique_lock lock(state.mutex);
    state.done.wait(lock, [&] { return state.running.load(std::memory_order_acquire) == 0; });
  }
}

} // namespace lodestep
