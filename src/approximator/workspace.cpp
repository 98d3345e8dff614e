#include "approximator/fused.hpp"

#include <lodestep/approximator.hpp>

#include <new>
#include <utility>

namespace lodestep {

namespace {

constexpr std::align_val_t alignment{64};
/// Before the memory that is handed out stands what is remembered from one evaluation to the next.
constexpr std::size_t header = 64;

void* make(std::size_t bytes) {
  auto* memory = static_cast<unsigned char*>(::operator new(header + bytes, alignment));
  *memory = 0;
  return memory + header;
}
void release(void* data) noexcept {
  if (data) ::operator delete(static_cast<unsigned char*>(data) - header, alignment);
}

} // namespace

Workspace::Workspace() = default;
Workspace::~Workspace() {
  release(data_);
}
Workspace::Workspace(const Workspace&) {}
Workspace& Workspace::operator=(const Workspace&) {
  return *this;
}
Workspace::Workspace(Workspace&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Workspace& Workspace::operator=(Workspace&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void* Workspace::require(std::size_t bytes) {
  if (bytes > size_) {
    release(std::exchange(data_, nullptr));
    size_ = 0;
    data_ = make(bytes);
    size_ = bytes;
  }
  return data_;
}

namespace detail {

bool next_direction(Workspace& workspace) {
  auto* direction = static_cast<unsigned char*>(workspace.require(1)) - header;
  *direction ^= 1;
  return *direction != 0;
}

} // namespace detail
} // namespace lodestep
