#include "approximator/fused.hpp"

#include <lodestep/approximator.hpp>

#include <new>
#include <utility>

namespace lodestep {

namespace {

constexpr std::align_val_t alignment{64};

/// Before the memory that is handed out stands what is remembered from one evaluation to the next.
struct alignas(64) Header {
  bool direction = false;
  void* second = nullptr;
  std::size_t second_size = 0;
};

Header& header(void* data) noexcept {
  return *(static_cast<Header*>(data) - 1);
}
void* make(std::size_t bytes, const Header& remembered) {
  return new (::operator new(sizeof(Header) + bytes, alignment)) Header(remembered) + 1;
}
/// The memory alone, without what its header owns.
void release(void* data) noexcept {
  if (data) ::operator delete(&header(data), alignment);
}

} // namespace

Workspace::Workspace() = default;
Workspace::~Workspace() {
  if (data_) ::operator delete(header(data_).second, alignment);
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
    void* larger = make(bytes, data_ ? header(data_) : Header());
    release(std::exchange(data_, larger));
    size_ = bytes;
  }
  return data_;
}

namespace detail {

bool next_direction(Workspace& workspace) {
  bool& direction = header(workspace.require(1)).direction;
  direction = !direction;
  return direction;
}

void* second_buffer(Workspace& workspace, std::size_t bytes) {
  Header& remembered = header(workspace.require(1));
  if (bytes > remembered.second_size) {
    ::operator delete(std::exchange(remembered.second, nullptr), alignment);
    remembered.second_size = 0;
    remembered.second = ::operator new(bytes, alignment);
    remembered.second_size = bytes;
  }
  return remembered.second;
}

} // namespace detail
} // namespace lodestep
