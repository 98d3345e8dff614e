#pragma once

#include <lodestep/problem.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace lodestep::cli {

/// Progress on standard error: a bar where that is a terminal, else a line every ten seconds, nothing when quiet.
class ProgressBar {
public:
  explicit ProgressBar(bool quiet);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(double fraction, const std::string& what);
  /// Takes the bar off the screen, so that the next line starts on a clean one.
  void clear();

  /// A callback for the library. It asks to stop once Ctrl-C was pressed under an Interrupt. The bar must outlive it.
  Progress callback();

private:
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

/// While one exists, Ctrl-C asks for an orderly end instead of killing the process; a second Ctrl-C kills it.
class Interrupt {
public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  static bool requested() noexcept;
};

} // namespace lodestep::cli
