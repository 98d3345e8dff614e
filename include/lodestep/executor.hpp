#pragma once

#include <lodestep/export.hpp>

#include <cstddef>
#include <memory>

namespace lodestep {

/// Runs a task on several workers at once: the caller's own thread pool, in the form the schemes with many segments
/// want it.
class LODESTEP_EXPORT Executor {
public:
  using Task = void (*)(void* context, std::size_t worker);
  virtual ~Executor();
  /// Number of workers that `run` calls the task for.
  virtual std::size_t workers() const noexcept = 0;
  /// Calls task(context, w) once for each w < workers(), from any threads in any order, and returns when all have
  /// returned. The task throws nothing.
  virtual void run(Task task, void* context) = 0;
};

/// Threads of our own: they are started once, and between runs they spin for some microseconds before they sleep.
class LODESTEP_EXPORT ThreadTeam final : public Executor {
public:
  /// `workers` counts the calling thread, which works too. Throws InvalidArgument for 0, std::system_error if the
  /// system has no thread left.
  explicit ThreadTeam(std::size_t workers);
  ~ThreadTeam() override;
  std::size_t workers() const noexcept override;
  void run(Task task, void* context) override;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace lodestep
