#include "cli/progress.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace lodestep::cli {

namespace {

volatile std::sig_atomic_t interrupt_requested = 0;

extern "C" void on_interrupt(int) {
  interrupt_requested = 1;
}

} // namespace

ProgressBar::ProgressBar(bool quiet)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) {}

void ProgressBar::show(double fraction, const std::string& what) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000))) return;
  last_ = now;
  fraction = std::clamp(fraction, 0.0, 1.0);
  const int percent = static_cast<int>(100.0 * fraction);
  if (!terminal_) {
    std::fprintf(stderr, "%3d%% %s\n", percent, what.c_str());
    return;
  }
  constexpr int width = 30;
  const int filled = static_cast<int>(width * fraction);
  const std::string bar = std::string(filled, '=') + std::string(width - filled, ' ');
  std::fprintf(stderr, "\r\033[K[%s] %3d%% %.60s", bar.c_str(), percent, what.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

Progress ProgressBar::callback() {
  return [this](double fraction, const std::string& what) {
    show(fraction, what);
    return !Interrupt::requested();
  };
}

Interrupt::Interrupt() {
  interrupt_requested = 0;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
}

Interrupt::~Interrupt() {
  std::signal(SIGINT, SIG_DFL);
}

bool Interrupt::requested() noexcept {
  return interrupt_requested != 0;
}

} // namespace lodestep::cli
